"""Backups while the bot runs: a snapshot, checked after writing, put in place whole, never over another.

A backup is marked quiet: a bot that is started on it, wherever and however it came there, says nothing until a person
confirms. PostgreSQL is dumped and restored by its own tools.
"""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from sqlalchemy import text

from bot.postgres_tools import PostgresToolError, dump
from handlers.policy import BEIJING
from storage import inbox, meta
from storage.sessions import make_engine, reading, sqlite_path

COUNTED = ("inbox", "ticket", "assignment", "event", "deadline", "outbox", "digest")
WAIT = 30.0  # seconds for a write lock of the running bot
_NAME = re.compile(r"lingban-(\d{8}-\d{6})\.(?:db|dump)")


class BackupError(Exception):
    """What is wrong with a backup or a restore, and what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What was written. `files` of the groups lie in FILES_DIR and are not in it."""

    path: Path
    revision: str
    rows: dict[str, int]
    files: int

    @property
    def sentence(self) -> str:
        rows = ", ".join(f"{count} {table}" for table, count in self.rows.items())
        return f"{self.path}: {self.path.stat().st_size} bytes, revision {self.revision}; rows: {rows}"


# ---- writing one -----------------------------------------------------------------------------------------------------


def write_backup(url: str, target: Path, *, now: datetime) -> Backup:
    """Write a backup of a database into a folder, or to a file that is not there yet. Raises BackupError.

    The bot may run meanwhile; neither waits for the other.
    """
    source = sqlite_path(url)
    final = _final(target, now, ".dump" if source is None else ".db")
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_name(f".{final.name}.{secrets.token_hex(4)}.part")
    try:
        made = _copy(source, part, now) if source else _dump(url, part)
        _put_in_place(part, final)
    except (sqlite3.Error, PostgresToolError) as error:
        raise BackupError(f"no backup was made: {error}") from None
    finally:
        part.unlink(missing_ok=True)
    return Backup(final, *made)


def _final(target: Path, now: datetime, suffix: str) -> Path:
    if target.suffix in (".db", ".dump", ".sqlite") and not target.is_dir():
        final = target
    else:
        final = target / f"lingban-{now.astimezone(BEIJING):%Y%m%d-%H%M%S}{suffix}"
    if final.exists():
        raise BackupError(f"{final} is there already; a backup never overwrites, name another file")
    return final


def _copy(source: Path, part: Path, now: datetime) -> tuple[str, dict[str, int], int]:
    if not source.is_file():
        raise BackupError(f"there is no database {source}; check DATABASE_URL")
    with (
        closing(sqlite3.connect(source, timeout=WAIT, isolation_level=None)) as old,
        closing(sqlite3.connect(part, isolation_level=None)) as new,
    ):
        old.execute("BEGIN")  # what is counted and what is copied are the same snapshot
        rows = _counts(old)
        old.backup(new)
        old.execute("ROLLBACK")
        new.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        examine(new, part)
        if _counts(new) != rows:
            raise BackupError(f"the copy of {source} has other row counts than the database; try again")
        last = new.execute("SELECT coalesce(max(id), 0) FROM outbox").fetchone()[0]
        new.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (meta.QUIET, meta.Quiet(now, last).as_text()))
        new.execute("DELETE FROM lease")  # whoever holds it holds it on the other one
        revision = new.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        files = new.execute("SELECT count(*) FROM inbox WHERE file IS NOT NULL").fetchone()[0]
    return revision, rows, files


def examine(database: sqlite3.Connection, path: Path) -> None:
    """Raises BackupError unless a file is a whole database of ours."""
    found = database.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise BackupError(f"{path} is damaged: {found}")
    names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"alembic_version", "meta", *COUNTED} <= names:
        raise BackupError(f"{path} is no database of lingban")


def _counts(database: sqlite3.Connection) -> dict[str, int]:
    return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in COUNTED}  # nosec B608: our own table names


def _dump(url: str, part: Path) -> tuple[str, dict[str, int], int]:
    engine = make_engine(url)
    try:
        with reading(engine) as session:
            rows = {name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in COUNTED}  # nosec B608
            files = len(inbox.files(session))
            revision = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    finally:
        engine.dispose()
    dump(url, part, must_hold=COUNTED)
    return revision, rows, files


def _put_in_place(part: Path, final: Path) -> None:
    """Whole or not at all, on the disk before it has its name, and never over another file."""
    sync(part)
    try:
        os.link(part, final)
    except FileExistsError:
        raise BackupError(f"{final} is there already; a backup never overwrites, name another file") from None
    except OSError:  # a file system without links
        os.rename(part, final)
    sync(final.parent)


def sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# ---- every night -----------------------------------------------------------------------------------------------------


class Nightly:
    """A backup a day into a folder, the newest `keep` of them kept."""

    def __init__(self, url: str, folder: Path, *, at: time, keep: int) -> None:
        """`at` is Beijing time."""
        self._url, self._folder, self._at, self._keep = url, folder, at, keep

    def is_due(self, now: datetime) -> bool:
        """Whether none was made since the last time that one should have been."""
        local = now.astimezone(BEIJING)
        planned = datetime.combine(local.date(), self._at, BEIJING)
        if planned > local:
            planned -= timedelta(days=1)
        return not any(planned <= each <= local for each in self._times())

    def newest(self) -> datetime | None:
        """When the newest backup was made, as its name tells."""
        return max(self._times(), default=None)

    def make(self, now: datetime) -> Backup:
        """Make one; the oldest go only after it is there. Raises BackupError or OSError."""
        made = write_backup(self._url, self._folder, now=now)
        for _, path in self._made()[: -self._keep]:
            path.unlink()
        return made

    def _times(self) -> list[datetime]:
        return [datetime.strptime(stamp, "%Y%m%d-%H%M%S").replace(tzinfo=BEIJING) for stamp, _ in self._made()]

    def _made(self) -> list[tuple[str, Path]]:
        """Those that bear the name of a backup, oldest first; nothing else in the folder is touched."""
        found = ((_NAME.fullmatch(path.name), path) for path in self._folder.glob("lingban-*"))
        return sorted((name.group(1), path) for name, path in found if name)
