"""The main job end to end: press, speak, let go; the result finds you."""

from __future__ import annotations

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
    assert notice["text"].startswith(transcript["text"])
    felt = [line["pattern"] for line in run.of("haptic", "pin")]
    assert felt[0] == "listening"
    assert felt[-1] == "done"
    assert run.events[-1]["event"] == "haptic_end"
    assert run.events[-1]["pattern"] == "done"


def test_the_bars_of_the_loop(sim: Sim) -> None:
    run = sim(f"hold {DISK}\nwait notice 30\n").good()
    at = {name: run.of(name)[0]["t_ms"] for name in ("press", "release", "listening", "captured", "clip")}
    assert at["listening"] - at["press"] <= 320 + 30
    # the tail of 120 ms is kept after letting go
    assert at["captured"] - at["release"] - 120 <= 150
    assert at["clip"] - at["release"] - 120 <= 250


def test_a_note_is_written(sim: Sim) -> None:
    sim(f"hold {NOTE}\nwait notice kind=done 30\n").good()
    assert "buy milk" in sim.notes.read_text()


def test_what_no_phrase_matches_is_held(sim: Sim) -> None:
    script = f"hold {UNKNOWN}\nwait dispatch outcome=held 30\nwait notice kind=held 10\nexpect-not job 1\n"
    run = sim(script).good()
    heard = run.of("transcript", "companion")[0]["text"]
    assert heard in run.of("notice", "pin")[0]["text"]


def test_tap_replays_the_newest_notice(sim: Sim) -> None:
    script = f"hold {DISK}\nwait notice kind=done 30\nwait haptic_end pattern=done 5\n"
    sim(f"{script}tap\nwait haptic pattern=done 3\n").good()


def test_unmet_is_exit_1_with_the_reason(sim: Sim) -> None:
    run = sim("tap\nwait notice kind=question 1\n")
    assert run.code == 1
    assert "x.script:2: wait notice kind=question 1: not seen within 1 s" in run.stderr
    assert "Traceback" not in run.stderr


def test_silence_is_unheard(sim: Sim) -> None:
    import wave

    path = sim.folder / "silence.wav"
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        out.writeframes(bytes(2 * 16000))
    run = sim(f"hold {path}\nwait dispatch outcome=unheard 30\nwait notice kind=unheard 10\n").good()
    assert run.of("job") == []
