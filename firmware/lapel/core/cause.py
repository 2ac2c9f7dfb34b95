"""What went wrong, in one line: kind, text, and the place in our code."""

import io

from lapel.compat import print_exception


def cause_of(error) -> str:
    """`OSError: [Errno 5] EIO (store.py:12)`; without a place where it was never raised."""
    text = str(error)
    out = type(error).__name__
    if text:
        out += ": " + text
    place = _place(error)
    return " ".join((out + " (%s)" % place if place else out).split())


def _place(error):
    buffer = io.StringIO()
    print_exception(error, buffer)
    # Frames come oldest first, as `  File "name", line 12, in function`.
    place = None
    for line in buffer.getvalue().split("\n"):
        parts = line.split('"')
        if len(parts) == 3 and parts[0].strip() == "File":
            place = "%s:%s" % (_base(parts[1]), parts[2].split(",")[1].split()[-1])
    return place


def _base(name: str) -> str:
    # of a file, or of a module that was compiled for a pin
    last = name.split("/")[-1]
    return last if last[-3:] == ".py" else last.split(".")[-1] + ".py"
