"""What a unit has open, page by page, as a list shows it. Reads through `ix_assignment_open`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, col

from storage.enums import AssignmentRole, AssignmentStatus, TicketStatus, Urgency
from storage.tables import Assignment, Member, Ticket

ALIVE = (AssignmentStatus.WAITING, AssignmentStatus.ACCEPTED)


class OpenDuty(NamedTuple):
    """`urgency` is the ticket's, of now; `gist` is masked, and is not for lists where that is 敏感."""

    no: str
    category: str
    gist: str
    urgency: Urgency
    role: AssignmentRole
    status: AssignmentStatus
    ticket_status: TicketStatus
    dispatched_at: datetime
    due_at: datetime
    accepted_at: datetime | None
    owner: str | None


def open_duties(session: Session, unit_id: int, *, limit: int, offset: int = 0) -> list[OpenDuty]:
    """The unit's duties that wait or are in hand: waiting first, each by due time."""
    waits = col(Assignment.status) == AssignmentStatus.WAITING
    query = (
        select(
            *(col(Ticket.no), col(Ticket.category), col(Ticket.gist), col(Ticket.urgency), col(Assignment.role)),
            *(col(Assignment.status), col(Ticket.status), col(Assignment.dispatched_at), col(Assignment.due_at)),
            *(col(Assignment.accepted_at), col(Member.name)),
        )
        .join(Ticket, col(Ticket.id) == col(Assignment.ticket_id))
        .outerjoin(Member, col(Member.id) == col(Assignment.owner_id))
        .where(col(Assignment.unit_id) == unit_id, col(Assignment.status).in_(ALIVE))
        .order_by(waits.desc(), col(Assignment.due_at), col(Assignment.id))
    )
    return [OpenDuty(*row) for row in session.connection().execute(query.limit(limit).offset(offset))]


def count_open(session: Session, unit_id: int) -> dict[AssignmentStatus, int]:
    """How many of a unit's duties wait and how many are in hand."""
    query = (
        select(col(Assignment.status), func.count())
        .where(col(Assignment.unit_id) == unit_id, col(Assignment.status).in_(ALIVE))
        .group_by(col(Assignment.status))
    )
    found = {status: count for status, count in session.connection().execute(query)}
    return {status: found.get(status, 0) for status in ALIVE}


def count_owned(session: Session, member_ids: Sequence[int]) -> dict[int, int]:
    """How many duties that wait or are in hand each of these people owns; who owns none is left out."""
    query = (
        select(col(Assignment.owner_id), func.count())
        .where(col(Assignment.owner_id).in_(member_ids), col(Assignment.status).in_(ALIVE))
        .group_by(col(Assignment.owner_id))
    )
    rows = session.connection().execute(query) if member_ids else ()
    return {owner_id: count for owner_id, count in rows if owner_id is not None}
