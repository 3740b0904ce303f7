"""What the chaos run found, told again without processes: each named after what happened."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from bot.app import Bot
from bot.clock import VirtualClock
from handlers import registry
from storage.tables import InboxMessage, OutboxMessage
from tests import district
from tests.process import LAMP, NINE, Groups, Process, prepare


def test_a_backlog_of_a_hundred_does_not_keep_new_messages_from_being_stored(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before: a hundred messages were one transaction of many seconds on a busy machine; what came meanwhile waited in

    memory, and was lost when the process was killed then.
    """
    prepare(engine)
    clock = VirtualClock(NINE)
    process = Process(engine, Groups(), clock, tmp_path)
    for number in range(5):
        process.hear("东山镇", district.DISPATCHER, f"第{number}场会议在三楼")
    real = registry.handle

    def slow(*given, **named):  # type: ignore[no-untyped-def]
        clock.move_to(clock.now() + timedelta(seconds=0.3))
        return real(*given, **named)

    monkeypatch.setattr(registry, "handle", slow)
    taken = []
    while some := asyncio.run(process.worker.take_batch()):
        taken.append(some)
    assert taken == [2, 2, 1]
    assert [row.state for row in process.rows(InboxMessage)] == ["done"] * 5


def test_nobody_is_called_while_the_acceptance_waits_in_a_long_inbox(engine: Engine, tmp_path: Path) -> None:
    """Before: a bot that could not keep up told leaders of tickets that had been taken half a minute earlier."""
    prepare(engine)
    clock = VirtualClock(NINE)
    process = Process(engine, Groups(), clock, tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()
    process.wait(minutes=9, seconds=50)
    asyncio.run(process.scheduler.tick())  # the reminder, late
    process.hear("东山镇", "东山镇-甄丙", "领1")
    process.wait(seconds=20)
    asyncio.run(process.scheduler.tick())  # the escalation fell due ten seconds ago, the acceptance came before it
    process.step()
    assert [row.kind.value for row in process.rows(OutboxMessage)] == ["prompt", "reminder", "confirmation"]
    process.hear("西河镇", district.DISPATCHER, "市民反映，西河镇村口路灯坏了三盏，请尽快维修。")
    process.step()
    process.hear("东山镇", district.DISPATCHER, "下午三点开会")
    process.wait(minutes=5)
    asyncio.run(process.scheduler.tick())  # what waits came before the step fell due
    process.step()
    asyncio.run(process.scheduler.tick())
    assert process.rows(OutboxMessage)[-1].kind.value == "reminder"


def test_what_is_only_in_memory_is_kept_within_a_second_of_the_disks_recovery() -> None:
    """Before: after eight seconds of a full disk the next try came eight seconds later; a kill meanwhile lost it all."""
    clock = VirtualClock(NINE)
    tries: list[float] = []

    async def write() -> str:
        tries.append(clock.monotonic())
        if len(tries) < 30:
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))
        return "kept"

    assert asyncio.run(Bot._until_kept(SimpleNamespace(clock=clock), write)) == "kept"  # type: ignore[arg-type]
    assert max(after - before for before, after in zip(tries, tries[1:], strict=False)) <= 1.0
