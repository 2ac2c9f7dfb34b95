"""`lapel codec`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from lapel_codec import pin_encoder
from lapel_codec.convert import CannotWrite, to_opus, to_wav
from lapel_codec.recordings import BadRecording, Recording

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("source", metavar="IN.wav", type=FILE)
@click.argument("target", metavar="OUT.opus", type=FILE)
@click.option(
    "--codec", type=click.Choice(pin_encoder.CODECS), default="opus", show_default=True,
    help="adpcm writes a WAV of the decoded sound.",
)  # fmt: skip
@click.option("--kbps", type=click.IntRange(16, 48), default=24, show_default=True, help="Bit rate of Opus.")
@click.option("--constant", is_flag=True, help="Every packet of the same size; else busy moments get more.")
@click.option(
    "--runtime", type=click.Choice(pin_encoder.RUNTIMES), default="micropython", show_default=True,
    help="What runs the encoder: MicroPython as on the pin, or this Python (the same, slowly).",
)  # fmt: skip
@click.pass_context
def codec(
    ctx: click.Context, source: Path, target: Path, codec: str, kbps: int, constant: bool, runtime: str
) -> None:
    """Run the pin's own encoder on a recording, so that you can hear what it does.

    IN.wav may have any rate, sample format and channels; the pin records 16 kHz mono, and so it is heard. OUT is Ogg
    Opus, which players play, or with --codec adpcm a WAV.
    """
    try:
        if target.exists() and target.samefile(source):
            raise click.ClickException(f"{target} is the recording itself: name another file to write.")
    except OSError as error:
        raise click.ClickException(f"{source} cannot be read: {error.strerror or error}.") from error
    if codec == "adpcm" and ctx.get_parameter_source("kbps") is not click.core.ParameterSource.DEFAULT:
        click.echo(f"ADPCM always takes {pin_encoder.ADPCM_KBPS} kbit/s: --kbps changes nothing.", err=True)
    recording = Recording(source)
    began = time.monotonic()
    try:
        with pin_encoder.start(codec, kbps, variable=not constant, runtime=runtime) as encoder:
            if codec == "opus":
                done = to_opus(recording, target, encoder, "lapel_audio.opus")
            else:
                done = to_wav(recording, target, encoder)
    except (BadRecording, CannotWrite, pin_encoder.CannotEncode) as error:
        raise click.ClickException(str(error)) from error
    if recording.damaged:
        click.echo(f"{source}: {recording.damaged} damaged pieces were left out.", err=True)
    what = "Opus in Ogg" if codec == "opus" else "WAV of the decoded ADPCM"
    click.echo(
        f"{target}: {what}, {done.seconds:.2f} s in {done.coded_bytes} coded bytes ({done.kbps:.1f} kbit/s), "
        f"encoded by {runtime} in {time.monotonic() - began:.1f} s"
    )
