"""An answer on its way to a handler: who said what, where, about which tickets. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from handlers.context import Context, RoomInfo
from handlers.identity import Speaker
from handlers.reading.views import Intent, TicketView
from storage.tables import InboxMessage


@dataclass(frozen=True)
class Answer:
    """One answer in one room; `tickets` are the ids behind `views`, index by index."""

    message: InboxMessage
    room: RoomInfo | None  # None in a private chat
    speaker: Speaker
    intent: Intent
    views: tuple[TicketView, ...] = ()
    tickets: tuple[int, ...] = ()
    ctx: Context = field(repr=False, kw_only=True)

    @property
    def at(self) -> datetime:
        """When it was said, by WeChat's own stamp; all records carry this time."""
        return self.message.sent_at

    def number(self, ticket_id: int | None) -> int:
        """The number under which the room of the answer knows a ticket; 0 where it knows it by none."""
        found = (view.short for view, known in zip(self.views, self.tickets, strict=True) if known == ticket_id)
        return next(found, 0)

    @property
    def key(self) -> str:
        """The stem of the keys of what is said in answer."""
        return f"message:{self.message.id}"
