"""Where a test keeps its rows: SQLite, or PostgreSQL when the whole run was told so by `DATABASE_URL=postgresql+psycopg://…`.

Tests of a database's own ways (a file, a lock of SQLite, `pg_dump`) say which they want; all others ask here.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, make_url, text
from sqlmodel import Session, SQLModel

from storage.migrate import upgrade
from storage.sessions import make_engine

GIVEN = os.environ.get("DATABASE_URL", "")  # noqa: TID251 - of the test run, no setting of the bot
ON_POSTGRES = GIVEN.startswith("postgresql")
_numbers = count(1)
_template: list[str] = []  # the name of the database that is copied, once it is made
_made: list[str] = []  # what the running test was given


def command(address: str, *statements: str) -> None:
    """Say something to the PostgreSQL server itself, outside of any transaction."""
    server = create_engine(address, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    server.dispose()


def copy_from(template: str) -> None:
    """From now on, databases on the given server are copies of this one."""
    _template[:] = [template]


def url_of(address: str, name: str) -> str:
    return make_url(address).set(database=name).render_as_string(hide_password=False)


@cache
def sqlite_template() -> Path:
    """A file with the newest schema, from which those of the tests are copied."""
    folder = Path(tempfile.mkdtemp(prefix="lingban-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    engine = make_engine(f"sqlite:///{folder}/newest.db", durable=False)
    upgrade(engine)
    engine.dispose()
    return folder / "newest.db"


def fresh_url(file: Path) -> str:
    """A database of its own with the newest schema: on the given server, or this file."""
    if not ON_POSTGRES:
        shutil.copyfile(sqlite_template(), file)
        return f"sqlite:///{file}"
    name = f"f{os.getpid()}x{next(_numbers)}"
    command(GIVEN, f'CREATE DATABASE "{name}" TEMPLATE "{_template[0]}"')
    _made.append(name)
    return url_of(GIVEN, name)


def fresh(file: Path | None) -> Engine:
    """An engine on a database with the newest schema; `file` None is SQLite's memory, where there is no server."""
    if file is None and not ON_POSTGRES:
        engine = make_engine("sqlite://", durable=False)
        SQLModel.metadata.create_all(engine)
        return engine
    return make_engine(fresh_url(file or Path()), durable=False)


def ids_go_on(session: Session, *tables: type[SQLModel]) -> None:
    """Rows were given ids by hand; those that the database gives go on behind them, as SQLite's do by themselves."""
    if session.get_bind().dialect.name != "postgresql":
        return
    session.flush()
    for table in tables:
        name = table.__tablename__
        session.connection().execute(
            text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM \"{name}\"))")
        )


def drop_made() -> None:
    """Away with what the test that just ended was given."""
    while _made:
        command(GIVEN, f'DROP DATABASE IF EXISTS "{_made.pop()}" WITH (FORCE)')
