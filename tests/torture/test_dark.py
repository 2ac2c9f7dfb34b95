"""The power cut of the computer: what its disk is held to have left, by programs whose calls are known."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torture.dark.disk import PAGE, Drawn, Everything, File, Folder, Resize, Stingy, Write, image
from tests.torture.dark.heard import Heard, Line, NotUnderstood
from tests.torture.dark.power import Blackout, check
from tests.torture.dark.tracer import Ear, Tracer
from tests.torture.whole.calls import NoStrace, find_strace

# A folder `state` with a durable name; everything else as it says.
PRELUDE = """
import os, sys
# Who was started as a program is not looked at; what that forks is.
if os.fork():
    os.wait()
    sys.exit()
def put(name, data=b"", flags=0):
    handle = os.open(name, os.O_RDWR | os.O_CREAT | flags)
    os.write(handle, data)
    return handle
def sync(handle):
    os.fsync(handle)
    os.close(handle)
def sync_names(folder):
    sync(os.open(folder, os.O_RDONLY))
top = os.environ["TOP"]
os.mkdir(top + "/state")
sync_names(top)
os.chdir(top + "/state")
here = top + "/state"
"""
END = "\nos.kill(os.getpid(), 9)\n"


def run(folder: Path, program: str) -> tuple[Tracer, Ear, int]:
    """What was heard of a program, that kills itself at its end."""
    try:
        tracer = Tracer(find_strace(), folder)
    except NoStrace as error:
        pytest.skip(str(error))
    top = folder / "disk"
    top.mkdir()
    ear = tracer.listen(top)
    tracer.start()
    try:
        # By the environment: who is started with a folder's path is another program.
        command = [*tracer.command, sys.executable, "-I", "-S", "-c", PRELUDE + program + END]
        process = subprocess.Popen(command, env={**os.environ, "TOP": str(top)})
        process.wait(30)
        assert tracer.gone(process.pid)
    finally:
        tracer.close()
    return tracer, ear, process.pid


def left(folder: Path, program: str) -> dict[str, bytes | None]:
    """What the stingiest power cut leaves in `state`."""
    _, ear, _ = run(folder, program)
    heard = Heard(str(folder / "disk"))
    heard.hear(ear.lines)
    check(folder / "disk", image(heard.root, Everything()), heard.doubtful)
    found = image(heard.root, Stingy())
    return {path.removeprefix("state/"): data for path, data in found.items() if path != "state"}


def test_only_what_was_synced_is_left(tmp_path: Path) -> None:
    found = left(
        tmp_path,
        """
put("never-synced", b"x")
sync(put("file-synced", b"x"))
put("name-synced", b"x")
sync(put("whole", b"x"))
sync(put("renamed-before", b"r"))
os.rename(here + "/renamed-before", here + "/renamed")
sync(put("old", b"old"))
sync(put("removed", b"x"))
grown = put("grown", b"12345")
os.fsync(grown)
os.mkdir(here + "/folder")
sync(put("folder/inside", b"x"))
sync_names(here)
os.write(grown, b"678")
sync(put("folder-after", b"x"))
sync(put("new", b"new"))
os.rename(here + "/new", here + "/old")
os.unlink(here + "/removed")
os.ftruncate(put("whole"), 0)
sync(put("ended", b"\\0\\"\\\\\\n\\xff" * 1000))
""",
    )
    assert found == {
        "name-synced": b"",
        "file-synced": b"x",
        "never-synced": b"",
        "whole": b"x",
        "renamed": b"r",
        "old": b"old",
        "removed": b"x",
        "grown": b"12345",
        "folder": None,
    }


def test_bytes_and_offsets_are_understood(tmp_path: Path) -> None:
    found = left(
        tmp_path,
        """
handle = put("bytes", b'\\0"\\\\\\n\\xff\\x41' * 1000)
os.lseek(handle, 3, os.SEEK_SET)
os.write(handle, b"<...>")
os.pwrite(handle, b"tail", 7000)
os.ftruncate(handle, 7002)
sync(handle)
more = put("more", b"begin ")
again = put("more", b"end", os.O_APPEND)
sync(more)
put("short", b"long")
sync(put("short", b"new", os.O_TRUNC))
sync_names(here)
""",
    )
    data = bytearray(b'\0"\\\n\xffA' * 1000)
    data[3:8] = b"<...>"
    assert found == {"bytes": bytes(data) + bytes(1000) + b"ta", "more": b"begin end", "short": b"new"}


SQLITE = """
import sqlite3
connection = sqlite3.connect(here + "/table")
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("PRAGMA synchronous={}")
connection.execute("CREATE TABLE numbers(number)")
for number in range(20):
    connection.execute("INSERT INTO numbers VALUES(?)", [number])
    connection.commit()
"""


@pytest.mark.parametrize(("synchronous", "how"), [("FULL", "power"), ("FULL", "drawn"), ("OFF", "power")])
def test_sqlites_own_promise(tmp_path: Path, synchronous: str, how: str) -> None:
    tracer, ear, pid = run(tmp_path, SQLITE.format(synchronous))
    Blackout(how, 7, ()).come(tracer, ear, tmp_path / "disk", pid, pid)
    found: list[int] = []
    if (tmp_path / "disk" / "state" / "table").exists():
        try:
            found = [
                row[0]
                for row in sqlite3.connect(tmp_path / "disk" / "state" / "table").execute("SELECT * FROM numbers")
            ]
        except sqlite3.OperationalError:
            assert synchronous == "OFF"
    assert (found == list(range(20))) is (synchronous == "FULL")


def heard(*texts: tuple[int, str, bool] | tuple[int, str]) -> Heard:
    found = Heard("/d", ("truth",))
    found.hear([Line(text[0], text[1], len(text) > 2) for text in texts])
    return found


MADE = (1, 'openat(AT_FDCWD</>, "/d/a", O_RDWR|O_CREAT, 0600) = 3</d/a>')
NAMED = (1, 'openat(AT_FDCWD</>, "/d", O_RDONLY) = 4</d>'), (1, "fsync(4</d>) = 0")


def test_a_sync_covers_what_was_done_before_it_began() -> None:
    def synced(*texts: tuple[int, str, bool] | tuple[int, str]) -> bytes | None:
        return image(heard(MADE, *NAMED, *texts).root, Stingy())["a"]

    one, two = 'write(3</d/a>, "one", 3) = 3', 'write(3</d/a>, "two", 3) = 3'
    assert synced((1, one), (1, "fsync(3</d/a>", True), (2, two), (1, "fsync(3</d/a>) = 0")) == b"one"
    assert synced((1, one), (1, two), (1, "fdatasync(3</d/a>) = 0")) == b"onetwo"
    assert synced((1, one), (1, "fsync(3</d/a>) = -1 EIO (Input/output error)")) == b""
    assert synced((1, one), (1, "fsync(3</d/a>", True)) == b""


def test_the_last_sync_of_a_thread_can_be_taken_away() -> None:
    def then(data: str) -> list[Line]:
        return [Line(1, f'write(3</d/a>, "{data}", 3) = 3'), Line(1, "fsync(3</d/a>) = 0")]

    lines = [Line(*MADE), *(Line(*each) for each in NAMED), *then("one"), *then("two")]
    for thread, data in ((1, b"one"), (2, b"onetwo")):
        found = Heard("/d")
        found.hear(lines, unsynced=thread)
        assert image(found.root, Stingy()) == {"a": data}


def test_a_call_that_was_killed_may_be_done_or_not() -> None:
    for end in (" <unfinished ...>) = ?", ") = ?", ") = 2"):
        found = heard(MADE, *NAMED, (1, f'pwrite64(3</d/a>, "one", 3, 0{end}'))
        assert "a" in found.doubtful
    assert "a" in heard(MADE, *NAMED, (1, 'pwrite64(3</d/a>, "one", 3, 0', True)).doubtful
    assert heard(MADE, *NAMED, (1, 'pwrite64(3</d/a>, "one", 3, 0) = 3')).doubtful == set()


def test_what_is_left_out_or_elsewhere_is_no_matter_and_what_is_unknown_is_told() -> None:
    found = heard(
        (1, 'openat(AT_FDCWD</>, "/d/truth", O_RDWR|O_CREAT, 0600) = 3</d/truth>'), (1, 'mkdir("/e", 0700) = 0')
    )
    assert image(found.root, Everything()) == {}
    for text in ('link("/d/a", "/d/b") = 0', 'rename("/d/a", "/e/a") = 0', "fallocate(3</d/a>, 0, 0, 9) = 0"):
        with pytest.raises(NotUnderstood):
            heard(MADE, (1, text))
    with pytest.raises(NotUnderstood, match="not told whole"):
        heard(MADE, (1, 'write(3</d/a>, "on"..., 300) = 300'))


def test_what_was_told_must_explain_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    check(tmp_path, {"a": b"one"}, set())
    with pytest.raises(AssertionError, match="a is not what was written"):
        check(tmp_path, {"a": b"two"}, set())
    check(tmp_path, {"a": b"two"}, {"a"})
    # Of who was killed in the middle of a write, that write may not have been told.
    check(tmp_path, {"a": b"o"}, set(), 2)
    check(tmp_path, {"a": b"oxe"}, set(), 1)
    for told, untold_bytes in ((b"o", 1), (b"xxe", 1), (b"one more", 8)):
        with pytest.raises(AssertionError, match="not what was written"):
            check(tmp_path, {"a": told}, set(), untold_bytes)
    with pytest.raises(AssertionError, match="b is not there"):
        check(tmp_path, {"b": b""}, set())


def test_what_was_not_synced_is_drawn_page_by_page_and_name_by_name() -> None:
    folder, file, other = Folder(), File(), File()
    file.do(Write(0, b"a" * 2 * PAGE))
    file.sync(file.mark)
    folder.do(("old", file))
    folder.sync(folder.mark)
    file.do(Write(PAGE // 2, b"b" * PAGE))
    file.do(Write(3 * PAGE, b"c"))
    file.do(Resize(PAGE))
    folder.do(("new", file), ("old", None))
    folder.do(("other", other))
    kinds = set()
    for seed in range(400):
        found = image(folder, Drawn(random.Random(seed)))
        assert ("old" in found) is not ("new" in found)
        data = found.get("old") or found.get("new") or b""
        assert len(data) in (PAGE, 2 * PAGE, 3 * PAGE + 1)
        # No page is torn: the first half of the write is in one page, its end in another.
        kinds.add(
            (
                len(data),
                data[PAGE // 2 : PAGE],
                data[PAGE : PAGE + PAGE // 2],
                data[3 * PAGE :],
                "new" in found,
                "other" in found,
            )
        )
    first, second = (b"a" * (PAGE // 2), b"b" * (PAGE // 2)), (b"a" * (PAGE // 2), b"b" * (PAGE // 2), b"")
    assert {kind[1] for kind in kinds} == set(first)
    assert {kind[2] for kind in kinds} == set(second)
    assert {kind[3] for kind in kinds} == {b"", b"c", b"\0"}
    assert {kind[4:] for kind in kinds} == {(new, more) for new in (True, False) for more in (True, False)}
