"""The sealed columns, row by row, for a change of keys. A value is replaced only where it still is what was read."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlmodel import Session, col

from storage.tables import Ticket

SEALED = ("phones", "people")  # columns of a ticket
STRIDE = 1_000  # ids that one look walks over


class SealedRow(NamedTuple):
    id: int
    phones: str | None
    people: str | None
    phone_hash: str | None


def last_ticket(session: Session) -> int:
    """The newest ticket's id; 0 where there is none."""
    return int(session.execute(select(func.max(col(Ticket.id)))).scalar_one() or 0)


def behind(session: Session, after: int) -> list[SealedRow]:
    """What is sealed among the `STRIDE` ids behind `after`."""
    return _rows(session, (col(Ticket.id) > after) & (col(Ticket.id) <= after + STRIDE))


def of(session: Session, ids: Collection[int]) -> list[SealedRow]:
    return _rows(session, col(Ticket.id).in_(ids))


def _rows(session: Session, which: ColumnElement[bool]) -> list[SealedRow]:
    columns = [col(getattr(Ticket, name)) for name in SealedRow._fields]
    held = or_(col(Ticket.phones).is_not(None), col(Ticket.people).is_not(None))
    found = session.connection().execute(select(*columns).where(which, held).order_by(col(Ticket.id)))
    return [SealedRow(*row) for row in found]


def replace(session: Session, ticket_id: int, name: str, *, old: str, new: str) -> bool:
    """Put a value in the place of another; False where somebody changed it meanwhile."""
    column = col(getattr(Ticket, name))
    done = session.execute(
        update(Ticket)
        .where(col(Ticket.id) == ticket_id, column == old)
        .values({name: new})
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]
