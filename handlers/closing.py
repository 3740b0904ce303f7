"""Done, extended, reopened, urged, called back."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from handlers import lifecycle, texts
from handlers.accepting import record_acceptance, tell_of_correction, was_wrongly_overdue
from handlers.commands import Answer, tell_asker
from handlers.context import Context, MemberInfo
from handlers.dispatching import open_duty
from handlers.errors import AskBack, IllegalMove, NotAllowed
from handlers.lifecycle import Move
from handlers.policy import BEIJING
from handlers.speaking import say
from storage import tickets
from storage.enums import (
    AssignedBy,
    AssignmentRole,
    AssignmentStatus,
    EventKind,
    Role,
    Satisfaction,
    SayKind,
    TicketStatus,
)
from storage.tables import Assignment, CallBack, Ticket
from storage.tickets import ALIVE

MAY_REOPEN = (Role.DISPATCHER, Role.SUPERVISOR)


def resolve(session: Session, answer: Answer, ticket: Ticket, assignment: Assignment, *, now: datetime) -> bool:
    """A member of the unit reports it done; unaccepted until then, it is accepted at that moment. A result is needed."""
    ctx, member, number = answer.ctx, answer.speaker.member, answer.number(ticket)
    unit = ctx.district.unit_by_id[assignment.unit_id]
    if member is None or member.unit_id != unit.id:
        raise NotAllowed(texts.only_unit(unit.name))
    if assignment.status not in ALIVE:
        raise IllegalMove(texts.not_open(short=number, status=assignment.status.value))
    if not answer.intent.reason.strip():
        raise AskBack(texts.result_needed(number))
    if assignment.status is AssignmentStatus.WAITING:
        record_acceptance(
            session, answer, ticket, assignment, owner=member, by=member, how=AssignedBy.SELF, detail="随办结领办"
        )
        if was_wrongly_overdue(assignment):
            tell_of_correction(session, answer, ticket, assignment, by=member, now=now)
    to = lifecycle.next_duty(assignment.status, Move.RESOLVE)
    result = answer.intent.reason
    if not tickets.move(
        session, assignment, expected=AssignmentStatus.ACCEPTED, to=to, ended_at=answer.at, reason=result
    ):
        raise IllegalMove(texts.not_open(short=number, status=assignment.status.value))
    if assignment.role is AssignmentRole.LEAD:
        session.refresh(ticket)
        status = lifecycle.next_ticket(ticket.status, Move.RESOLVE)
        tickets.change(session, ticket, expected=ticket.status, to=status, closed_at=answer.at)
    tickets.record(
        session,
        ticket_id=ticket.id or 0,
        assignment_id=assignment.id,
        kind=EventKind.RESOLVED,
        at=answer.at,
        by=member.name,
        detail=result,
        inbox_id=answer.message.id,
    )
    say(
        session,
        ctx,
        room=answer.room,
        kind=SayKind.CONFIRMATION,
        text=texts.resolved(short=number, member=member.name),
        key=f"{answer.key}:resolved",
        now=now,
        tickets=[ticket.no],
    )
    return True


def extend(session: Session, answer: Answer, ticket: Ticket, assignment: Assignment, *, now: datetime) -> bool:
    """A later date for the order, with its reason; an event."""
    ctx, member, number = answer.ctx, answer.speaker.member, answer.number(ticket)
    unit = ctx.district.unit_by_id[assignment.unit_id]
    if member is None or member.unit_id != unit.id:
        raise NotAllowed(texts.only_unit(unit.name))
    if assignment.status not in ALIVE:
        raise IllegalMove(texts.not_open(short=number, status=assignment.status.value))
    if answer.intent.until is None:
        raise AskBack(texts.date_needed(number))
    until = f"{answer.intent.until.month}月{answer.intent.until.day}日"
    tickets.record(
        session,
        ticket_id=ticket.id or 0,
        assignment_id=assignment.id,
        kind=EventKind.EXTENDED,
        at=answer.at,
        by=member.name,
        detail=f"到{answer.intent.until.isoformat()} {answer.intent.reason}".strip(),
        inbox_id=answer.message.id,
    )
    say(
        session,
        ctx,
        room=answer.room,
        kind=SayKind.CONFIRMATION,
        text=texts.extended(short=number, until=until),
        key=f"{answer.key}:extended",
        now=now,
        tickets=[ticket.no],
    )
    return True


def reopen(session: Session, answer: Answer, ticket: Ticket, *, now: datetime) -> bool:
    """A dispatcher or supervisor reopens a resolved ticket: a new duty of the same unit with a new window."""
    member = answer.speaker.member
    if member is None or member.role not in MAY_REOPEN:
        raise NotAllowed(texts.only_dispatch())
    done = _reopen(
        session,
        answer.ctx,
        ticket,
        at=answer.at,
        by=member.name,
        reason=answer.intent.reason,
        inbox_id=answer.message.id,
        key=answer.key,
        now=now,
        number=answer.number(ticket),
    )
    unit = answer.ctx.district.unit_by_id[ticket.unit_id or 0]
    window = answer.ctx.policy.window.total_seconds()
    text = texts.reopened_there(short=answer.number(ticket), unit=unit.name, window=window)
    tell_asker(session, answer, ticket, unit_id=unit.id, text=text, now=now)
    return done


def _reopen(
    session: Session,
    ctx: Context,
    ticket: Ticket,
    *,
    at: datetime,
    by: str,
    reason: str,
    inbox_id: int | None,
    key: str,
    now: datetime,
    number: texts.Number = 0,
) -> bool:
    """`number` is the ticket's in the room that a refusal is said in."""
    last = tickets.lead_of(session, ticket.id or 0)
    if ticket.status is not TicketStatus.RESOLVED or last is None:
        raise IllegalMove(texts.not_resolved_yet(number))
    status = lifecycle.next_ticket(ticket.status, Move.REOPEN)
    unit = ctx.district.unit_by_id[last.unit_id]
    closed_on = (ticket.closed_at or at).astimezone(BEIJING).date()
    # One whose words were blanked lives again: what is told of it from now on is blanked in its turn.
    values = {"closed_at": None, "unit_id": unit.id, "blanked_at": None}
    if not tickets.change(session, ticket, expected=TicketStatus.RESOLVED, to=status, **values):
        raise IllegalMove(texts.not_resolved_yet(number))
    tickets.record(
        session,
        ticket_id=ticket.id or 0,
        assignment_id=last.id,
        kind=EventKind.REOPENED,
        at=at,
        by=by,
        detail=reason,
        inbox_id=inbox_id,
    )
    duty = open_duty(
        session,
        ctx,
        ticket=ticket,
        unit=unit,
        role=AssignmentRole.LEAD,
        dispatched_at=now,
        now=now,
        by=by,
        inbox_id=inbox_id,
        fresh_number=closed_on != at.astimezone(BEIJING).date(),
    )
    say(
        session,
        ctx,
        room=ctx.district.room_of_unit.get(unit.id),
        kind=SayKind.NOTICE,
        text=texts.reopened(short=duty.short, reason=reason),
        key=f"{key}:reopened",
        now=now,
        tickets=[ticket.no],
    )
    return True


def urge(session: Session, answer: Answer, ticket: Ticket, *, now: datetime) -> bool:
    """A dispatcher's 催: the owner is reminded at once, and it is counted."""
    ctx, member = answer.ctx, answer.speaker.member
    duty = tickets.lead_of(session, ticket.id or 0)
    if not _may_urge(member, duty) or member is None:
        raise NotAllowed(texts.only_those_who_urge())
    if duty is None or duty.status not in ALIVE:
        raise IllegalMove(texts.not_open(short=answer.number(ticket), status=ticket.status.value))
    tickets.record(
        session,
        ticket_id=ticket.id or 0,
        assignment_id=duty.id,
        kind=EventKind.URGED,
        at=answer.at,
        by=member.name,
        inbox_id=answer.message.id,
    )
    session.flush()
    times = sum(event.kind is EventKind.URGED for event in tickets.events_of(session, ticket.id or 0))
    owner = ctx.district.member_by_id.get(duty.owner_id or 0)
    called = [owner] if owner else ctx.district.called(duty.unit_id, now)
    say(
        session,
        ctx,
        room=ctx.district.room_of_unit.get(duty.unit_id),
        kind=SayKind.NOTICE,
        text=texts.urged(short=duty.short, by=member.role, times=times),
        key=f"{answer.key}:urged",
        now=now,
        mentions=ctx.names(called),
        tickets=[ticket.no],
    )
    unit = ctx.district.unit_by_id[duty.unit_id]
    tell_asker(
        session,
        answer,
        ticket,
        unit_id=unit.id,
        text=texts.urged_there(
            short=answer.number(ticket), unit=unit.name, owner=owner.name if owner else None, times=times
        ),
        now=now,
    )
    return True


def _may_urge(member: MemberInfo | None, duty: Assignment | None) -> bool:
    if member is None:
        return False
    leads = duty is not None and member.unit_id == duty.unit_id and member.role in (Role.HEAD, Role.DEPUTY)
    return member.role in MAY_REOPEN or leads


def call_back(
    session: Session,
    ctx: Context,
    *,
    order_no: str,
    at: datetime,
    contacted: bool,
    resolved: bool,
    satisfaction: Satisfaction | None,
    source: str,
    now: datetime,
    inbox_id: int | None = None,
    unit_id: int | None = None,
) -> bool:
    """Keep a call-back result; one that says 未解决 reopens its resolved ticket. True if the ticket is known.

    The same result given twice is kept once. `unit_id` is whose it is while no ticket of the order is known.
    """
    ticket = tickets.by_order_no(session, order_no) or tickets.by_no(session, order_no)
    if not tickets.add_call_back(
        session,
        CallBack(
            order_no=order_no,
            ticket_id=ticket.id if ticket else None,
            unit_id=(ticket.unit_id if ticket else None) or unit_id,
            at=at,
            contacted=contacted,
            resolved=resolved,
            satisfaction=satisfaction,
            source=source,
        ),
    ):
        return ticket is not None
    if ticket is None:
        return False
    words = [satisfaction.value if satisfaction else "", "已解决" if resolved else "未解决"]
    words += [] if contacted else ["未联系上"]
    tickets.record(
        session,
        ticket_id=ticket.id or 0,
        kind=EventKind.CALLED_BACK,
        at=at,
        by="回访",
        detail=" ".join(filter(None, words)),
        inbox_id=inbox_id,
    )
    if contacted and not resolved and ticket.status is TicketStatus.RESOLVED:  # who was not reached said nothing
        _reopen(
            session,
            ctx,
            ticket,
            at=at,
            by="回访",
            reason="回访未解决",
            inbox_id=inbox_id,
            key=f"call-back:{order_no}:{int(at.timestamp())}",
            now=now,
        )
    return True
