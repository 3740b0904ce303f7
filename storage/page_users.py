"""Queries of the page's own tables: users, logins, failures, and the two logs."""

from datetime import datetime

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, or_, select

from storage.page_tables import AccessLog, Audit, LoginFailure, PageSession, PageUser


def users(session: Session) -> list[PageUser]:
    return list(session.exec(select(PageUser).order_by(col(PageUser.id))).all())


def user_named(session: Session, name: str) -> PageUser | None:
    return session.exec(select(PageUser).where(PageUser.name == name)).first()


def user_of(session: Session, token_hash: str, *, since: datetime, seen_since: datetime) -> PageUser | None:
    """The active user of a login that began after `since` and was used after `seen_since`."""
    return session.exec(
        select(PageUser)
        .join(PageSession, col(PageSession.user_id) == col(PageUser.id))
        .where(
            PageSession.token_hash == token_hash,
            PageSession.created_at > since,
            PageSession.seen_at > seen_since,
            col(PageUser.active).is_(True),
        )
    ).first()


def touch(session: Session, token_hash: str, *, now: datetime) -> None:
    session.execute(update(PageSession).where(col(PageSession.token_hash) == token_hash).values(seen_at=now))


def log_in(session: Session, token_hash: str, user_id: int, *, now: datetime) -> None:
    session.add(PageSession(token_hash=token_hash, user_id=user_id, created_at=now, seen_at=now))


def log_out(session: Session, token_hash: str) -> None:
    session.execute(delete(PageSession).where(col(PageSession.token_hash) == token_hash))


def log_out_everywhere(session: Session, user_id: int) -> None:
    """A new password or a removed user ends all logins."""
    session.execute(delete(PageSession).where(col(PageSession.user_id) == user_id))


def sweep(session: Session, *, logins_before: datetime, failures_before: datetime) -> None:
    """Forget logins and failures that count for nothing any more."""
    session.execute(delete(PageSession).where(col(PageSession.created_at) <= logins_before))
    session.execute(delete(LoginFailure).where(col(LoginFailure.at) <= failures_before))


def failures(session: Session, *, name: str, address: str, since: datetime) -> tuple[int, int]:
    """How many logins failed since a time, by this name and from this address."""
    rows = session.execute(
        select(
            func.count().filter(col(LoginFailure.name) == name),
            func.count().filter(col(LoginFailure.address) == address),
        ).where(or_(col(LoginFailure.name) == name, col(LoginFailure.address) == address), col(LoginFailure.at) > since)
    ).one()
    return int(rows[0]), int(rows[1])


def add_failure(session: Session, *, name: str, address: str, now: datetime) -> None:
    session.add(LoginFailure(at=now, name=name[:100], address=address))


def note_access(session: Session, *, user_name: str, address: str, what: str, now: datetime) -> None:
    session.add(AccessLog(at=now, user_name=user_name, address=address, what=what))


def accesses(session: Session, *, limit: int, offset: int = 0) -> list[AccessLog]:
    return list(session.exec(select(AccessLog).order_by(col(AccessLog.id).desc()).limit(limit).offset(offset)).all())


def note_change(session: Session, entry: Audit) -> None:
    session.add(entry)


def changes(session: Session, *, limit: int, offset: int = 0) -> list[Audit]:
    return list(session.exec(select(Audit).order_by(col(Audit.id).desc()).limit(limit).offset(offset)).all())
