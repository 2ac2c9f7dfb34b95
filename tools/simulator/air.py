"""What is between two radios: connection events with an interval and a number of packets, range, stalls and
losses.

Bumble's virtual link hands everything over at once. Here a connection moves data only at its events, at most
`packets_per_event` link-layer packets each way, each of at most `octets` bytes; what was not sent waits in a
queue as long as the controller's buffers.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bumble import hci, link, ll

if TYPE_CHECKING:
    from simulator.controller import PacedController

INTERVAL_UNIT_MS = 1.25
TIMEOUT_UNIT_MS = 10
OCTETS_AT_FIRST = 27
# Events after which link layers have agreed on longer packets, and the central's host on its own interval.
EVENTS_TO_LENGTH = 2
EVENTS_TO_UPDATE = 8
# One full packet, its answer and the gaps between them, at 1M PHY.
PACKET_S = 0.0025
# Share of an interval.
EARLY = 0.01

SUPERVISION_TIMEOUT = int(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
ENDED_HERE = int(hci.HCI_ErrorCode.CONNECTION_TERMINATED_BY_LOCAL_HOST_ERROR)


Ear = Callable[[hci.Address, "hci.Address | None", bytes], None]


@dataclass
class Pace:
    """How fast the radio is. `loss` is the share of link-layer packets that must be sent again, `mtu` the
    longest that the pin's radio grants."""

    interval_ms: float = 30.0
    packets_per_event: int = 4
    octets: int = 251
    loss: float = 0.0
    mtu: int = 517

    @property
    def interval_units(self) -> int:
        """In steps of 1.25 ms, at least the shortest that there is."""
        return max(6, round(self.interval_ms / INTERVAL_UNIT_MS))


class Air(link.LocalLink):
    """Everything within reach of each other. `near` False: nobody hears anybody; `stalled`: links hold,
    nothing moves. `ears` hear everything that goes through the air: ear(sender, receiver or None, bytes)."""

    def __init__(self, pace: Pace, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._in_order: dict[Any, None] = {}
        self.pace = pace
        self.near = True
        self.stalled = False
        self.links: list[PacedLink] = []
        self.ears: list[Ear] = []
        self._random = random.Random(seed)
        self._turns = random.Random(seed + 1)

    def set_near(self, near: bool) -> None:
        """Go out of range, or come back; links die of it after their supervision timeout."""
        self.near = near
        for one in list(self.links):
            one.range_changed()

    def lost(self) -> bool:
        """Whether the next packet is lost."""
        return self.pace.loss > 0 and self._random.random() < self.pace.loss

    def of(self, controller: PacedController, handle: int) -> PacedLink | None:
        """The link that `controller` knows by `handle`."""
        return next((one for one in self.links if any(e.is_(controller, handle) for e in one.ends)), None)

    def add_controller(self, controller: object) -> None:
        self._in_order[controller] = None
        super().add_controller(controller)  # type: ignore[arg-type]

    def remove_controller(self, controller: object) -> None:
        self._in_order.pop(controller, None)
        super().remove_controller(controller)  # type: ignore[arg-type]

    def send_advertising_pdu(self, sender_controller: object, packet: ll.AdvertisingPdu) -> None:
        if not self.near:
            return
        if isinstance(packet, ll.AdvInd):
            self.heard(packet.advertiser_address, None, bytes(packet.data))
        # Of those that wait to connect, the first that hears it does: by chance, and not always the same one.
        others = [one for one in self._in_order if one is not sender_controller]
        for one in self._turns.sample(others, len(others)):
            asyncio.get_running_loop().call_soon(one.on_ll_advertising_pdu, packet)

    def heard(self, sender: hci.Address, receiver: hci.Address | None, data: bytes) -> None:
        """Tell the ears; `receiver` None is to everybody."""
        for ear in self.ears:
            ear(sender, receiver, data)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        for one in self.links:
            for end, other in (one.ends, one.ends[::-1]):
                if end.address == sender_address and other.address == receiver_address and other.controller:
                    other.controller.on_ll_control_pdu(sender_address, packet)
                    return


@dataclass(eq=False)
class End:
    """One side of a link. `controller` is None once its host has gone without a word."""

    controller: PacedController | None
    handle: int
    address: hci.Address
    octets: int
    queue: deque[hci.HCI_AclDataPacket]
    sent_octets: int = 0

    def is_(self, controller: PacedController, handle: int) -> bool:
        """Whether this is that controller's end."""
        return self.controller is controller and self.handle == handle

    def event(self, packet: hci.HCI_Packet) -> None:
        """Tell the host."""
        if self.controller:
            self.controller.send_hci_packet(packet)


class PacedLink:
    """One connection; `ends` are (central, peripheral). Asleep while there is nothing to send."""

    def __init__(self, air: Air, central: End, peripheral: End, timeout_units: int) -> None:
        self.ends = (central, peripheral)
        self.timeout_units = timeout_units
        self.interval_units = air.pace.interval_units
        self.octets = OCTETS_AT_FIRST
        self._air = air
        self._loop = asyncio.get_running_loop()
        self._anchor = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._supervision: asyncio.TimerHandle | None = None
        self._procedures: deque[tuple[int, Callable[[], None]]] = deque()
        self._done = False
        air.links.append(self)
        self.after(EVENTS_TO_LENGTH, self._lengthen)
        self.after(EVENTS_TO_UPDATE, self._update)

    @property
    def interval_s(self) -> float:
        """From event to event."""
        return self.interval_units * INTERVAL_UNIT_MS / 1000

    def send(self, controller: PacedController, packet: hci.HCI_AclDataPacket) -> None:
        """Queue what a host gave its controller."""
        self._end(controller).queue.append(packet)
        self._wake()

    def after(self, events: int, procedure: Callable[[], None]) -> None:
        """A link-layer procedure that is over `events` connection events from now."""
        self._procedures.append((self._number() + events, procedure))
        self._wake()

    def update(self, controller: PacedController, timeout_units: int) -> None:
        """The central's host asked for other parameters: its timeout is granted, the interval is the
        air's."""
        self.timeout_units = timeout_units
        self.after(EVENTS_TO_UPDATE, self._update)

    def terminate(self, controller: PacedController, reason: int) -> None:
        """`controller`'s host ends the link: both hosts know at the next event."""
        mine = self._end(controller)
        self.after(1, lambda: self._finish({id(e): ENDED_HERE if e is mine else reason for e in self.ends}))

    def abandon(self, controller: PacedController) -> None:
        """`controller` was reset: it knows of no link any more, and its peer hears nothing."""
        self._end(controller).controller = None
        if any(e.controller for e in self.ends):
            self.range_changed()
        else:
            self._finish({})

    def range_changed(self) -> None:
        """Start or stop counting down to the supervision timeout."""
        heard = self._air.near and all(e.controller for e in self.ends)
        if heard and self._supervision:
            self._supervision.cancel()
            self._supervision = None
            self._wake()
        elif not heard and not self._supervision:
            timeout_s = self.timeout_units * TIMEOUT_UNIT_MS / 1000
            self._supervision = self._loop.call_later(timeout_s, self.silence)

    def silence(self) -> None:
        """Nothing was heard for too long: both hosts are told."""
        self._finish({id(e): SUPERVISION_TIMEOUT for e in self.ends})

    def _end(self, controller: PacedController) -> End:
        return self.ends[0] if self.ends[0].controller is controller else self.ends[1]

    def _number(self) -> int:
        # a timer may fire a moment early: that is the event it was set for
        return int((self._loop.time() - self._anchor) / self.interval_s + EARLY)

    def _wake(self) -> None:
        if self._timer is None and not self._done and (self._procedures or any(e.queue for e in self.ends)):
            due = self._anchor + (self._number() + 1) * self.interval_s
            self._timer = self._loop.call_at(due, self._event)

    def _event(self) -> None:
        self._timer = None
        if not self._air.near or not all(e.controller for e in self.ends):
            return
        if not self._air.stalled:
            for end, other in (self.ends, self.ends[::-1]):
                self._move(end, other)
            number = self._number()
            due = [procedure for at, procedure in self._procedures if at <= number]
            self._procedures = deque(p for p in self._procedures if p[0] > number)
            for procedure in due:
                procedure()
        self._wake()

    def _move(self, end: End, other: End) -> None:
        completed = 0
        for _ in range(self._air.pace.packets_per_event):
            if not end.queue or not other.controller or not other.controller.can_take():
                break
            if self._air.lost():
                continue
            packet = end.queue[0]
            end.sent_octets += self.octets
            if end.sent_octets < len(packet.data):
                continue
            end.sent_octets = 0
            end.queue.popleft()
            completed += 1
            self._air.heard(end.address, other.address, packet.data)
            # towards a host the first fragment is marked "flushable"
            flag = hci.HCI_ACL_PB_CONTINUATION if packet.pb_flag == hci.HCI_ACL_PB_CONTINUATION else 2
            other.event(hci.HCI_AclDataPacket(other.handle, flag, 0, len(packet.data), packet.data))
        if completed:
            # its buffers are free again when the packets have been on the air, which is after the peer's
            # first one
            delay_s = min(completed * PACKET_S, self.interval_s / 2)
            self._loop.call_later(delay_s, self._completed, end, completed)

    def _completed(self, end: End, count: int) -> None:
        if not self._done:
            end.event(
                hci.HCI_Number_Of_Completed_Packets_Event(
                    connection_handles=[end.handle], num_completed_packets=[count]
                )
            )

    def _lengthen(self) -> None:
        self.octets = min(self._air.pace.octets, *(e.octets for e in self.ends))
        if self.octets > OCTETS_AT_FIRST:
            # 1M PHY: 14 bytes of framing round each packet, 8 us a byte
            time_us = (self.octets + 14) * 8
            longer = (self.octets, time_us, self.octets, time_us)
            for end in self.ends:
                end.event(hci.HCI_LE_Data_Length_Change_Event(end.handle, *longer))

    def _update(self) -> None:
        self._anchor = self._loop.time()
        self.interval_units = self._air.pace.interval_units
        for end in self.ends:
            end.event(
                hci.HCI_LE_Connection_Update_Complete_Event(
                    status=hci.HCI_SUCCESS,
                    connection_handle=end.handle,
                    connection_interval=self.interval_units,
                    peripheral_latency=0,
                    supervision_timeout=self.timeout_units,
                )
            )

    def _finish(self, reasons: dict[int, int]) -> None:
        if self._done:
            return
        self._done = True
        for timer in (self._timer, self._supervision):
            if timer:
                timer.cancel()
        self._air.links.remove(self)
        for end in self.ends:
            if end.controller:
                end.controller.link_ended(end.handle, reasons[id(end)])
