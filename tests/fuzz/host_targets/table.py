"""The targets that only the computer runs: a name, and what makes a short verdict of bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.fuzz.host_targets import api, mad_pin, said, things

TARGETS: Mapping[str, Callable[[bytes], str]] = {
    "api_head": api.api_head,
    "api_body": api.api_body,
    "api_bytes": api.api_bytes,
    "api_posts": api.api_posts,
    "token_file": api.token_file,
    "key_file": api.key_file,
    "spans": said.spans,
    "phrases": said.phrases,
    "configured": said.configured,
    "transcripts": said.transcripts,
    "clock_file": said.clock_file,
    "flight_told": said.flight_told,
    "recordings": things.recordings,
    "clip_wavs": things.clip_wavs,
    "opus_clips": things.opus_clips,
    "pin_facts": things.pin_facts,
    "pin_inventory": things.pin_inventory,
    "pin_owner": things.pin_owner,
    "mad_pin": mad_pin.mad_pin,
}
