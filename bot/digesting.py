"""A digest that falls due: numbers, picture, Excel, text, said once. Its files are made before it is posted."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from bot.clock import Clock
from bot.database import Database
from bot.digest_files import Files, messages, write_files
from bot.knowledge import Knowledge
from handlers import digests
from handlers.digest_windows import DigestSettings, DueWindow
from handlers.posting import post_digest
from storage import digests as stored
from storage import inbox, meta

log = logging.getLogger(__name__)


class Digesting:
    def __init__(
        self, database: Database, clock: Clock, knowledge: Knowledge, settings: DigestSettings, files: Path
    ) -> None:
        self._database = database
        self._clock = clock
        self._knowledge = knowledge
        self._settings = settings
        self._files = files

    def next_at(self, now: datetime) -> datetime:
        return digests.next_digest_at(now, self._settings)

    async def post_due(self) -> int:
        """Make and post every digest that fell due; after a break only the latest of a kind is posted."""
        now = self._clock.now()
        due = await self._database.read(lambda session: self._due(session, now))
        for window in due:
            await self.make(window, now)
        return len(due)

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
