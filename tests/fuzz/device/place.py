"""The one folder in which targets may write: whoever runs them names it, and every input finds it empty."""

import os

_FOLDER = 0x4000
_at = [None]


def use(folder):
    """The existing folder to use from now on; everything below it is removed."""
    _at[0] = folder


def empty():
    """The folder, with nothing in it."""
    clear(_at[0])
    return _at[0]


def clear(folder):
    """Removes what is below `folder`."""
    for name in os.listdir(folder):
        path = folder + "/" + name
        if os.stat(path)[0] & _FOLDER:
            clear(path)
            os.rmdir(path)
        else:
            os.remove(path)


def write(path, data):
    """A file with this content."""
    with open(path, "wb") as file:
        file.write(data)


def cut(path, size):
    """Leaves the first `size` bytes of a file."""
    with open(path, "rb") as file:
        data = file.read(size)
    write(path, data)
