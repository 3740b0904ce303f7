"""A digest that falls due: numbers, picture, Excel, text, said once. Its files are made before it is posted."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from bot.clock import Clock
from bot.database import Database
from bot.digest_files import Files, messages, write_files
from bot.knowledge import Knowledge
from handlers import digests
from handlers.digest_windows import DigestSettings, DueWindow
from handlers.posting import post_digest
from handlers.troubles import tell_of_failed_digest
from storage import digests as stored
from storage import inbox, meta

log = logging.getLogger(__name__)
TRY_AGAIN = (timedelta(seconds=10), timedelta(minutes=1), timedelta(hours=1))  # after each failure; then every hour


class Digesting:
    def __init__(
        self, database: Database, clock: Clock, knowledge: Knowledge, settings: DigestSettings, files: Path
    ) -> None:
        self._database = database
        self._clock = clock
        self._knowledge = knowledge
        self._settings = settings
        self._files = files
        self._failed: dict[str, tuple[int, datetime]] = {}  # failures, and when it is tried again

    def next_at(self, now: datetime) -> datetime:
        return digests.next_digest_at(now, self._settings)

    @property
    def failing(self) -> bool:
        """Whether a digest that is due could not be made again and again."""
        return any(failures >= len(TRY_AGAIN) for failures, _ in self._failed.values())

    async def post_due(self) -> int:
        """Make and post every digest that fell due; after a break only the latest of a kind is posted.

        One that fails keeps no other from being made; it is tried again, and supervision is told when that does not help.
        """
        now = self._clock.now()
        due = await self._database.read(lambda session: self._due(session, now))
        for window in due:
            name = self.name(window)
            failures, not_before = self._failed.get(name, (0, now))
            if now < not_before:
                continue
            try:
                await self.make(window, now)
            except OperationalError:
                raise  # the database, not the digest
            except Exception:
                log.exception("digest_failed", extra={"digest": name})
                self._failed[name] = failures + 1, now + TRY_AGAIN[min(failures, len(TRY_AGAIN) - 1)]
                if failures + 1 == len(TRY_AGAIN):
                    await self._database.write(partial(self._tell, window=window, now=now))
            else:
                self._failed.pop(name, None)
        return len(due)

    def _tell(self, session: Session, window: DueWindow, now: datetime) -> None:
        ctx = self._knowledge.context(session)
        tell_of_failed_digest(session, ctx, kind=window.kind.value, key=self.name(window), now=now)

    def name(self, window: DueWindow) -> str:
        """Kind and last day."""
        return f"{window.kind.value}-{window.end:%Y%m%d}"

    def _due(self, session: Session, now: datetime) -> list[DueWindow]:
        since = inbox.first_sent(session)
        if since is None:
            return []
        ends = stored.last_ends(session)
        due = digests.windows_due(ends, now, self._settings, since=since)
        ended = meta.quiet_ended(session)
        if ended is None:
            return due
        # What fell due before a restored database was let speak was said from the other one, or lacks what that one knew.
        before = {(w.kind, w.end) for w in digests.windows_due(ends, ended, self._settings, since=since)}
        return [replace(w, post=w.post and (w.kind, w.end) not in before) for w in due]

    async def make(self, window: DueWindow, now: datetime) -> None:
        """Compute one window and store it; post it if it is to be posted. Done once, whoever else tries."""
        numbers, texts, files = await self._database.read(lambda session: self._made(session, window, now))
        picture, ledger = (files.picture, files.ledger) if files else (None, None)

        def write(session: Session) -> None:
            digest_id = stored.claim(session, window.kind, window.start, window.end, now=now)
            if digest_id is None:
                return
            stored.store(
                session, digest_id, numbers=numbers, text="\n".join(texts), posted=window.post,
                picture=str(picture) if picture else None, ledger=str(ledger) if ledger else None,
            )  # fmt: skip
            if window.post:
                attached = [str(path) for path in (picture, ledger) if path]
                ctx = self._knowledge.context(session)
                post_digest(session, ctx, digest_id=digest_id, texts=texts, attachments=attached, now=now)

        await self._database.write(write)

    def _made(
        self, session: Session, window: DueWindow, now: datetime
    ) -> tuple[digests.Numbers, list[str], Files | None]:
        """Numbers, texts and, for one that is posted, the files: all of one moment of the database."""
        numbers = digests.compute(
            session, kind=window.kind, start=window.start, end=window.end, now=now, settings=self._settings
        )
        texts = messages(numbers, self._settings)
        if not window.post:
            return numbers, texts, None
        keep = self._knowledge.context(session).district.member_names  # no secret; a reason may say who was told
        files = write_files(session, numbers, window, self._files, self._settings, keep_names=keep)
        if files.missing:
            log.warning("digest_without_picture", extra={"reason": files.missing})
        return numbers, texts, files
