"""One process sends for an account: also while a call hangs, with clocks hours apart, and after standing still."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.channels.base import Mention
from bot.clock import VirtualClock
from bot.sender import Pace, Sender, Waits
from storage.enums import OutboxState
from storage.tables import Lease, OutboxMessage
from tests import district
from tests.process import LAMP, NINE, Groups, Process, prepare


class Skewed:
    """A host whose wall clock is off; its lengths are right."""

    def __init__(self, real: VirtualClock, off: timedelta) -> None:
        self._real, self.off = real, off

    def now(self) -> datetime:
        return self._real.now() + self.off

    def monotonic(self) -> float:
        return self._real.monotonic() + 12345

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds)


class Hanging(Groups):
    """A call arrives, and its answer hangs until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.called, self.let_go = asyncio.Event(), asyncio.Event()

    async def send_text(self, to: str, text: str, mentions: Sequence[Mention] = ()) -> str | None:
        await super().send_text(to, text, mentions)
        self.called.set()
        await self.let_go.wait()
        return "id-of-the-first"


def pair(engine: Engine, folder: Path, clock: VirtualClock, *, off: timedelta = timedelta(0)) -> list[Process]:
    prepare(engine)
    made = []
    for holder, groups, time in (("host:1", Hanging(), clock), ("host:2", Groups(), Skewed(clock, off))):
        process = Process(engine, groups, clock, folder)
        process.sender = Sender(
            process.database, time, groups, process.gate, holder=holder, pace=Pace(on=False), waits=Waits(send=3600)
        )  # type: ignore[arg-type]
        made.append(process)
    return made


async def seconds(clock: VirtualClock, number: int, *each: Callable[[], Awaitable[object]]) -> None:
    """Let time go by second by second, and in each of them what the processes do."""
    for _ in range(number):
        clock.move_to(clock.now() + timedelta(seconds=1))
        for work in each:
            await work()


@pytest.mark.parametrize("hours", [-3, 0, 3])
async def test_a_call_that_hangs_a_minute_is_taken_over_by_nobody_and_after_a_kill_within_ten_seconds(
    engine: Engine, tmp_path: Path, hours: int
) -> None:
    """Before: the lease of 10 s was renewed only between calls, and it was judged by the hosts' wall clocks."""
    clock = VirtualClock(NINE)
    first, second = pair(engine, tmp_path, clock, off=timedelta(hours=hours))
    first.hear("东山镇", district.DISPATCHER, LAMP)
    await first.worker.drain()
    await first.scheduler.tick()
    call = asyncio.create_task(first.sender.step())
    await asyncio.wait_for(first.groups.called.wait(), 60)  # type: ignore[attr-defined]
    await seconds(clock, 58, first.sender.keep, second.sender.step, second.sender.keep)
    assert second.groups.arrived == [] and second.sender.refused_by == "host:1"
    first.groups.let_go.set()  # type: ignore[attr-defined]
    await call
    second.hear("东山镇", district.DISPATCHER, LAMP.replace("三盏", "四盏"))
    await second.worker.drain()
    await second.scheduler.tick()
    await first.sender.keep()  # the last thing it does
    await seconds(clock, 5, second.sender.step, second.sender.keep)
    assert second.groups.arrived == []
    await seconds(clock, 5, second.sender.step, second.sender.keep)
    assert ["四盏" in text for _, text in second.groups.arrived] == [True]
    assert second.sender.refused_by is None


async def test_a_process_that_could_not_look_for_long_takes_nothing_at_its_first_look(
    engine: Engine, tmp_path: Path
) -> None:
    """A database locked for ten seconds keeps the holder from renewing and the other from looking."""
    clock = VirtualClock(NINE)
    first, second = pair(engine, tmp_path, clock)
    await first.sender.keep()
    await second.sender.keep()
    await seconds(clock, 15)
    await second.sender.keep()
    assert second.sender.refused_by == "host:1"
    await first.sender.keep()
    await seconds(clock, 3, second.sender.keep)
    assert second.sender.refused_by == "host:1"


async def test_a_process_that_stood_still_between_mark_and_call_says_nothing_that_another_took_over(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = VirtualClock(NINE)
    first, second = pair(engine, tmp_path, clock)
    first.hear("东山镇", district.DISPATCHER, LAMP)
    await first.worker.drain()
    await first.scheduler.tick()
    await first.sender.keep()
    await second.sender.keep()
    sure = first.sender._is_ours

    async def after_a_stop(parcel: object) -> bool:
        await seconds(clock, 75, second.sender.step)
        return await sure(parcel)  # type: ignore[arg-type]

    monkeypatch.setattr(first.sender, "_is_ours", after_a_stop)
    assert await first.sender.step() is True
    assert first.groups.arrived == [] and [text[:3] for _, text in second.groups.arrived] == ["补发："]
    assert "sending_left_to_another" in [record.getMessage() for record in caplog.records]
    assert [row.state for row in first.rows(OutboxMessage)] == [OutboxState.SENT]
    assert await first.sender.step() is False and first.sender.refused_by == "host:2"


async def test_an_answer_that_comes_after_the_take_over_keeps_the_other_from_saying_it_again(
    engine: Engine, tmp_path: Path
) -> None:
    clock = VirtualClock(NINE)
    first, second = pair(engine, tmp_path, clock)
    first.hear("东山镇", district.DISPATCHER, LAMP)
    await first.worker.drain()
    await first.scheduler.tick()
    call = asyncio.create_task(first.sender.step())
    await asyncio.wait_for(first.groups.called.wait(), 60)  # type: ignore[attr-defined]
    await seconds(clock, 12, second.sender.step)  # the first renews nothing meanwhile
    assert [row.state for row in first.rows(OutboxMessage)] == [OutboxState.UNKNOWN]
    first.groups.let_go.set()  # type: ignore[attr-defined]
    await call
    await seconds(clock, 120, second.sender.step)
    assert len(first.groups.arrived) == 1 and second.groups.arrived == []
    (row,) = first.rows(OutboxMessage)
    assert (row.state, row.message_id) == (OutboxState.SENT, "id-of-the-first")


async def test_a_refused_process_leaves_the_messages_on_their_way_alone(engine: Engine, tmp_path: Path) -> None:
    """Before: a copy that started turned what the other was just sending into unknown, and it was said twice."""
    clock = VirtualClock(NINE)
    first, second = pair(engine, tmp_path, clock)
    first.hear("东山镇", district.DISPATCHER, LAMP)
    await first.worker.drain()
    await first.scheduler.tick()
    call = asyncio.create_task(first.sender.step())
    await asyncio.wait_for(first.groups.called.wait(), 60)  # type: ignore[attr-defined]
    await second.sender.keep()
    assert [row.state for row in first.rows(OutboxMessage)] == [OutboxState.SENDING]
    first.groups.let_go.set()  # type: ignore[attr-defined]
    await call


async def test_a_clean_stop_gives_the_account_back_at_once(engine: Engine, tmp_path: Path) -> None:
    clock = VirtualClock(NINE)
    first, second = pair(engine, tmp_path, clock)
    await first.sender.keep()
    await second.sender.keep()
    second.database.write_now(second.sender.release)  # not its own: nothing happens
    assert [row.holder for row in first.rows(Lease)] == ["host:1"]
    first.database.write_now(first.sender.release)
    await second.sender.keep()
    assert [row.holder for row in first.rows(Lease)] == ["host:2"]
