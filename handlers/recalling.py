"""A message was withdrawn in the chat: its complaint ends, its acceptance is undone, or only the trail says so."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from handlers import lifecycle, texts
from handlers.context import Context, RoomInfo
from handlers.escalation import choose_owner, wait_again
from handlers.lifecycle import Move
from handlers.speaking import hush, say
from storage import inbox, room_tickets, tickets
from storage.enums import AssignedBy, AssignmentRole, AssignmentStatus, EventKind, SayKind, TicketStatus
from storage.tables import Assignment, InboxMessage, Ticket


def recall(session: Session, ctx: Context, message: InboxMessage, room: RoomInfo, *, now: datetime) -> str | None:
    """Handle a recall of `message.recalls`; what it became."""
    gone = inbox.find(
        session, channel=message.channel, channel_room_id=message.channel_room_id, message_id=message.recalls or ""
    )
    if gone is None or gone.id is None:
        return None
    accepted = tickets.accepted_by_message(session, gone.id)
    for duty in accepted:  # one message may have accepted several
        _undo_acceptance(session, ctx, duty, message, now=now)
    if accepted:
        return "undo"
    told = tickets.parts_of_message(session, gone.id)
    for ticket, part in told:
        first = tickets.first_part(session, ticket.id or 0)
        if (
            part.part == "complaint"
            and first is not None
            and first.inbox_id == gone.id
            and _nobody_accepted(session, ticket)
        ):
            _withdraw(session, ctx, ticket, message, now=now)
        else:
            _note(session, ticket, message)
    return "recall" if told else None


def _nobody_accepted(session: Session, ticket: Ticket) -> bool:
    if ticket.status not in (TicketStatus.WAITING, TicketStatus.UNROUTED):
        return False
    return all(a.accepted_at is None for a in tickets.assignments_of(session, ticket.id or 0))


def _note(session: Session, ticket: Ticket, message: InboxMessage) -> None:
    tickets.record(
        session,
        ticket_id=ticket.id or 0,
        kind=EventKind.RECALLED,
        at=message.sent_at,
        by=message.sender_name,
        detail="撤回消息",
        inbox_id=message.id,
    )


def _withdraw(session: Session, ctx: Context, ticket: Ticket, message: InboxMessage, *, now: datetime) -> None:
    """The ticket ends; every room that was prompted is told not to go, and who was asked for a unit that it is over."""
    asked = ctx.district.dispatch_room if ticket.status is TicketStatus.UNROUTED else None
    status = lifecycle.next_ticket(ticket.status, Move.WITHDRAW)
    tickets.change(session, ticket, expected=ticket.status, to=status, closed_at=message.sent_at)
    tickets.record(
        session,
        ticket_id=ticket.id or 0,
        kind=EventKind.WITHDRAWN,
        at=message.sent_at,
        by=message.sender_name,
        detail="发布人撤回",
        inbox_id=message.id,
    )
    for duty in tickets.assignments_of(session, ticket.id or 0):
        if duty.status is not AssignmentStatus.WAITING:
            continue
        tickets.move(
            session,
            duty,
            expected=AssignmentStatus.WAITING,
            to=lifecycle.next_duty(duty.status, Move.WITHDRAW),
            ended_at=message.sent_at,
        )
        hush(session, duty.id)
        say(
            session,
            ctx,
            room=ctx.district.room_of_unit.get(duty.unit_id),
            kind=SayKind.NOTICE,
            text=texts.withdrawn(short=duty.short),
            key=f"assignment:{duty.id}:withdrawn",
            now=now,
            tickets=[ticket.no],
        )
    if asked is not None and (short := room_tickets.short_in_room(session, room_id=asked.id, ticket_id=ticket.id or 0)):
        say(
            session,
            ctx,
            room=asked,
            kind=SayKind.NOTICE,
            text=texts.withdrawn_unrouted(short=short),
            key=f"ticket:{ticket.id}:withdrawn",
            now=now,
            tickets=[ticket.no],
        )


def _undo_acceptance(session: Session, ctx: Context, duty: Assignment, message: InboxMessage, *, now: datetime) -> None:
    """The duty waits again on its first clock; after its due time the system names an owner again, at once."""
    ticket = session.get_one(Ticket, duty.ticket_id)
    by = duty.accepted_by or message.sender_name
    if duty.status is not AssignmentStatus.ACCEPTED:
        _note(session, ticket, message)
        return
    overdue = duty.overdue_at is not None
    owner = choose_owner(session, ctx, duty.unit_id, now) if overdue else None
    tickets.move(
        session,
        duty,
        expected=AssignmentStatus.ACCEPTED,
        to=lifecycle.next_duty(duty.status, Move.UNDO),
        accepted_at=None,
        accepted_by=None,
        accepted_inbox_id=None,
        owner_id=owner.id if owner else None,
        assigned_by=AssignedBy.SYSTEM if owner else None,
        assigned_at=now if owner else None,
        on_time=False if overdue else None,
    )
    if duty.role is AssignmentRole.LEAD and ticket.status is TicketStatus.ACCEPTED:
        to = (
            TicketStatus.REOPENED if _was_resolved(session, ticket) else lifecycle.next_ticket(ticket.status, Move.UNDO)
        )
        tickets.change(session, ticket, expected=TicketStatus.ACCEPTED, to=to)
    tickets.record(
        session,
        ticket_id=ticket.id or 0,
        assignment_id=duty.id,
        kind=EventKind.RECALLED,
        at=message.sent_at,
        by=by,
        detail=f"撤回领办，系统指派 {owner.name}" if owner else "撤回领办",
        inbox_id=message.id,
    )
    wait_again(session, ctx, duty, now=now)
    due_at = None if overdue else duty.due_at
    say(
        session,
        ctx,
        room=ctx.district.room_of_unit.get(duty.unit_id),
        kind=SayKind.NOTICE,
        text=texts.undone(short=duty.short, member=by, due_at=due_at, owner=owner.name if owner else None),
        key=f"message:{message.id}:undone:{duty.id}",
        now=now,
        mentions=[owner.name] if owner else [],
        tickets=[ticket.no],
    )


def _was_resolved(session: Session, ticket: Ticket) -> bool:
    return any(
        a.status is AssignmentStatus.RESOLVED and a.role is AssignmentRole.LEAD
        for a in tickets.assignments_of(session, ticket.id or 0)
    )
