"""Engines and transactions. One writer at a time, on both databases: the write lock is taken at the start.

So what a transaction reads cannot change under it: the next free number, whether another account heard the same
message, who has a duty. SQLite has such a lock; on PostgreSQL an advisory one stands for it, between all processes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, create_engine

from storage import remembered

BUSY_TIMEOUT_MS = 30_000  # longer than any write lock that we expect (a backup, a stuck reader)


PG_WRITER = 0x6C696E67  # the advisory lock's number
PG_OPTIONS = f"-c lock_timeout={BUSY_TIMEOUT_MS} -c idle_in_transaction_session_timeout={2 * BUSY_TIMEOUT_MS}"


def make_engine(url: str, *, durable: bool = True) -> Engine:
    """An engine for `sqlite:///…` or `postgresql+psycopg://…`; its errors do not repeat what was to be written.

    `durable=False` is for replays into a throw-away file: the same statements, no wait for the disk.
    """
    if not url.startswith("sqlite"):
        return _postgres(url)
    waits = {"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000}
    engine = create_engine(url, connect_args=waits, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys=ON")
        if durable:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
        else:
            cursor.execute("PRAGMA journal_mode=MEMORY")
            cursor.execute("PRAGMA synchronous=OFF")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # A reader that later writes would otherwise fail with "database is locked" at once, without waiting.
        options = connection.get_execution_options()
        connection.exec_driver_sql("BEGIN" if options.get("read_only") else "BEGIN IMMEDIATE")

    return engine


def _postgres(url: str) -> Engine:
    """A process that stops in the middle of a write loses its lock with its connection, at the latest after a minute."""
    engine = create_engine(url, pool_pre_ping=True, connect_args={"options": PG_OPTIONS}, hide_parameters=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        if not connection.get_execution_options().get("read_only"):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({PG_WRITER})")

    return engine


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL, else None."""
    prefix = "sqlite:///"
    return Path(url[len(prefix) :]) if url.startswith(prefix) and len(url) > len(prefix) else None


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """Commit on success, roll back otherwise. Rows stay readable after the commit."""
    try:
        with Session(engine, expire_on_commit=False) as session, session.begin():
            remembered.begin(session)
            yield session
    except OperationalError as error:
        first = _first(error)
        if first is error:
            raise
        raise first from None


def _first(error: OperationalError) -> OperationalError:
    """What went wrong first. A full disk ends SQLite's transaction, and undoing its savepoints then fails as well."""
    while isinstance(error.__context__, OperationalError):
        error = error.__context__
    return error


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that takes no write lock; for pages, digests and checks."""
    bound = engine.execution_options(read_only=True)
    with Session(bound, expire_on_commit=False) as session:
        yield session
