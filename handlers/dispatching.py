"""A unit gets a duty: number in its room, own window, first deadline, event. Used by intake, passing on and reopening."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from handlers import texts
from handlers.context import Context, UnitInfo
from handlers.policy import BEIJING
from handlers.speaking import alert_supervision
from storage import deadlines, meta, room_tickets, tickets
from storage.enums import AssignmentRole, EventKind, Urgency
from storage.tables import Assignment, Ticket


def open_duty(
    session: Session,
    ctx: Context,
    *,
    ticket: Ticket,
    unit: UnitInfo,
    role: AssignmentRole,
    dispatched_at: datetime,
    now: datetime,
    by: str,
    inbox_id: int | None,
    fresh_number: bool = False,
) -> Assignment:
    """Add a duty of `unit` on the ticket and arm its prompt.

    `fresh_number`: a ticket reopened on a later day gets a new number. The prompt itself is said by
    `handlers.escalation`, so that after a break it can be merged into a higher step.
    """
    assert ticket.id is not None
    today = dispatched_at.astimezone(BEIJING).date()
    room = ctx.district.room_of_unit.get(unit.id)
    if room is None:
        short = 0
        _tell_of_missing_room(session, ctx, ticket, unit, now)
    else:
        short = room_tickets.number_in_room(
            session, room_id=room.id, ticket_id=ticket.id, today=today, fresh=fresh_number
        )
    assignment = Assignment(
        ticket_id=ticket.id,
        unit_id=unit.id,
        short=short,
        role=role,
        urgency=ticket.urgency,
        dispatched_at=dispatched_at,
        due_at=dispatched_at + ctx.policy.window,
    )
    session.add(assignment)
    session.flush()
    assert assignment.id is not None
    tickets.record(
        session,
        ticket_id=ticket.id,
        assignment_id=assignment.id,
        kind=EventKind.DISPATCHED,
        at=dispatched_at,
        by=by,
        detail=f"{role.value} {unit.name}",
        inbox_id=inbox_id,
    )
    deadlines.arm_first(session, assignment_id=assignment.id, due_at=dispatched_at)
    return assignment


def _tell_of_missing_room(session: Session, ctx: Context, ticket: Ticket, unit: UnitInfo, now: datetime) -> None:
    text = texts.no_room(unit=unit.name, no=ticket.no)
    meta.warn_once(session, key=f"no-room:{unit.id}", text=text, now=now)
    alert_supervision(
        session, ctx, text=text, key=f"ticket:{ticket.id}:no-room:{unit.id}", now=now, tickets=[ticket.no]
    )


def shown_place(ticket: Ticket) -> str | None:
    """The place as a room may see it: of a sensitive ticket only the village or township."""
    official = ticket.village or ticket.township
    return official if ticket.urgency is Urgency.SENSITIVE else (ticket.place or official)


def ticket_body(session: Session, ticket: Ticket, *, short: int, helper: bool = False, lead: str | None = None) -> str:
    """The lines that describe a ticket in a room."""
    repeated = session.get(Ticket, ticket.repeat_of_id) if ticket.repeat_of_id else None
    return texts.ticket_lines(
        short=short,
        urgency=ticket.urgency,
        category=ticket.category,
        place=shown_place(ticket),
        gist=ticket.gist,
        helper=helper,
        lead=lead,
        repeat_of=repeated.no if repeated else None,
        time_limit=ticket.time_limit,
        note=ticket.note,
        no=ticket.no,
    )
