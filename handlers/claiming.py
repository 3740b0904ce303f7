"""Someone takes a ticket, or a leader gives it to someone. Judged by the message's own time, here and nowhere else."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from handlers import texts
from handlers.accepting import owner_name, record_acceptance, tell_of_correction, was_wrongly_overdue
from handlers.commands import Answer, tell_asker
from handlers.context import MemberInfo
from handlers.errors import AskBack, IllegalMove, NotAllowed
from handlers.speaking import say
from storage import tickets
from storage.enums import AssignedBy, AssignmentStatus, EventKind, Role, SayKind
from storage.tables import Assignment, Ticket

MAY_ASSIGN_ANYWHERE = (Role.DISPATCHER, Role.SUPERVISOR)
MAY_ASSIGN_IN_UNIT = (Role.HEAD, Role.DEPUTY)


def accept(session: Session, answer: Answer, ticket: Ticket, assignment: Assignment, *, now: datetime) -> bool:
    """The speaker takes the duty; True if anything was recorded.

    Raises NotAllowed for anyone who is not of the duty's unit, IllegalMove when somebody has it or it is closed.
    """
    ctx, member = answer.ctx, answer.speaker.member
    unit = ctx.district.unit_by_id[assignment.unit_id]
    if member is None or member.unit_id != assignment.unit_id:
        raise NotAllowed(texts.only_unit(unit.name))
    if assignment.status is AssignmentStatus.WAITING:
        record_acceptance(session, answer, ticket, assignment, owner=member, by=member, how=AssignedBy.SELF)
        _announce(session, answer, ticket, assignment, member, now=now)
        return True
    if assignment.status is AssignmentStatus.ACCEPTED:
        return _second_acceptance(session, answer, ticket, assignment, member, now=now)
    number = answer.number(ticket)
    raise IllegalMove(texts.already_closed(short=number, status=assignment.status.value))


def _announce(
    session: Session, answer: Answer, ticket: Ticket, assignment: Assignment, member: MemberInfo, *, now: datetime
) -> None:
    """Confirm an acceptance; where overdue had been announced wrongly, correct it in both rooms."""
    ctx = answer.ctx
    accepted_at = assignment.accepted_at
    assert accepted_at is not None
    if was_wrongly_overdue(assignment):
        tell_of_correction(session, answer, ticket, assignment, by=member, now=now)
        return
    unit_room = ctx.district.room_of_unit.get(assignment.unit_id)
    seconds = int((accepted_at - assignment.dispatched_at).total_seconds())
    text = texts.accepted(short=assignment.short, member=member.name, seconds=seconds, on_time=bool(assignment.on_time))
    say(session, ctx, room=unit_room, kind=SayKind.CONFIRMATION, text=text, key=f"{answer.key}:accepted:{assignment.id}",
        now=now, tickets=[ticket.no])  # fmt: skip


def _second_acceptance(
    session: Session, answer: Answer, ticket: Ticket, assignment: Assignment, member: MemberInfo, *, now: datetime
) -> bool:
    """First come, first served, by message time: an earlier stamp that arrives later becomes the acceptance."""
    ctx = answer.ctx
    assert assignment.accepted_at is not None
    if member.name == assignment.accepted_by or member.id == assignment.owner_id:
        if answer.intent.explicit:
            raise IllegalMove(texts.already_yours(short=answer.number(ticket)))
        return False
    if max(answer.at, assignment.dispatched_at) >= assignment.accepted_at:
        short, owner = answer.number(ticket), owner_name(ctx, assignment)
        raise IllegalMove(texts.already_taken(short=short, owner=owner, at=assignment.accepted_at))
    before = owner_name(ctx, assignment)
    accepted_at = max(answer.at, assignment.dispatched_at)
    assignment.accepted_at = accepted_at
    assignment.accepted_by = member.name
    assignment.accepted_inbox_id = answer.message.id
    assignment.owner_id, assignment.assigned_by, assignment.assigned_at = member.id, AssignedBy.SELF, answer.at
    assignment.on_time = accepted_at <= assignment.due_at
    session.add(assignment)
    tickets.record(
        session,
        ticket_id=assignment.ticket_id,
        assignment_id=assignment.id,
        kind=EventKind.CORRECTED,
        at=answer.at,
        by=member.name,
        detail=f"先于{before}领办，承办人改为{member.name}",
        inbox_id=answer.message.id,
    )
    say(
        session,
        ctx,
        room=ctx.district.room_of_unit.get(assignment.unit_id),
        kind=SayKind.NOTICE,
        text=texts.earlier_acceptance(short=assignment.short, member=member.name, at=accepted_at, instead_of=before),
        key=f"{answer.key}:earlier",
        now=now,
        tickets=[ticket.no],
    )
    return True


def assign(session: Session, answer: Answer, ticket: Ticket, assignment: Assignment, *, now: datetime) -> bool:
    """A leader, dispatcher or supervisor names the owner; it counts as the unit's acceptance."""
    ctx, by = answer.ctx, answer.speaker.member
    unit = ctx.district.unit_by_id[assignment.unit_id]
    if not may_assign(by, assignment.unit_id) or by is None:
        raise NotAllowed(texts.only_leaders())
    if not answer.intent.member:
        raise AskBack(texts.name_the_member())
    owner = next(
        (m for m in ctx.district.members_of.get(assignment.unit_id, ()) if m.name == answer.intent.member), None
    )
    if owner is None:
        raise IllegalMove(texts.not_in_unit(answer.intent.member, unit.name))
    if assignment.status is AssignmentStatus.WAITING:
        detail = "" if owner.id == by.id else f"指派 {owner.name}"
        record_acceptance(session, answer, ticket, assignment, owner=owner, by=by, how=AssignedBy.LEADER, detail=detail)
        if was_wrongly_overdue(assignment):
            tell_of_correction(session, answer, ticket, assignment, by=by, now=now)
    elif assignment.status is AssignmentStatus.ACCEPTED:
        assignment.owner_id, assignment.assigned_by, assignment.assigned_at = owner.id, AssignedBy.LEADER, answer.at
        session.add(assignment)
        tickets.record(
            session,
            ticket_id=assignment.ticket_id,
            assignment_id=assignment.id,
            kind=EventKind.ASSIGNED,
            at=answer.at,
            by=by.name,
            detail=f"指派 {owner.name}",
            inbox_id=answer.message.id,
        )
    else:
        number = answer.number(ticket)
        raise IllegalMove(texts.already_closed(short=number, status=assignment.status.value))
    say(
        session,
        ctx,
        room=ctx.district.room_of_unit.get(assignment.unit_id),
        kind=SayKind.CONFIRMATION,
        text=texts.assigned(short=assignment.short, member=owner.name, by=by.name),
        key=f"{answer.key}:assigned:{assignment.id}",
        now=now,
        mentions=[owner.name],
        tickets=[ticket.no],
    )
    there = texts.assigned_there(short=answer.number(ticket), unit=unit.name, member=owner.name)
    tell_asker(session, answer, ticket, unit_id=unit.id, text=there, now=now)
    return True


def may_assign(member: MemberInfo | None, unit_id: int) -> bool:
    if member is None:
        return False
    return member.role in MAY_ASSIGN_ANYWHERE or (member.role in MAY_ASSIGN_IN_UNIT and member.unit_id == unit_id)
