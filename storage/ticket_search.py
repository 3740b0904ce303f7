"""Finding tickets: newest first, page by page, by what a list can be filtered by.

A page is asked for by the id that it must lie before, so that the thousandth is as fast as the first. Words are looked
for in at most `SCANNED` tickets a page: the page then goes on from `Found.before`, even where it found nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, exists, func, select
from sqlmodel import Session, col, or_

from storage.enums import TicketStatus, Urgency
from storage.tables import Assignment, Ticket

SCANNED = 20_000  # tickets looked through for words; about 50 ms
_ID = col(Ticket.id)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list shows; None leaves a thing open. `words` may be a number or a part of text, place or gist."""

    words: str = ""
    unit_id: int | None = None  # that has or had a duty on it, or leads it
    category: str | None = None
    status: TicketStatus | None = None
    urgency: Urgency | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    tickets: Sequence[Ticket]
    before: int | None  # where the next page begins; None at the end


def search(session: Session, wanted: Wanted, *, limit: int, before: int | None = None, own: int | None = None) -> Found:
    """Tickets as wanted; `own` keeps it to those on which that unit has or had a duty."""
    query = _filtered(select(Ticket), wanted, own).order_by(_ID.desc())
    if before is not None:
        query = query.where(_ID < before)
    if exact := _by_number(session, wanted.words):
        return Found(_rows(session, query.where(_ID.in_(exact))), None)
    floor = None
    if wanted.words:
        top = before if before is not None else (session.connection().execute(select(func.max(_ID))).scalar() or 0) + 1
        floor = max(top - SCANNED, 1)
        query = query.where(_ID >= floor, _says(wanted.words))
    rows = _rows(session, query.limit(limit + 1))
    if len(rows) > limit:
        return Found(rows[:limit], rows[limit - 1].id)
    return Found(rows, floor if floor is not None and floor > 1 else None)


def in_batches(session: Session, wanted: Wanted, *, own: int | None = None, size: int = 500) -> Any:
    """Everything wanted, newest first, a list at a time; for exports."""
    before: int | None = None
    while True:
        found = search(session, wanted, limit=size, before=before, own=own)
        if found.tickets:
            yield found.tickets
        if found.before is None:
            return
        before = found.before


def _rows(session: Session, query: Select[Any]) -> list[Ticket]:
    return list(session.execute(query).scalars().all())


def _by_number(session: Session, words: str) -> list[int]:
    """Ids of the tickets of a full ticket or order number."""
    if not any(char.isdigit() for char in words):
        return []
    query = select(_ID).where(or_(col(Ticket.no) == words, col(Ticket.order_no) == words))
    return [found or 0 for (found,) in session.connection().execute(query)]


def _says(words: str) -> Any:
    plain = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    columns = (Ticket.text, Ticket.gist, Ticket.place, Ticket.no, Ticket.order_no)
    return or_(*(col(column).like(f"%{plain}%", escape="\\") for column in columns))


def _filtered(query: Select[Any], wanted: Wanted, own: int | None) -> Select[Any]:
    if wanted.unit_id is not None:
        query = query.where(_of_unit(wanted.unit_id))
    if own is not None and own != wanted.unit_id:
        query = query.where(_of_unit(own))
    if wanted.category is not None:
        query = query.where(col(Ticket.category) == wanted.category)
    if wanted.status is not None:
        query = query.where(col(Ticket.status) == wanted.status)
    if wanted.urgency is not None:
        query = query.where(col(Ticket.urgency) == wanted.urgency)
    if wanted.since is not None:
        query = query.where(col(Ticket.created_at) >= wanted.since)
    if wanted.until is not None:
        query = query.where(col(Ticket.created_at) < wanted.until)
    return query


def _of_unit(unit_id: int) -> Any:
    return exists().where(and_(col(Assignment.ticket_id) == _ID, col(Assignment.unit_id) == unit_id))


def has_duty(session: Session, ticket_id: int, unit_id: int) -> bool:
    query = select(_ID).where(_ID == ticket_id, _of_unit(unit_id))
    return session.connection().execute(query).first() is not None
