"""What supervision is told when the bot itself has trouble."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from handlers import texts
from handlers.context import Context
from handlers.speaking import say
from storage.enums import SayKind


def tell_of_parked(session: Session, ctx: Context, *, inbox_id: int, count: int, now: datetime) -> None:
    """A message could not be handled; it is kept, and a person must look."""
    say(
        session,
        ctx,
        room=ctx.district.supervision_room,
        kind=SayKind.ALERT,
        text=texts.parked(count),
        key=f"parked:{inbox_id}",
        now=now,
    )
