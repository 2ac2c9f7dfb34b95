"""A Bluetooth controller on the simulated air: Bumble's, with legacy advertising as on the chip, truthful
connection parameters, and data that waits for the connection's events."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from bumble import hci
from bumble.controller import Connection, Controller, LegacyAdvertiser
from bumble.core import PhysicalTransport
from bumble.ll import AdvertisingPdu, AdvInd, ConnectInd

from simulator.air import Air, End, PacedLink

ACL_OCTETS = 251
ACL_PACKETS = 8
SLOT_S = 0.000625
ADVERTISING_MIN_S = 0.02

_Report = hci.HCI_LE_Advertising_Report_Event
_Connect = hci.HCI_LE_Create_Connection_Command | hci.HCI_LE_Extended_Create_Connection_Command


class Advertisement(AdvInd):
    """An advertisement with its scan response, so that an active scanner gets both."""

    scan_response: bytes = b""
    advertising_type: int = 0


class Advertiser(LegacyAdvertiser):
    """Bumble's, with the interval in the units of the standard."""

    def _on_timer_fired(self) -> None:
        self.send_advertising_data()
        interval_s = max(self.advertising_interval_min * SLOT_S, ADVERTISING_MIN_S)
        self.timer_handle = asyncio.get_running_loop().call_later(interval_s, self._on_timer_fired)

    def send_advertising_data(self) -> None:
        """One advertising event."""
        if self.enabled:
            pdu = Advertisement(advertiser_address=self.address, data=bytes(self.advertising_data))
            pdu.scan_response = bytes(self.scan_response_data)
            pdu.advertising_type = int(self.advertising_type)
            self.controller.send_advertising_pdu(pdu)


class PacedController(Controller):
    """One radio. `can_take` False holds back what its peers send (its host has no room)."""

    def __init__(self, name: str, air: Air, address: hci.Address) -> None:
        super().__init__(name, link=air, public_address=address)
        self.air = air
        self.can_take: Callable[[], bool] = lambda: True
        self.le_legacy_advertiser = Advertiser(self)
        self.le_acl_data_packet_length = self.acl_data_packet_length = ACL_OCTETS
        self.total_num_le_acl_data_packets = self.total_num_acl_data_packets = ACL_PACKETS
        self.supported_max_tx_octets = self.supported_max_rx_octets = ACL_OCTETS
        self.suggested_max_tx_octets = ACL_OCTETS
        self.le_features &= ~(
            hci.LeFeatureMask.LE_EXTENDED_ADVERTISING | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
        )

    def reset(self) -> None:
        """As after power-up: no link, no advertising, no scan; peers hear nothing more."""
        self.le_legacy_advertiser.stop()
        self.le_legacy_advertiser = Advertiser(self)
        self.le_scan_enable = False
        self.pending_le_connection = None
        self.le_connections.clear()
        for link in list(self.air.links):
            if any(end.controller is self for end in link.ends):
                link.abandon(self)

    def leave(self) -> None:
        """Switched off, for good."""
        self.reset()
        self.host = None
        self.air.remove_controller(self)

    def forget(self, address: hci.Address) -> None:
        """A host that comes again after a crash replaces the link that it left behind."""
        for link in list(self.air.links):
            mine = [end.controller is self for end in link.ends]
            if any(mine) and link.ends[mine[0]].address == address:
                link.silence()

    def link_ended(self, handle: int, reason: int) -> None:
        """The air says that a link is over."""
        connection = self.find_le_connection_by_handle(handle)
        if connection:
            self.on_le_disconnected(connection, reason)

    # from the host

    def on_hci_reset_command(self, command: hci.HCI_Reset_Command) -> hci.HCI_StatusReturnParameters:
        self.reset()
        return super().on_hci_reset_command(command)

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        link = self.air.of(self, packet.connection_handle)
        if link:
            link.send(self, packet)

    def on_hci_disconnect_command(self, command: hci.HCI_Disconnect_Command) -> None:
        self._send_hci_command_status(hci.HCI_COMMAND_STATUS_PENDING, command.op_code)
        link = self.air.of(self, command.connection_handle)
        if link:
            link.terminate(self, command.reason)

    def on_hci_le_connection_update_command(self, command: hci.HCI_LE_Connection_Update_Command) -> None:
        link = self.air.of(self, command.connection_handle)
        known = hci.HCI_COMMAND_STATUS_PENDING if link else hci.HCI_UNKNOWN_CONNECTION_IDENTIFIER_ERROR
        self._send_hci_command_status(known, command.op_code)
        if link:
            link.update(self, command.supervision_timeout)

    def on_hci_le_set_data_length_command(
        self, command: hci.HCI_LE_Set_Data_Length_Command
    ) -> hci.HCI_StatusAndConnectionHandleReturnParameters:
        """See Bluetooth spec Vol 4, Part E - 7.8.33; lengths were agreed when the link began."""
        known = self.air.of(self, command.connection_handle)
        status = hci.HCI_ErrorCode.SUCCESS if known else hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR
        return hci.HCI_StatusAndConnectionHandleReturnParameters(status, command.connection_handle)

    def on_hci_le_create_connection_cancel_command(
        self, command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending:
            unknown = hci.HCI_UNKNOWN_CONNECTION_IDENTIFIER_ERROR
            self._connected_event(hci.Role.CENTRAL, pending.peer_address, 0, unknown)
        return super().on_hci_le_create_connection_cancel_command(command)

    # from the air

    def on_ll_advertising_pdu(self, packet: AdvertisingPdu) -> None:
        if isinstance(packet, Advertisement):
            self.on_advertising_pdu(packet)

    def on_advertising_pdu(self, pdu: object) -> None:
        assert isinstance(pdu, Advertisement)
        if self.le_scan_enable:
            self._report(pdu, pdu.advertising_type, pdu.data)
            if self.le_scan_type == 1 and pdu.advertising_type in (0, 2) and pdu.scan_response:
                self._report(pdu, int(_Report.EventType.SCAN_RSP), pdu.scan_response)
        pending = self.pending_le_connection
        if pending and pdu.advertising_type == 0 and pending.peer_address == pdu.advertiser_address:
            self.create_le_connection(pdu.advertiser_address)

    def _report(self, pdu: Advertisement, event_type: int, data: bytes) -> None:
        address = pdu.advertiser_address
        report = _Report.Report(event_type, address.address_type, address, data, -50)
        self.send_hci_packet(_Report([report]))

    def create_le_connection(self, peer_address: hci.Address) -> None:
        pending = self.pending_le_connection
        peer = self._advertising(peer_address)
        if not pending or not peer or peer_address in self.le_connections:
            return
        public = pending.own_address_type == hci.OwnAddressType.PUBLIC
        own = self.public_address if public else self.random_address
        timeout = _timeout(pending)
        self.pending_le_connection = None
        peer.forget(own)
        central = self._connection(hci.Role.CENTRAL, own, peer_address)
        peripheral = peer._connection(hci.Role.PERIPHERAL, peer_address, own)
        link = PacedLink(
            self.air,
            End(self, central.handle, own, self.suggested_max_tx_octets, deque()),
            End(peer, peripheral.handle, peer_address, peer.suggested_max_tx_octets, deque()),
            timeout,
        )
        peer.le_legacy_advertiser.stop()
        parameters = (link.interval_units, timeout)
        self._connected_event(hci.Role.CENTRAL, peer_address, central.handle, hci.HCI_SUCCESS, *parameters)
        peer._connected_event(hci.Role.PERIPHERAL, own, peripheral.handle, hci.HCI_SUCCESS, *parameters)

    def _advertising(self, address: hci.Address) -> PacedController | None:
        for other in self.air.controllers:
            if isinstance(other, PacedController) and other is not self:
                advertiser = other.le_legacy_advertiser
                if advertiser.enabled and advertiser.address == address:
                    return other
        return None

    def _connection(self, role: hci.Role, own: hci.Address, peer: hci.Address) -> Connection:
        connection = Connection(
            controller=self,
            handle=self.allocate_connection_handle(),
            role=role,
            self_address=own,
            peer_address=peer,
            link=self.air,
            transport=PhysicalTransport.LE,
            link_type=hci.HCI_Connection_Complete_Event.LinkType.ACL,
        )
        self.le_connections[peer] = connection
        return connection

    def _connected_event(
        self, role: hci.Role, peer: hci.Address, handle: int, status: int, interval: int = 0, timeout: int = 0
    ) -> None:
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=status,
                connection_handle=handle,
                role=role,
                peer_address_type=peer.address_type,
                peer_address=peer,
                connection_interval=interval,
                peripheral_latency=0,
                supervision_timeout=timeout,
                central_clock_accuracy=0,
            )
        )

    def on_le_connect_ind(self, packet: ConnectInd) -> None:
        """Not used: both ends of a link are made in one place."""


def _timeout(pending: _Connect) -> int:
    if isinstance(pending, hci.HCI_LE_Extended_Create_Connection_Command):
        return int(pending.supervision_timeouts[0])
    return int(pending.supervision_timeout)
