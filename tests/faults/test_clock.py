"""The host's clock is set back or forward by minutes: nothing waits for a time to come again, nothing is said twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import apscheduler.schedulers.base
import apscheduler.triggers.interval
import pytest
from sqlalchemy import Engine

from bot.channels.base import TemporaryError
from bot.clock import SystemClock, VirtualClock
from bot.gate import Gate
from bot.scheduler import STANDS_STILL, Ticker
from bot.sender import Pace, Sender
from storage.tables import Assignment
from tests import district
from tests.process import LAMP, NINE, Groups, Process, prepare

MINUTES = timedelta(minutes=5)


class SetClock(VirtualClock):
    """A wall clock that somebody sets, beside one that only goes on."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._set_by = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self._set_by

    def monotonic(self) -> float:
        return super().now().timestamp()

    def pass_by(self, **length: float) -> None:
        self.move_to(super().now() + timedelta(**length))

    def set(self, by: timedelta) -> None:
        self._set_by += by


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NINE)


@pytest.fixture
def process(engine: Engine, clock: SetClock, tmp_path: Path) -> Process:
    prepare(engine)
    return Process(engine, Groups(), clock, tmp_path)


def test_messages_go_on_at_their_pace_when_the_clock_is_set_back(process: Process, clock: SetClock) -> None:
    """Before: the pause of three seconds between two messages became five minutes and three seconds."""
    process.sender = Sender(process.database, clock, process.groups, process.gate, pace=Pace(per_room=2))  # type: ignore[arg-type]
    for unit in district.TOWNS:
        process.hear(unit, district.DISPATCHER, f"市民反映，{unit}村口路灯坏了三盏，请尽快维修。")
    process.step()
    assert len(process.groups.arrived) == 1
    clock.set(-MINUTES)
    for _ in range(2):
        clock.pass_by(seconds=3)
        process.step()
    assert len(process.groups.arrived) == 3


def test_what_waits_to_be_sent_again_does_not_wait_for_the_old_time(process: Process, clock: SetClock) -> None:
    """Before: a prompt made just before the clock was set back was sent five minutes later."""

    def busy() -> None:
        raise TemporaryError("too often")

    process.groups.before = busy
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()
    process.groups.before = lambda: None
    clock.set(-MINUTES)
    clock.pass_by(seconds=1)
    process.step()
    assert len(process.groups.said("请在09:15前领办")) == 1


def test_the_gate_opens_though_the_clock_was_set_back_after_the_last_message() -> None:
    gate = Gate(settle=timedelta(seconds=5))
    gate.connect(NINE)
    gate.heard(NINE)
    assert gate.try_open(NINE + timedelta(seconds=4), backlog=0) is False
    assert gate.try_open(NINE - MINUTES, backlog=0) is True


@pytest.mark.parametrize("by", [MINUTES, -MINUTES], ids=["forward", "back"])
def test_a_clock_that_jumps_gives_every_ticket_one_owner_and_says_each_step_once(
    process: Process, clock: SetClock, by: timedelta
) -> None:
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()
    for minute in range(30):
        if minute == 7:
            clock.set(by)
        clock.pass_by(minutes=1)
        process.step()
    (duty,) = process.rows(Assignment)
    assert duty.owner_id is not None and duty.overdue_at >= duty.due_at
    texts = [text for room, text in process.groups.arrived if "东山镇" in room]
    assert len(texts) == len(set(texts))
    assert len(process.groups.said("由系统指派甄丙")) == 1


async def test_a_beat_that_stands_still_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before: the clock set back by five minutes stopped the ticker for as long."""
    shift = {"by": timedelta(0)}

    class Shifted(datetime):
        @classmethod
        def now(cls, tz=None):  # type: ignore[no-untyped-def]
            return SystemClock().now().astimezone(tz) + shift["by"]

    for module in (apscheduler.schedulers.base, apscheduler.triggers.interval):
        monkeypatch.setattr(module, "datetime", Shifted)

    class Idle:
        async def tick(self) -> None: ...

        async def next_wake(self) -> None: ...

    clock = VirtualClock(NINE)
    ticker = Ticker(Idle(), clock)  # type: ignore[arg-type]
    ticker.start()
    job = ticker._apscheduler.get_job("tick")
    shift["by"] = -MINUTES
    assert job.next_run_time - Shifted.now(job.next_run_time.tzinfo) > timedelta(minutes=4)
    ticker.mend()
    assert job.next_run_time - Shifted.now(job.next_run_time.tzinfo) > timedelta(minutes=4)  # not yet still
    clock.move_to(NINE + timedelta(seconds=STANDS_STILL + 1))
    ticker.mend()
    job = ticker._apscheduler.get_job("tick")
    assert job.next_run_time - Shifted.now(job.next_run_time.tzinfo) <= timedelta(seconds=1)
    ticker.stop()
