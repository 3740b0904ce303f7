"""Personal data older than RETENTION_DAYS is blanked every night, in small batches beside everything else.

What is blanked, and what stays so that every number can be counted again, is in `storage/retention.py`. A batch deletes
its files first and then commits: a crash between the two leaves rows that the next night blanks, never a file that
nobody knows. Files that no row refers to, and those that the orders folder put away, go by their own age.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from bot.clock import Clock
from bot.database import Database
from handlers.digest_text import without_gists
from handlers.policy import BEIJING
from handlers.texts import BLANKED
from storage import inbox, meta, page_users, retention
from storage.enums import DigestKind
from storage.page_tables import Audit
from storage.tables import Digest, InboxMessage, OutboxMessage, Ticket

log = logging.getLogger(__name__)
NIGHTLY_AT = time(4, 10)  # Beijing; after the backup, before anybody works
LOOK, AGAIN = 30.0, 600.0  # seconds between two looks; after one that failed
BATCH = 100  # rows of one transaction
BREATH = 0.05  # seconds between two transactions, so that what waits for the database goes first
TRAIL_DAYS = 190  # who saw personal data is known at least so long
LAST_RUN = "retention"  # meta: when it last ran to its end, ISO 8601
REPORT = ".报告.txt"  # of the orders folder, beside the file
PUT_AWAY = ("done", "failed")  # folders of the orders folder
DIGESTS = "digests"  # in the folder of files
OF_A_GROUP = re.compile(r"[0-9a-f]{16}-.+|\.part-.+")  # as the channel names what it fetches
OF_A_DIGEST = re.compile(f"({'|'.join(DigestKind)})-")
TABLES: tuple[tuple[str, type], ...] = (
    ("tickets", Ticket),  # first: a message is kept as long as its tickets
    ("messages", InboxMessage),
    ("said", OutboxMessage),
    ("digests", Digest),
)
KINDS = {
    "tickets": "tickets (texts, phones, names, places)",
    "messages": "messages of the groups",
    "said": "messages of the bot",
    "digests": "digests (the urgent complaints' lines in them)",
    "accesses": "lines of the access log",
    "files": "pictures and files of the groups",
    "ledgers": "Excel files of digests",
    "orders": "files of the hotline in done/ and failed/",
}


@dataclass(frozen=True, slots=True)
class Blanked:
    """How many of each kind; `stuck` are files that could not be deleted."""

    counts: dict[str, int]
    stuck: int = 0

    @property
    def nothing(self) -> bool:
        return not any(self.counts.values())


class Retention:
    def __init__(self, database: Database, clock: Clock, *, days: int, files: Path, orders: Path | None) -> None:
        """`files` is FILES_DIR, `orders` the hotline's folder."""
        self._database = database
        self._clock = clock
        self._days = days
        self._folder, self._orders = files, orders
        self._started = clock.now()
        self._failed = False
        self._stuck = 0

    @property
    def trouble(self) -> bool:
        """Whether something old could not be blanked or deleted."""
        return self._failed or self._stuck > 0

    # ---- every night -------------------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Blank once a night; what fails is tried again."""
        while True:
            if await self._database.read(partial(self._is_due, now=self._clock.now())):
                try:
                    await self.run(by="系统")
                    self._failed = False
                except (SQLAlchemyError, OSError) as error:
                    self._failed = True
                    log.error("retention_failed", extra={"reason": type(error).__name__})
                    await self._clock.sleep(AGAIN)
            await self._clock.sleep(LOOK)

    def _is_due(self, session: Session, *, now: datetime) -> bool:
        """The night's time has come since the start and since the last run: who has just restored can look first."""
        local = now.astimezone(BEIJING)
        planned = datetime.combine(local.date(), NIGHTLY_AT, BEIJING)
        planned -= timedelta(days=planned > local)
        last = meta.get(session, LAST_RUN)
        return planned > self._started and (not last or datetime.fromisoformat(last) < planned)

    # ---- blanking ----------------------------------------------------------------------------------------------------

    async def run(self, *, by: str) -> Blanked:
        """Blank all that is old by now; who asked for it is noted with the counts. Safe to stop and to run again."""
        now = self._clock.now()
        counts: Counter[str] = Counter()
        stuck: set[Path] = set()
        for kind, table in TABLES:
            end = await self._database.read(partial(retention.last_id, table=table))
            for after in range(0, end, retention.STRIDE):
                due = await self._database.read(
                    partial(retention.due, table=table, before=self._before(now), after=after)
                )
                for ids in _in_batches(due):
                    work = partial(self._batch, table=table, ids=ids, now=now, stuck=stuck)
                    rows, files = await self._database.write(work)
                    counts += Counter({kind: rows, "files": files})
                    await self._clock.sleep(BREATH)
        counts["accesses"] = await self._database.write(partial(retention.forget_accesses, before=self._trail(now)))
        for kind, path in await self._database.read(partial(self._old_files, now=now)):
            gone = _delete(path, stuck)
            counts[kind] += gone and not path.name.endswith(REPORT)
        done = Blanked({kind: counts[kind] for kind in KINDS}, len(stuck))
        await self._database.write(partial(self._note, done=done, by=by, now=now))
        await asyncio.to_thread(retention.write_back, self._database.engine)
        self._stuck = len(stuck)
        log.info("old_data_blanked", extra={**done.counts, "stuck": done.stuck})
        if stuck:
            log.error("old_files_not_deleted", extra={"files": len(stuck)})
        return done

    def _batch(
        self, session: Session, *, table: type, ids: list[int], now: datetime, stuck: set[Path]
    ) -> tuple[int, int]:
        """One transaction: what is still due is blanked, its files first; how many rows and files."""
        retention.overwrite_what_is_freed(session)
        ids = retention.still_due(session, table, ids, before=self._before(now))
        files = 0
        if table is Ticket:
            retention.blank_tickets(session, ids, mark=BLANKED, now=now)
        elif table is InboxMessage:
            files = sum(_delete(path, stuck) for path in self._files_of(session, ids))
            retention.blank_messages(session, ids, mark=BLANKED, now=now)
        elif table is OutboxMessage:
            retention.blank_said(session, ids, mark=BLANKED, now=now)
        else:
            for digest_id in ids:
                self._blank_digest(session, digest_id, now)
        return len(ids), files

    def _files_of(self, session: Session, ids: list[int]) -> set[Path]:
        """The files that only these messages refer to, as far as they are there and ours."""
        root = self._folder.resolve()
        found = {Path(name).resolve() for name in retention.files_of(session, ids)}
        return {path for path in found if path.is_relative_to(root) and path.is_file()}

    def _blank_digest(self, session: Session, digest_id: int, now: datetime) -> None:
        digest = session.get_one(Digest, digest_id)
        numbers, text = without_gists(digest.numbers, digest.text, mark=BLANKED)
        retention.blank_digest(session, digest_id, numbers=numbers, text=text, now=now)

    def _note(self, session: Session, *, done: Blanked, by: str, now: datetime) -> None:
        meta.put(session, LAST_RUN, now.isoformat())
        if not done.nothing:
            entry = Audit(at=now, user_name=by, address="", subject="按期清除", before=None, after=dict(done.counts))
            page_users.note_change(session, entry)

    # ---- only counting -----------------------------------------------------------------------------------------------

    def count(self, session: Session) -> Blanked:
        """What `run` would blank now. Changes nothing."""
        now = self._clock.now()
        counts: Counter[str] = Counter()
        files: set[Path] = set()
        for kind, table in TABLES:
            for after in range(0, retention.last_id(session, table), retention.STRIDE):
                due = retention.due(session, table, before=self._before(now), after=after)
                counts[kind] += len(due)
                if table is InboxMessage:
                    files = files.union(*(self._files_of(session, ids) for ids in _in_batches(due)))
        counts["accesses"] = retention.old_accesses(session, before=self._trail(now))
        counts["files"] = len(files)
        for kind, path in self._old_files(session, now=now):
            counts[kind] += not path.name.endswith(REPORT)
        return Blanked({kind: counts[kind] for kind in KINDS})

    # ---- what is old -------------------------------------------------------------------------------------------------

    def _before(self, now: datetime) -> datetime:
        return now - timedelta(days=self._days)

    def _trail(self, now: datetime) -> datetime:
        return now - timedelta(days=max(self._days, TRAIL_DAYS))

    def _old_files(self, session: Session, *, now: datetime) -> list[tuple[str, Path]]:
        """Old files that no message refers to, old Excel files of digests, and what the orders folder put away long ago.

        Only what bears the name of one of ours: the folders may hold other things.
        """
        before = self._before(now).timestamp()
        kept = {Path(name).resolve() for name in inbox.files(session)}
        of_groups = [path for path in _files(self._folder, "*") if OF_A_GROUP.fullmatch(path.name)]
        old = [("files", p) for p in of_groups if p.resolve() not in kept and p.stat().st_mtime < before]
        ledgers = [path for path in _files(self._folder / DIGESTS, "**/*.xlsx") if OF_A_DIGEST.match(path.name)]
        old += [("ledgers", path) for path in ledgers if path.stat().st_mtime < before]
        for name in PUT_AWAY if self._orders else ():
            put_away = _files((self._orders or Path()) / name, "*")
            old += [("orders", path) for path in put_away if _put_away_at(path) < before]
        return old


def _in_batches(ids: list[int]) -> Iterator[list[int]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob(pattern) if path.is_file() and not path.is_symlink())


def _put_away_at(path: Path) -> float:
    """A file that is moved keeps its time; its report was written at that moment."""
    report = path.with_name(path.name + REPORT)
    return max(each.stat().st_mtime for each in (path, report) if each.exists())


def _delete(path: Path, stuck: set[Path]) -> bool:
    """Whether it is gone; one that cannot be deleted is told of, and tried again in the next night."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        stuck.add(path.resolve())
        return False
    return True
