"""Out of reach, killed, cut off: what was felt as captured gets one dispatch, and that one outcome."""

from __future__ import annotations

import wave

import pytest

from tests.sim.runs import DISK, NOTE, Run, Sim


def once(run: Run, count: int) -> None:
    """So many clips captured, each with one dispatch and one outcome, in order."""
    captured = [line["clip"] for line in run.of("captured", "pin")]
    assert len(captured) == count
    accepted = [line for line in run.of("dispatch", "companion") if line["outcome"] == "accepted"]
    assert [line["clip"] for line in accepted] == captured
    outcomes = [line["id"] for line in run.of("dispatch", "companion") if line["outcome"] != "accepted"]
    assert sorted(outcomes) == sorted(line["id"] for line in accepted)


def test_kept_and_dispatched_in_order_when_back(sim: Sim) -> None:
    run = sim(
        f"""
        link down
        wait link up=false 15
        hold {DISK}
        wait kept
        hold {NOTE}
        wait kept
        expect-not accepted 1
        link up
        wait accepted 30
        wait accepted 30
        wait notice kind=done 30
        wait notice kind=done 30
        """
    ).good()
    once(run, 2)


def test_a_second_run_on_the_same_state_finds_the_clips(sim: Sim) -> None:
    first = sim(f"link down\nwait link up=false 15\nhold {DISK}\nwait kept\n").good()
    clip = first.of("captured")[0]["clip"]
    # its notice is told in the run after, and nothing of the old is told again
    second = sim(f"wait accepted clip={clip} 30\nwait notice kind=done 30\nexpect-not accepted 1\n").good()
    assert second.of("formatted") == []
    once(Run(0, [*first.of("captured"), *second.events], ""), 1)


def test_power_cut_while_speaking_is_held(sim: Sim) -> None:
    # 40 flash operations are some two seconds of speech: the first sync was made
    run = sim(
        f"""
        power cut after 45
        hold {DISK}
        power on
        wait clip cut=true 30
        wait dispatch outcome=held 30
        wait notice kind=held 30
        """
    ).good()
    assert run.of("job") == []
    assert run.of("captured") == []


def test_power_cut_right_after_captured(sim: Sim) -> None:
    run = sim(f"hold {DISK}\nwait captured\npower cut\npower on\nwait notice kind=done 40\n").good()
    once(run, 1)


def test_companion_killed_while_the_clip_comes_in(sim: Sim) -> None:
    run = sim(
        f"""
        hold {DISK}
        companion kill
        wait captured
        companion start
        wait notice kind=done 60
        """
    ).good()
    once(run, 1)


def test_a_bad_radio_and_a_link_lost_in_the_middle(sim: Sim) -> None:
    run = sim(
        f"""
        link loss 30
        hold {DISK}
        wait notice kind=done 40
        press
        wait listening
        sleep 1
        link down
        sleep 1
        release
        wait kept
        link up
        wait accepted 30
        """
    ).good()
    assert len(run.of("captured")) == 2


def test_a_slow_radio(sim: Sim) -> None:
    run = sim(f"hold {DISK}\nwait notice kind=done 40\n", "--interval-ms", "50", "--packets", "2").good()
    assert run.of("linked")[0]["interval_ms"] == 50
    once(run, 1)


def test_a_full_flash_refuses_at_the_press_and_keeps_what_it_has(sim: Sim) -> None:
    # 60 s are 480 kB: of 160 blocks a few clips leave too little
    run = sim(
        f"""
        link down
        wait link up=false 15
        hold {DISK}
        wait kept
        hold {DISK}
        hold {DISK}
        hold {DISK}
        hold {DISK}
        wait haptic pattern=full
        link up
        wait accepted 30
        """,
        "--flash-blocks",
        "160",
    ).good()
    assert 1 <= len(run.of("kept")) < 5


@pytest.mark.slow
def test_61_seconds_end_at_60(sim: Sim) -> None:
    path = sim.folder / "long.wav"
    with wave.open(str(DISK), "rb") as short:
        frames = short.readframes(short.getnframes())
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        out.writeframes((frames * 40)[: 61 * 32000])
    run = sim(f"hold {path}\nwait captured 5\nwait clip 30\n")
    run.good()
    assert 59_500 <= run.of("captured")[0]["ms"] <= 60_200
    assert "61.0 s long" in run.stderr
