"""The stored digests: one row per (kind, window), claimed before it is filled."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from storage.enums import DigestKind
from storage.tables import Digest


def last_ends(session: Session) -> dict[DigestKind, datetime | None]:
    """The end of the latest stored window of each kind that falls due by itself; None where there is none."""
    query = select(col(Digest.kind), func.max(col(Digest.window_end))).group_by(col(Digest.kind))
    found = {kind: end for kind, end in session.connection().execute(query)}
    return {kind: found.get(kind) for kind in DigestKind if kind is not DigestKind.SPECIAL}


def claim(session: Session, kind: DigestKind, start: datetime, end: datetime, *, now: datetime) -> int | None:
    """Insert the row of this window and return its id; None when it is there already.

    The row belongs to whoever's transaction commits first; the other waits for that and then gets None.
    """
    dialect = session.connection().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = (
        insert(Digest.__table__)  # type: ignore[attr-defined]
        .values(kind=kind, window_start=start, window_end=end, numbers={}, text="", created_at=now, posted=False)
        .on_conflict_do_nothing()
        .returning(col(Digest.id))
    )
    return session.connection().execute(statement).scalar_one_or_none()


def store(
    session: Session,
    digest_id: int,
    *,
    numbers: dict[str, Any],
    text: str,
    posted: bool,
    picture: str | None = None,
    ledger: str | None = None,
) -> None:
    """Fill a claimed row."""
    statement = update(Digest).where(col(Digest.id) == digest_id)
    session.connection().execute(
        statement.values(numbers=numbers, text=text, posted=posted, picture=picture, ledger=ledger)
    )


def latest_text(session: Session, kind: DigestKind) -> str | None:
    """The text of the latest digest of a kind, or None before the first."""
    query = select(col(Digest.text)).where(col(Digest.kind) == kind, col(Digest.text) != "")
    return session.connection().execute(query.order_by(col(Digest.window_end).desc()).limit(1)).scalar()


class DigestLine(NamedTuple):
    """A stored digest in a list; its figures are read out of the numbers by the database."""

    id: int
    kind: DigestKind
    window_start: datetime
    window_end: datetime
    posted: bool
    dispatched: int | None
    on_time_rate: float | None
    overdue_open: int | None


def listing(session: Session, kind: DigestKind | None, *, limit: int, offset: int = 0) -> list[DigestLine]:
    """The stored digests of a kind, or of all, the latest window first."""
    totals = col(Digest.numbers)["totals"]
    query = (
        select(
            *(col(Digest.id), col(Digest.kind), col(Digest.window_start), col(Digest.window_end), col(Digest.posted)),
            *(totals["dispatched"].as_integer(), totals["on_time_rate"].as_float()),
            totals["overdue_open"].as_integer(),
        )
        .where(col(Digest.text) != "")
        .order_by(col(Digest.window_end).desc(), col(Digest.id).desc())
    )
    if kind is not None:
        query = query.where(col(Digest.kind) == kind)
    return [DigestLine(*row) for row in session.connection().execute(query.limit(limit).offset(offset))]


def by_id(session: Session, digest_id: int) -> Digest | None:
    """A digest that is filled; one just being made is not there yet."""
    found = session.get(Digest, digest_id)
    return found if found is not None and found.text else None


def renew(
    session: Session, start: datetime, end: datetime, *, numbers: dict[str, Any], text: str, now: datetime
) -> int:
    """Store a 专报 of this window, in place of an earlier one; its id."""
    digest_id = claim(session, DigestKind.SPECIAL, start, end, now=now)
    if digest_id is None:
        found = select(col(Digest.id)).where(
            *(col(Digest.kind) == DigestKind.SPECIAL, col(Digest.window_start) == start, col(Digest.window_end) == end)
        )
        digest_id = session.connection().execute(found).scalar_one()
    assert digest_id is not None
    store(session, digest_id, numbers=numbers, text=text, posted=False)
    session.connection().execute(update(Digest).where(col(Digest.id) == digest_id).values(created_at=now))
    return digest_id
