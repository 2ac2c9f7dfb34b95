"""The main job end to end: press, speak, let go; the result finds you."""

from __future__ import annotations

import wave

from tests.sim.runs import DISK, NOTE, UNKNOWN, Sim


def test_hold_one_recording_and_feel_the_result(sim: Sim) -> None:
    run = sim.run("--wav", str(DISK)).good()
    order = run.names("recording", "listening", "captured", "transcript", "notice")
    assert "recording" in order
    steps = [order.index(name) for name in ("listening", "captured", "transcript", "notice")]
    assert steps == sorted(steps)

    captured, accepted = run.of("captured")[0], run.of("accepted")[0]
    assert captured["clip"] == accepted["clip"]
    # a moment, 2.46 s of speech and the tail of 120 ms, at 4 bits a sample
    assert 2500 < captured["ms"] < 3000
    assert 7800 < captured["bytes"] / captured["ms"] * 1000 < 8200
    linked, clip = run.of("linked", "companion")[0], run.of("clip", "companion")[0]
    assert linked["mtu"] == 247
    assert linked["interval_ms"] == 30
    assert clip["id"] == captured["clip"]
    assert clip["codec"] == "ima-adpcm"
    assert clip["ms"] == captured["ms"]
    transcript = run.of("transcript", "companion")[0]
    # open dictation of a synthetic voice: what it read decides nothing by itself
    assert transcript["text"]
    assert transcript["engine"] == "pocketsphinx"
    assert "confidence" in transcript
    assert [line["outcome"] for line in run.of("dispatch", "companion")] == ["accepted", "jobs"]
    assert [line["state"] for line in run.of("job", "companion")][-1] == "done"
    assert {line["agent"] for line in run.of("job", "companion")} == {"command"}

    notice = run.of("notice", "pin")[0]
    assert notice["kind"] == "done"
    assert notice["dispatch"] == accepted["dispatch"] == run.of("dispatch")[0]["id"]
    assert notice["job"] == run.of("job")[0]["id"]
    assert "free of" in notice["text"]
    assert notice["text"].startswith("how much disk space is left")
    # the bars of the bench, with room for a busy computer
    at = {name: run.of(name)[0]["t_ms"] for name in ("press", "release", "listening", "captured", "clip")}
    assert at["listening"] - at["press"] <= 320 + 100
    assert at["captured"] - at["release"] - 120 <= 150 + 100
    assert at["clip"] - at["release"] - 120 <= 150 + 250
    felt = [line["pattern"] for line in run.of("haptic", "pin")]
    assert felt[0] == "listening"
    assert felt[-1] == "done"
    assert run.events[-1]["event"] == "haptic_end"
    assert run.events[-1]["pattern"] == "done"


def test_a_note_an_unknown_line_and_silence(sim: Sim) -> None:
    silence = sim.folder / "silence.wav"
    with wave.open(str(silence), "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        out.writeframes(bytes(2 * 16000))
    run = sim(
        f"""
        hold {NOTE}
        wait notice kind=done 30
        hold {UNKNOWN}
        wait dispatch outcome=held 30
        wait notice kind=held 10
        hold {silence}
        wait dispatch outcome=unheard 30
        wait notice kind=unheard 10
        """
    ).good()
    assert "buy milk" in sim.notes.read_text()
    heard = run.of("transcript", "companion")[1]["text"]
    assert heard in run.of("notice", "pin", kind="held")[0]["text"]
    assert {line["id"] for line in run.of("job")} == {run.of("notice", kind="done")[0]["job"]}


def test_a_tap_a_reply_and_a_low_battery(sim: Sim) -> None:
    run = sim(
        f"""
        hold {DISK}
        wait notice kind=done 30
        wait haptic_end pattern=done 5
        tap
        wait haptic pattern=done 3
        wait haptic_end pattern=done 5
        reply {DISK}
        wait clip 20
        battery 3200
        wait haptic pattern=low_battery 20
        """
    ).good()
    first, second = run.of("clip", "companion")
    assert first["reply_to"] is None
    assert second["reply_to"] == run.of("notice", "pin")[0]["id"]


def test_unmet_is_exit_1_with_the_reason(sim: Sim) -> None:
    run = sim("tap\nwait notice kind=question 1\n")
    assert run.code == 1
    assert "x.script:2: wait notice kind=question 1: not seen within 1 s" in run.stderr
    assert "Traceback" not in run.stderr
