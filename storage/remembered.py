"""What a transaction read once and need not read again: a batch of messages asks for the same rows again and again.

A transaction holds the only write lock (`storage.sessions`), so nobody but itself can change what it read. It forgets what
was read of a table as soon as it writes to that table, and everything when a savepoint is undone. Sessions that only read
remember nothing.
"""

from collections.abc import Callable, Collection, Hashable
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, SessionTransaction, UOWTransaction
from sqlalchemy.orm import Session as AnySession
from sqlmodel import Session, SQLModel

from storage.tables import InboxMessage

T = TypeVar("T")
_KEY = "remembered"


def begin(session: Session) -> None:
    """Let a session remember; only for one that holds the write lock to its end."""
    session.info[_KEY] = {}


def once(session: Session, key: Hashable, read: Callable[[], T], *, of: Collection[type[SQLModel]]) -> T:
    """What `read` found earlier in this transaction under `key`, while no row of the tables `of` was written since.

    Changes that are still in the session are written first, the inbox's own aside: what a batch settles changes no
    answer here.
    """
    held = session.info.get(_KEY)
    if held is None:
        session.flush()
        return read()
    if session.new or session.deleted or any(type(row) is not InboxMessage for row in session.dirty):
        session.flush()
    if key in held:
        value: T = held[key][0]
        return value
    value = read()
    keep(session, key, value, of=of)
    return value


def flush_of(session: Session, *tables: type[SQLModel]) -> None:
    """Write what is still in the session if rows of these tables are among it; for reads without the session's own flush."""
    if any(isinstance(row, tables) for rows in (session.new, session.dirty, session.deleted) for row in rows):
        session.flush()


def keep(session: Session, key: Hashable, value: object, *, of: Collection[type[SQLModel]]) -> None:
    """Keep what was read together with other things, for `once` to find."""
    held = session.info.get(_KEY)
    if held is not None:
        held[key] = (value, frozenset(of))


def peek(session: Session, key: Hashable) -> Any:
    """What is kept under a key, or None."""
    return (session.info.get(_KEY) or {}).get(key, (None,))[0]


def _forget(session: AnySession, written: Collection[type]) -> None:
    held = session.info.get(_KEY)
    if held:
        for key in [key for key, (_, of) in held.items() if not of.isdisjoint(written)]:
            del held[key]


@event.listens_for(Session, "after_flush")
def _after_flush(session: AnySession, _flush: UOWTransaction) -> None:
    if session.info.get(_KEY):
        _forget(session, {type(row) for rows in (session.new, session.dirty, session.deleted) for row in rows})


@event.listens_for(Session, "do_orm_execute")
def _on_statement(state: ORMExecuteState) -> None:
    """A statement that writes names its table; one that names none may have written anywhere."""
    if state.is_select:
        return
    mapper = state.bind_mapper
    if mapper is not None:
        _forget(state.session, {mapper.class_})
    elif state.session.info.get(_KEY):
        state.session.info[_KEY].clear()


@event.listens_for(Session, "after_soft_rollback")
def _after_rollback(session: AnySession, _previous: SessionTransaction) -> None:
    if session.info.get(_KEY):
        session.info[_KEY].clear()
