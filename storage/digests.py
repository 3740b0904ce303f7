"""The stored digests: one row per (kind, window), claimed before it is filled."""

from __future__ import annotations

from datetime import datetime
from typing import Any

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
