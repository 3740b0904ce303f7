"""The database fails, the disk is full, a send hangs, a room is gone: it waits, goes on, and loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from bot.app import Bot, open_database
from bot.channels.base import ChannelEvent, ConnectionState, InboundMessage, PermanentError, StateChange
from bot.clock import VirtualClock
from bot.sender import Pace, Sender
from bot.settings import Settings
from storage.enums import MessageType, OutboxState
from storage.migrate import upgrade
from storage.sessions import make_engine
from storage.tables import Assignment, InboxMessage, OutboxMessage, Ticket
from tests import district
from tests.gateway.bench import until
from tests.process import LAMP, NINE, Groups, Process, prepare


def settings(folder: Path) -> Settings:
    return Settings(_env_file=None, database_url=f"sqlite:///{folder}/x.db", files_dir=folder, web_port=1)


class Once(Groups):
    """A channel that tells one message and then is silent; its events can be read once."""

    async def events(self) -> AsyncIterator[ChannelEvent]:
        yield StateChange(ConnectionState.ONLINE, NINE)
        yield InboundMessage(
            "r1", "m1", "", district.DISPATCHER, MessageType.TEXT, LAMP, sent_at=NINE, received_at=NINE
        )
        await asyncio.Event().wait()


async def test_a_database_that_fails_twenty_times_and_heals_loses_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """faults: zammad job executor. Before: the listener gave the message up with the failed transaction."""
    engine = open_database(settings(tmp_path))
    upgrade(engine)
    bot = Bot(settings(tmp_path), engine, Once(), VirtualClock(NINE))  # type: ignore[arg-type]
    real, tries = bot.receiver.store, []

    async def failing(messages: list[InboundMessage]) -> int:
        tries.append(1)
        if len(tries) <= 20:
            raise OperationalError("INSERT", {}, Exception("disk I/O error"))
        return await real(messages)

    monkeypatch.setattr(bot.receiver, "store", failing)
    listening = asyncio.create_task(bot._listen())
    await until(bot._came.is_set, 10, "the message is kept")
    listening.cancel()
    stored = bot.database.read_now(lambda session: list(session.exec(select(InboxMessage.message_id)).all()))
    assert (stored, len(tries)) == (["m1"], 21)
    assert {r.getMessage() for r in caplog.records if r.levelname == "ERROR"} == {"database_failed"}
    bot.database.close()


def test_a_full_disk_keeps_what_was_stored_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/full.db")
    upgrade(engine)
    prepare(engine)
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    engine.dispose()
    full = {"pages": 1}

    @event.listens_for(engine, "connect")
    def limit(connection, _record) -> None:  # type: ignore[no-untyped-def]
        connection.execute(f"PRAGMA max_page_count={full['pages']}")

    long = LAMP + "补充" * 500_000  # needs new pages
    with pytest.raises(OperationalError, match="full"):
        process.hear("东山镇", district.DISPATCHER, long, id="long")
    engine.dispose()
    full["pages"] = 1_000_000
    process.hear("东山镇", district.DISPATCHER, long, id="long")
    process.step()
    assert {row.message_id: len(row.text) for row in process.rows(InboxMessage)}["long"] == len(long)
    assert len(process.rows(Ticket)) >= 1
    engine.dispose()


def test_a_room_that_is_gone_is_one_named_failure_and_the_others_are_served(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """faults: Dispatch decorators. Before: only the log said so, and the unit heard nothing without anybody's knowing."""
    prepare(engine)
    groups = Groups()
    process = Process(engine, groups, VirtualClock(NINE), tmp_path)
    real = groups.send_text

    async def gone(to, text, mentions=()):  # type: ignore[no-untyped-def]
        if "东山镇" in to:
            raise PermanentError("the room is gone")
        return await real(to, text, mentions)

    groups.send_text = gone  # type: ignore[method-assign]
    units = (*district.TOWNS, *district.AGENCIES)
    for unit in units:
        process.hear(unit, district.DISPATCHER, "市民反映，村口路灯坏了三盏，夜里看不见路，请尽快维修。")
    process.step()
    states = {row.state for row in process.rows(OutboxMessage) if row.room_id == 1}
    assert states == {OutboxState.FAILED}
    assert len(groups.said("请在09:15前领办")) == len(units) - 1
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == ["message_refused"]
    named = [f"“{district.room('东山镇')}”发不进消息，机器人可能已不在群里，请管理员查看，修好前请另行通知"]
    assert [text for to, text in groups.arrived if district.SUPERVISION in to] == named
    process.wait(minutes=10)
    process.step()
    assert [text for to, text in groups.arrived if "发不进" in text] == named  # once a day, and no loop
    assert len(groups.said("请领导安排")) == len(units) - 1


def test_a_send_that_never_returns_delays_no_ticket_of_another_room(tmp_path: Path) -> None:
    """faults: apscheduler PR#754, plugin-apscheduler#3. Deadlines are rows: they fire whatever the sender waits for."""
    engine = make_engine(f"sqlite:///{tmp_path}/slow.db")
    upgrade(engine)
    prepare(engine)
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    asyncio.run(process.worker.drain())
    process.wait(minutes=15, seconds=2)
    asyncio.run(process.scheduler.tick())  # the sender never came back
    (duty,) = process.rows(Assignment)
    assert duty.overdue_at == NINE + timedelta(minutes=15, seconds=2)
    engine.dispose()


def test_messages_are_paced_and_the_prompts_of_one_room_that_wait_go_out_as_one(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/pace.db")
    upgrade(engine)
    prepare(engine)
    groups, clock = Groups(), VirtualClock(NINE)
    process = Process(engine, groups, clock, tmp_path)
    process.sender = Sender(process.database, clock, groups, process.gate, pace=Pace(per_room=2))  # type: ignore[arg-type]
    for number in range(3):
        process.hear("东山镇", district.DISPATCHER, f"市民反映，柳林村第{number}根电线杆旁的路灯坏了，请尽快维修。")
    process.hear("西河镇", district.DISPATCHER, "市民反映，梁家庄村垃圾没人清运，请处理。")
    process.step()
    assert len(groups.arrived) == 1 and groups.arrived[0][1].count("请在09:15前领办") == 3
    process.wait(seconds=2)
    process.step()
    assert len(groups.arrived) == 1
    process.wait(seconds=1)
    process.step()
    assert len(groups.arrived) == 2 and "梁家庄村" in groups.arrived[1][1]
    for word in ("待办", "我的", "帮助"):
        process.hear("东山镇", district.nick("东山镇", 3), word)
    for _ in range(4):
        process.wait(seconds=3)
        process.step()
    assert len([room for room, _ in groups.arrived if "东山镇" in room]) == 2  # two a minute, the rest waits
    process.wait(minutes=1)
    process.step()
    assert len([room for room, _ in groups.arrived if "东山镇" in room]) == 3
    engine.dispose()
