"""A night in which nobody speaks raises no alarm; an account that is logged out does, whatever its gateway still tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.app import Bot
from bot.channels.base import Alive, ChannelEvent, ConnectionState, StateChange
from bot.clock import VirtualClock
from bot.settings import Settings
from storage.tables import Outage, OutboxMessage
from tests.process import NINE, Groups, prepare

NIGHT = NINE.replace(hour=2, minute=30)
ONLINE, OFFLINE, SCAN, ERROR = (ConnectionState(each) for each in ("online", "offline", "scan", "error"))
MARK = "the end of what is told"  # in an error of the gateway, which changes nothing


class Told(Groups):
    """A channel that tells what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: asyncio.Queue[ChannelEvent] = asyncio.Queue()

    async def events(self) -> AsyncIterator[ChannelEvent]:
        while True:
            yield await self.given.get()


class Night:
    """`told` is what went past WeChat."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        prepare(engine)
        self.clock, self.groups, self.told = VirtualClock(NIGHT), Told(), list[str]()
        settings = Settings(
            _env_file=None, database_url=engine.url.render_as_string(hide_password=False), files_dir=folder
        )
        self.bot = Bot(settings, engine, self.groups, self.clock)  # type: ignore[arg-type]

        async def other_route(text: str) -> None:
            self.told.append(text)

        self.bot.health._other_route = other_route
        self.done, really = asyncio.Event(), self.bot._state

        async def state(change: StateChange) -> None:
            await really(change)
            if change.detail == MARK:
                self.done.set()

        self.bot._state = state  # type: ignore[method-assign]
        self.listening = asyncio.create_task(self.bot._listen())

    async def hears(self, event: ChannelEvent) -> None:
        """The event is taken, and what follows from it is done."""
        self.done.clear()
        for each in (event, StateChange(ERROR, self.clock.now(), MARK)):
            self.groups.given.put_nowait(each)
        await asyncio.wait_for(self.done.wait(), 30)

    async def minutes(self, count: int, *events: type[Alive] | ConnectionState) -> None:
        """Minute by minute: what is told, then a look at whether all is well."""
        for _ in range(count):
            self.clock.move_to(self.clock.now() + timedelta(minutes=1))
            for each in events:
                now = self.clock.now()
                await self.hears(StateChange(each, now, "code") if isinstance(each, ConnectionState) else each(now))
            await self.bot.health.watch()

    async def end(self) -> None:
        self.listening.cancel()
        await asyncio.gather(self.listening, return_exceptions=True)
        self.bot.database.close()

    def rows(self, table: type) -> list:  # type: ignore[type-arg]
        from sqlmodel import select

        return self.bot.database.read_now(lambda session: list(session.exec(select(table)).all()))


async def test_forty_minutes_in_which_nobody_speaks_raise_no_alarm(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Before: only messages counted, so that every quiet three minutes of a night were told as a silent gateway."""
    night = Night(engine, tmp_path)
    await night.hears(StateChange(ONLINE, NIGHT))
    await night.minutes(40, Alive)
    assert night.told == [] and night.rows(OutboxMessage) == []
    await night.minutes(2)
    assert night.told == []
    await night.minutes(2)
    assert night.told == ["微信网关已3分钟没有任何消息，请管理员检查连接"]
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == ["gateway_silent"]
    await night.end()


@pytest.mark.parametrize("first", [OFFLINE, SCAN], ids=["it said so", "only the code came"])
async def test_an_account_that_is_logged_out_is_told_within_three_minutes_though_a_new_code_comes_every_minute(
    engine: Engine, tmp_path: Path, first: ConnectionState
) -> None:
    """Before: each new code to scan, and each error of the gateway, counted as a sign of life."""
    night = Night(engine, tmp_path)
    await night.hears(StateChange(ONLINE, NIGHT))
    await night.hears(StateChange(first, NIGHT, "logged out"))
    await night.minutes(2, SCAN, ERROR)
    assert night.told == []
    await night.minutes(8, SCAN, ERROR)
    assert night.told == ["机器人的微信账号已退出登录3分钟，群里说的收不到，请管理员尽快扫码登录"]
    assert not night.bot.gate.connected
    await night.hears(StateChange(ONLINE, night.clock.now()))
    (outage,) = night.rows(Outage)
    assert (outage.started_at, outage.ended_at) == (NIGHT, NIGHT + timedelta(minutes=10))
    await night.minutes(3)
    assert night.told[1:] == ["微信网关已3分钟没有任何消息，请管理员检查连接"]
    await night.end()


def test_the_alarm_is_set_to_three_minutes() -> None:
    assert Settings(_env_file=None).silent_gateway_minutes == 3
