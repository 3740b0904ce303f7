"""The order's own 办理时限: its owner is reminded a day and two hours before. Apart from the fifteen minutes."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from handlers import texts
from handlers.context import Context
from handlers.speaking import say
from storage import tickets
from storage.enums import SayKind


def remind(session: Session, ctx: Context, *, now: datetime) -> int:
    """Remind of what ends soon and is not done; each reminder once. How many were said."""
    if not ctx.policy.limit_reminders:
        return 0
    said = 0
    longest = max(ctx.policy.limit_reminders)
    for duty, ticket in tickets.ending_soon(session, after=now, before=now + longest):
        assert ticket.limit_at is not None
        left = ticket.limit_at - now
        # Of the reminders whose time has come only the nearest is said; a restart does not make up the earlier ones.
        ahead = min(lead for lead in ctx.policy.limit_reminders if left <= lead)
        owner = ctx.district.member_by_id.get(duty.owner_id or 0)
        said += say(
            session, ctx, room=ctx.district.room_of_unit.get(duty.unit_id), kind=SayKind.NOTICE,
            text=texts.limit_near(short=duty.short, owner=owner.name if owner else None, limit_at=ticket.limit_at),
            key=f"ticket:{ticket.id}:limit:{int(ahead.total_seconds())}", now=now,
            mentions=[owner.name] if owner else ctx.names(ctx.district.called(duty.unit_id, now)),
            tickets=[ticket.no],
        )  # fmt: skip
    return said


def next_at(session: Session, ctx: Context, *, now: datetime) -> datetime | None:
    """When the next reminder falls due, or None when no order's limit is ahead."""
    ends = [(lead, tickets.next_limit(session, after=now + lead)) for lead in ctx.policy.limit_reminders]
    return min((end - lead for lead, end in ends if end is not None), default=None)
