"""Socket.IO packets (protocol v5): events as frames, and packets of clients checked as the protocol says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from engineio import json as engineio_json
from socketio import packet as socketio_packet

from libs.fanout import frames
from libs.fanout.errors import Violation
from libs.fanout.fast_json import FastJson

CONNECT, DISCONNECT, EVENT, ACK = (
    socketio_packet.CONNECT, socketio_packet.DISCONNECT, socketio_packet.EVENT, socketio_packet.ACK
)  # fmt: skip
CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = (
    socketio_packet.CONNECT_ERROR, socketio_packet.BINARY_EVENT, socketio_packet.BINARY_ACK
)  # fmt: skip
_RESERVED = frozenset(("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"))
_NULL = "null}]"  # how an event ends whose last field is null
_REFUSES_BYTES = (FastJson, json, engineio_json)


class Packets:
    """Packets by one packet class of python-socketio, with a JSON module of its own.

    The class is subclassed: setting `json` on the library's would change every other server in the process.
    """

    def __init__(self, packet_class: Any, json_module: Any | None, attachments: int) -> None:
        chosen = json_module or (FastJson if packet_class is socketio_packet.Packet else packet_class.json)
        self.packet_class: Any = type(packet_class.__name__, (packet_class,), {"json": chosen})
        self._attachments = attachments
        self._json = chosen
        self.textual: bool = packet_class.uses_binary_events  # else each packet is one binary message
        # With these, bytes in the data are found by the encoder and need no walk of their own.
        self._direct = self.textual and chosen in _REFUSES_BYTES and packet_class is socketio_packet.Packet

    def event(self, namespace: str, data: list[Any], number: int | None = None) -> bytes:
        """An event's frames; `number` asks for an acknowledgement. `data` is the name and the arguments."""
        if self._direct:
            try:
                body = self._encoded(data)
            except TypeError:
                pass
            else:
                where = "" if namespace == "/" else namespace + ","
                return frames.frame(f"42{where}{'' if number is None else number}".encode() + body)
        return self.frames(self.packet_class(EVENT, namespace=namespace, data=data, id=number))

    def halves(self, namespace: str, event: str, data: Mapping[str, Any], field: str) -> Callable[[Any], bytes]:
        """An event's frames by the value of `field`, which stands behind the rest of `data`."""
        try:
            text = self._json.dumps([event, {**data, field: None}], separators=(",", ":")) if self._direct else None
        except TypeError:  # bytes among it
            text = None
        if text is None:
            return lambda value: self.event(namespace, [event, {**data, field: value}])
        where = "" if namespace == "/" else namespace + ","
        before, after = f"42{where}{text.removesuffix(_NULL)}".encode(), _NULL.removeprefix("null").encode()
        return lambda value: frames.frame(before + self._json.dumps(value).encode() + after)

    def _encoded(self, data: Any) -> bytes:
        if self._json is FastJson:
            return FastJson.encode(data)
        text: str = self._json.dumps(data, separators=(",", ":"))
        return text.encode()

    def frames(self, packet: Any) -> bytes:
        """A packet's frames."""
        encoded = packet.encode()
        if isinstance(encoded, list):
            return b"".join(frames.message(part) for part in encoded)
        return frames.message(encoded)

    def read(self, data: str | bytes) -> Any:
        """A client's packet. Raises Violation."""
        if self.textual and not isinstance(data, str):
            raise Violation("binary data without a packet")
        try:
            packet = self.packet_class(encoded_packet=data)
        except Exception as fault:
            raise Violation("not a packet") from fault
        if not data or not self._valid(packet):
            raise Violation("not a packet of the protocol")
        return packet

    def attach(self, packet: Any, data: str | bytes) -> bool:
        """Adds an attachment; whether the packet is complete. Raises Violation."""
        if isinstance(data, str):
            raise Violation("packet without its attachments")
        try:
            return bool(packet.add_attachment(data))
        except Exception as fault:
            raise Violation("attachments and placeholders differ") from fault

    def _valid(self, packet: Any) -> bool:
        kind, data = packet.packet_type, packet.data
        if kind in (BINARY_EVENT, BINARY_ACK):
            if self.textual and not 0 < packet.attachment_count <= self._attachments:
                return False
        elif packet.attachment_count:
            return False
        if kind in (EVENT, BINARY_EVENT):
            return isinstance(data, list) and bool(data) and _names_event(data[0])
        if kind in (ACK, BINARY_ACK):
            return isinstance(data, list) and packet.id is not None
        if kind == CONNECT:
            return data is None or isinstance(data, dict)
        return bool(kind == DISCONNECT and data is None)


def _names_event(name: Any) -> bool:
    return isinstance(name, (str, int)) and not isinstance(name, bool) and name not in _RESERVED
