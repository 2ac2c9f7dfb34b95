"""A folder for files that cannot be understood: the newest few are kept for a person to look at."""

import os

from lapel.services import store_files

HELD_MAX = 8
_NAME_MAX = 100


class Quarantine:
    """The folder `quarantine` in `root`. Names say what it was and why it is there."""

    def __init__(self, root: str, trace) -> None:
        self._root = root
        self._folder = root + "/quarantine"
        self._trace = trace
        # Files that could not be read since the start.
        self.count = 0
        # Names of the files, the least worth keeping first.
        self.held = []

    def mount(self) -> None:
        """Looks what lies there from earlier starts."""
        try:
            self.held = sorted(os.listdir(self._folder), key=_worth)
        except OSError:
            # None yet; what cannot be listed is told when something is to go there.
            self.held = []

    def load(self, path: str, kind: int, read=bytes):
        """What `read` makes of the body of the record in `path`; None where there is none, or where it is broken
        and so set aside. `read` raises ValueError for a body that is not what was written.

        One that the flash does not let us read stays where it is, and counts as none for now.
        """
        try:
            body = store_files.load(path, kind)
            return None if body is None else read(body)
        except ValueError as bad:
            self.take(path, str(bad))
        except store_files.StoreError as error:
            self.count += 1
            self._trace("store_error", error=str(error))
        return None

    def take(self, path: str, reason: str) -> None:
        """Moves a file here and reports it. One that cannot be moved stays, and is found again at the next start."""
        folder, name = path[len(self._root) + 1 :].split("/")
        if folder != "state":
            # "clips/00000007" is clip-00000007.
            name = folder[:-1] + "-" + name
        name = (name + " " + reason)[:_NAME_MAX]
        self.count += 1
        self._trace("quarantined", file=name)
        try:
            store_files.make_folder(self._folder)
            while len(self.held) >= HELD_MAX:
                store_files.remove(self._folder + "/" + self.held.pop(0))
            os.rename(path, self._folder + "/" + name)
        except OSError as error:
            self._trace("store_error", error=str(store_files.failure(error, "setting aside " + name)))
        except store_files.StoreError as error:
            self._trace("store_error", error=str(error))
        self.held = sorted([one for one in self.held if one != name] + [name], key=_worth)


def _worth(name: str):
    # What was said is nowhere else; a notice comes again.
    return name[:5] == "clip-", name
