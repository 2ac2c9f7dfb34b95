"""The whole daemon in a process of its own: tasks, signals, crashes, and a pin on a simulated radio."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import wave
from pathlib import Path

import pytest
from bumble import hci

from lapel_audio import adpcm
from lapel_companion.daemon import Daemon, DaemonError, Options
from lapel_companion.events import EventLog
from lapel_companion.link.keeper import NO_KEY
from lapel_companion.pairing import KeyFile
from simulator.air import Air, Pace
from simulator.hci_port import HciPort
from tests.host.companion.companion_bumble import RadioPin
from tests.host.companion.companion_fakes import poll, run
from tests.host.companion.companion_pin import KEY, Pin
from tests.host.companion.companion_process import process

# A start takes a second or two.
MAX_KILLS = 4
RECORDING = Path(__file__).parents[3] / "tools" / "simulator" / "demo" / "disk_space.wav"


def recorded() -> bytes:
    """A spoken line as the pin would have stored it."""
    with wave.open(str(RECORDING)) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (16000, 1, 2)
        pcm = bytearray(wav.readframes(wav.getnframes()))
    out = bytearray(len(pcm))
    count = adpcm.Encoder().encode(pcm, len(pcm) // 2, out, (1 << 30) - 1)
    return bytes(out[:count])


def test_a_typed_task_is_done_and_told_and_the_daemon_stops_when_told(tmp_path: Path) -> None:
    async def test() -> None:
        async with process(tmp_path) as daemon:
            given = await daemon.post("/v1/say", {"text": "make a note buy milk"})
            notice = await daemon.wait("notice", dispatch=given["dispatch"])
            assert notice["kind"] == "done" and notice["who"] == "companion"
            assert "buy milk" in (tmp_path / "notes.md").read_text()
            outcomes = [line["outcome"] for line in daemon.lines if line["event"] == "dispatch"]
            assert outcomes == ["accepted", "jobs"]
            status = await daemon.get("/v1/status")
            assert status["link"]["state"] == "no radio" and status["unseen"] == 1
            assert status["link"]["dropped"] == {"packets": 0, "messages": 0} and status["forgotten"] == 0
            # A second one on the same state refuses, and says who is there.
            second = await asyncio.to_thread(
                subprocess.run, daemon.argv, capture_output=True, text=True, timeout=20, check=False
            )
            assert second.returncode == 1 and "already runs Lapel on" in second.stderr
            assert "Traceback" not in second.stderr
            assert await daemon.signal(signal.SIGTERM) == 0
            assert not any("Traceback" in line for line in daemon.said), daemon.said
            assert any("no link to the pin" in line for line in daemon.said)
        assert not (daemon.state / "api.sock").exists()

    run(test)


def test_without_a_key_it_says_what_to_type_and_tries_nobody(tmp_path: Path) -> None:
    async def test() -> None:
        air, pin = Air(Pace(), 1), Pin()
        port, radio = HciPort(air, "companion", hci.Address("C0:00:00:00:00:F0")), RadioPin(air, pin)
        spec = await port.open()
        await radio.start()
        async with process(tmp_path, f"bumble:{spec}") as daemon:
            await daemon.signal(signal.SIGTERM)
            daemon.said.clear()
            KeyFile(daemon.state).forget()
            await daemon.start()
            await poll(lambda: any(NO_KEY in line for line in daemon.said))
            link = (await daemon.get("/v1/status"))["link"]
            assert link["state"] == "not paired" and "lapel pair" in link["advice"]
            assert radio.connections == 0
            # Paired while it runs: it finds the key by itself.
            KeyFile(daemon.state).save(KEY)
            await poll(lambda: bool(pin.hellos))
            await daemon.signal(signal.SIGTERM)
            assert not any(KEY.secret.hex() in line for line in daemon.said)
        await radio.stop()
        await port.close()

    run(test, 60)


def test_a_killed_daemon_comes_back_with_everything_and_ends_what_it_left(tmp_path: Path) -> None:
    async def test() -> None:
        async with process(tmp_path) as daemon:
            await daemon.post("/v1/say", {"text": "wait for me"})
            await daemon.wait("job", state="running")
            await daemon.signal(signal.SIGKILL)
            daemon.lines.clear()
            await daemon.start()
            notice = await daemon.wait("notice")
            assert notice["kind"] == "held" and "interrupted" in notice["text"]
            assert (await daemon.get("/v1/jobs"))["jobs"][0]["state"] == "failed"
            await daemon.signal(signal.SIGINT)

    run(test)


def test_what_a_person_says_comes_back_to_the_pin(tmp_path: Path) -> None:
    async def test() -> None:
        air, pin = Air(Pace(), 5), Pin()
        port, radio = HciPort(air, "companion", hci.Address("C0:00:00:00:00:F0")), RadioPin(air, pin)
        spec = await port.open()
        await radio.start()
        clip_id = pin.record(1, recorded())
        async with process(tmp_path, f"bumble:{spec}") as daemon:
            await poll(lambda: bool(pin.notices))
            notice = pin.notices[1]
            assert notice["k"] == "done" and " free of " in notice["x"], notice
            assert pin.accepted == {1: "d1"}
            transcript = await daemon.wait("transcript")
            assert transcript["text"] and transcript["engine"] == "pocketsphinx"
            assert (await daemon.wait("linked"))["interval_ms"] == 30
            assert (daemon.state / "clips" / f"{clip_id}.wav").stat().st_size > 44
            pin.unanswered_seen = [1]
            await daemon.wait("notice_seen")
            assert (await daemon.get("/v1/status"))["unseen"] == 0
            assert await daemon.signal(signal.SIGTERM) == 0
        await radio.stop()
        await port.close()

    run(test)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment_it_takes_each_clip_once(tmp_path: Path, seed: int) -> None:
    async def test() -> None:
        chance = random.Random(seed)
        air, pin = Air(Pace(7.5, 6), seed), Pin(seed)
        port, radio = HciPort(air, "companion", hci.Address("C0:00:00:00:00:F0")), RadioPin(air, pin)
        spec = await port.open()
        await radio.start()
        clips = {n: chance.randbytes(chance.randrange(2_000, 15_000)) for n in range(1, 4)}
        kills = 0
        ids = {pin.record(number, data): data for number, data in clips.items()}
        async with process(tmp_path, f"bumble:{spec}") as daemon:
            while len(pin.accepted) < len(clips) and kills < MAX_KILLS:
                # At any packet of the pin's, often just behind an END.
                moment = pin.packets + chance.randrange(1, 60)
                await poll(lambda: pin.packets >= moment or len(pin.accepted) == len(clips))
                if len(pin.accepted) < len(clips):
                    await daemon.signal(signal.SIGKILL)
                    kills += 1
                    await daemon.start()
            assert kills
            await poll(lambda: len(pin.notices) >= len(clips))
            await daemon.signal(signal.SIGTERM)
            log = EventLog(daemon.state / "events.db")
            dispatches = log.read(kinds=["dispatch"])
            log.close()
            assert sorted(event.body["clip"] for event in dispatches) == sorted(ids)
            assert len(pin.notices_felt) == len(set(pin.notices_felt)) == len(clips)
            for clip_id, data in ids.items():
                assert (daemon.state / "clips" / f"{clip_id}.adpcm").read_bytes() == data
        await radio.stop()
        await port.close()

    run(test, 120)


def test_a_part_that_ends_unasked_is_told_and_not_missed_in_silence(tmp_path: Path) -> None:
    """A library cancels what it runs: the link was gone for good, and the daemon went on as if it were there."""

    async def test() -> None:
        daemon = Daemon(Options(tmp_path), on_event=lambda _: None, report=lambda _: None)
        task = asyncio.create_task(asyncio.Event().wait(), name="link")
        task.cancel()
        await asyncio.wait((task,))
        with pytest.raises(DaemonError, match="'link' of the daemon ended"):
            daemon._ended(task)

    run(test)
