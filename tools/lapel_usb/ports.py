"""Which serial port is the pin's, and why one cannot be opened."""

from __future__ import annotations

import grp
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from serial.tools import list_ports

from lapel_usb.errors import Busy, LinkLost, NoPermission, NoPort, UsbError

PROC = Path("/proc")


class Found(Protocol):
    """What pyserial tells of a port."""

    device: str
    product: str | None
    manufacturer: str | None
    serial_number: str | None
    vid: int | None


ListPorts = Callable[[], Sequence[Found]]


def usb_ports() -> list[Found]:
    """The USB serial ports of this computer, by name."""
    return sorted((port for port in list_ports.comports() if port.vid is not None), key=lambda port: port.device)


def choose(wanted: str | None, ports: ListPorts = usb_ports) -> str:
    """The port to open. Raises NoPort when none or several are there, or not the wanted one."""
    if wanted:
        if os.path.exists(wanted) or "://" in wanted:
            return wanted
        there = ports()
        raise NoPort(f"There is no port {wanted}.", _listed(there))
    there = ports()
    if not there:
        raise NoPort("No USB serial port is there.", _nothing_there())
    if len(there) > 1:
        raise NoPort(f"{len(there)} USB serial ports are there, and any of them may be the pin.", _listed(there))
    return there[0].device


def _listed(ports: Sequence[Found]) -> str:
    if not ports:
        return _nothing_there()
    lines = [f"  PORT={port.device}    {describe(port)}" for port in ports]
    return "\n".join(["Say which one, by adding to your command:", *lines])


def describe(port: Found) -> str:
    """Its maker's words."""
    words = [word for word in (port.product, port.manufacturer) if word and word != "n/a"]
    text = ", ".join(words) or "(says nothing of itself)"
    return f"{text}, serial number {port.serial_number}" if port.serial_number else text


def _nothing_there() -> str:
    return (
        "Plug the board in with a cable that carries data: many only charge.\n"
        "Still none? Hold BOOT, press and release RESET, let go of BOOT: the chip's own port must appear then.\n"
        "On Linux `sudo dmesg | tail` shows what the computer saw of it."
    )


def why_not(port: str) -> UsbError:
    """Why this port could not be opened, found out afterwards."""
    if not os.path.exists(port):
        return LinkLost(f"{port} was there and is gone.", "Look at the cable, then type the command again.")
    if not os.access(port, os.R_OK | os.W_OK):
        return NoPermission(f"You may not open {port}.", _permission(port))
    return busy(port) if _is_serial(port) else NoPort(f"{port} is no serial port.", _listed(usb_ports()))


def _is_serial(port: str) -> bool:
    try:
        fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        # one that is busy may refuse
        return True
    try:
        return os.isatty(fd)
    finally:
        os.close(fd)


def busy(port: str) -> Busy:
    """With the names of those who hold the port, as far as this user may see them."""
    names = holders(port)
    who = f"{' and '.join(names)} holds it" if names else "another program holds it"
    return Busy(
        f"{port} is busy: {who}.",
        "Close what may have it open: a serial monitor (screen, minicom, Thonny, Arduino, an editor's plug-in),\n"
        "another mpremote or `make console`. Just after plugging in, ModemManager may try it for some seconds.\n"
        f"  lsof {port}      shows who it is",
    )


def holders(port: str) -> list[str]:
    """Programs with this port open, `name (pid)`; only where /proc tells."""
    if not PROC.is_dir():
        return []
    target = os.path.realpath(port)
    found = []
    for process in PROC.iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            if any(os.readlink(fd) == target for fd in (process / "fd").iterdir()):
                found.append(f"{(process / 'comm').read_text().strip()} (pid {process.name})")
        except OSError:
            # another user's process, or one that has just ended
            continue
    return sorted(found)


def _permission(port: str) -> str:
    try:
        group = grp.getgrgid(os.stat(port).st_gid)
    except (KeyError, OSError):
        return f"Give yourself the right to read and write it: ls -l {port}"
    user = os.environ.get("USER") or "$USER"
    if group.gr_name == "root":
        return (
            "It belongs to root alone; a udev rule opens it for who sits at the computer:\n"
            "  echo 'SUBSYSTEM==\"tty\", ATTRS{idVendor}==\"303a\", TAG+=\"uaccess\"' "
            "| sudo tee /etc/udev/rules.d/60-lapel.rules\n"
            "  sudo udevadm control --reload; then unplug the board and plug it in again"
        )
    if user in group.gr_mem:
        return f"You are in the group {group.gr_name}, but not yet in this session: log out and in again."
    return (
        f"It belongs to the group {group.gr_name}; join it, then log out and in again:\n"
        f"  sudo usermod -a -G {group.gr_name} {user}"
    )
