"""What waits now, per unit and in a list, as the board shows it. Reads through `ix_assignment_waiting`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, col

from storage import inbox, people
from storage.enums import AssignmentRole, AssignmentStatus, InboxState, TicketStatus, Urgency
from storage.tables import Assignment, Event, Member, SeenRoom, Ticket, Warning_


class Waiting(NamedTuple):
    """A duty that no person has accepted. `owner` is the one whom the system named; `gist` is masked."""

    no: str
    short: int
    unit_id: int
    role: AssignmentRole
    urgency: Urgency
    category: str
    place: str | None
    village: str | None
    township: str | None
    gist: str
    dispatched_at: datetime
    due_at: datetime
    owner: str | None


class UnitCount(NamedTuple):
    waiting: int
    overdue: int


_WAITS = col(Assignment.status) == AssignmentStatus.WAITING


def waiting(session: Session, *, unit_id: int | None = None, limit: int = 200) -> list[Waiting]:
    """What waits, the earliest due first; of all units or of one."""
    query = (
        select(
            *(col(Ticket.no), col(Assignment.short), col(Assignment.unit_id), col(Assignment.role)),
            *(col(Ticket.urgency), col(Ticket.category), col(Ticket.place), col(Ticket.village)),
            *(col(Ticket.township), col(Ticket.gist), col(Assignment.dispatched_at), col(Assignment.due_at)),
            col(Member.name),
        )
        .join(Ticket, col(Ticket.id) == col(Assignment.ticket_id))
        .outerjoin(Member, col(Member.id) == col(Assignment.owner_id))
        .where(_WAITS)
        .order_by(col(Assignment.due_at), col(Assignment.id))
        .limit(limit)
    )
    if unit_id is not None:
        query = query.where(col(Assignment.unit_id) == unit_id)
    rows: Iterable[Any] = session.connection().execute(query)
    return [Waiting(*row) for row in rows]


def counts(session: Session, *, now: datetime) -> dict[int, UnitCount]:
    """Per unit: how many wait, and of them how many past their due time. Units with none are absent."""
    overdue = func.count().filter(col(Assignment.due_at) < now)
    query = select(col(Assignment.unit_id), func.count(), overdue).where(_WAITS).group_by(col(Assignment.unit_id))
    return {unit_id: UnitCount(*found) for unit_id, *found in session.connection().execute(query)}


def unrouted(session: Session) -> int:
    """How many tickets have no unit."""
    query = select(func.count()).where(col(Ticket.status) == TicketStatus.UNROUTED)
    return int(session.connection().execute(query).scalar_one())


def mark(session: Session) -> tuple[int, ...]:
    """Changes whenever something on the board may have changed, the passing of time apart."""
    last = [func.coalesce(func.max(col(table.id)), 0) for table in (Event, Ticket, Warning_)]
    row = session.connection().execute(select(*[select(value).scalar_subquery() for value in last])).one()
    held = select(func.count()).where(col(SeenRoom.held_because).is_not(None))
    parked = inbox.count_in(session, InboxState.PARKED)
    return (
        *(int(value) for value in row),
        parked,
        int(session.connection().execute(held).scalar_one()),
        people.roster_version(session),
    )
