"""The pin's program: board and services wired together. The one file that knows them all."""

import asyncio
import binascii
import gc
import os

from lapel.core import settings as settings_rules
from lapel.core.battery import Battery
from lapel.core.clock import Clock
from lapel.core.ring import ByteRing
from lapel.services import handshakes, store_files
from lapel.services import link as links
from lapel.services.acts import Acts
from lapel.services.announcer import Announcer
from lapel.services.clip_feed import ClipFeed
from lapel.services.codec import Codec
from lapel.services.desk import Desk
from lapel.services.feedback import Feedback
from lapel.services.flight import Flight
from lapel.services.pairing import Pairing
from lapel.services.recorder import Recorder
from lapel.services.store import Store, StoreError
from lapel.services.supervisor import Supervisor
from lapel.services.timing import Timing
from lapel.services.upkeep import Upkeep

# One second of speech: twice what may be spoken between two syncs of the flash.
RING_BYTES = 8192


class App:
    """`board` as boards/README.md describes it. on_well() is called once the boot is well; `failed` boots before
    it were not, and the last one died of `cause`. Raises StoreError when the flash cannot be used."""

    def __init__(self, board, on_well=None, failed: int = 0, cause: str = "") -> None:
        trace = self._told
        self._board = board
        self._clock = clock = Clock()
        timing = Timing(clock)
        self._boot = binascii.hexlify(os.urandom(4)).decode()
        self._settings: dict = dict(settings_rules.DEFAULTS)

        self._flight = flight = Flight(board.retained, clock.ms)
        flight.boot(board.reset_cause())
        if failed or cause:
            flight.failed_boot(failed, cause)
            trace("failed_boots", count=failed, error=cause)
        self._on_well = on_well
        self._supervisor = supervisor = Supervisor(
            trace,
            board.watchdog,
            flight,
            timing,
            on_trouble=self._trouble,
            is_idle=self._is_idle,
            mem_free=gc.mem_free,
            on_well=on_well,
        )
        self._store = store = Store(board.flash_dir, os.urandom, trace)
        store.mount()
        self._pairing = pairing = Pairing(store.root, store.quarantine)

        check = supervisor.checker
        self._may_forget = board.reset_cause() == "power" and board.button.pressed
        self._feedback = feedback = Feedback(board.haptic, board.led, trace, timing, check("feedback"))
        feedback.is_quiet = self._is_quiet
        self._battery = Battery(self._settings["low_battery_mv"])
        self._recorder = recorder = Recorder(
            board.mic, store, ByteRing(RING_BYTES), feedback, trace, timing, self._in_reach, check("recorder"),
            hold_console=board.console.hold,
        )  # fmt: skip
        recorder.is_paired = pairing.is_paired
        self._codec = Codec(recorder, board.memory["heap_bytes"], gc.mem_free, trace, flight)
        self._announcer = announcer = Announcer(feedback, timing, trace, check("announcer"))
        desk = Desk(
            store, clock, self._boot, flight, self._battery_mv, self._drops, announcer, self._set_jobs,
            self._set_settings, trace,
        )  # fmt: skip
        self._acts = Acts(
            board.button, recorder, store, feedback, announcer, desk, clock, self._settings, self._boot,
            board.mic.rate_hz, trace, check("acts"),
        )  # fmt: skip
        feed = ClipFeed(store, recorder, trace, self._accepted)
        gatt = links.serve(board.gatt, pairing.info)
        keys = handshakes.Handshakes(pairing, handshakes.arithmetic(), os.urandom, self._is_recording, clock)
        self._link = links.Link(gatt, feed, desk, clock, keys, trace, supervisor.report, check("link"))
        self._upkeep = Upkeep(
            board.battery, self._battery, self._link.set_battery, store, recorder, feedback, self._drops,
            flight, timing, trace, check("upkeep"), self._at_rest,
        )  # fmt: skip

    async def run(self) -> None:
        """Runs until cancelled."""
        trace, store = self._told, self._store
        trace("boot", cause=self._board.reset_cause(), boot=self._boot, device=store.device)
        trace("pairing", paired=self._pairing.is_paired, generation=self._pairing.generation)
        self._apply(settings_rules.salvaged(store.settings.load()[1]))
        self._codec.settle()
        for sentence in self._board.faults:
            self.wrong(sentence)
        if store.quarantined:
            # What and why stand in the flight recorder already.
            self._feedback.show("error")
        self._announcer.remind(store.unseen())
        supervisor = self._supervisor
        supervisor.spawn("feedback", self._feedback.run)
        supervisor.spawn("announcer", self._announcer.run)
        supervisor.spawn("recorder", self._recorder.run)
        supervisor.spawn("acts", self._act)
        supervisor.spawn("upkeep", self._upkeep.run)
        supervisor.spawn("link", self._link.run)
        gc.collect()
        try:
            await supervisor.run()
        finally:
            await self._link.close()
            await self._recorder.close()
            await self._feedback.close()
            store.close()

    def wrong(self, sentence: str) -> None:
        """Something is not as it should be: written down and shown."""
        self._told("fault", error=sentence)
        self._feedback.show("error")

    def _told(self, event: str, **fields) -> None:
        """A trace, of which what is wrong with the flash or a part goes into the flight recorder too."""
        self._board.trace(event, **fields)
        if event == "quarantined":
            self._flight.error("set aside: " + fields["file"])
        elif event == "clip_damaged":
            self._flight.error("damaged: clip %d" % fields["n"])
        elif event == "store_error" or event == "fault":
            self._flight.error(fields["error"])

    def forgot(self) -> None:
        """The pin has forgotten its owner just now."""
        self._feedback.show("forgotten")

    async def _act(self) -> None:
        # A button that is down since power-on asks for something else first; never after a reset.
        board, may_forget = self._board, self._may_forget
        self._may_forget = False
        if may_forget:
            from lapel.services.forgetting import ForgetGesture

            check_in = self._supervisor.checker("acts")
            if await ForgetGesture(board.button, self._store, self._feedback, self._told, check_in).run():
                # It did what it was for.
                if self._on_well:
                    self._on_well()
                board.reset()
        await self._acts.run()

    def _is_idle(self) -> bool:
        return not self._recorder.is_busy and not self._feedback.is_buzzing

    def _is_quiet(self) -> bool:
        return settings_rules.is_quiet(self._settings, self._clock.minute_of_day())

    def _is_recording(self) -> bool:
        return self._recorder.is_busy

    def _in_reach(self) -> bool:
        return self._link.near

    def _battery_mv(self):
        return self._battery.mv

    def _drops(self) -> dict:
        return {
            "mic": self._recorder.hearing.overrun_samples,
            "feedback": self._feedback.dropped,
            "button": self._board.button.dropped,
            "link": self._link.dropped,
            # not every board's have a bus that could fail
            "haptic": getattr(self._board.haptic, "errors", 0),
            "gauge": getattr(self._board.battery, "errors", 0),
        }

    def _trouble(self, name: str) -> None:
        self._feedback.show("error")

    def _accepted(self, epoch: str, number: int, dispatch: str) -> None:
        self._store.recent.accepted(epoch, number, dispatch)
        self._feedback.show("accepted")

    def _set_jobs(self, count: int) -> None:
        self._acts.jobs = count

    def _set_settings(self, identity: int, values: dict):
        """None, or a sentence on why they are refused."""
        try:
            checked = settings_rules.merged(values)
            self._store.settings.save(identity, values)
        except (settings_rules.BadSettings, StoreError) as e:
            return str(e)
        self._apply(checked)
        return None

    def _apply(self, values: dict) -> None:
        self._settings.update(values)
        self._feedback.strength = values["haptic_strength"]
        self._feedback.brightness = values["led_brightness"]
        self._battery.low_mv = values["low_battery_mv"]
        self._recorder.configure(values["preroll"], values["mic_gain_steps"])
        self._codec.want(values["codec"])

    def _at_rest(self) -> None:
        self._codec.settle(self._link.interval_ms, self._battery.percent)


def run(build_board, on_well=None, failed: int = 0, cause: str = "") -> None:
    """Builds the board inside the event loop and runs the pin for good. The rest is as of App."""

    boards = []

    async def main():
        board = build_board()
        boards.append(board)
        forgets = store_files.is_forgetting(board.flash_dir)
        sentence = ""
        if forgets:
            from lapel.services import forgetting

            sentence = await forgetting.finish(board)
        app = App(board, on_well, failed, cause)
        if sentence:
            app.wrong(sentence)
        elif forgets:
            app.forgot()
        await app.run()

    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        # Somebody takes the console over: nothing goes on buzzing meanwhile.
        for board in boards:
            board.haptic.drive(0)
            board.led.show(0, 0, 0)
        raise
