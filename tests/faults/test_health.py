"""A gateway that went silent raises the alarm once, in supervision and by the other route; a probe is told why."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from bot.clock import VirtualClock
from bot.database import Database
from bot.gate import Gate
from bot.health import Health, health_routes
from bot.knowledge import Knowledge
from storage.migrate import upgrade
from storage.sessions import make_engine
from storage.tables import OutboxMessage
from tests.process import NINE, prepare


async def test_a_silent_gateway_is_told_of_once_within_three_minutes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/h.db")
    upgrade(engine)
    prepare(engine)
    clock, routed = VirtualClock(NINE), []

    async def other_route(text: str) -> None:
        routed.append(text)

    database = Database(engine, inline=True)
    health = Health(
        database, clock, Knowledge(), Gate(connected=True), last_tick=clock.now, folders=[tmp_path],
        silent_after=timedelta(minutes=3), other_route=other_route,
    )  # fmt: skip
    app = FastAPI()
    app.include_router(health_routes(health))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bot") as probe:
        health.heard(clock.now())
        assert (await probe.get("/health")).json() == {"status": "alive"}
        assert (await probe.get("/ready")).status_code == 200
        clock.move_to(NINE + timedelta(minutes=2, seconds=59))
        await health.watch()
        assert routed == []
        clock.move_to(NINE + timedelta(minutes=3))
        await health.watch()
        await health.watch()
        assert routed == ["微信网关已3分钟没有任何消息，请管理员检查连接"]
        said = database.read_now(lambda session: list(session.exec(select(OutboxMessage.text)).all()))
        assert said == routed
        answer = await probe.get("/ready")
        assert answer.status_code == 503 and "the gateway is silent" in answer.json()["problems"]
        assert "lingban_minutes_without_event 3.0" in (await probe.get("/metrics")).text
        health.heard(clock.now())
        assert (await probe.get("/ready")).status_code == 200
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == ["gateway_silent"]
    database.close()


async def test_an_alarm_that_could_not_be_written_is_raised_when_it_can_be(engine: Engine, tmp_path: Path) -> None:
    """Before: the alarm counted as raised, and nobody was ever told."""
    prepare(engine)
    clock, broken, routed = VirtualClock(NINE), {"is": True}, []

    async def other_route(text: str) -> None:
        routed.append(text)

    @event.listens_for(engine, "begin", insert=True)
    def failing(_connection: object) -> None:
        if broken["is"]:
            raise OperationalError("BEGIN", {}, Exception("disk I/O error"))

    health = Health(
        Database(engine, inline=True), clock, Knowledge(), Gate(connected=True), last_tick=clock.now, folders=[tmp_path],
        silent_after=timedelta(minutes=3), other_route=other_route,
    )  # fmt: skip
    clock.move_to(NINE + timedelta(minutes=3))
    with pytest.raises(OperationalError):
        await health.watch()
    broken["is"] = False
    await health.watch()
    await health.watch()
    assert routed == ["微信网关已3分钟没有任何消息，请管理员检查连接"]
