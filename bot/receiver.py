"""What a channel heard is stored, once, before anything is understood."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from bot.channels.base import InboundMessage
from bot.database import Database
from storage import inbox

log = logging.getLogger(__name__)
MAX_TEXT = 4_000_000  # characters kept of one message; more than a gateway can deliver


class Receiver:
    def __init__(self, database: Database, *, account: str) -> None:
        self._database = database
        self._account = account

    async def store(self, messages: Sequence[InboundMessage]) -> int:
        """Store messages in one transaction; how many were new. A message id seen before in its room is dropped."""
        new = await self._database.write(lambda session: self.store_in(session, messages))
        for message in messages:
            if message.kept is not None:
                message.kept()
        return new

    def store_in(self, session: Session, messages: Sequence[InboundMessage]) -> int:
        rows = [stored_row(message, self._account) for message in messages]
        new = inbox.add_once(session, rows)
        for row in rows:
            if (row["channel_room_id"], row["message_id"]) not in new:
                log.info("message_seen_before", extra={"message_id": row["message_id"]})
        return len(new)


def stored_row(message: InboundMessage, account: str) -> dict[str, object]:
    """A message as the inbox keeps it."""
    quote = message.quote
    return {
        "channel": account,
        "channel_room_id": clean(message.room_id),
        "message_id": clean(message.message_id),
        "sender_id": clean(message.sender_id),
        "sender_name": clean(message.sender_name),
        "type": message.type,
        "text": clean(message.text)[:MAX_TEXT],
        "mentions": [clean(name) for name in message.mentions],
        "mentions_bot": message.mentions_bot,
        "quote": {
            "id": _clean(quote.message_id),
            "sender": clean(quote.sender),
            "text": clean(quote.text)[:MAX_TEXT],
        }
        if quote
        else None,
        "file": _clean(str(message.file)) if message.file else None,
        "file_name": _clean(message.file_name),
        "file_problem": _clean(message.file_problem),
        "recalls": _clean(message.recalls),
        "is_self": message.is_self,
        "raw": message.raw or None,
        "sent_at": _sane(message.sent_at, message.received_at),
        "received_at": message.received_at,
    }


def clean(text: str) -> str:
    """Without NUL and lone surrogates, which a database refuses."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")


def _clean(text: str | None) -> str | None:
    return clean(text) if text else None


def _sane(sent_at: datetime, received_at: datetime) -> datetime:
    """A stamp from the future cannot be: the clock of the gateway's host is off."""
    return min(sent_at, received_at)
