"""A call to the gateway that hangs: it holds up its own message for its own time, and nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.channels.base import Mention
from bot.clock import VirtualClock
from bot.health import Health
from bot.knowledge import Knowledge
from bot.roster import load_into
from bot.sender import Pace, Sender, Waits
from storage.enums import OutboxState
from storage.sessions import transaction
from storage.tables import Assignment, OutboxMessage
from tests import district
from tests.process import LAMP, NINE, Groups, Process, prepare


class Hanging(Groups):
    """The first message hangs until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.called, self.let_go = asyncio.Event(), asyncio.Event()

    async def send_text(self, to: str, text: str, mentions: Sequence[Mention] = ()) -> str | None:
        if not self.called.is_set():
            self.called.set()
            await self.let_go.wait()
        return await super().send_text(to, text, mentions)


def with_groups(engine: Engine, folder: Path, groups: Groups, waits: Waits) -> Process:
    prepare(engine)
    process = Process(engine, groups, VirtualClock(NINE), folder)
    process.sender = Sender(
        process.database,
        process.clock,
        groups,
        process.gate,
        pace=Pace(on=False),
        waits=waits,  # type: ignore[arg-type]
    )
    process.hear("东山镇", district.DISPATCHER, LAMP)
    return process


async def test_while_a_send_hangs_55_seconds_another_ticket_is_made_and_climbs_in_time(
    engine: Engine, tmp_path: Path
) -> None:
    """faults: apscheduler PR#754."""
    groups = Hanging()
    process = with_groups(engine, tmp_path, groups, Waits(send=3600))
    process.hear("西河镇", district.DISPATCHER, "市民反映，梁家庄村村口垃圾没人清运，请处理。")
    await process.worker.drain()
    process.wait(minutes=4, seconds=30)
    sending = asyncio.create_task(process.sender.drain())
    await groups.called.wait()
    process.wait(seconds=30)  # the reminder of the other ticket falls due
    await process.worker.drain()
    await process.scheduler.tick()
    reminders = [row for row in process.rows(OutboxMessage) if row.kind.value == "reminder"]
    assert [row.created_at for row in reminders] == [NINE + timedelta(minutes=5)] * 2
    process.hear("西河镇", district.nick("西河镇", 3), "领1")
    await process.worker.drain()
    assert [duty.accepted_by for duty in process.rows(Assignment)] == [None, "贾丙"]
    process.wait(seconds=25)
    groups.let_go.set()
    await sending
    assert process.unsettled() == []
    said = [text for to, text in groups.arrived if "西河镇" in to]
    assert not [text for text in said if "还没人领办" in text] and len([t for t in said if "贾丙领办" in t]) == 1


async def test_a_send_that_never_returns_is_given_up_and_the_messages_behind_it_go_out(
    engine: Engine, tmp_path: Path
) -> None:
    """faults: plugin-apscheduler#3."""
    groups = Hanging()
    process = with_groups(engine, tmp_path, groups, Waits(send=0.01))
    process.hear("西河镇", district.DISPATCHER, "市民反映，梁家庄村村口垃圾没人清运，请处理。")
    await process.worker.drain()
    await process.scheduler.tick()
    await process.sender.drain()
    assert [to for to, _ in groups.arrived] == [f"one:{district.room('西河镇')}"]
    unknown = [row for row in process.rows(OutboxMessage) if row.state is OutboxState.UNKNOWN]
    assert [row.error for row in unknown] == ["no answer within 0.01 s"]
    health = Health(
        process.database, process.clock, Knowledge(), process.gate, last_tick=process.clock.now, folders=[tmp_path],
        silent_after=timedelta(hours=1),
    )  # fmt: skip
    assert (await health.report()).problems == ()
    process.wait(seconds=61)
    assert (await health.report()).problems == ("a message could not be sent for a minute",)
    await process.sender.drain()
    assert [text[:3] for to, text in groups.arrived if "东山镇" in to] == ["补发："]


@pytest.mark.parametrize(
    "order", [("办结1 灯换好了", "收到"), ("收到", "办结1 灯换好了")], ids=["done first", "taken first"]
)
def test_done_and_taken_in_the_same_second_end_as_done_in_either_order(
    engine: Engine, tmp_path: Path, order: tuple[str, str]
) -> None:
    """faults: oncall#3161."""
    process = with_groups(engine, tmp_path, Groups(), Waits())
    process.step()
    process.wait(minutes=5)
    for person, words in zip((3, 4), order, strict=True):
        process.hear("东山镇", district.nick("东山镇", person), words)
    process.step()
    process.wait(minutes=30)
    process.step()
    (duty,) = process.rows(Assignment)
    assert duty.status.value == "已办结" and duty.accepted_at == NINE + timedelta(minutes=5)
    assert len(process.groups.said("已办结")) == 1 and process.groups.said("未领办") == []


def test_with_nobody_on_duty_the_next_are_called_and_the_log_says_why(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """faults: oncall#4548-like."""
    process = with_groups(engine, tmp_path, Groups(), Waits())
    with transaction(engine) as session:
        load_into(session, district.roster(on_duty=False), now=NINE)
    with caplog.at_level(logging.INFO):
        process.step()
    (prompt,) = process.rows(OutboxMessage)
    assert prompt.mentions == ["甄丙", "甄丁"]
    assert "nobody_on_duty" in [record.getMessage() for record in caplog.records]
