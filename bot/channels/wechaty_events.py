"""The kinds of event on a gateway's stream, and what their payloads mean. Pure; never raises."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from bot.channels.wechaty_payloads import Event

__all__ = ["Event", "EventKind", "kind_of", "scan_detail"]


class EventKind(IntEnum):
    """Numbers of the wire. Anything else is OTHER and ignored, as are friendship and invitations."""

    OTHER = -1
    HEARTBEAT = 1
    MESSAGE = 2
    DONG = 3
    ERROR = 16
    ROOM_JOIN = 19
    ROOM_LEAVE = 20
    ROOM_TOPIC = 21
    SCAN = 22
    READY = 23
    LOGIN = 25
    LOGOUT = 26
    DIRTY = 27


_KNOWN = {int(kind): kind for kind in EventKind}

# wechaty-puppet's ScanStatus; a number that is not here is shown as it is
_SCANNED = {"3": "scanned, waiting for the phone", "4": "confirmed on the phone"}


def kind_of(response: Any) -> EventKind:
    try:
        return _KNOWN.get(int(response.type), EventKind.OTHER)
    except (TypeError, ValueError):
        return EventKind.OTHER


def scan_detail(event: Event) -> str:
    """The text of the QR code to show, or what became of it."""
    status = event.text("status")
    return _SCANNED.get(status) or event.text("qrcode", "data") or f"scan status {status or 'unknown'}"
