"""A backup put in the place of the database: nobody works on it, the newest schema, the old one kept aside, quiet."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, inspect

from bot.backup import BackupError, examine, sync
from bot.postgres_tools import PostgresToolError, restore_dump
from handlers.policy import BEIJING
from storage import inbox, meta, outbox
from storage.migrate import SchemaError, upgrade
from storage.sessions import make_engine, sqlite_path, transaction


@dataclass(frozen=True, slots=True)
class Restored:
    quiet_since: datetime  # when the backup was made
    kept_aside: Path | None  # the database that was replaced
    missing_files: int  # that messages refer to and that are not in FILES_DIR


def restore(url: str, file: Path, *, now: datetime, force: bool = False) -> Restored:
    """Put a backup in the place of the database, with the newest schema, quiet. Raises BackupError.

    Refused while a bot has the database open. `force` replaces a database that cannot even be read.
    """
    if not file.is_file():
        raise BackupError(f"there is no file {file}")
    try:
        path = sqlite_path(url)
        return _restore_postgres(url, file, now) if path is None else _restore_sqlite(path, file, now, force)
    except (sqlite3.Error, PostgresToolError, SchemaError) as error:
        raise BackupError(f"nothing was restored: {error}") from None


def _restore_sqlite(path: Path, file: Path, now: datetime, force: bool) -> Restored:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.restoring")
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as new:
            with closing(sqlite3.connect(file.resolve().as_uri() + "?mode=ro", uri=True)) as backup:
                backup.backup(new)
            new.execute("PRAGMA journal_mode=DELETE")
            examine(new, file)
        made = _make_ready(f"sqlite:///{part}", now)
        sync(part)
        with _nobody_else(path, now, force):
            aside = _put_aside(path, now)
            os.replace(part, path)
        sync(path.parent)
    finally:
        for left in path.parent.glob(f"{part.name}*"):
            left.unlink()
    return Restored(made[0], aside, made[1])


def _make_ready(url: str, now: datetime) -> tuple[datetime, int]:
    """The newest schema, no lease, quiet; when the backup was made, and how many files are missing."""
    engine = make_engine(url, durable=False)
    try:
        upgrade(engine)
        with transaction(engine) as session:
            quiet = meta.quiet(session)
            if quiet is None:  # a dump, or a copy of the file that was made by other means
                quiet = meta.Quiet(now, outbox.last_id(session))
                meta.put(session, meta.QUIET, quiet.as_text())
            meta.forget_leases(session)
            return quiet.backup_at, sum(not Path(name).exists() for name in inbox.files(session))
    finally:
        engine.dispose()


@contextmanager
def _nobody_else(path: Path, now: datetime, force: bool) -> Iterator[None]:
    """Hold the database that is to be replaced alone, as one file; refuse while another process has it open."""
    if not path.exists():
        yield
        return
    try:
        with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as old:
            for name, holder, until in old.execute("SELECT name, holder, until FROM lease WHERE holder <> ''"):
                if until > now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"):
                    raise BackupError(f"a bot runs on {path} ({name}, {holder}); stop it, then restore")
            old.execute("PRAGMA journal_mode=DELETE")  # fails while anybody else has it open
            old.execute("BEGIN EXCLUSIVE")
            yield
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise BackupError(f"another process has {path} open; stop the bot, then restore") from None
        if not force:
            raise BackupError(
                f"{path} cannot be read ({error}), so it cannot be told whether a bot runs on it; make sure that none does,"
                " then restore with --force"
            ) from None
        yield


def _put_aside(path: Path, now: datetime) -> Path | None:
    """A second name for the database that is replaced, so that there is one under its name at every moment."""
    if not path.exists():
        return None
    aside = path.with_name(f"{path.name}.replaced-{now.astimezone(BEIJING):%Y%m%d-%H%M%S}")
    for ending in ("", "-wal", "-shm"):
        if (old := path.with_name(path.name + ending)).exists():
            try:
                os.link(old, f"{aside}{ending}")
            except OSError:
                shutil.copy2(old, f"{aside}{ending}")
            if ending:
                old.unlink()
    return aside


def _restore_postgres(url: str, file: Path, now: datetime) -> Restored:
    """Into an empty database only: the one that is replaced stays what it is, whoever works on it."""
    engine = create_engine(url, hide_parameters=True)
    try:
        if inspect(engine).get_table_names():
            raise BackupError(
                "the database of DATABASE_URL is not empty; stop the bot, create an empty database, name it in DATABASE_URL"
                " and restore again (the old one stays as it is)"
            )
    finally:
        engine.dispose()
    restore_dump(url, file)
    made = _make_ready(url, now)
    return Restored(made[0], None, made[1])
