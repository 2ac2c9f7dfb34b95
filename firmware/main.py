"""What the pin starts: it counts the boot and runs the app; after three boots that failed, its safe mode.

It stays while apps come and go, so it knows as little as it can. README.md beside it tells the whole.
"""

import gc
import os
import sys
import time

FAILED_MAX = 3
# Before the next try: time for a Ctrl-C.
PAUSE_S = 2
# Safe mode goes on until somebody comes; a watchdog cannot be stopped.
SAFE_MS = 86_400_000
# After a Ctrl-C: a cable that was pulled then must not leave a pin that waits for RESET. make console asks for longer.
CONSOLE_MS = 600_000
# The modules that an app brings.
OURS = ("board", "drivers", "lapel", "lapel_audio", "lapel_wire", "noise")


def first_lines(path):
    """Two lines of a small file; empty ones where it is missing or no text."""
    try:
        with open(path) as file:
            return (file.read(400) + "\n\n").split("\n")[:2]
    except (OSError, ValueError):
        return ["", ""]


class Boots:
    """The file `boots`: how many failed in a row before this one, and what the last one died of ("": it did not
    say). It counts before anything of the app is loaded, and is gone once the app is well."""

    def __init__(self):
        count, self.cause = first_lines("boots")
        self.failed = int(count) if count.isdigit() else 0
        self.is_well = self.is_over = False
        self.write(self.failed + 1, "")

    def write(self, failed, cause):
        """False when the flash takes nothing."""
        try:
            if failed or cause:
                with open("boots", "w") as file:
                    file.write("%d\n%s\n" % (failed, cause))
            elif "boots" in os.listdir():
                os.remove("boots")
        except OSError:
            return False
        return True

    def began_by(self, reset_cause):
        """A boot that ended in silence because the power went, did not fail."""
        if self.failed and not self.cause and reset_cause == "power":
            self.failed -= 1
            self.write(self.failed + 1, "")

    def well(self):
        self.is_well = True
        self.failed, self.cause = 0, ""
        self.write(0, "")

    def died(self, cause):
        """As write()."""
        self.is_over = True
        return self.write(self.failed if self.is_well else self.failed + 1, cause)

    def interrupted(self):
        """By a person: that is no failure."""
        if not self.is_over:
            self.write(self.failed, self.cause)


def folders():
    """Where whole apps are, the current one first; "" is for modules that are frozen, or lie beside this file."""
    found = [first_lines("current")[0].strip()]
    try:
        found += [one for one in ("app/" + name for name in os.listdir("app")) if one not in found]
    except OSError:
        pass
    # A manifest is written last. What stands in `current` may be anything.
    whole = [one for one in found if one and first_lines(one + "/manifest.json")[0]]
    return [""] + whole if found[0] == "frozen" else whole + [""]


def enter(folder):
    """Modules come from there, and from no other app's folder, from now on."""
    for name in [name for name in sys.modules if name.split(".")[0] in OURS]:
        del sys.modules[name]
    sys.path[:] = [path for path in sys.path if path[:4] != "app/"]
    if folder:
        sys.path.insert(0, folder)


def run(folder, boots):
    """The app, for good. Returns when too many boots failed before this one."""
    enter(folder)
    # Loading leaves much garbage between what stays; collected late, no large buffer would fit any more.
    gc.threshold(4096)
    import board

    pin = board.essentials()
    boots.began_by(pin.reset_cause())
    if boots.failed >= FAILED_MAX:
        return
    # What hangs from here on is bitten, and so counted.
    pin.watchdog.feed()
    from lapel import app

    gc.collect()
    gc.threshold(-1)
    app.run(board.build, boots.well, boots.failed, boots.cause)
    raise RuntimeError("the app ended by itself")


def rescue(apps, cause):
    """The safe mode of the first app that has a working one; it goes on while the console is free."""
    for folder in apps:
        try:
            enter(folder)
            import board

            pin = board.essentials()
            pin.watchdog.stretch(SAFE_MS)
            from lapel import safe_mode

            return safe_mode.start(pin, cause)
        except Exception as error:
            tell(error)
    print("Lapel: no app on this pin can start (%s). On the computer, make flash puts a good one on it." % cause)
    return None


def tell(error):
    """On the console, with its traceback."""
    getattr(sys, "print_exception", print)(error)


def attempt(folder, boots):
    """Runs the app until it is over. Returns when safe mode is due, with the cause; else it is a soft reset."""
    try:
        run(folder, boots)
    except Exception as error:
        gc.collect()
        tell(error)
        cause = " ".join(("%s: %s" % (type(error).__name__, error)).split())
        # What cannot be counted would go on for ever.
        if boots.died(cause) and boots.failed < FAILED_MAX:
            time.sleep(PAUSE_S)
            raise SystemExit
        return cause
    return boots.cause


def main():
    boots, apps = Boots(), folders()
    try:
        cause = attempt(apps[0], boots)
    except KeyboardInterrupt:
        boots.interrupted()
        print("Lapel: the app is stopped, the console is yours for ten minutes. Ctrl-D starts it again.")
        import board

        return board.essentials().watchdog.stretch(CONSOLE_MS)
    boots.write(0, cause)
    return rescue(apps, cause)


# Kept at the console: beacon and light live as long as it does.
safe = main()
