"""Opus (RFC 6716) for speech on a pin: CELT alone, mono, wideband, frames of 20 ms.

Everything is integers, and after its making nothing allocates. What runs often is machine code of MicroPython's viper,
in the part of the language that means the same with 32 bits, with 64 and in plain Python: what is shifted right as
`uint` is known to lie within 32 bits there, words in memory are never negative, and no other sum leaves 32 bits.
Only the first two parameters of such a function live in registers, so those two are working variables and callers pass
0 for them.
"""
