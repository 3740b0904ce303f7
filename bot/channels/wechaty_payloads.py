"""What a Wechaty gateway says, read leniently: whatever is odd is read as far as it goes. Pure; never raises."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from bot.channels import wechaty_xml as xml
from bot.channels.base import QuoteRef
from bot.channels.wechaty_text import readable, storable
from storage.enums import MessageType

MOST_SECONDS_STAMP = 1e11  # wechat4u and padlocal give seconds, xp and the mock milliseconds
FILE_TYPES = frozenset({MessageType.IMAGE, MessageType.FILE, MessageType.AUDIO, MessageType.VIDEO})
MOST_DETAIL_CHARS = 300

# `type` on the wire is wechaty-puppet's numbering; the enum in the stubs has the same words on other numbers.
_TYPES = {
    1: MessageType.FILE,
    2: MessageType.AUDIO,
    3: MessageType.CONTACT,
    4: MessageType.CHAT_HISTORY,
    5: MessageType.EMOTICON,
    6: MessageType.IMAGE,
    7: MessageType.TEXT,
    8: MessageType.LOCATION,
    9: MessageType.MINI_PROGRAM,
    10: MessageType.NOTE,
    13: MessageType.RECALL,
    14: MessageType.URL,
    15: MessageType.VIDEO,
}
# appmsg numbers, which say more than `type` where a puppet did not know them
_APP_TYPES = {
    5: MessageType.URL,
    6: MessageType.FILE,
    19: MessageType.CHAT_HISTORY,
    33: MessageType.MINI_PROGRAM,
    36: MessageType.MINI_PROGRAM,
    53: MessageType.NOTE,
    57: MessageType.TEXT,
    87: MessageType.NOTE,
}
_CARDS = frozenset({0, 4, 9, 10, 14})  # wire types whose text may be an appmsg


class Payload(Protocol):
    """The fields of the stub's MessagePayloadResponse that are read here."""

    id: str
    filename: str
    text: str
    timestamp: int
    type: Any
    from_id: str
    room_id: str
    to_id: str
    mention_ids: list[str]


@dataclass(frozen=True, slots=True)
class Content:
    """What one message says, before names and files are fetched."""

    type: MessageType
    text: str
    quote: QuoteRef | None = None
    recalled: tuple[str, ...] = ()
    spoken: str | None = None  # the sender's own words where `text` holds more than these


@dataclass(frozen=True, slots=True)
class Event:
    """A stream event's payload; `words` is its `data` or error text, "" where it has none."""

    fields: dict[str, Any] = field(default_factory=dict)
    words: str = ""

    def text(self, *keys: str) -> str:
        """The first of `keys` that holds a string or number, as text."""
        for key in keys:
            value = self.fields.get(key)
            if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
                return storable(str(value))
        return ""


def read_event(payload: str) -> Event:
    """Any payload: `{"data":…}`, `{"gerror":"{…}"}`, an empty one, one that is no JSON at all."""
    try:
        parsed = json.loads(payload) if payload else {}
    except (ValueError, RecursionError):
        return Event(words=storable(payload)[:MOST_DETAIL_CHARS])
    if not isinstance(parsed, dict):
        return Event(words=storable(str(parsed))[:MOST_DETAIL_CHARS])
    event = Event(parsed)
    words = event.text("data", "message", "msg", "error", "reason")
    gerror = event.text("gerror")
    if gerror:
        inner = read_event(gerror)
        words = inner.words or words or gerror
    return Event(parsed, words[:MOST_DETAIL_CHARS])


def moment(stamp: int, received_at: datetime) -> datetime:
    """WeChat's stamp in seconds or milliseconds as aware UTC; `received_at` where it is missing or no date."""
    seconds = stamp if stamp < MOST_SECONDS_STAMP else stamp / 1000
    if seconds <= 0:
        return received_at
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return received_at


def wire_type(payload: Payload) -> int:
    try:
        return int(payload.type)
    except (TypeError, ValueError):
        return -1


def read_content(payload: Payload, account: str = "") -> Content:
    """Type and text of a message. Decided by its XML where a puppet hands one on, else by the wire's type.

    `account` is the bot's own contact id.
    """
    number, text = wire_type(payload), payload.text
    if number == 13:
        return _recall(text)
    if not payload.from_id or payload.from_id == payload.room_id:
        return _tip(text)  # WeChat itself; wechat4u names the room as the talker
    if number in _CARDS:
        card = _card(text)
        if card is not None:
            return card
    kind = _TYPES.get(number, MessageType.UNKNOWN)
    if number == 0:
        system = xml.read_system(text)
        if system is not None:
            return _recall(text) if system.kind == "revokemsg" else Content(MessageType.SYSTEM, system.text)
        # padlocal gives WeChat's own tips as the bot's words
        return _tip(text) if account and payload.from_id == account else Content(kind, readable(text))
    if kind is MessageType.LOCATION:
        return Content(kind, xml.read_place(text) or readable(text.split(":\n/cgi-bin/")[0]))
    if kind in FILE_TYPES and text.lstrip().startswith("<"):
        return Content(kind, "")  # only tells where the file lies
    return Content(kind, readable(text))


def _recall(text: str) -> Content:
    """A withdrawn message. 拍一拍 comes under the same type and is only a tip."""
    system = xml.read_system(text)
    if system is None:
        bare = text.strip()  # the mock puppet gives the bare id
        is_id = 0 < len(bare) <= 128 and bare.isascii() and not any(c.isspace() or c in "<>\"'" for c in bare)
        return Content(MessageType.RECALL, "" if is_id else readable(text), recalled=(bare,) if is_id else ())
    if system.kind != "revokemsg":
        return Content(MessageType.SYSTEM, system.text)
    return Content(MessageType.RECALL, system.text, recalled=system.recalled)


def _tip(text: str) -> Content:
    system = xml.read_system(text)
    if system is None:
        return Content(MessageType.SYSTEM, readable(text))
    return _recall(text) if system.kind == "revokemsg" else Content(MessageType.SYSTEM, system.text)


def _card(text: str) -> Content | None:
    app = xml.read_app(text)
    if app is None:
        return None
    kind = _APP_TYPES.get(app.kind, MessageType.UNKNOWN)
    if app.kind == 57:  # a quote: the reading of its XML is the rules' business, so the text stays whole
        return Content(kind, storable(text), quote=app.quote, spoken=app.title)
    return Content(kind, "\n".join((app.title, *app.lines)).strip())


def raw_fields(payload: Payload, text: str) -> dict[str, Any]:
    """What the gateway sent, fit for a JSON column; its text only where it differs from `text`."""
    raw: dict[str, Any] = {
        "id": storable(payload.id),
        "type": wire_type(payload),
        "talker": storable(payload.from_id),
        "listener": storable(payload.to_id),
        "room": storable(payload.room_id),
        "timestamp": payload.timestamp,
        "filename": storable(payload.filename),
        "mention_ids": [storable(i) for i in payload.mention_ids],
    }
    whole = storable(payload.text)
    if whole != text:
        raw["text"] = whole
    return raw
