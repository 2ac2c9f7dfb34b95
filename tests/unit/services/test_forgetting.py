"""The gesture as a service: button in, light and haptic out, a durable mark at the end."""

import asyncio

from flash import Flash, Trace

from lapel.services import forgetting, store_files


class Time:
    """Ticks moved by hand."""

    def __init__(self):
        self.ms = 500

    def __call__(self):
        return self.ms


class Button:
    """Down since power-on; then a script of times of edges, in turn up and down."""

    def __init__(self, time, edges):
        self.time = time
        self.edges = list(edges)
        self.pressed = True

    async def edge(self, timeout_ms=None):
        await asyncio.sleep(0)
        if not self.edges or self.time.ms + timeout_ms < self.edges[0]:
            self.time.ms += timeout_ms
            return None
        self.time.ms = self.edges.pop(0)
        self.pressed = not self.pressed
        return self.pressed, self.time.ms


class Store:
    def __init__(self, root, waiting=()):
        self.root = root
        self._waiting = waiting

    def waiting(self):
        return self._waiting


class Feedback:
    def __init__(self):
        self.told = []

    def show(self, name, count=0, identity=None):
        self.told.append(name)

    def light(self, name):
        self.told.append("light " + name)


def taps(at):
    return [at, at + 90, at + 250, at + 340, at + 500, at + 590]


async def made(edges, waiting=(), root=None):
    """(answer, feedback, what was traced, whether the mark is there)."""
    time, feedback, trace = Time(), Feedback(), Trace()
    checks = []
    with Flash(32) as flash:
        store = Store(flash.root if root is None else root, waiting)
        gesture = forgetting.ForgetGesture(
            Button(time, edges), store, feedback, trace, lambda: checks.append(time.ms), time
        )
        answer = await gesture.run()
        marked = store_files.is_forgetting(flash.root)
    # The supervisor hears of it all the time.
    assert all(checks[i + 1] - checks[i] <= 1000 for i in range(len(checks) - 1))
    return answer, feedback.told, [fields.get("step") for _, fields in trace.events], marked


async def test_held_let_go_and_tapped():
    answer, told, steps, marked = await made([11_000] + taps(12_000))
    assert answer is True and marked
    assert told == ["light pressed", "light safe", "forget"]
    assert steps == ["let go", "yes"]


async def test_asked_twice_while_a_recording_waits():
    answer, told, steps, marked = await made([11_000] + taps(12_000) + taps(15_000), waiting=[7])
    assert answer is True and marked
    assert told == ["light pressed", "light safe", "forget", "light safe", "forget_again"]
    assert steps == ["let go", "again", "yes"]


async def test_once_is_not_enough_then():
    answer, told, steps, marked = await made([11_000] + taps(12_000), waiting=[7])
    assert answer is False and not marked
    assert told[-2:] == ["light off", "none_long"] and steps == ["let go", "again", "no"]


async def test_a_press_that_began_while_the_pin_started_is_let_go_in_silence():
    answer, told, steps, marked = await made([2_500])
    assert answer is False and not marked
    # No buzz: the person did not ask for anything.
    assert told == ["light pressed", "light off"] and steps == ["no"]


async def test_giving_up_is_felt_by_who_was_asked():
    for edges in ([11_000], [11_000, 12_000, 12_090], [25_000]):
        answer, told, _, marked = await made(edges)
        assert answer is False and not marked
        assert told == ["light pressed", "light safe", "forget", "light off", "none_long"]


async def test_a_flash_that_takes_no_mark_is_an_error_and_nothing_is_forgotten():
    answer, told, steps, _ = await made([11_000] + taps(12_000), root="/nowhere/at/all")
    assert answer is False
    assert told[-2:] == ["light off", "error"] and steps[-1] is None


class Retained:
    data = b"what it heard"

    def save(self, data):
        self.data = data


class Board:
    """What finish() asks of a board."""

    def __init__(self, flash_dir):
        self.flash_dir = flash_dir
        self.trace = Trace()
        self.retained = Retained()
        self.shown = []
        self.fed = 0
        self.led = self
        self.watchdog = self

    def show(self, r, g, b):
        self.shown.append((r, g, b))

    def feed(self):
        self.fed += 1


async def test_finish_erases_with_a_light_and_a_watchdog_that_is_fed():
    with Flash(64) as flash:
        with open(flash.root + "/secret", "wb") as file:
            file.write(b"only the owner knows this" * 500)
        board = Board(flash.root)
        assert await forgetting.finish(board) == ""
        assert b"only the owner" not in bytes(flash.nor.data)
        assert board.retained.data == b""
        assert board.fed >= 60
        # It goes between bright and dim, and is dark at the end.
        assert len(set(board.shown[:-1])) == 2 and board.shown[-1] == (0, 0, 0)
        assert board.trace.names()[0] == "forget" and board.trace.events[-1][1] == {"step": "forgotten", "error": ""}


async def test_finish_says_what_could_not_be_erased():
    with Flash(64) as flash:
        flash.nor.bad = {20: "stuck", 21: "stuck", 22: "stuck"}
        board = Board(flash.root)
        assert "worn out" in await forgetting.finish(board)


async def test_finish_raises_while_the_flash_fails_and_goes_on_later():
    with Flash(64) as flash:
        board = Board(flash.root)
        flash.nor.bad = dict.fromkeys(range(10, 64), "raise")
        try:
            await forgetting.finish(board)
            raise AssertionError("it said nothing")
        except store_files.StoreError:
            pass
        flash.nor.bad = {}
        flash.remount()
        assert store_files.is_forgetting(flash.root)
        assert await forgetting.finish(board) == ""


# What erases runs on a LittleFS only.
ONLY_MICROPYTHON = (
    "test_finish_erases_with_a_light_and_a_watchdog_that_is_fed",
    "test_finish_says_what_could_not_be_erased",
    "test_finish_raises_while_the_flash_fails_and_goes_on_later",
)
MICROPYTHON_HEAP = "8m"
