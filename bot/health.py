"""Is the bot well? What a probe, a graph and a supervisor may ask; and the alarm of a gateway that went silent."""

from __future__ import annotations

import logging
import shutil
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest
from sqlmodel import Session

from bot.clock import Clock
from bot.database import Database
from bot.doubts import Doubts
from bot.gate import Gate
from bot.knowledge import Knowledge
from handlers.troubles import tell_of_silence
from storage import deadlines, inbox, meta, outbox
from storage.enums import InboxState, Opinion

log = logging.getLogger(__name__)
LATE = timedelta(seconds=60)  # a step or a message this late means that something is stuck
TICK_IS_OLD = timedelta(seconds=30)
LEAST_FREE_MB = 500  # of disk, below which somebody should make room


@dataclass(frozen=True, slots=True)
class Report:
    """Ages in whole seconds, None where there is nothing; `problems` is empty when all is well."""

    connected: bool
    gate_open: bool
    tick_age: int | None
    oldest_due_age: int | None
    oldest_unsent_age: int | None
    minutes_without_event: int | None
    waiting: int
    parked: int
    parked_steps: int
    free_disk_mb: int
    quiet: bool
    problems: tuple[str, ...]
    language_model: str | None = None  # "asked", "rests" after failures (the rules read alone), None where none is set
    second_opinions: dict[str, int] | None = None  # since the start, by answer


class Health:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        knowledge: Knowledge,
        gate: Gate,
        *,
        last_tick: Callable[[], datetime | None],
        folders: Sequence[Path],
        silent_after: timedelta,
        other_route: Callable[[str], Awaitable[None]] | None = None,
        troubles: Callable[[], Mapping[str, bool]] = dict,
        doubts: Doubts | None = None,
    ) -> None:
        """`other_route` carries an alarm past WeChat (e-mail, SMS, a 企业微信 webhook), where one is set.

        `folders` are those whose disks must not be full; `troubles` are further checks, true where something is wrong.
        """
        self._database = database
        self._clock = clock
        self._knowledge = knowledge
        self._gate = gate
        self._last_tick = last_tick
        self._folders = folders
        self._troubles = troubles
        self._doubts = doubts
        self._silent_after = silent_after
        self._other_route = other_route
        self._started = clock.now()
        self._to_pass_on: deque[str] = deque()
        self.last_event: datetime | None = None
        self._alarmed = self._logged_out = False

    def heard(self, now: datetime) -> None:
        """A message, a list of rooms, a sign of life: the way to the groups works."""
        self.last_event = now
        self._alarmed = self._logged_out = False

    def logged_out(self) -> None:
        """A code waits to be scanned. It is told again every minute or two, and that must calm nobody."""
        self._logged_out = True

    async def watch(self) -> None:
        """Raise the alarm, once, when the gateway has been silent or away too long; and pass on what else there is."""
        while self._to_pass_on:
            text = self._to_pass_on.popleft()
            if self._other_route:
                await self._other_route(text)
        now = self._clock.now()
        silent_since = self.last_event or self._started
        if self._alarmed or now - silent_since < self._silent_after:
            return
        minutes = int((now - silent_since).total_seconds() // 60)
        log.error("gateway_silent", extra={"minutes": minutes, "connected": self._gate.connected})
        text = await self._database.write(lambda session: self._tell(session, minutes, now))
        self._alarmed = True  # not before it is kept: while the database fails, it is tried again
        if self._other_route:
            await self._other_route(text)

    def pass_on(self, text: str) -> None:
        """Something to tell past WeChat with the next look; from any thread."""
        self._to_pass_on.append(text)

    def _tell(self, session: Session, minutes: int, now: datetime) -> str:
        ctx = self._knowledge.context(session)
        return tell_of_silence(session, ctx, minutes=minutes, logged_out=self._logged_out, now=now)

    async def report(self) -> Report:
        return await self._database.read(self._report)

    def _report(self, session: Session) -> Report:
        now = self._clock.now()
        due, unsent = deadlines.next_due(session), outbox.oldest_pending(session)
        tick = self._last_tick()
        silent = now - (self.last_event or self._started)
        parked = inbox.count_in(session, InboxState.PARKED)
        parked_steps = deadlines.count_parked(session)
        free = min(shutil.disk_usage(each if each.exists() else Path(".")).free for each in self._folders) // 2**20
        quiet = meta.quiet(session) is not None
        checks = {
            "not connected to WeChat": not self._gate.connected,
            "the ticker stands still": tick is None or now - tick > TICK_IS_OLD,
            "a step is late": due is not None and self._gate.is_open and now - due > LATE,
            "a message could not be sent for a minute": unsent is not None and now - unsent > LATE,
            "the gateway is silent": silent >= self._silent_after,
            "messages are parked": parked > 0,
            "steps of the ladder are parked": parked_steps > 0,
            f"less than {LEAST_FREE_MB} MB of disk are free": free < LEAST_FREE_MB,
            "restored, and quiet until `python -m bot restore --confirm`": quiet,
            **self._troubles(),
        }
        return Report(
            connected=self._gate.connected,
            gate_open=self._gate.is_open,
            tick_age=_seconds(now, tick),
            oldest_due_age=_seconds(now, due) if due and due <= now else None,
            oldest_unsent_age=_seconds(now, unsent),
            minutes_without_event=int(silent.total_seconds() // 60),
            waiting=inbox.count_in(session, InboxState.NEW),
            parked=parked,
            parked_steps=parked_steps,
            free_disk_mb=free,
            quiet=quiet,
            problems=tuple(what for what, wrong in checks.items() if wrong),
            **self._second_opinions(),
        )

    def _second_opinions(self) -> dict[str, Any]:
        if self._doubts is None:
            return {}
        counts = {each.value: self._doubts.counts[each] for each in Opinion}
        return {"language_model": "rests" if self._doubts.rests else "asked", "second_opinions": counts}


def _seconds(now: datetime, at: datetime | None) -> int | None:
    return int((now - at).total_seconds()) if at else None


def health_routes(health: Health) -> APIRouter:
    """`/health` (the process answers), `/ready` (503 with the reasons when it is not well), `/metrics` (Prometheus)."""
    router = APIRouter()

    @router.get("/health")
    async def alive() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/ready")
    async def ready() -> JSONResponse:
        report = await health.report()
        return JSONResponse(asdict(report), status_code=503 if report.problems else 200)

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(_metrics(await health.report()), media_type=CONTENT_TYPE_LATEST)

    return router


def _metrics(report: Report) -> bytes:
    registry = CollectorRegistry()
    for name, value, meaning in (
        ("lingban_connected", report.connected, "1 when WeChat is connected"),
        (
            "lingban_tick_age_seconds",
            -1 if report.tick_age is None else report.tick_age,
            "since the last tick; -1: none",
        ),
        ("lingban_oldest_due_age_seconds", report.oldest_due_age, "how late the oldest step is"),
        ("lingban_oldest_unsent_age_seconds", report.oldest_unsent_age, "age of the oldest unsent message"),
        ("lingban_minutes_without_event", report.minutes_without_event, "minutes without any event of the gateway"),
        ("lingban_inbox_waiting", report.waiting, "messages not understood yet"),
        ("lingban_inbox_parked", report.parked, "messages that could not be handled"),
        ("lingban_steps_parked", report.parked_steps, "steps that kept failing, of duties that still wait"),
        ("lingban_free_disk_megabytes", report.free_disk_mb, "free disk where files and database are"),
        ("lingban_quiet", report.quiet, "1 when a restored database waits for its confirmation"),
        ("lingban_problems", len(report.problems), "checks that fail now"),
    ):
        Gauge(name, meaning, registry=registry).set(float(value or 0))
    if report.second_opinions is not None:
        resting = "1 while the language model is left alone after failures"
        Gauge("lingban_language_model_rests", resting, registry=registry).set(float(report.language_model == "rests"))
        answers = Counter("lingban_second_opinions", "questions to the model by answer", ["answer"], registry=registry)
        for answer, count in report.second_opinions.items():
            answers.labels(answer).inc(count)
    return generate_latest(registry)
