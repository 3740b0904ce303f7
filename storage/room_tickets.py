"""What a room knows of its tickets: their numbers in it, their texts, the duties on them. Read for every message, so by
statements that are built once, and once in a transaction.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, union
from sqlmodel import Session, col, select

from storage import remembered
from storage.enums import AssignmentStatus, TicketStatus
from storage.tables import Assignment, RoomNumber, Ticket
from storage.tickets import CLOSED, OPEN


class Known(NamedTuple):
    """A ticket as far as a message is read with it; plain values, since a room may know a thousand."""

    id: int
    no: str
    status: TicketStatus
    unit_id: int | None
    text: str
    category: str
    place: str | None
    village: str | None
    township: str | None
    order_no: str | None


class DutyOf(NamedTuple):
    """A duty as far as a message is read with it."""

    ticket_id: int
    unit_id: int
    status: AssignmentStatus
    owner_id: int | None


_KNOWN: Any = [col(getattr(Ticket, name)) for name in Known._fields]
_DUTY_OF: Any = [col(getattr(Assignment, name)) for name in DutyOf._fields]


def as_known(ticket: Ticket) -> Known:
    return Known(*(getattr(ticket, name) for name in Known._fields))


def numbered_in_room(session: Session, room_id: int, today: date) -> dict[int, Known]:
    """The tickets that a room knows by number: today's, and older ones still open; in the order of numbering.

    The newest bearer of a number counts.
    """
    return remembered.once(
        session,
        ("numbered", room_id, today),
        lambda: _numbered_in_rooms(session, [room_id], today)[room_id],
        of=(Ticket, RoomNumber),
    )


def recall_rooms(session: Session, room_ids: Collection[int], *, today: date, since: datetime) -> None:
    """Read at once what several rooms know, for `numbered_in_room` and `recent_texts` to find."""
    for room_id, numbered in _numbered_in_rooms(session, room_ids, today).items():
        remembered.keep(session, ("numbered", room_id, today), numbered, of=(Ticket, RoomNumber))
    for room_id, told in _texts_of_rooms(session, room_ids, since).items():
        remembered.keep(session, ("texts", room_id), told, of=(Ticket,))


def _numbered() -> Any:
    rooms: Any = bindparam("rooms", expanding=True)
    # Two ways in, each by an index: all that a room ever numbered must not be read for every message.
    of_today = select(RoomNumber.id).where(col(RoomNumber.room_id).in_(rooms), RoomNumber.day == bindparam("today"))
    still_open = (
        select(RoomNumber.id)
        .join(Ticket, col(Ticket.id) == col(RoomNumber.ticket_id))
        .where(col(Ticket.status).in_(OPEN), (col(RoomNumber.room_id) + 0).in_(rooms))  # + 0: not by the room's index
    )
    return (
        select(RoomNumber.room_id, RoomNumber.short, *_KNOWN)
        .where(RoomNumber.ticket_id == Ticket.id, col(RoomNumber.id).in_(union(of_today, still_open)))
        .order_by(col(RoomNumber.id))
    )


_NUMBERED = _numbered()


def _numbered_in_rooms(session: Session, room_ids: Collection[int], today: date) -> dict[int, dict[int, Known]]:
    found: dict[int, dict[int, Known]] = {room_id: {} for room_id in room_ids}
    for room_id, short, *values in session.connection().execute(_NUMBERED, {"rooms": list(room_ids), "today": today}):
        found[room_id].pop(short, None)
        found[room_id][short] = Known(*values)
    return found


RECENT = 20  # tickets of a room whose texts are known to it


class _Texts(NamedTuple):
    """Since when, and of the newest tickets since then: when made, and the text; oldest first."""

    since: datetime
    told: list[tuple[datetime, str]]


def recent_texts(session: Session, room_id: int, since: datetime) -> list[str]:
    """The texts of the newest tickets of a room since a time, newest last."""

    def read() -> _Texts:
        return _texts_of_rooms(session, [room_id], since)[room_id]

    texts = remembered.once(session, ("texts", room_id), read, of=(Ticket,))
    if texts.since > since:
        texts = read()
    return [text for made, text in texts.told if made >= since]


def _recent() -> Any:
    newest: Any = (
        func.row_number().over(partition_by=col(Ticket.room_id), order_by=col(Ticket.id).desc()).label("newest")
    )
    columns: Any = [col(Ticket.id), col(Ticket.room_id), col(Ticket.created_at), col(Ticket.text), newest]
    rows = (
        select(*columns)
        .where(col(Ticket.room_id).in_(bindparam("rooms", expanding=True)), Ticket.created_at >= bindparam("since"))
        .subquery()
    )
    return select(rows.c.room_id, rows.c.created_at, rows.c.text).where(rows.c.newest <= RECENT).order_by(rows.c.id)


_RECENT = _recent()


def _texts_of_rooms(session: Session, room_ids: Collection[int], since: datetime) -> dict[int, _Texts]:
    found = {room_id: _Texts(since, []) for room_id in room_ids}
    for room_id, made, text in session.connection().execute(_RECENT, {"rooms": list(room_ids), "since": since}):
        found[room_id].told.append((made, text))
    return found


def duties_in_room(session: Session, ticket_ids: Sequence[int]) -> dict[int, list[DutyOf]]:
    """The duties of several tickets, each in order of dispatch."""
    found: dict[int, list[DutyOf]] = {}
    query = select(*_DUTY_OF).where(col(Assignment.ticket_id).in_(ticket_ids)).order_by(col(Assignment.id))
    for row in session.connection().execute(query):
        found.setdefault(row[0], []).append(DutyOf(*row))
    return found


_OWN_NUMBERS: Any = (
    select(col(RoomNumber.short), col(RoomNumber.day), col(Ticket.status))
    .where(
        RoomNumber.room_id == bindparam("room_id"),
        RoomNumber.ticket_id == bindparam("ticket_id"),
        RoomNumber.ticket_id == Ticket.id,
    )
    .order_by(col(RoomNumber.id).desc())
)
_HIGHEST_SHORT: Any = select(func.max(RoomNumber.short)).where(
    RoomNumber.room_id == bindparam("room_id"), RoomNumber.day == bindparam("today")
)
_OPEN_SHORTS: Any = select(RoomNumber.short).where(
    RoomNumber.room_id == bindparam("room_id"),
    RoomNumber.short >= bindparam("short"),
    RoomNumber.ticket_id == Ticket.id,
    col(Ticket.status).in_(OPEN),
)


def number_in_room(session: Session, *, room_id: int, ticket_id: int, today: date, fresh: bool = False) -> int:
    """The ticket's number in a room: the one it has while it is open or of today, else the next free one.

    Numbers start from 1 each day, skip those of tickets still open there, and are not used twice in a day. `fresh`: only
    a number of today counts, for a ticket reopened on a later day.
    """
    remembered.flush_of(session, Ticket, RoomNumber)
    with session.no_autoflush:  # what else is new is written together with the duty
        own = session.exec(_OWN_NUMBERS, params={"room_id": room_id, "ticket_id": ticket_id})
        for short, day, status in own:
            if day == today or (not fresh and status not in CLOSED):
                return int(short)
        highest = session.exec(_HIGHEST_SHORT, params={"room_id": room_id, "today": today}).one()
        short = (highest or 0) + 1
        taken = set(session.exec(_OPEN_SHORTS, params={"room_id": room_id, "short": short}))
    while short in taken:
        short += 1
    session.add(RoomNumber(room_id=room_id, day=today, short=short, ticket_id=ticket_id))
    return short


def short_in_room(session: Session, *, room_id: int, ticket_id: int) -> int | None:
    """The latest number of a ticket in a room, or None if the room never knew it."""
    return session.exec(
        select(RoomNumber.short)
        .where(RoomNumber.room_id == room_id, RoomNumber.ticket_id == ticket_id)
        .order_by(col(RoomNumber.id).desc())
    ).first()
