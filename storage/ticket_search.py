"""Finding tickets: newest first, page by page, by what a list can be filtered by.

A page is asked for by the ticket that it must lie behind, so that the thousandth is as fast as the first. One filter
leads, the one with the index that finds the fewest (`_lead`); the others are looked up ticket by ticket, in at most
so many tickets a page (`SCANNED`): the page then goes on from `Found.before`, even where it found nothing. So no page
takes long, however many tickets there are and however rare what is looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, null, select, union
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, or_

from storage.enums import TicketStatus, Urgency
from storage.tables import Assignment, Ticket

SCANNED = 20_000  # tickets looked through for one page; about 50 ms
SCANNED_OF_UNIT = 5_000  # they lie scattered, so each takes longer
_ID, _AT = col(Ticket.id), col(Ticket.created_at)


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
    masked: bool = (
        False  # words are looked for only in what is shown masked: a search must not confirm a phone or a name
    )


@dataclass(frozen=True, slots=True)
class Found:
    tickets: Sequence[Ticket]
    before: int | None  # where the next page begins; None at the end


@dataclass(frozen=True, slots=True)
class _Lead:
    """How a page walks: over which rows, in which order, from which column's index."""

    scanned: int  # tickets that a page looks through at most
    rows: Select[Any]  # of tickets, with the leading condition
    keys: Select[Any]  # the same rows as ids alone, answered by the index
    by_time: bool = False  # in the order of `created_at`, else of the id
    key: Any = _ID


def search(session: Session, wanted: Wanted, *, limit: int, before: int | None = None, own: int | None = None) -> Found:
    """Tickets as wanted; `own` keeps it to those on which that unit has or had a duty."""
    if exact := _by_number(session, wanted.words):
        rest = [condition for name in _FILTERS if (condition := _filter(name, wanted)) is not None]
        query = select(Ticket).where(_ID.in_(exact), *rest, *_of_units(wanted, own)).order_by(_ID.desc())
        return Found(_rows(session, query), None)
    lead, rest = _lead(wanted, own)
    behind = _behind(session, lead, before)
    floor = _floor(session, lead, behind, before) if rest else None
    query = lead.rows.where(*behind, *rest)
    if floor is not None:
        query = query.where(*_not_behind(session, lead, floor))
    rows = _rows(session, _ordered(query, lead).limit(limit + 1))
    if len(rows) > limit:
        return Found(rows[:limit], rows[limit - 1].id)
    return Found(rows, floor)


def in_batches(
    session: Session, wanted: Wanted, *, own: int | None = None, size: int = 500
) -> Iterator[Sequence[Ticket]]:
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
    query = union(
        *(select(_ID).where(col(number) == words) for number in (Ticket.no, Ticket.order_no))
    )  # an index each; one query with "or" would use neither
    return [found or 0 for (found,) in session.connection().execute(query)]


# ---- what leads and what is looked up ---------------------------------------------------------------------------------

_FILTERS = ("since", "until", "category", "status", "urgency", "words")


def _filter(name: str, wanted: Wanted, *, indexed: bool = False) -> Any:
    """The condition of a filter, None where it is open. Unless it leads it must not tempt the database to its index."""
    value = getattr(wanted, name)
    if value is None or value == "":
        return None
    if name == "words":
        return _says(value, masked=wanted.masked)
    if name in ("since", "until"):
        return _AT >= value if name == "since" else _AT < value
    column = col(getattr(Ticket, name))
    return (column if indexed else func.coalesce(column, null())) == value


def _lead(wanted: Wanted, own: int | None) -> tuple[_Lead, list[Any]]:
    """The filter that leads, and the conditions of the others."""
    unit = own if own is not None else wanted.unit_id
    names = [name for name in _FILTERS if _filter(name, wanted) is not None]
    ids, rows = select(_ID), select(Ticket)
    leads: tuple[str, ...] = ()
    if wanted.since is not None or wanted.until is not None:
        leads = ("since", "until")
    elif wanted.status not in (None, TicketStatus.RESOLVED):  # few are anything else
        leads = ("status",)
    elif unit is not None:
        rest = [_filter(name, wanted) for name in names]
        return _unit_leads(unit), rest + _of_units(wanted, own, but=unit)
    elif names and names[0] in ("category", "status"):
        leads = (names[0],)
    conditions = [_filter(name, wanted, indexed=True) for name in names if name in leads]
    rest = [_filter(name, wanted) for name in names if name not in leads] + _of_units(wanted, own)
    by_time = "since" in leads
    return _Lead(SCANNED, rows.where(*conditions), ids.where(*conditions), by_time), rest


def _unit_leads(unit_id: int) -> _Lead:
    """Over the unit's duties, of which a ticket may have several: the last one stands for it."""
    later = aliased(Assignment)
    duty, ticket_id = col(Assignment.id), col(Assignment.ticket_id)
    again = exists().where(col(later.unit_id) == unit_id, col(later.ticket_id) == ticket_id, col(later.id) > duty)
    of_unit = (col(Assignment.unit_id) == unit_id, ~again)
    return _Lead(
        SCANNED_OF_UNIT,
        select(Ticket).join(Assignment, ticket_id == _ID).where(*of_unit),
        select(ticket_id).where(*of_unit),
        key=ticket_id,
    )


def _of_units(wanted: Wanted, own: int | None, but: int | None = None) -> list[Any]:
    units = {unit for unit in (wanted.unit_id, own) if unit is not None and unit != but}
    return [_of_unit(unit) for unit in sorted(units)]


def _of_unit(unit_id: int) -> Any:
    any_ = aliased(Assignment)  # the search itself may go over the duties of another unit
    return exists().where(col(any_.ticket_id) == _ID, col(any_.unit_id) == unit_id)


def _says(words: str, *, masked: bool) -> Any:
    plain = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    columns = (*(() if masked else (Ticket.text,)), Ticket.gist, Ticket.place, Ticket.no, Ticket.order_no)
    return or_(*(col(column).like(f"%{plain}%", escape="\\") for column in columns))


# ---- where a page begins and ends -------------------------------------------------------------------------------------


def _ordered(query: Select[Any], lead: _Lead) -> Select[Any]:
    return query.order_by(_AT.desc(), _ID.desc()) if lead.by_time else query.order_by(lead.key.desc())


def _behind(session: Session, lead: _Lead, before: int | None) -> list[Any]:
    if before is None:
        return []
    if not lead.by_time:
        return [lead.key < before]
    at = _time_of(session, before)
    return [] if at is None else [_AT <= at, or_(_AT < at, _ID < before)]


def _not_behind(session: Session, lead: _Lead, floor: int) -> list[Any]:
    if not lead.by_time:
        return [lead.key >= floor]
    at = _time_of(session, floor)
    return [] if at is None else [_AT >= at, or_(_AT > at, _ID >= floor)]


def _floor(session: Session, lead: _Lead, behind: list[Any], before: int | None) -> int | None:
    """The last ticket that a page looks at; None where there are no more."""
    if lead.keys.whereclause is None:  # every ticket: ids have no large gaps
        top = before if before is not None else (session.connection().execute(select(func.max(_ID))).scalar() or 0) + 1
        return top - lead.scanned if top > lead.scanned else None
    query = _ordered(lead.keys.where(*behind), lead).limit(1).offset(lead.scanned - 1)
    return session.connection().execute(query).scalar()


def _time_of(session: Session, ticket_id: int) -> datetime | None:
    return session.connection().execute(select(_AT).where(_ID == ticket_id)).scalar()


def has_duty(session: Session, ticket_id: int, unit_id: int) -> bool:
    query = select(_ID).where(_ID == ticket_id, _of_unit(unit_id))
    return session.connection().execute(query).first() is not None
