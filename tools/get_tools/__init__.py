"""Fetches the programs a checkout needs into .tools, without root: MicroPython, flite, and pip where it is missing."""
