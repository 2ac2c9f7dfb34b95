"""Lapel's companion: one daemon that owns the state, and the commands that talk to it."""

__version__ = "0.1.0"
