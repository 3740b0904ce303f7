"""The order's own 办理时限: its owner is reminded a day and two hours before. Apart from the fifteen minutes."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from handlers import texts
from handlers.context import Context
from handlers.speaking import say
from storage import outbox, tickets
from storage.enums import SayKind
from storage.tables import Assignment, Ticket

log = logging.getLogger(__name__)


def remind(session: Session, ctx: Context, *, now: datetime) -> int:
    """Remind of what ends soon and is not done; each reminder once. How many were said."""
    if not ctx.policy.limit_reminders:
        return 0
    said = 0
    longest = max(ctx.policy.limit_reminders)
    for duty, ticket in tickets.ending_soon(session, after=now, before=now + longest):
        assert ticket.limit_at is not None
        no, left = ticket.no, ticket.limit_at - now
        # Of the reminders whose time has come only the nearest is said; a restart does not make up the earlier ones.
        ahead = min(lead for lead in ctx.policy.limit_reminders if left <= lead)
        key = f"ticket:{ticket.id}:limit:{int(ahead.total_seconds())}"
        if outbox.exists(session, key) or outbox.exists(session, f"{key}:parked"):
            continue
        try:
            with session.begin_nested():
                said += _say(session, ctx, duty, ticket, key=key, now=now)
        except OperationalError:
            raise  # the database, not the reminder
        except Exception:
            log.exception("limit_reminder_failed", extra={"ticket": no})
            say(
                session, ctx, room=ctx.district.supervision_room, kind=SayKind.ALERT, text=texts.limit_parked(no),
                key=f"{key}:parked", now=now, tickets=[no],
            )  # fmt: skip
    return said


def _say(session: Session, ctx: Context, duty: Assignment, ticket: Ticket, *, key: str, now: datetime) -> bool:
    owner = ctx.district.member_by_id.get(duty.owner_id or 0)
    assert ticket.limit_at is not None
    return say(
        session, ctx, room=ctx.district.room_of_unit.get(duty.unit_id), kind=SayKind.NOTICE,
        text=texts.limit_near(short=duty.short, owner=owner.name if owner else None, limit_at=ticket.limit_at),
        key=key, now=now,
        mentions=[owner.name] if owner else ctx.names(ctx.district.called(duty.unit_id, now)),
        tickets=[ticket.no],
    )  # fmt: skip


def next_at(session: Session, ctx: Context, *, now: datetime) -> datetime | None:
    """When the next reminder falls due, or None when no order's limit is ahead."""
    ends = [(lead, tickets.next_limit(session, after=now + lead)) for lead in ctx.policy.limit_reminders]
    return min((end - lead for lead, end in ends if end is not None), default=None)
