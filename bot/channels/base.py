"""What every channel gives and takes: inbound events, the send calls, and the three ways a send can fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from storage.enums import MessageType


@dataclass(frozen=True, slots=True)
class QuoteRef:
    """The message replied to; `message_id` is None where the gateway does not tell it."""

    message_id: str | None
    sender: str
    text: str


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message as the gateway gave it. `room_id` is "" in a private chat. Times are aware, UTC."""

    room_id: str
    message_id: str
    sender_id: str
    sender_name: str  # group nickname, else the contact's name
    type: MessageType
    text: str
    sent_at: datetime  # WeChat's own stamp
    received_at: datetime  # when we got it
    mentions: tuple[str, ...] = ()  # names (or ids) @-ed; "@all" for everyone
    mentions_bot: bool = False
    quote: QuoteRef | None = None
    file: Path | None = None  # fetched at receipt
    file_name: str | None = None
    file_problem: str | None = None  # why the file could not be fetched
    recalls: str | None = None  # message id withdrawn, for MessageType.RECALL
    is_self: bool = False  # the bot's own message, echoed
    raw: dict[str, Any] = field(default_factory=dict)
    kept: Callable[[], None] | None = field(default=None, compare=False, repr=False)  # called once it is stored


class ConnectionState(StrEnum):
    ONLINE = "online"  # logged in and receiving
    OFFLINE = "offline"  # the stream or the login is lost
    SCAN = "scan"  # a QR code waits for a person
    ERROR = "error"  # the gateway reported an error; the stream goes on
    HELD_BACK = "held back"  # WeChat shows no more of what the account sends, for a while


@dataclass(frozen=True, slots=True)
class StateChange:
    state: ConnectionState
    at: datetime
    detail: str = ""
    account: str = ""  # the bot's own contact id, where known
    room_id: str = ""  # where WeChat's 操作过于频繁 was shown


@dataclass(frozen=True, slots=True)
class RoomInfo:
    room_id: str
    topic: str


@dataclass(frozen=True, slots=True)
class RoomsChanged:
    """Rooms as the gateway lists them, after each login and each rename."""

    rooms: tuple[RoomInfo, ...]


@dataclass(frozen=True, slots=True)
class Alive:
    """Nothing was said, and the way in and out was tried and works: a quiet night is no silent gateway."""

    at: datetime


ChannelEvent = InboundMessage | StateChange | RoomsChanged | Alive


@dataclass(frozen=True, slots=True)
class Mention:
    name: str  # shown after the @
    contact_id: str | None  # None: shown, but WeChat will not notify


class ChannelError(Exception):
    """Base of what a send may raise; each says whether trying again is safe."""


class TemporaryError(ChannelError):
    """Nothing was sent; trying again later is safe, `wait` seconds later at the earliest."""

    def __init__(self, reason: str = "", *, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class PermanentError(ChannelError):
    """Nothing was sent and never will be (room gone, text refused)."""


class UnknownResult(ChannelError):
    """The call was made and its outcome is not known; only our own echo can tell, where the channel has one."""


class Channel(Protocol):
    """A way into the groups. Events come in the order of the gateway and never end by themselves:
    a lost connection is a StateChange, and the channel reconnects for ever."""

    name: str  # the account's stable name; part of the inbox's unique key

    def events(self) -> AsyncIterator[ChannelEvent]: ...

    async def send_text(self, to: str, text: str, mentions: Sequence[Mention] = ()) -> str | None:
        """Send to a room id (or contact id); the message id, or None where the gateway tells none."""
        ...

    async def send_file(self, to: str, path: Path) -> str | None: ...

    async def close(self) -> None:
        """Stop reading; never logs the account out."""
        ...
