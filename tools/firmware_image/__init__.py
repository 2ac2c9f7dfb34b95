"""A MicroPython image with the app frozen into it: what is needed to build one, and the building."""
