"""Fetches what a checkout needs into .tools, without root: MicroPython, flite, pip where it is missing."""
