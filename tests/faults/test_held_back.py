"""WeChat takes a message, reports it as sent, shows it to nobody, and says 操作过于频繁 (guide: wechaty, rows 37 to 39)."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.app import Bot
from bot.channels.base import ConnectionState, StateChange
from bot.clock import VirtualClock
from bot.settings import Settings
from storage.enums import OutboxState, SayKind
from storage.sessions import transaction
from storage.tables import OutboxMessage
from tests import district
from tests.process import LAMP, NINE, Groups, Process, prepare

EAST = f"one:{district.room('东山镇')}"


@pytest.fixture
def process(engine: Engine, tmp_path: Path) -> Process:
    prepare(engine)
    made = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    made.hear("东山镇", district.DISPATCHER, LAMP)
    made.step()
    return made


def tip(process: Process) -> None:
    process.database.write_now(
        lambda session: process.sender.hold_back(session, channel_room_id=EAST, at=process.clock.now())
    )


def accepted(process: Process) -> None:
    process.wait(seconds=30)
    process.hear("东山镇", district.nick("东山镇", 3), "领1")
    process.step()


def test_what_was_reported_as_sent_is_said_again_after_ten_minutes_of_quiet(process: Process) -> None:
    """Before: the tip was a line of the log; the word counted as said, and the account went on sending into nothing."""
    accepted(process)
    process.wait(seconds=2)
    tip(process)
    process.hear("西河镇", district.DISPATCHER, "市民反映，梁家庄村村口垃圾没人清运，请处理。")
    for _ in range(9):
        process.wait(minutes=1)
        process.step()
    assert len(process.groups.arrived) == 2
    process.wait(minutes=1)
    process.step()
    assert [text for to, text in process.groups.arrived[2:] if to == EAST] == ["补发：1号由甄丙领办，用时30秒"]
    assert [text for to, text in process.groups.arrived if "西河镇" in to and "梁家庄村" in text]
    assert process.unsettled() == []


def test_a_prompt_that_was_not_shown_comes_with_the_step_that_was_reached(process: Process) -> None:
    process.wait(seconds=2)
    tip(process)
    process.wait(minutes=10)
    process.step()
    (again,) = [text for _, text in process.groups.arrived[1:]]
    assert "已等10分钟" in again and "路灯坏了三盏" in again and not again.startswith("补发")


def test_what_was_said_long_before_the_tip_or_in_another_room_stays_said(process: Process) -> None:
    accepted(process)
    process.wait(seconds=61)
    tip(process)
    assert process.unsettled() == []
    process.wait(minutes=10)
    process.hear("西河镇", district.DISPATCHER, "市民反映，梁家庄村村口垃圾没人清运，请处理。")
    process.step()
    process.wait(seconds=1)
    tip(process)
    assert process.unsettled() == []


def test_what_is_overtaken_meanwhile_is_not_said_again(process: Process) -> None:
    process.wait(seconds=2)
    tip(process)
    process.wait(minutes=1)
    process.hear("东山镇", district.nick("东山镇", 3), "领1")
    process.step()
    process.wait(minutes=10)
    process.step()
    assert process.groups.said("补发：1号") == [] and len(process.groups.said("由甄丙领办")) == 1


def test_a_digest_is_not_repeated_but_told_as_lost(process: Process) -> None:
    with transaction(process.database.engine) as session:
        session.add(OutboxMessage(
            room_id=1, kind=SayKind.DIGEST, text="见诉领办日报", dedup_key="digest:1", priority=5, created_at=NINE,
            not_before=NINE,
        ))  # fmt: skip
    process.wait(seconds=5)
    process.step()
    assert len(process.groups.said("见诉领办日报")) == 1
    tip(process)
    process.wait(minutes=11)
    process.step()
    (digest,) = [row for row in process.rows(OutboxMessage) if row.kind is SayKind.DIGEST]
    assert digest.state is OutboxState.FAILED
    assert len(process.groups.said("见诉领办日报")) == 1


async def test_the_tip_is_told_past_wechat_at_once_and_in_ready(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    prepare(engine)
    settings = Settings(
        _env_file=None, database_url=engine.url.render_as_string(hide_password=False), files_dir=tmp_path
    )
    clock, told = VirtualClock(NINE), list[str]()
    bot = Bot(settings, engine, Groups(), clock)  # type: ignore[arg-type]

    async def other_route(text: str) -> None:
        told.append(text)

    bot.health._other_route = other_route
    with caplog.at_level(logging.ERROR):
        await bot._state(StateChange(ConnectionState.ONLINE, NINE))
        await bot._state(StateChange(ConnectionState.HELD_BACK, NINE, "操作过于频繁，可稍后再试。", "", EAST))
        await bot.health.watch()  # as with every tick
    assert told == ["微信提示操作过于频繁，机器人暂停发言10分钟，没发出去的之后补发，请管理员查看账号"]
    problem = "WeChat holds back what the account sends"
    assert problem in (await bot.health.report()).problems
    clock.move_to(NINE + timedelta(minutes=10))
    assert problem not in (await bot.health.report()).problems
    assert [record.getMessage() for record in caplog.records] == ["held_back"]
    bot.database.close()


def test_another_account_in_the_room_says_it_at_once(engine: Engine, tmp_path: Path) -> None:
    prepare(engine, "one", "two")
    clock = VirtualClock(NINE)
    one, two = (Process(engine, Groups(name), clock, tmp_path) for name in ("one", "two"))
    one.hear("东山镇", district.DISPATCHER, LAMP)
    one.step()
    one.wait(seconds=2)
    tip(one)
    two.step()
    assert [text[:5] for _, text in two.groups.arrived] == ["补发：1号"] and one.unsettled() == []
