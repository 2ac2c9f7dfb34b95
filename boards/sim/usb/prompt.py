"""What stock MicroPython on an ESP32-S3 does around main.py, on USB: `micropython prompt.py`.

It mounts LittleFS at "/" of an image with the rules of NOR flash, runs boot.py and main.py, and speaks the
friendly and the raw REPL (raw paste with it) on stdin and stdout. A soft reset ends this process; the host
half (tools/simulator/serial_pin.py) starts the next. Sources: shared/runtime/pyexec.c and ports/esp32/main.c of
MicroPython 1.29 for what is said and in which order.

LAPEL_SIM_USB is JSON: `image`, `state` and `log` (files; see nor_file.py), `blocks`, `raw` (start in the raw REPL),
`control` (two file descriptors: to and from the host half), `uid`, `claim` (see chip.py).
"""

import gc
import io
import json
import os
import sys
import time

import chip
import on_bus
import vfs
from control import Control
from nor_file import NorFile

_CTRL_A = 1
_CTRL_B = 2
_CTRL_C = 3
_CTRL_D = 4
_CTRL_E = 5
# Half of what the port's input buffer holds: what raw paste lets the host send ahead.
_WINDOW_BYTES = 128
_CORRUPTED = """\
The filesystem appears to be corrupted. If you had important data there, you
may want to make a flash snapshot to try to recover it. Otherwise, perform
factory reprogramming of MicroPython firmware (completely erase flash, followed
by firmware programming).
"""
_BOOT_PY = "# This file is executed on every boot (including wake-boot from deepsleep)\n"


class SoftReset(Exception):
    """SystemExit came out of what was run."""


class Port:
    """One run of the interpreter, from reset to reset."""

    def __init__(self, flash, control, banner):
        self._flash = flash
        self._control = control
        self._banner = banner
        self._in = sys.stdin.buffer
        self._globals = {"__name__": "__main__"}

    def run(self, raw):
        """Boots and serves the prompt. `raw`: no main.py, and the raw REPL at once. Returns for a soft reset;
        gives which prompt it was."""
        try:
            self._boot(raw)
            while True:
                raw = self._raw_repl() if raw else self._friendly_repl()
        except SoftReset:
            pass
        # what the port's sweep of the whole heap does: open files are closed
        self._globals.clear()
        gc.collect()
        print("MPY: soft reboot")
        return raw

    def _boot(self, raw):
        if self._execute(self._mount) is False:
            return
        self._run_file("boot.py")
        if not raw:
            self._run_file("main.py")

    def _mount(self):
        try:
            vfs.mount(vfs.VfsLfs2(self._flash), "/")
        except OSError:
            first = bytearray(self._flash.block_bytes)
            self._flash.readblocks(0, first)
            while first != b"\xff" * len(first):
                print(_CORRUPTED)
                time.sleep(3)
            print("Performing initial setup")
            vfs.VfsLfs2.mkfs(self._flash)
            vfs.mount(vfs.VfsLfs2(self._flash), "/")
            with open("/boot.py", "w") as f:
                f.write(_BOOT_PY)
        os.chdir("/")

    def _run_file(self, name):
        try:
            with open(name) as f:
                text = f.read()
        except OSError:
            return
        self._globals["__file__"] = name
        self._run_text(text, name)

    def _run_text(self, text, name="<stdin>", kind="exec", end=""):
        source = bytes(text) if isinstance(text, bytearray) else text

        def run():
            # that is what a prompt is for
            exec(compile(source, name, kind), self._globals)  # noqa: S102

        self._execute(run, end)

    def _execute(self, run, end=""):
        """Runs it with Ctrl-C listened to; `end` goes out after its output and after its error. False: it
        raised."""
        failed = None
        try:
            self._control.listen(True)
            run()
        except BaseException as error:
            failed = error
        listens = True
        while listens:
            try:
                self._control.listen(False)
                # an interrupt that is on its way is taken here and not later
                for _ in range(3):
                    pass
                listens = False
            except KeyboardInterrupt as error:
                failed = failed or error
        print(end, end="")
        if isinstance(failed, SystemExit):
            raise SoftReset
        if failed is not None:
            print(_traceback(failed), end="")
        print(end, end="")
        return failed is None

    def _byte(self):
        got = self._in.read(1)
        if not got:
            # the host half is gone, and the power with it
            raise SystemExit(0)
        return got[0]

    # --- raw REPL

    def _raw_repl(self):
        """Until Ctrl-B; gives False: the friendly REPL is next."""
        print("raw REPL; CTRL-B to exit\n>", end="")
        line = bytearray()
        while True:
            c = self._byte()
            if c == _CTRL_A:
                if len(line) == 2 and line[0] == _CTRL_E:
                    self._raw_paste(line[1])
                    print(">", end="")
                else:
                    print("raw REPL; CTRL-B to exit\n>", end="")
                line = bytearray()
            elif c == _CTRL_B:
                print()
                return False
            elif c == _CTRL_C:
                line = bytearray()
            elif c == _CTRL_D:
                print("OK", end="")
                if not line:
                    print()
                    raise SoftReset
                self._run_text(line, end="\x04")
                print(">", end="")
                line = bytearray()
            else:
                line.append(c)

    def _raw_paste(self, command):
        if command != ord("A"):
            sys.stdout.buffer.write(b"R\x00")
            return
        sys.stdout.buffer.write(b"R\x01" + bytes((_WINDOW_BYTES, 0)) + b"\x01")
        text = bytearray()
        left = _WINDOW_BYTES
        while True:
            c = self._byte()
            if c in (_CTRL_C, _CTRL_D):
                break
            text.append(c)
            left -= 1
            if not left:
                sys.stdout.buffer.write(b"\x01")
                left = _WINDOW_BYTES
        print("\x04", end="")
        if c == _CTRL_C:
            print("\x04\nKeyboardInterrupt: \n\x04", end="")
        else:
            self._run_text(text, end="\x04")

    # --- friendly REPL

    def _friendly_repl(self):
        """Until Ctrl-A; gives True: the raw REPL is next."""
        print(self._banner)
        print('Type "help()" for more information.')
        while True:
            end, line = self._line(">>> ")
            while end == "\r" and _goes_on(line):
                end, more = self._line("... ")
                line += "\n" + more
                if end == "\r" and not more:
                    break
            if end == _CTRL_A:
                print()
                return True
            elif end == _CTRL_B:
                print()
                print(self._banner)
            elif end == _CTRL_D:
                print()
                raise SoftReset
            elif end == _CTRL_E:
                self._paste_mode()
            elif end == "\r" and line.strip():
                self._run_text(line, kind="single")

    def _line(self, prompt):
        # what ended it ("\r" or the code of a control key), and the text
        print(prompt, end="")
        line = ""
        while True:
            c = self._byte()
            if c == 13:
                print()
                return "\r", line
            if c == _CTRL_C:
                print()
                return c, ""
            if c in (_CTRL_A, _CTRL_B, _CTRL_D, _CTRL_E) and not line:
                return c, ""
            if c in (8, 127) and line:
                line = line[:-1]
                print("\x08 \x08", end="")
            elif c >= 32:
                line += chr(c)
                print(chr(c), end="")

    def _paste_mode(self):
        print("\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\n=== ", end="")
        text = bytearray()
        while True:
            c = self._byte()
            if c in (_CTRL_C, _CTRL_D):
                break
            text.append(10 if c == 13 else c)
            print("\n=== " if c == 13 else chr(c), end="")
        print()
        if c == _CTRL_D:
            self._run_text(text)


def _goes_on(line):
    """The prompt asks for more: a block was begun, or a bracket is open."""
    last = line.rstrip().split("\n")[-1]
    opened = sum(line.count(c) for c in "([{") > sum(line.count(c) for c in ")]}")
    return opened or line.rstrip().endswith(":") or last.startswith((" ", "@"))


def _traceback(error):
    """As the port prints it: without the lines of this file."""
    out = io.StringIO()
    sys.print_exception(error, out)
    lines = out.getvalue().split("\n")
    return "\n".join([line for line in lines if __file__ not in line])


def main(options):
    to_host, from_host = options["control"]
    control = Control(open("/dev/fd/{}".format(to_host), "wb"), open("/dev/fd/{}".format(from_host), "rb"))
    flash = NorFile(options["image"], options["state"], options.get("log"), options["blocks"], control.power_is_cut)
    parts = on_bus.Parts(flash.take_interrupt) if on_bus.is_there() else None
    banner = chip.put_in_place(control, flash, options)
    path = ["", ".frozen", "/lib"]
    if parts:
        parts.put_in_place()
        path = parts.module_path()
        flash = parts.flash or flash
    vfs.umount("/")
    sys.path[:] = path
    control.soft_reset(Port(flash, control, banner).run(options["raw"]))


if __name__ == "__main__":
    main(json.loads(os.getenv("LAPEL_SIM_USB")))
