"""`lapel sim --codec`: the companion's configuration with another codec in it, as a person would change it."""

from __future__ import annotations

from pathlib import Path

import click

from lapel_companion import config, toml_lines

# As the setting has them, and as clips name them.
CALLED = {"opus": "opus", "adpcm": "ima-adpcm"}
CODECS = tuple(CALLED)


def recording_in(codec: str, used: Path, folder: Path) -> Path:
    """A copy of the configuration `used`, in `folder`, whose pin records in `codec`."""
    lines = used.read_text("utf-8").splitlines()
    found = toml_lines.locate("\n".join(lines))
    wanted = f'codec = "{codec}"'
    if at := found.get(("pin", "codec")):
        lines[at - 1] = wanted
    elif at := found.get(("pin",)):
        lines.insert(at, wanted)
    else:
        lines += ["[pin]", wanted]
    copy = folder / "codec.toml"
    copy.write_text("\n".join(lines) + "\n", "utf-8")
    try:
        config.load(copy)
    except config.ConfigError as error:
        raise click.UsageError(f"--codec: give the codec in {used} itself ({error})") from error
    return copy
