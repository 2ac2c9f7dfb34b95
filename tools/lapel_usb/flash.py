"""`make flash`: from a checkout to an app that runs on a pin, so that it never has none.

The order is the promise: everything beside the running app and verified, then the manifest, then main.py, then the
switch (`current`, by rename). README.md beside this file tells it with pictures of the folders.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lapel_usb import aioble, build, checks, copying, inventory
from lapel_usb.build import App
from lapel_usb.copying import Copier
from lapel_usb.errors import LinkLost, PinError, Refused, UsbError
from lapel_usb.inventory import Inventory
from lapel_usb.link import PinLink

# The app calls a boot well after 10 s; a boot that fails is tried again after a pause, three times.
WELL_S = 45.0
ATTEMPTS = 3
KEPT_MAIN = "main-before-lapel.py"
BACK = "make flash PREVIOUS=1"


@dataclass(frozen=True)
class Request:
    """What the person asked for. `root` is the checkout."""

    board: str
    aioble_folder: str = ""
    mip_index: str = ""
    other_board: bool = False
    format: bool = False
    previous: bool = False
    root: Path = build.ROOT
    cache: Path = aioble.CACHE


@dataclass
class Told:
    """Where sentences and progress go."""

    tell: Callable[[str], None] = lambda sentence: None
    progress: Callable[[int, int], None] = lambda done, whole: None


@dataclass
class _Watch:
    """The lines of a pin that starts, until one says how it went."""

    lines: list[str] = field(default_factory=list)
    ended: str = ""
    unpaired: bool = False

    def __call__(self, line: str) -> bool:
        self.lines = [*self.lines[-200:], line]
        event = event_of(line)
        if event.get("event") == "pairing":
            self.unpaired = event.get("paired") is False
        if event.get("event") in ("well", "safe_mode"):
            self.ended = str(event["event"])
        return bool(self.ended)


def event_of(line: str) -> Mapping[str, object]:
    """A line of trace as its fields; empty for any other line."""
    if not line.startswith("{"):
        return {}
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def flash(link: PinLink, request: Request, told: Told) -> App | None:
    """The app of the request runs on the pin, or the one before it (then it gives None). The link is closed at the
    end. Raises UsbError; whatever it says, an app is on the pin that starts, if one was there."""
    want = None if request.previous else checks.wanted(request.board, request.root)
    for attempt in range(ATTEMPTS):
        try:
            app = _once(link, request, want, told)
            break
        except LinkLost:
            if attempt == ATTEMPTS - 1:
                raise
            # what was copied so far is found there and kept
            link.reopen()
    _start_and_wait(link, told)
    return app


def _once(link: PinLink, request: Request, want: checks.Wanted | None, told: Told) -> App | None:
    if want is None:
        _back(link, inventory.take(link), told)
        return None
    facts = link.facts
    if request.format and not facts.mounted:
        told.tell("Formatting the filesystem of the pin.")
        format_pin(link)
        facts = link.facts
    checks.check(facts, want, link.port)
    hint = checks.tight(facts, want)
    if hint:
        told.tell(hint)
    held = inventory.take(link)
    _same_board(held, request)
    told.tell(f"MicroPython {facts.version_text} on {facts.machine}. Building the app for {request.board}.")
    app = _with_aioble(link, _built(link, request), held, request, told)
    copier = Copier(link, told.progress)
    held = _make_room(link, copier, app, held, told)
    try:
        done = copier.complete(app, held)
    except PinError as error:
        if not copying.is_full(error):
            raise
        # what other things took was more than was counted
        raise copying.full(copying.blocks_needed(app, held), inventory.take(link)) from error
    told.tell(
        f"{app.folder} is whole and verified: {done.sent} files sent ({done.sent_bytes} B), "
        f"{done.taken_over} taken over on the pin, {done.kept} were there."
    )
    _switch(copier, app, held, request, told)
    for folder in [*held.previous, *held.leftovers]:
        if folder not in (app.folder, held.current):
            copier.remove(folder)
    return app


def format_pin(link: PinLink) -> None:
    """Makes a new filesystem, empty but for what the image itself puts there."""
    link.run(_FORMAT, timeout_s=120)
    link.forget_facts()


def _built(link: PinLink, request: Request) -> App:
    # on the simulated pin the chip's own modules lie beside board.py: the pin brings them
    brought = link.run("import sys\nfor n in sys.modules: print(n)").split()
    return build.build(request.board, link.facts.arch, root=request.root, brought=brought)


def _with_aioble(link: PinLink, app: App, held: Inventory, request: Request, told: Told) -> App:
    """The app with aioble in it; as it is, when the pin brings one of its own."""
    files: dict[str, bytes] = {}
    kept: dict[str, str] = {}
    try:
        if request.aioble_folder:
            with tempfile.TemporaryDirectory() as work:
                files = aioble.from_folder(Path(request.aioble_folder).expanduser(), app.arch, Path(work))
        else:
            files = aioble.fetched(link.facts, told.tell, request.mip_index, request.cache)
    except aioble.NoAioble as problem:
        kept = _aioble_of(held)
        if kept:
            told.tell(f"{problem.sentence}\nGoing on with the aioble of the app that runs.")
        elif _has_aioble(link):
            told.tell(f"{problem.sentence}\nGoing on with the aioble that is on the pin.")
        else:
            raise
    return App(app.board, app.arch, app.version, {**app.files, **files}, kept)


def _aioble_of(held: Inventory) -> dict[str, str]:
    manifest = held.apps.get(held.current, {"files": {}})
    prefix = f"{aioble.PACKAGE}/"
    return {path: digest for path, digest in manifest["files"].items() if path.startswith(prefix)}


def _has_aioble(link: PinLink) -> bool:
    """Frozen into the image, or in /lib."""
    try:
        link.run(f"import {aioble.PACKAGE}")
    except PinError:
        return False
    return True


def _same_board(held: Inventory, request: Request) -> None:
    before = held.apps.get(held.current, {}).get("board", request.board)
    if before != request.board and not request.other_board:
        raise Refused(
            f"This pin runs the app for {before}, and you say BOARD={request.board}: with the wrong pin table its "
            "parts would be driven wrongly.",
            f"If it is BOARD={before}, say that. If the pin was built anew, add OTHER_BOARD=1 to your command.",
        )


def _make_room(link: PinLink, copier: Copier, app: App, held: Inventory, told: Told) -> Inventory:
    """What of older apps must go first, goes; never the one that runs. Raises Full."""
    for folder in [*held.leftovers, *held.previous]:
        if copying.blocks_needed(app, held) <= held.free_blocks:
            break
        if folder != app.folder:
            told.tell(f"Making room: {folder} goes.")
            copier.remove(folder)
            held = inventory.take(link)
    needed = copying.blocks_needed(app, held)
    if needed > held.free_blocks:
        raise copying.full(needed, held)
    return held


def _switch(copier: Copier, app: App, held: Inventory, request: Request, told: Told) -> None:
    main = build.main_program(request.root)
    if copier.digest("main.py") != build.sha256(main):
        if "main.py" in held.files and not held.current:
            told.tell(f"The pin had a main.py of its own; it is kept as {KEPT_MAIN}.")
            copier.keep("main.py", KEPT_MAIN)
        copier.replace("main.py", main)
    # three tries of its own for the new app
    copier.remove("boots")
    if held.current != app.folder:
        copier.replace("current", app.folder.encode() + b"\n")


def _back(link: PinLink, held: Inventory, told: Told) -> None:
    """Switches to the app that ran before."""
    if len(held.previous) != 1:
        found = ", ".join(held.previous) if held.previous else "none"
        raise UsbError(f"There is no one app before this one on the pin; found: {found}.", "make flash BOARD=...")
    folder = held.previous[0]
    copier = Copier(link)
    for path, digest in held.apps[folder]["files"].items():
        if copier.digest(f"{folder}/{path}") != digest:
            raise UsbError(f"{folder}/{path} on the pin is damaged; the app that runs stays.", "make flash BOARD=...")
    copier.remove("boots")
    copier.replace("current", folder.encode() + b"\n")
    told.tell(f"Back to {folder}.")


def _start_and_wait(link: PinLink, told: Told) -> None:
    told.tell("Starting it; it says within 15 s that it is well.")
    watch = _Watch()
    link.start_and_listen(watch, WELL_S)
    if watch.ended == "well" or (not watch.ended and _is_well(link)):
        told.tell("The app runs, and is well.")
        if watch.unpaired:
            told.tell("It is not paired yet. Now:  lapel pair")
        return
    errors = [line for line in watch.lines if line.strip() and not line.startswith("{")]
    words = "\n".join(f"  {line}" for line in errors[-8:])
    what = "It went into its safe mode." if watch.ended else f"It did not say so within {WELL_S:.0f} s."
    raise UsbError(
        f"The new app was put on the pin whole, but is not well. {what}" + (f" It printed:\n{words}" if words else ""),
        f"To go back to the app before it:  {BACK}\nTo see what it says:  make logs",
    )


def _is_well(link: PinLink) -> bool:
    """What it said may have been lost with a port that went away: the file of failed starts is gone then."""
    try:
        link.open()
        counted = link.run("import os\nprint('boots' in os.listdir('/'))").strip()
        link.start_app()
    except UsbError:
        return False
    return counted == "False"


_FORMAT = """
from flashbdev import bdev
import vfs, os
vfs.VfsLfs2.mkfs(bdev)
vfs.mount(vfs.VfsLfs2(bdev), "/")
os.chdir("/")
open("/boot.py", "w").close()
"""
