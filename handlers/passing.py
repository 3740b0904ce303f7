"""A duty goes to somebody else: declined, transferred, kept, agreed to, or others are whistled for."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from handlers import lifecycle, texts
from handlers.commands import Answer
from handlers.context import MemberInfo, UnitInfo
from handlers.dispatching import open_duty, ticket_body
from handlers.errors import AskBack, IllegalMove, NotAllowed
from handlers.lifecycle import Move
from handlers.policy import BEIJING
from handlers.speaking import hush, say
from storage import room_tickets, tickets
from storage.enums import AssignmentRole, AssignmentStatus, EventKind, Role, SayKind, TicketStatus, UnitKind
from storage.tables import Assignment, Ticket
from storage.tickets import ALIVE

MAY_TRANSFER = (Role.DISPATCHER, Role.SUPERVISOR)


def may_transfer(member: MemberInfo | None) -> bool:
    return member is not None and member.role in MAY_TRANSFER


def decline(session: Session, answer: Answer, ticket: Ticket, assignment: Assignment, *, now: datetime) -> bool:
    """The unit hands a duty back, for good; the dispatch room decides. A reason is needed."""
    ctx, member, number = answer.ctx, answer.speaker.member, answer.number(ticket)
    unit = ctx.district.unit_by_id[assignment.unit_id]
    if member is None or member.unit_id != unit.id:
        raise NotAllowed(texts.only_unit(unit.name))
    to = lifecycle.next_duty(assignment.status, Move.DECLINE)
    if not answer.intent.reason.strip():
        raise AskBack(texts.reason_needed(number))
    proposal = next((ctx.district.unit_by_name[name] for name in answer.intent.units if name != unit.name), None)
    moved = tickets.move(
        session,
        assignment,
        expected=assignment.status,
        to=to,
        ended_at=answer.at,
        reason=answer.intent.reason,
        proposal_unit_id=proposal.id if proposal else None,
    )
    if not moved:
        raise IllegalMove(texts.not_open(short=number, status=assignment.status.value))
    hush(session, assignment.id)
    tickets.record(
        session,
        ticket_id=assignment.ticket_id,
        assignment_id=assignment.id,
        kind=EventKind.DECLINED,
        at=answer.at,
        by=member.name,
        detail=answer.intent.reason,
        inbox_id=answer.message.id,
    )
    say(
        session,
        ctx,
        room=answer.room,
        kind=SayKind.NOTICE,
        text=texts.declined(short=number),
        key=f"{answer.key}:declined",
        now=now,
        tickets=[ticket.no],
    )
    if assignment.role is AssignmentRole.HELPER:
        text = texts.helper_declined(unit=unit.name, no=ticket.no, reason=answer.intent.reason)
        say(
            session,
            ctx,
            room=ctx.district.dispatch_room,
            kind=SayKind.NOTICE,
            text=text,
            key=f"{answer.key}:handed-back",
            now=now,
            mentions=ctx.names(ctx.district.dispatchers(now)),
            tickets=[ticket.no],
        )
        return True
    _hand_back(session, answer, ticket, unit, proposal, now=now)
    return True


def _hand_back(
    session: Session, answer: Answer, ticket: Ticket, unit: UnitInfo, proposal: UnitInfo | None, *, now: datetime
) -> None:
    """The ticket has no unit now; tell the dispatch room, and supervision from the third time on."""
    ctx = answer.ctx
    tickets.change(
        session,
        ticket,
        expected=ticket.status,
        to=lifecycle.next_ticket(ticket.status, Move.DECLINE),
        unit_id=None,
        declines=ticket.declines + 1,
    )
    room = ctx.district.dispatch_room
    if room is None:
        return
    today = answer.at.astimezone(BEIJING).date()
    short = room_tickets.number_in_room(session, room_id=room.id, ticket_id=ticket.id or 0, today=today)
    text = texts.handed_back(
        short=short,
        unit=unit.name,
        no=ticket.no,
        body=ticket_body(session, ticket, short=short),
        reason=answer.intent.reason,
        proposal=proposal.name if proposal else None,
        times=ticket.declines,
    )
    say(
        session,
        ctx,
        room=room,
        kind=SayKind.NOTICE,
        text=text,
        key=f"{answer.key}:handed-back",
        now=now,
        mentions=ctx.names(ctx.district.dispatchers(now)),
        tickets=[ticket.no],
    )
    if ticket.declines >= ctx.policy.declines_to_supervision:
        units = [
            ctx.district.unit_by_id[a.unit_id].name
            for a in tickets.assignments_of(session, ticket.id or 0)
            if a.status is AssignmentStatus.DECLINED and a.role is AssignmentRole.LEAD
        ]
        say(
            session,
            ctx,
            room=ctx.district.supervision_room,
            kind=SayKind.ALERT,
            text=texts.many_declines(no=ticket.no, times=ticket.declines, units=list(dict.fromkeys(units))),
            key=f"ticket:{ticket.id}:declines:{ticket.declines}",
            now=now,
            mentions=ctx.names(ctx.district.supervisors(now)),
            tickets=[ticket.no],
        )


def transfer(session: Session, answer: Answer, ticket: Ticket, *, now: datetime) -> bool:
    """A dispatcher or supervisor gives the ticket to another unit, with a new window."""
    if not may_transfer(answer.speaker.member):
        raise NotAllowed(texts.only_dispatch())
    if not answer.intent.units:
        raise AskBack(texts.units_needed(answer.number(ticket), "转"))
    unit = answer.ctx.district.unit_by_name[answer.intent.units[0]]
    return _lead_goes_to(session, answer, ticket, unit, now=now)


def agree(session: Session, answer: Answer, ticket: Ticket, *, now: datetime) -> bool:
    """A dispatcher carries out what the declining unit proposed."""
    if not may_transfer(answer.speaker.member):
        raise NotAllowed(texts.only_dispatch())
    short = answer.number(ticket)
    last = tickets.lead_of(session, ticket.id or 0)
    if ticket.status is not TicketStatus.UNROUTED or last is None:
        raise IllegalMove(texts.nothing_to_decide(short))
    if last.proposal_unit_id is None:
        raise IllegalMove(texts.no_proposal(short))
    return _lead_goes_to(session, answer, ticket, answer.ctx.district.unit_by_id[last.proposal_unit_id], now=now)


def keep(session: Session, answer: Answer, ticket: Ticket, *, now: datetime) -> bool:
    """A dispatcher sends a declined ticket back to the unit that declined it, with a new window."""
    if not may_transfer(answer.speaker.member):
        raise NotAllowed(texts.only_dispatch())
    last = tickets.lead_of(session, ticket.id or 0)
    if ticket.status is not TicketStatus.UNROUTED or last is None:
        raise IllegalMove(texts.nothing_to_decide(answer.number(ticket)))
    unit = answer.ctx.district.unit_by_id[last.unit_id]
    return _lead_goes_to(session, answer, ticket, unit, now=now, kept=True)


def _lead_goes_to(
    session: Session, answer: Answer, ticket: Ticket, unit: UnitInfo, *, now: datetime, kept: bool = False
) -> bool:
    ctx, member = answer.ctx, answer.speaker.member
    assert member is not None and ticket.id is not None
    current = tickets.lead_of(session, ticket.id)
    alive = current if current and current.status in ALIVE else None
    if alive and alive.unit_id == unit.id:
        raise IllegalMove(texts.same_unit(unit.name))
    move = Move.DISPATCH if ticket.status is TicketStatus.UNROUTED else Move.TRANSFER
    to = lifecycle.next_ticket(ticket.status, move)
    if alive and not tickets.move(
        session, alive, expected=alive.status, to=lifecycle.next_duty(alive.status, Move.TRANSFER), ended_at=answer.at
    ):
        raise IllegalMove(texts.not_open(short=answer.number(ticket), status=alive.status.value))
    hush(session, alive.id if alive else None)
    _end_helping(session, answer, ticket, unit)
    if not tickets.change(session, ticket, expected=ticket.status, to=to, unit_id=unit.id):
        raise IllegalMove(texts.nothing_to_decide(answer.number(ticket)))
    detail = f"维持 {unit.name}" if kept else f"转 {unit.name}"
    tickets.record(
        session,
        ticket_id=ticket.id,
        assignment_id=alive.id if alive else None,
        kind=EventKind.TRANSFERRED,
        at=answer.at,
        by=member.name,
        detail=detail,
        inbox_id=answer.message.id,
    )
    open_duty(
        session,
        ctx,
        ticket=ticket,
        unit=unit,
        role=AssignmentRole.LEAD,
        dispatched_at=now,
        now=now,
        by=member.name,
        inbox_id=answer.message.id,
    )
    _tell_of_transfer(session, answer, ticket, unit, alive, now=now, kept=kept)
    return True


def _end_helping(session: Session, answer: Answer, ticket: Ticket, unit: UnitInfo) -> None:
    """A helper that becomes the lead is not its own helper any more."""
    for assignment in tickets.assignments_of(session, ticket.id or 0):
        if assignment.unit_id == unit.id and assignment.role is AssignmentRole.HELPER and assignment.status in ALIVE:
            tickets.move(
                session,
                assignment,
                expected=assignment.status,
                to=lifecycle.next_duty(assignment.status, Move.TRANSFER),
                ended_at=answer.at,
            )
            tickets.record(
                session,
                ticket_id=assignment.ticket_id,
                assignment_id=assignment.id,
                kind=EventKind.TRANSFERRED,
                at=answer.at,
                by=answer.speaker.name,
                detail="协办改主办",
                inbox_id=answer.message.id,
            )


def _tell_of_transfer(
    session: Session,
    answer: Answer,
    ticket: Ticket,
    unit: UnitInfo,
    alive: Assignment | None,
    *,
    now: datetime,
    kept: bool,
) -> None:
    ctx = answer.ctx
    said = texts.kept if kept else texts.transferred
    short = answer.number(ticket)
    say(
        session,
        ctx,
        room=answer.room,
        kind=SayKind.NOTICE,
        text=said(short=short, unit=unit.name, window=ctx.policy.window.total_seconds()),
        key=f"{answer.key}:transferred",
        now=now,
        tickets=[ticket.no],
    )
    old_room = ctx.district.room_of_unit.get(alive.unit_id) if alive else None
    if alive and old_room and old_room != answer.room:
        say(
            session,
            ctx,
            room=old_room,
            kind=SayKind.NOTICE,
            text=texts.taken_away(short=alive.short, unit=unit.name),
            key=f"{answer.key}:taken-away",
            now=now,
            tickets=[ticket.no],
        )


def whistle(session: Session, answer: Answer, ticket: Ticket, assignment: Assignment, *, now: datetime) -> bool:
    """The lead unit calls other units in: a helper duty each, in its own room, with its own window."""
    ctx, member, number = answer.ctx, answer.speaker.member, answer.number(ticket)
    unit = ctx.district.unit_by_id[assignment.unit_id]
    if member is None or (member.unit_id != unit.id and not may_transfer(member)):
        raise NotAllowed(texts.only_unit(unit.name))
    if assignment.role is not AssignmentRole.LEAD:
        raise NotAllowed(texts.only_lead_whistles())
    if assignment.status not in ALIVE:
        raise IllegalMove(texts.not_open(short=number, status=assignment.status.value))
    wanted = [ctx.district.unit_by_name[name] for name in dict.fromkeys(answer.intent.units) if name != unit.name]
    wanted = [u for u in wanted if u.kind in (UnitKind.TOWN, UnitKind.AGENCY)]
    if not wanted:
        raise AskBack(texts.units_needed(number, "吹哨"))
    busy = {a.unit_id for a in tickets.assignments_of(session, ticket.id or 0) if a.status in ALIVE}
    called = [u for u in wanted if u.id not in busy]
    if not called:
        raise IllegalMove(texts.already_whistled([u.name for u in wanted]))
    tickets.record(
        session,
        ticket_id=ticket.id or 0,
        assignment_id=assignment.id,
        kind=EventKind.WHISTLED,
        at=answer.at,
        by=member.name,
        detail=" ".join([*(u.name for u in called), answer.intent.reason]).strip(),
        inbox_id=answer.message.id,
    )
    for helper in called:
        open_duty(
            session,
            ctx,
            ticket=ticket,
            unit=helper,
            role=AssignmentRole.HELPER,
            dispatched_at=now,
            now=now,
            by=member.name,
            inbox_id=answer.message.id,
        )
    say(
        session,
        ctx,
        room=answer.room,
        kind=SayKind.NOTICE,
        text=texts.whistled(short=number, units=[u.name for u in called], window=ctx.policy.window.total_seconds()),
        key=f"{answer.key}:whistled",
        now=now,
        tickets=[ticket.no],
    )
    return True
