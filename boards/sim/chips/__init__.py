"""Register-level models of the chips that boards carry, each as its data sheet tells, with no bus of its own.

A model refuses what its chip refuses. What a chip would take in silence although its data sheet forbids it
raises Misuse: no driver of ours may do that. `machine` puts the models on its pins; tests take them directly.
"""

ENODEV = 19
EIO = 5


class Misuse(Exception):
    """The driver did what the data sheet forbids; the text names the section."""
