"""The wire between pin and companion: one source of truth for both.

Packets carry records, records carry messages or audio, a session guards records. Nothing here
knows a radio, a clock or an event loop. Runs on CPython 3.11+ and MicroPython 1.25+.
"""
