"""The ticker: what fell due is handed to the rules. Deadlines are rows; APScheduler only wakes us (docs/adr/0001)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlmodel import Session

from bot.clock import Clock
from bot.database import Database
from bot.digesting import Digesting
from bot.gate import Gate
from bot.knowledge import Knowledge
from handlers import limit_reminders, registry
from handlers.troubles import tell_of_failure
from storage import deadlines, inbox, meta
from storage.enums import InboxState

log = logging.getLogger(__name__)
LIMIT = 100  # steps of one transaction, less than half a second; between two, messages are stored
LAGS = timedelta(seconds=2)  # a message that waits longer to be understood holds the steps up that fell due after it
TOLD_FROM = timedelta(seconds=10)  # ticks that fail for a shorter time are no matter for people
STANDS_STILL = 3.0  # seconds without a beat, after which it is begun anew
ALIVE_EVERY = timedelta(seconds=10)  # how often that is written down


def last_tick(account: str) -> str:
    """The name under which it is kept when the process of an account was last known alive."""
    return f"last_tick:{account}"


class Scheduler:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        knowledge: Knowledge,
        gate: Gate,
        digesting: Digesting,
        *,
        account: str = "",
    ) -> None:
        self._account = account
        self._database = database
        self._clock = clock
        self._knowledge = knowledge
        self._gate = gate
        self._digesting = digesting
        self._written: datetime | None = None
        self._failing_since: datetime | None = None
        self.last_tick: datetime | None = None

    async def tick(self) -> None:
        """Do everything that is due now. Safe to call at any time and as often as one likes.

        Supervision is told, once it can be, of a time in which nothing could be done.
        """
        now = self._clock.now()
        try:
            await self._tick(now)
        except Exception:
            self._failing_since = self._failing_since or now
            raise
        since, self._failing_since = self._failing_since, None
        if since is not None and now - since >= TOLD_FROM:
            await self._database.write(
                lambda session: tell_of_failure(session, self._knowledge.context(session), since=since, now=now)
            )

    async def _tick(self, now: datetime) -> None:
        if not self._gate.is_open:
            if await self._database.write(lambda session: self._alive(session, now)):
                self.last_tick = now
                return  # nobody confirmed yet that a restored database may speak
            backlog = await self._database.read(lambda session: inbox.count_in(session, InboxState.NEW))
            if not self._gate.try_open(now, backlog=backlog):
                self.last_tick = now
                return
        while await self._database.write(lambda session: self._climb(session, now)) == LIMIT:
            pass
        await self._digesting.post_due()
        self.last_tick = now

    def _climb(self, session: Session, now: datetime) -> int:
        self._alive(session, now)
        ctx = self._knowledge.context(session)
        taken = registry.climb(session, ctx, now=self._heard_until(session, now), limit=LIMIT)
        limit_reminders.remind(session, ctx, now=now)
        return taken

    def _heard_until(self, session: Session, now: datetime) -> datetime:
        """How far the ladder's time has come: while the inbox lags behind, what waits there may be the acceptance."""
        waits_since = inbox.waits_since(session)
        return waits_since if waits_since is not None and waits_since < now - LAGS else now

    def _alive(self, session: Session, now: datetime) -> bool:
        """Note now and then that the process lives; whether it must be quiet."""
        if self._written is None or now - self._written >= ALIVE_EVERY:
            meta.put(session, last_tick(self._account), now.isoformat())
            self._written = now
        return meta.quiet(session) is not None

    async def next_wake(self) -> datetime | None:
        """When something falls due next: a step or a digest; None while the gate is shut."""
        if not self._gate.is_open:
            return None
        now = self._clock.now()
        times = await self._database.read(lambda session: self._due_times(session, now))
        return min(at for at in (*times, self._digesting.next_at(now)) if at is not None)

    def _due_times(self, session: Session, now: datetime) -> tuple[datetime | None, datetime | None]:
        ctx = self._knowledge.context(session)
        return deadlines.next_due(session), limit_reminders.next_at(session, ctx, now=now)


class Ticker:
    """Wakes a scheduler every second, and at once when the next due time is nearer."""

    def __init__(
        self, scheduler: Scheduler, clock: Clock, after_tick: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._scheduler = scheduler
        self._clock = clock
        self._after_tick = after_tick
        self._apscheduler = AsyncIOScheduler(timezone="UTC")
        self._last_beat = clock.monotonic()
        self._looking: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._apscheduler.add_job(
            self.beat, "interval", seconds=1, id="tick", coalesce=True, max_instances=1, misfire_grace_time=None
        )
        self._apscheduler.start()
        self._look()

    def _look(self) -> None:
        self.mend()
        self._looking = asyncio.get_running_loop().call_later(1.0, self._look)

    def mend(self) -> None:
        """Begin the beat anew when it stands still: APScheduler waits for a time that a clock set back put far off."""
        if self._clock.monotonic() - self._last_beat > STANDS_STILL:
            log.warning("beat_mended", extra={"seconds": round(self._clock.monotonic() - self._last_beat)})
            self._last_beat = self._clock.monotonic()
            self._apscheduler.reschedule_job("tick", trigger="interval", seconds=1)

    async def beat(self) -> None:
        """One tick; whatever fails is met again with the next tick, for ever, and keeps nothing else from being done."""
        self._last_beat = self._clock.monotonic()
        for part in (self._scheduler.tick, self._after_tick, self._wake_nearer):
            try:
                if part is not None:
                    await part()
            except asyncio.CancelledError:
                if self._apscheduler.running:
                    raise
                return  # the database was closed under the last beat; what it would have done is due at the next start
            except Exception:
                log.exception("tick_failed")

    async def _wake_nearer(self) -> None:
        due = await self._scheduler.next_wake()
        now = self._clock.now()
        if due is not None and now < due < now + timedelta(seconds=1):
            self._apscheduler.add_job(
                self.beat, "date", run_date=due, id="due", replace_existing=True, misfire_grace_time=None
            )

    def stop(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        if self._apscheduler.running:
            self._apscheduler.shutdown(wait=False)
