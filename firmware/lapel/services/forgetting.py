"""Forgetting the owner: the gesture at power-on, and what a pin does that has begun to forget.

Loaded only when it is needed.
"""

import asyncio

from lapel.compat import const, ticks_ms
from lapel.core import forget, pattern
from lapel.services import store_files, store_wipe

_CHECK_IN_MS = const(1000)
# While it erases the light goes between these two, so many steps each.
_BRIGHT = (255, 0, 0)
_DIM = (40, 0, 0)
_STEPS = const(8)

_SHOWN = {forget.LET_GO: "forget", forget.AGAIN: "forget_again", forget.NO: "none_long"}


class ForgetGesture:
    """`button` as drivers.button, down since before it was looked at; `store` with waiting() and root;
    `feedback` as services.feedback."""

    def __init__(self, button, store, feedback, trace, check_in, ticks=ticks_ms) -> None:
        self._button = button
        self._store = store
        self._feedback = feedback
        self._trace = trace
        self._check_in = check_in
        self._ticks = ticks

    async def run(self) -> bool:
        """Until it is made or given up. True: it is durable that everything is to be forgotten; reset the pin."""
        gesture = forget.Forget(self._ticks(), self._is_unsent)
        self._feedback.light("pressed")
        asked = False
        while True:
            self._check_in()
            edge = await self._button.edge(min(gesture.wait_ms(self._ticks()), _CHECK_IN_MS))
            if edge is None:
                told = gesture.tick(self._ticks())
            elif edge[0]:
                told = gesture.press(edge[1])
            else:
                told = gesture.release(edge[1])
            if told is None:
                continue
            self._trace("forget", step=told)
            if told == forget.YES:
                return self._begun()
            if told != forget.NO:
                asked = True
                self._feedback.light("safe")
                self._feedback.show(_SHOWN[told])
                continue
            self._feedback.light("off")
            # Who was never asked does not wonder.
            if asked:
                self._feedback.show(_SHOWN[told])
            return False

    def _is_unsent(self) -> bool:
        return bool(self._store.waiting())

    def _begun(self) -> bool:
        try:
            store_wipe.begin(self._store.root)
        except store_files.StoreError as error:
            self._trace("store_error", error=str(error))
            self._feedback.light("off")
            self._feedback.show("error")
            return False
        return True


async def finish(board) -> str:
    """Forgets all that a pin keeps, before anything else of it is at work; what went wrong with it, or "".

    Raises StoreError when the flash fails: it goes on at the next boot.
    """
    trace, led = board.trace, board.led
    trace("forget", step="erasing")
    # The flight recorder has seen texts too.
    board.retained.save(b"")
    count, sentence = 0, ""
    try:
        for done, total in store_wipe.wipe(board.flash_dir):
            board.watchdog.feed()
            if count % _STEPS == 0:
                led.show(*(_DIM if count // _STEPS % 2 else _BRIGHT))
                trace("forgetting", blocks=done, of=total)
            count += 1
            await asyncio.sleep(0)
    except store_files.StoreError as error:
        if store_files.is_forgetting(board.flash_dir):
            raise
        sentence = str(error)
    led.show(*pattern.LIGHTS["off"])
    trace("forget", step="forgotten", error=sentence)
    return sentence
