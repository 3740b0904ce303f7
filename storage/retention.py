"""Blanking what is old: the personal data of settled tickets goes, every number that is counted stays.

`BLANKED` says of each table what its columns become; a test holds it against every column of every table and against
the planted data of a story. A row is blanked once, at `blanked_at`; a ticket that is reopened afterwards is a living
one again. Nothing that is not settled is touched: no open ticket, no message that was not understood yet.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, and_, case, delete, exists, func, literal, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col

from storage.enums import EventKind, InboxState, OutboxState
from storage.page_tables import AccessLog
from storage.tables import (
    Assignment,
    Deadline,
    Digest,
    Event,
    InboxMessage,
    Member,
    OutboxMessage,
    Ticket,
    TicketMessage,
)
from storage.tickets import ALIVE, CLOSED

MARK: Final = object()  # the mark, whatever stood there
MARK_IF_SET: Final = object()  # the mark where there was something
BLANKED: Mapping[type[SQLModel], Mapping[str, Any]] = {
    Ticket: {
        "text": MARK,
        "gist": MARK,
        "place": MARK_IF_SET,
        "time_limit": MARK_IF_SET,  # as written in the order; `limit_at` is counted and stays
        "urgency_words": [],
        "phones": None,
        "people": None,
        "phone_hash": None,  # the keyed hash of a phone still tells one caller from another
    },
    Assignment: {"reason": MARK_IF_SET},
    Event: {"by": MARK, "detail": MARK_IF_SET},  # each only where it may name a person: see `_blank_events`
    Deadline: {"error": None},
    InboxMessage: {
        "text": MARK,
        "sender_id": "",
        "sender_name": MARK,
        "mentions": [],
        "quote": None,
        "file": None,
        "file_name": None,
        "file_problem": None,
        "raw": None,
        "error": None,
    },
    OutboxMessage: {"text": MARK, "to_contact": None, "attachments": [], "error": None},
    Digest: {"text": MARK, "numbers": MARK, "ledger": None},  # of text and numbers only the complaints' words in them
}
OURS_BY = ("", "系统", "回访")  # who did something, where it is no person
# Their details are composed of units, numbers and our own words alone; those of any other kind may quote a person.
OURS_DETAIL = (
    *(EventKind.DISPATCHED, EventKind.ACCEPTED, EventKind.ASSIGNED, EventKind.OVERDUE, EventKind.TRANSFERRED),
    *(EventKind.CORRECTED, EventKind.REPORTED_AGAIN, EventKind.RECALLED, EventKind.WITHDRAWN, EventKind.CALLED_BACK),
)
STRIDE = 5_000  # rows that one look walks over
SETTLED = (OutboxState.SENT, OutboxState.DROPPED, OutboxState.FAILED)


def last_id(session: Session, table: type[Any]) -> int:
    """The newest row's id; 0 where there is none."""
    return int(session.execute(select(func.max(table.id))).scalar_one() or 0)


def due(session: Session, table: type[Any], *, before: datetime, after: int) -> list[int]:
    """Ids of the rows to be blanked among the `STRIDE` ids behind `after`."""
    span = and_(table.id > after, table.id <= after + STRIDE)
    return list(session.execute(select(table.id).where(span, *_is_due(table, before)).order_by(table.id)).scalars())


def still_due(session: Session, table: type[Any], ids: Collection[int], *, before: datetime) -> list[int]:
    """Those of some rows that may be blanked now: what was found due may have been reopened since."""
    return list(session.execute(select(table.id).where(table.id.in_(ids), *_is_due(table, before))).scalars())


def _is_due(table: type[Any], before: datetime) -> list[ColumnElement[bool]]:
    if table is Ticket:
        return _old_ticket(Ticket, before)
    if table is InboxMessage:
        return _old_message(before)
    if table is OutboxMessage:
        old = [col(OutboxMessage.created_at) < before, col(OutboxMessage.state).in_(SETTLED)]
    else:
        old = [col(Digest.created_at) < before, col(Digest.window_end) < before, col(Digest.text) != ""]
    return [table.blanked_at.is_(None), *old]


def _old_ticket(ticket: Any, before: datetime) -> list[ColumnElement[bool]]:
    """Closed, with no duty of any unit alive, and nothing that happened to it since. `ticket` may be an alias."""
    duty, event, part = aliased(Assignment), aliased(Event), aliased(TicketMessage)
    return [
        ticket.blanked_at.is_(None),
        ticket.status.in_(CLOSED),
        ticket.closed_at < before,
        ~exists().where(col(duty.ticket_id) == ticket.id, col(duty.status).in_(ALIVE)),
        ~exists().where(col(event.ticket_id) == ticket.id, col(event.at) >= before),
        ~exists().where(col(part.ticket_id) == ticket.id, col(part.sent_at) >= before),
    ]


def _old_message(before: datetime) -> list[ColumnElement[bool]]:
    """Understood, by both clocks old, and no part of a ticket that is kept: one message may have made several."""
    part, ticket = aliased(TicketMessage), aliased(Ticket)
    of_kept = (
        exists()
        .where(col(part.inbox_id) == col(InboxMessage.id), col(part.ticket_id) == col(ticket.id))
        .where(col(ticket.blanked_at).is_(None), ~and_(*_old_ticket(ticket, before)))
    )
    return [
        col(InboxMessage.blanked_at).is_(None),
        col(InboxMessage.state) == InboxState.DONE,
        col(InboxMessage.received_at) < before,
        col(InboxMessage.sent_at) < before,
        ~of_kept,
    ]


def files_of(session: Session, inbox_ids: Collection[int]) -> set[str]:
    """Where the files of messages lie that no other message refers to: equal pictures are stored once."""
    mine = select(col(InboxMessage.file)).where(
        col(InboxMessage.id).in_(inbox_ids), col(InboxMessage.file).is_not(None)
    )
    found = {name for name in session.execute(mine).scalars() if name}
    others = select(col(InboxMessage.file)).where(
        col(InboxMessage.file).in_(found), col(InboxMessage.id).not_in(inbox_ids)
    )
    return found - {name for name in session.execute(others).scalars() if name}


# ---- blanking --------------------------------------------------------------------------------------------------------


def blank_tickets(session: Session, ids: Collection[int], *, mark: str, now: datetime) -> None:
    """Blank tickets and what hangs on them: reasons, the trail's words, errors. Their messages are blanked as such."""
    duties = select(col(Assignment.id)).where(col(Assignment.ticket_id).in_(ids))
    _blank(session, Ticket, col(Ticket.id).in_(ids), mark, blanked_at=now)
    _blank(session, Assignment, col(Assignment.ticket_id).in_(ids), mark)
    _blank(session, Deadline, col(Deadline.assignment_id).in_(duties), mark)
    _blank_events(session, ids, mark)


def _blank_events(session: Session, ids: Collection[int], mark: str) -> None:
    """Names of the roster and our own words stay: who did what is what the numbers rest on."""
    of_them = col(Event.ticket_id).in_(ids)
    ours = {*OURS_BY, *session.execute(select(col(Member.name))).scalars()}
    session.execute(update(Event).where(of_them, col(Event.by).not_in(ours)).values(by=mark))
    words = col(Event.detail) != ""
    session.execute(update(Event).where(of_them, words, col(Event.kind).not_in(OURS_DETAIL)).values(detail=mark))


def blank_messages(session: Session, ids: Collection[int], *, mark: str, now: datetime) -> None:
    _blank(session, InboxMessage, col(InboxMessage.id).in_(ids), mark, blanked_at=now)


def blank_said(session: Session, ids: Collection[int], *, mark: str, now: datetime) -> None:
    _blank(session, OutboxMessage, col(OutboxMessage.id).in_(ids), mark, blanked_at=now)


def blank_digest(session: Session, digest_id: int, *, numbers: Mapping[str, Any], text: str, now: datetime) -> None:
    """Keep a digest with its words blanked; its Excel is no longer there."""
    values = {"numbers": numbers, "text": text, "ledger": None, "blanked_at": now}
    session.execute(update(Digest).where(col(Digest.id) == digest_id).values(**values))


def forget_accesses(session: Session, *, before: datetime) -> int:
    """Forget who saw what before a time; a search that was exported may name whom it looked for."""
    return len(session.execute(delete(AccessLog).where(col(AccessLog.at) < before).returning(col(AccessLog.id))).all())


def old_accesses(session: Session, *, before: datetime) -> int:
    return int(session.execute(select(func.count()).where(col(AccessLog.at) < before)).scalar_one())


def _blank(session: Session, table: type[Any], rows: ColumnElement[bool], mark: str, **more: Any) -> None:
    values = {name: _value(table, name, value, mark) for name, value in BLANKED[table].items()}
    session.execute(update(table).where(rows).values(**values, **more).execution_options(synchronize_session=False))


def _value(table: type[Any], name: str, value: Any, mark: str) -> Any:
    if value is MARK:
        return mark
    if value is MARK_IF_SET:
        return case((getattr(table, name).is_not(None), literal(mark)), else_=None)
    return value


# ---- traces ----------------------------------------------------------------------------------------------------------


def overwrite_what_is_freed(session: Session) -> None:
    """SQLite leaves replaced bytes in its file until they are needed; from now on this connection zeroes them."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql("PRAGMA secure_delete=ON")


def write_back(engine: Engine) -> None:
    """Let SQLite put what was blanked into its file now, as far as nobody has to wait for it."""
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            connection.close()
