"""Sound for the pin and for whoever hears it: sample conversion, IMA ADPCM and Opus.

`convert` and `adpcm` are plain Python for both Pythons; `kernels` has the same two classes as machine code, and needs
only `stream` of them.
"""
