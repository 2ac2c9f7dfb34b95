"""Synthetic voices for tests and for the demo: sentences in, 16-bit mono 16 kHz samples out."""
