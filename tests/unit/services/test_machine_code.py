"""Where MicroPython makes no machine code (64-bit ARM) the recorder takes the plain Python: the same bits."""

import builtins

from lapel.services import recorder
from lapel_audio import adpcm, convert, kernels


def classes():
    converter, encoder = recorder._machine_code()
    return type(converter), type(encoder)


def with_kernels_refused_by(error):
    real = builtins.__import__

    def without(name, *rest):
        if "kernels" in name or (len(rest) > 2 and rest[2] and "kernels" in rest[2]):
            raise error
        return real(name, *rest)

    builtins.__import__ = without
    try:
        return classes()
    finally:
        builtins.__import__ = real


def test_machine_code_comes_first():
    assert classes() == (kernels.Converter, kernels.Encoder)


def test_source_that_cannot_be_compiled_is_done_without():
    assert with_kernels_refused_by(SyntaxError()) == (convert.Converter, adpcm.Encoder)


def test_bytecode_that_cannot_be_loaded_is_done_without():
    assert with_kernels_refused_by(ValueError()) == (convert.Converter, adpcm.Encoder)
