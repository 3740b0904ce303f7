"""However many messages are taken together, what becomes of each is the same."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from bot.clock import VirtualClock
from handlers import registry
from storage.enums import InboxState, MessageType
from storage.tables import Assignment, Event, InboxMessage, OutboxMessage, RoomNumber, Ticket, TicketMessage
from tests import district
from tests.process import NINE, Groups, Process, prepare

HANDLER = district.nick("东山镇", 3)
LAMP = "市民反映，柳林村村口路灯坏了三盏，夜里看不见路，请尽快维修。"
RUBBISH = "市民反映，柳林村第{}户门前垃圾堆了三天没人清运，请处理。"
# seconds after nine, room, who, what, and what else the message is
TALK: list[tuple[int, str, str, str, dict[str, Any]]] = [
    (0, "东山镇", "居民甲", "早上好", {}),
    (5, "东山镇", "居民甲", "", {"type": MessageType.IMAGE}),
    (9, "东山镇", "居民甲", LAMP, {}),
    (12, "西河镇", "居民乙", "有个事想反映一下", {}),
    (20, "东山镇", "居民丙", LAMP, {}),  # the same text again: no second ticket
    (25, "东山镇", HANDLER, "领1", {}),
    (30, "东山镇", "居民丁", RUBBISH.format(1), {}),
    (31, "东山镇", "居民丁", RUBBISH.format(2), {}),
    (40, "东山镇", HANDLER, "收到", {}),  # two wait: which one?
    (44, "东山镇", HANDLER, "2", {}),
    (50, "东山镇", "居民丁", "", {"type": MessageType.IMAGE}),
    (55, "东山镇", "居民丁", "补充一下，臭味很大，老人受不了", {}),
    (60, "东山镇", HANDLER, "办结1 灯已经修好", {}),
    (62, "东山镇", HANDLER, "退3 不归我镇管，建议转城管委", {}),
    (70, "东山镇", "居民戊", "辛苦了", {}),
    (75, "东山镇", HANDLER, "领9", {}),
    (80, "督查", district.DISPATCHER, "今天的数据发一下", {}),
    (90, "东山镇", "居民己", RUBBISH.format(7), {}),
    (95, "东山镇", HANDLER, "领4、9", {}),
]


def what_became(engine: Engine, folder: Path, *, batch: int) -> dict[str, list[tuple[Any, ...]]]:
    """Hear all of TALK, then understand it `batch` messages a transaction."""
    prepare(engine)
    process = Process(engine, Groups(), VirtualClock(NINE), folder)
    process.worker._batch = batch
    for seconds, unit, who, text, more in TALK:
        at = NINE + timedelta(seconds=seconds)
        process.hear(unit, who, text, id=f"m{seconds}", sent_at=at, **more)
    process.wait(seconds=100)
    process.gate.disconnect()  # no prompt in between, so that only the batches differ
    asyncio.run(process.worker.drain())

    def rows(table: type, *names: str) -> list[tuple[Any, ...]]:
        return sorted((tuple(getattr(row, name) for name in names) for row in process.rows(table)), key=repr)

    return {
        "inbox": rows(InboxMessage, "message_id", "room_id", "state", "became"),
        "tickets": rows(Ticket, "no", "room_id", "unit_id", "status", "text", "gist", "repeat_of_id", "created_at"),
        "duties": rows(Assignment, "ticket_id", "unit_id", "short", "status", "accepted_at", "accepted_by", "reason"),
        "numbers": rows(RoomNumber, "room_id", "day", "short", "ticket_id"),
        "parts": rows(TicketMessage, "ticket_id", "inbox_id", "part"),
        "events": rows(Event, "ticket_id", "assignment_id", "kind", "at", "by", "detail", "inbox_id"),
        "said": rows(OutboxMessage, "dedup_key", "room_id", "kind", "text", "mentions"),
    }


@pytest.fixture
def second(tmp_path: Path) -> Engine:
    from storage.migrate import upgrade
    from storage.sessions import make_engine

    engine = make_engine(f"sqlite:///{tmp_path}/second.db", durable=False)
    upgrade(engine)
    return engine


@pytest.mark.parametrize("batch", [3, 100])
def test_messages_taken_together_become_what_they_become_one_by_one(
    engine: Engine, second: Engine, tmp_path: Path, batch: int
) -> None:
    alone = what_became(second, tmp_path, batch=1)
    together = what_became(engine, tmp_path, batch=batch)
    assert {state for _, _, state, _ in alone["inbox"]} == {InboxState.DONE}
    assert [no for no, *_ in alone["tickets"]] == [f"20260303-000{n}" for n in (1, 2, 3, 4)]
    for table, rows in alone.items():
        assert together[table] == rows, table


def test_one_message_that_fails_in_a_batch_leaves_the_others_as_they_are_and_is_tried_alone(
    engine: Engine, second: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A batch has one savepoint; when it is undone, each message gets its own."""
    expected = what_became(second, tmp_path, batch=1)
    real = registry.handle

    def failing(session: Any, ctx: Any, message: InboxMessage, *, now: Any, **more: Any) -> str | None:
        became = real(session, ctx, message, now=now, **more)  # what it wrote is to be undone
        if message.message_id == "m90" and message.attempts < 2:
            raise ValueError("cannot be")
        return became

    monkeypatch.setattr(registry, "handle", failing)
    found = what_became(engine, tmp_path, batch=5)
    told = {message_id: (state, bool(became)) for message_id, _, state, became in found["inbox"]}
    assert told["m90"] == (InboxState.DONE, True)  # the third time it went well, after what came with it
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["message_failed"] * 2
    caplog.clear()
    assert sorted(text for _, _, _, _, text, *_ in found["tickets"]) == sorted(t for _, _, _, _, t, *_ in expected["tickets"])
