"""A digest that falls due: numbers, picture, Excel, text, said once. Its files are made before it is posted."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlmodel import Session

from bot.clock import Clock
from bot.database import Database
from bot.knowledge import Knowledge
from bot.reports.fonts import FontMissing
from bot.reports.ledger import write as write_ledger
from bot.reports.picture import draw
from handlers import digests
from handlers.digest_windows import DigestSettings, DueWindow
from handlers.posting import post_digest
from handlers.privacy import mask
from storage import digests as stored
from storage import inbox

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
        return digests.windows_due(stored.last_ends(session), now, self._settings, since=since)

    async def make(self, window: DueWindow, now: datetime) -> None:
        """Compute one window and store it; post it if it is to be posted. Done once, whoever else tries."""
        numbers = await self._database.read(
            lambda session: digests.compute(
                session, kind=window.kind, start=window.start, end=window.end, now=now, settings=self._settings
            )
        )
        wanted = self._settings
        texts = digests.render_text(
            numbers, limit=wanted.text_limit, rank_size=wanted.rank_size, top=wanted.top_categories
        )
        picture = self._picture(numbers, window) if window.post else None
        ledger = await self._ledger(numbers, window) if window.post else None

        def write(session: Session) -> None:
            digest_id = stored.claim(session, window.kind, window.start, window.end, now=now)
            if digest_id is None:
                return
            stored.store(
                session, digest_id, numbers=numbers, text="\n".join(texts), posted=window.post,
                picture=str(picture) if picture else None, ledger=str(ledger) if ledger else None,
            )  # fmt: skip
            if window.post:
                files = [str(path) for path in (picture, ledger) if path]
                ctx = self._knowledge.context(session)
                post_digest(session, ctx, digest_id=digest_id, texts=texts, attachments=files, now=now)

        await self._database.write(write)

    def name(self, window: DueWindow) -> str:
        """The stem of the files of a window: kind and last day."""
        return f"{window.kind.value}-{window.end:%Y%m%d}"

    def _picture(self, numbers: digests.Numbers, window: DueWindow) -> Path | None:
        path = self._files / f"{self.name(window)}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draw(numbers, path)
        except FontMissing as missing:
            log.warning("digest_without_picture", extra={"reason": str(missing)})
            return None
        return path

    async def _ledger(self, numbers: digests.Numbers, window: DueWindow) -> Path:
        path = self._files / f"{self.name(window)}.xlsx"
        path.parent.mkdir(parents=True, exist_ok=True)

        def write(session: Session) -> None:
            # The names of members in the roster are no secret; a reason may say who was told.
            hide = partial(mask, keep_names=self._knowledge.context(session).district.member_names)
            rows = digests.ledger_rows(session, start=window.start, end=window.end, mask=hide)
            write_ledger(numbers, rows, path)

        await self._database.read(write)
        return path
