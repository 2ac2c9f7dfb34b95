"""Fetches what a checkout needs into .tools, without root: MicroPython, flite, libopus, qemu, pip if it is missing."""
