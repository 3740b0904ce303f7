"""That a unit took a duty is written down, by the message's own time: here and nowhere else."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from handlers import lifecycle, texts
from handlers.commands import Answer
from handlers.context import Context, MemberInfo
from handlers.errors import IllegalMove
from handlers.lifecycle import Move
from handlers.speaking import hush, say
from storage import tickets
from storage.enums import AssignedBy, AssignmentRole, AssignmentStatus, EventKind, SayKind
from storage.tables import Assignment, Ticket


def record_acceptance(
    session: Session,
    answer: Answer,
    ticket: Ticket,
    assignment: Assignment,
    *,
    owner: MemberInfo,
    by: MemberInfo,
    how: AssignedBy,
    detail: str = "",
) -> None:
    """Write down that a unit accepted. In time at the due time itself; a stamp before the dispatch counts as 0.

    What still waits to be sent and asks for an acceptance is dropped. Raises IllegalMove when somebody moved the duty
    in the same instant.
    """
    at, message = answer.at, answer.message
    accepted_at = max(at, assignment.dispatched_at)
    moved = tickets.move(
        session,
        assignment,
        expected=AssignmentStatus.WAITING,
        to=lifecycle.next_duty(assignment.status, Move.ACCEPT),
        accepted_at=accepted_at,
        accepted_by=by.name,
        accepted_inbox_id=message.id,
        owner_id=owner.id,
        assigned_by=how,
        assigned_at=at,
        on_time=accepted_at <= assignment.due_at,
    )
    if not moved:
        short = answer.number(ticket)
        raise IllegalMove(texts.already_taken(short=short, owner=owner_name(answer.ctx, assignment), at=None))
    hush(session, assignment.id)
    if assignment.role is AssignmentRole.LEAD:
        session.refresh(ticket)
        tickets.change(session, ticket, expected=ticket.status, to=lifecycle.next_ticket(ticket.status, Move.ACCEPT))
    kind = EventKind.ACCEPTED if how is AssignedBy.SELF else EventKind.ASSIGNED
    tickets.record(
        session,
        ticket_id=assignment.ticket_id,
        assignment_id=assignment.id,
        kind=kind,
        at=at,
        by=by.name,
        detail=detail,
        inbox_id=message.id,
    )
    if was_wrongly_overdue(assignment):
        tickets.record(
            session,
            ticket_id=assignment.ticket_id,
            assignment_id=assignment.id,
            kind=EventKind.CORRECTED,
            at=at,
            by="系统",
            detail="消息晚到，按时限内领办记录",
            inbox_id=message.id,
        )


def was_wrongly_overdue(assignment: Assignment) -> bool:
    """Whether overdue was announced of a duty that was taken in time by a message that arrived late."""
    return assignment.overdue_at is not None and bool(assignment.on_time)


def tell_of_correction(
    session: Session, answer: Answer, ticket: Ticket, assignment: Assignment, *, by: MemberInfo, now: datetime
) -> None:
    """Take a wrong announcement back in the unit's room and in the supervision room."""
    ctx, accepted_at = answer.ctx, assignment.accepted_at
    assert accepted_at is not None
    text = texts.accepted_corrected(short=assignment.short, member=by.name, at=accepted_at)
    room = ctx.district.room_of_unit.get(assignment.unit_id)
    say(session, ctx, room=room, kind=SayKind.NOTICE, text=text, key=f"{answer.key}:correction:{assignment.id}",
        now=now, tickets=[ticket.no])  # fmt: skip
    unit = ctx.district.unit_by_id[assignment.unit_id].name
    report = texts.correction_report(unit=unit, no=ticket.no, member=by.name, at=accepted_at)
    say(session, ctx, room=ctx.district.supervision_room, kind=SayKind.NOTICE, text=report,
        key=f"{answer.key}:correction:{assignment.id}:supervision", now=now, tickets=[ticket.no])  # fmt: skip


def owner_name(ctx: Context, assignment: Assignment) -> str:
    member = ctx.district.member_by_id.get(assignment.owner_id or 0)
    return member.name if member else (assignment.accepted_by or "")
