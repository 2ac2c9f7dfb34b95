"""The main job with recordings in Opus."""

from __future__ import annotations

from lapel_codec import ogg
from tests.sim.runs import DISK, Sim


def test_a_hold_in_opus_is_heard_and_can_be_played(sim: Sim) -> None:
    run = sim.run("--codec", "opus", "--wav", str(DISK)).good()
    chosen = [line["codec"] for line in run.of("codec", "pin")]
    # what it takes until the companion says otherwise
    assert chosen == ["ima-adpcm", "opus"]
    captured, clip = run.of("captured")[0], run.of("clip", "companion")[0]
    assert (clip["id"], clip["codec"], clip["cut"]) == (captured["clip"], "opus", False)
    # 2.46 s of speech and the tail, at 32 kbit/s or less as the link carries it
    assert 2500 < captured["ms"] == clip["ms"] < 3000
    assert captured["bytes"] / captured["ms"] < 4.3
    assert run.of("transcript", "companion")[0]["text"]
    assert run.of("notice", "pin")[0]["kind"] == "done"
    assert not run.of("dropped") and not run.of("died")

    clips = sim.state / "clips"
    assert (clips / f"{clip['id']}.packets").stat().st_size == captured["bytes"]
    with (clips / f"{clip['id']}.opus").open("rb") as file:
        # whole frames, so up to 20 ms more than was said
        assert -3 <= len(ogg.sound(file)) / 32 - captured["ms"] <= 20
    # what was set is known at the next start, before the companion comes
    again = sim("sleep 0.1", "--codec", "opus").good()
    assert [line["codec"] for line in again.of("codec", "pin")] == ["opus"]
