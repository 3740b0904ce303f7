"""An answer on its way to a handler: who said what, where, about which tickets; and the word back to its room."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from handlers.context import Context, RoomInfo
from handlers.identity import Speaker
from handlers.reading.views import Intent, TicketView
from handlers.speaking import say
from handlers.texts import Number
from storage.enums import SayKind
from storage.tables import InboxMessage, Ticket


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
    part: int = 0  # of a message that orders several things

    @property
    def at(self) -> datetime:
        """When it was said, by WeChat's own stamp; all records carry this time."""
        return self.message.sent_at

    def short(self, ticket_id: int | None) -> int:
        """The number under which the room of the answer knows a ticket; 0 where it knows it by none."""
        found = (view.short for view, known in zip(self.views, self.tickets, strict=True) if known == ticket_id)
        return next(found, 0)

    def number(self, ticket: Ticket) -> Number:
        """What the room of the answer calls a ticket: its short number there, else the full one."""
        return self.short(ticket.id) or ticket.no

    @property
    def key(self) -> str:
        """The stem of the keys of what is said in answer."""
        return f"message:{self.message.id}" + (f".{self.part}" if self.part else "")


def tell_asker(session: Session, answer: Answer, ticket: Ticket, *, unit_id: int, text: str, now: datetime) -> None:
    """Whoever orders something from another room than the unit's learns there that it is done."""
    if answer.room is None or answer.room == answer.ctx.district.room_of_unit.get(unit_id):
        return
    key = f"{answer.key}:told-back"
    say(session, answer.ctx, room=answer.room, kind=SayKind.CONFIRMATION, text=text, key=key, now=now,
        tickets=[ticket.no])  # fmt: skip
