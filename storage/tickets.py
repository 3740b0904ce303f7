"""Tickets, duties, their numbers in rooms, and the audit trail."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, func, update
from sqlmodel import Session, col, select

from storage.enums import AssignmentRole, AssignmentStatus, EventKind, TicketStatus
from storage.tables import Assignment, CallBack, Event, InboxMessage, OutboxMessage, Ticket, TicketMessage

CLOSED = (TicketStatus.RESOLVED, TicketStatus.WITHDRAWN)
OPEN = tuple(status for status in TicketStatus if status not in CLOSED)
ALIVE = (AssignmentStatus.WAITING, AssignmentStatus.ACCEPTED)


# ---- reading ---------------------------------------------------------------------------------------------------------


def by_no(session: Session, no: str) -> Ticket | None:
    return session.exec(select(Ticket).where(Ticket.no == no)).first()


def by_order_no(session: Session, order_no: str) -> Ticket | None:
    """The live ticket of a 12345 order; a withdrawn one does not count."""
    return session.exec(
        select(Ticket).where(Ticket.order_no == order_no, Ticket.status != TicketStatus.WITHDRAWN)
    ).first()


def assignments_of(session: Session, ticket_id: int) -> list[Assignment]:
    """In order of dispatch."""
    return list(
        session.exec(select(Assignment).where(Assignment.ticket_id == ticket_id).order_by(col(Assignment.id))).all()
    )


def lead_of(session: Session, ticket_id: int) -> Assignment | None:
    """The latest lead duty, alive or not."""
    return session.exec(
        select(Assignment)
        .where(Assignment.ticket_id == ticket_id, Assignment.role == AssignmentRole.LEAD)
        .order_by(col(Assignment.id).desc())
    ).first()


def leads_of(session: Session, ticket_ids: Sequence[int]) -> dict[int, Assignment]:
    """The latest lead duty of each of several tickets, by the ticket's id."""
    query = select(Assignment).where(col(Assignment.ticket_id).in_(ticket_ids), Assignment.role == AssignmentRole.LEAD)
    return {duty.ticket_id: duty for duty in session.exec(query.order_by(col(Assignment.id))).all()}


def duties_with_tickets(session: Session, ids: Sequence[int]) -> list[tuple[Assignment, Ticket]]:
    """Several duties, each with its ticket."""
    query = select(Assignment, Ticket).where(col(Assignment.id).in_(ids), Assignment.ticket_id == Ticket.id)
    return list(session.exec(query).all())


def duty_of_unit(session: Session, ticket_id: int, unit_id: int) -> Assignment | None:
    """The latest duty of a unit on a ticket, alive or not."""
    return session.exec(
        select(Assignment)
        .where(Assignment.ticket_id == ticket_id, Assignment.unit_id == unit_id)
        .order_by(col(Assignment.id).desc())
    ).first()


def of_outbox(session: Session, room_id: int, message_id: str) -> list[str]:
    """Ticket numbers that a message of ours was about."""
    rows = session.exec(
        select(OutboxMessage)
        .where(OutboxMessage.room_id == room_id, OutboxMessage.message_id == message_id)
        .order_by(col(OutboxMessage.id))
    ).all()
    return list(dict.fromkeys(no for row in rows for no in row.tickets))  # several prompts may have gone out as one


def opened_by(
    session: Session, *, room_id: int, sender_name: str, since: datetime, until: datetime
) -> list[tuple[Ticket, TicketMessage]]:
    """Tickets of a room of which a sender told a part within a time, newest part last."""
    rows = session.exec(
        select(Ticket, TicketMessage)
        .join(TicketMessage, col(TicketMessage.ticket_id) == col(Ticket.id))
        .join(InboxMessage, col(InboxMessage.id) == col(TicketMessage.inbox_id))
        .where(
            Ticket.room_id == room_id,
            InboxMessage.sender_name == sender_name,
            TicketMessage.part == "complaint",
            TicketMessage.sent_at >= since,
            TicketMessage.sent_at <= until,
        )
        .order_by(col(TicketMessage.sent_at), col(TicketMessage.id))
    ).all()
    return list(rows)


def resolved_by(session: Session, *, room_id: int, sender_name: str, since: datetime, until: datetime) -> list[Ticket]:
    """Tickets that a sender reported done in a room within a time; late pictures are their evidence."""
    return list(
        session.exec(
            select(Ticket)
            .join(Event, col(Event.ticket_id) == col(Ticket.id))
            .join(InboxMessage, col(InboxMessage.id) == col(Event.inbox_id))
            .where(
                Event.kind == EventKind.RESOLVED,
                InboxMessage.room_id == room_id,
                InboxMessage.sender_name == sender_name,
                Event.at >= since,
                Event.at <= until,
            )
            .order_by(col(Event.id))
        ).all()
    )


def open_loads(session: Session, member_ids: Iterable[int]) -> dict[int, int]:
    """How many open duties each member owns."""
    rows = session.exec(
        select(Assignment.owner_id, func.count())
        .where(col(Assignment.owner_id).in_(list(member_ids)), col(Assignment.status).in_(ALIVE))
        .group_by(col(Assignment.owner_id))
    ).all()
    return {int(owner): count for owner, count in rows if owner is not None}


def waiting_of_unit(session: Session, unit_id: int) -> list[tuple[Assignment, Ticket]]:
    """What a unit has to answer or finish, oldest first."""
    return list(
        session.exec(
            select(Assignment, Ticket)
            .where(
                Assignment.unit_id == unit_id,
                col(Assignment.status).in_(ALIVE),
                Assignment.ticket_id == Ticket.id,
            )
            .order_by(col(Assignment.id))
        ).all()
    )


# ---- writing ---------------------------------------------------------------------------------------------------------


_HIGHEST_NO: Any = select(func.max(Ticket.no)).where(
    Ticket.no >= bindparam("first"),
    Ticket.no <= bindparam("end"),
    func.length(Ticket.no) == bindparam("length"),
)


def next_no(session: Session, day: date) -> str:
    """The next district-wide number of a day: YYYYMMDD-NNNN; five digits after the 9,999th."""
    prefix, last = f"{day:%Y%m%d}-", 0
    for digits in (4, 5):  # numbers of one length sort as text; the index finds the highest of each at once
        first, end = f"{prefix}{'0' * digits}", f"{prefix}{'9' * digits}"
        highest = session.exec(_HIGHEST_NO, params={"first": first, "end": end, "length": len(end)}).one()
        last = int(highest.removeprefix(prefix)) if highest else last
        if highest != end:
            break
    return f"{prefix}{last + 1:04d}"


def move(
    session: Session,
    assignment: Assignment,
    *,
    expected: AssignmentStatus,
    to: AssignmentStatus,
    **values: Any,
) -> bool:
    """Move a duty only if it is still in `expected`; False means someone else moved it first."""
    moved = session.execute(
        update(Assignment)
        .where(col(Assignment.id) == assignment.id, col(Assignment.status) == expected)
        .values(status=to, **values)
    )
    session.refresh(assignment)
    return bool(moved.rowcount)  # type: ignore[attr-defined]


def change(session: Session, ticket: Ticket, *, expected: TicketStatus, to: TicketStatus, **values: Any) -> bool:
    """Move a ticket only if it is still in `expected`; False means someone else moved it first."""
    moved = session.execute(
        update(Ticket).where(col(Ticket.id) == ticket.id, col(Ticket.status) == expected).values(status=to, **values)
    )
    session.refresh(ticket)
    return bool(moved.rowcount)  # type: ignore[attr-defined]


def record(
    session: Session,
    *,
    ticket_id: int,
    kind: EventKind,
    at: datetime,
    by: str = "",
    detail: str = "",
    assignment_id: int | None = None,
    inbox_id: int | None = None,
) -> None:
    session.add(
        Event(
            ticket_id=ticket_id,
            kind=kind,
            at=at,
            by=by,
            detail=detail,
            assignment_id=assignment_id,
            inbox_id=inbox_id,
        )
    )


def attach(session: Session, ticket_id: int, message: InboxMessage, part: str) -> None:
    assert message.id is not None
    session.add(
        TicketMessage(
            ticket_id=ticket_id,
            inbox_id=message.id,
            part=part,
            message_id=message.message_id,
            sent_at=message.sent_at,
        )
    )


def events_of(session: Session, ticket_id: int) -> list[Event]:
    """The audit trail, in time order."""
    return list(
        session.exec(select(Event).where(Event.ticket_id == ticket_id).order_by(col(Event.at), col(Event.id))).all()
    )


def accepted_by_message(session: Session, inbox_id: int) -> list[Assignment]:
    """The duties that a message accepted."""
    query = select(Assignment).where(Assignment.accepted_inbox_id == inbox_id).order_by(col(Assignment.id))
    return list(session.exec(query).all())


def parts_of_message(session: Session, inbox_id: int) -> list[tuple[Ticket, TicketMessage]]:
    """The tickets that a message is a part of."""
    return list(
        session.exec(
            select(Ticket, TicketMessage)
            .where(TicketMessage.inbox_id == inbox_id, TicketMessage.ticket_id == Ticket.id)
            .order_by(col(TicketMessage.id))
        ).all()
    )


def parts_of(session: Session, ticket_id: int) -> list[TicketMessage]:
    """The messages of a ticket, in time order."""
    return list(
        session.exec(
            select(TicketMessage)
            .where(TicketMessage.ticket_id == ticket_id)
            .order_by(col(TicketMessage.sent_at), col(TicketMessage.inbox_id))
        ).all()
    )


def first_part(session: Session, ticket_id: int) -> TicketMessage | None:
    """The first message that tells the complaint."""
    return next((part for part in parts_of(session, ticket_id) if part.part == "complaint"), None)


def add_call_back(session: Session, row: CallBack) -> bool:
    """Keep a call-back result; False when this very one is known."""
    known = session.exec(select(CallBack.id).where(CallBack.order_no == row.order_no, CallBack.at == row.at)).first()
    if known is not None:
        return False
    session.add(row)
    session.flush()
    return True


def claim_call_backs(session: Session, ticket: Ticket) -> None:
    """Results that came before their order did are the ticket's from now on."""
    session.execute(
        update(CallBack)
        .where(col(CallBack.order_no) == ticket.order_no, col(CallBack.ticket_id).is_(None))
        .values(ticket_id=ticket.id, unit_id=func.coalesce(ticket.unit_id, CallBack.unit_id))
    )


def last_call_back(session: Session, order_no: str) -> CallBack | None:
    return session.exec(
        select(CallBack).where(CallBack.order_no == order_no).order_by(col(CallBack.at).desc(), col(CallBack.id).desc())
    ).first()


def waiting_everywhere(session: Session, limit: int = 500) -> list[tuple[Assignment, Ticket]]:
    """What waits for a person anywhere in the district, oldest first."""
    return list(
        session.exec(
            select(Assignment, Ticket)
            .where(Assignment.status == AssignmentStatus.WAITING, Assignment.ticket_id == Ticket.id)
            .order_by(col(Assignment.due_at), col(Assignment.id))
            .limit(limit)
        ).all()
    )


def ending_soon(session: Session, *, after: datetime, before: datetime) -> list[tuple[Assignment, Ticket]]:
    """Lead duties not done yet whose order's own limit ends within a time."""
    return list(
        session.exec(
            select(Assignment, Ticket)
            .where(
                Ticket.limit_at > after,  # type: ignore[operator]
                Ticket.limit_at <= before,  # type: ignore[operator]
                Assignment.ticket_id == Ticket.id,
                Assignment.role == AssignmentRole.LEAD,
                col(Assignment.status).in_(ALIVE),
            )
            .order_by(col(Assignment.id))
        ).all()
    )


def next_limit(session: Session, *, after: datetime) -> datetime | None:
    """The next end of an open order's own limit."""
    return session.exec(
        select(func.min(Ticket.limit_at)).where(
            Ticket.limit_at > after,  # type: ignore[operator]
            col(Ticket.status).not_in(CLOSED),
        )
    ).one()


def made_of(session: Session, message_id: str, channel_room_id: str) -> Ticket | None:
    """The ticket made of a message, by the message's own id; one of the given room goes before others."""
    rows = session.exec(
        select(Ticket, InboxMessage.channel_room_id)
        .where(
            TicketMessage.message_id == message_id,
            TicketMessage.ticket_id == Ticket.id,
            TicketMessage.inbox_id == InboxMessage.id,
        )
        .order_by(col(TicketMessage.id))
    ).all()
    own = [ticket for ticket, room in rows if room == channel_room_id]
    return own[0] if own else (rows[0][0] if rows else None)
