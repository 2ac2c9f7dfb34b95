"""Fetches what a checkout needs into .tools, without root: MicroPython, flite, qemu-xtensa, pip where it is missing."""
