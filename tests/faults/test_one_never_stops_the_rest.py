"""One step, one room, one message that fails: the others go on, and what was overtaken is not said any more."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from bot.channels.base import TemporaryError
from bot.clock import VirtualClock
from bot.scheduler import Ticker
from bot.sender import Pace, Sender
from handlers import escalation
from storage.enums import MessageType, OutboxState, SayKind
from storage.tables import Assignment, Deadline, InboxMessage, OutboxMessage, Ticket
from tests import district
from tests.process import LAMP, NINE, Groups, Process, prepare, quote


def lamp(number: int) -> str:
    return f"市民反映，东山镇柳林村第{number}根电线杆旁的路灯坏了，请尽快维修。"


@pytest.fixture
def process(engine: Engine, tmp_path: Path) -> Process:
    prepare(engine)
    return Process(engine, Groups(), VirtualClock(NINE), tmp_path)


def test_a_step_that_fails_is_put_aside_and_its_ladder_and_the_others_go_on(
    process: Process, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Before: one step that raised rolled the whole tick back, every second, and no deadline fired any more."""
    for number in range(3):
        process.hear("东山镇", district.DISPATCHER, lamp(number))
    process.step()
    real = escalation._words

    def failing(session, ctx, ticket, assignment, step, now, *, with_body):  # type: ignore[no-untyped-def]
        if ticket.no == "20260303-0002" and step.value == "reminder":
            raise ValueError("cannot be")
        return real(session, ctx, ticket, assignment, step, now, with_body=with_body)

    monkeypatch.setattr(escalation, "_words", failing)
    process.wait(minutes=5)
    process.step()
    assert [text[:2] for text in process.groups.said("还没人领办")] == ["1号", "3号"]
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == ["step_failed"]
    outcomes = {(d.assignment_id, d.outcome) for d in process.rows(Deadline) if d.step.value == "reminder"}
    assert outcomes == {(1, "said"), (2, "failed"), (3, "said")}
    process.wait(minutes=5)
    process.step()
    assert [text[:2] for text in process.groups.said("请领导安排")] == ["1号", "2号", "3号"]


def test_a_database_error_within_a_step_is_no_fault_of_the_step(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()
    process.wait(minutes=5)

    def failing(*_args: object, **_more: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("disk I/O error"))

    with monkeypatch.context() as broken:
        broken.setattr(escalation, "fire", failing)
        with pytest.raises(OperationalError):
            process.step()
    assert [d.fired_at for d in process.rows(Deadline) if d.step.value == "reminder"] == [None]
    process.step()
    assert len(process.groups.said("还没人领办")) == 1


async def test_a_tick_that_fails_keeps_the_health_from_nothing_and_comes_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Before: anything but a database error ended the beat before the health was looked at."""
    seen: list[str] = []

    class Failing:
        async def tick(self) -> None:
            seen.append("tick")
            raise OSError("no space left on device")

        async def next_wake(self) -> None:
            seen.append("wake")

    async def after() -> None:
        seen.append("after")

    ticker = Ticker(Failing(), VirtualClock(NINE), after)  # type: ignore[arg-type]
    await ticker.beat()
    await ticker.beat()
    assert seen == ["tick", "after", "wake"] * 2
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == ["tick_failed"] * 2


def test_a_room_that_is_full_for_this_minute_holds_no_other_room_back(process: Process) -> None:
    """Before: fifty waiting messages of one full room hid those of all others until the minute was over."""
    process.sender = Sender(  # type: ignore[assignment]
        process.database, process.clock, process.groups, process.gate, pace=Pace(per_room=2)  # type: ignore[arg-type]
    )
    for number in range(120):
        process.hear("东山镇", district.DISPATCHER, lamp(number))
    process.hear("西河镇", district.DISPATCHER, "市民反映，梁家庄村垃圾没人清运，请处理。")
    for _ in range(4):
        process.step()
        process.wait(seconds=3)
    rooms = [to for to, _ in process.groups.arrived]
    assert sum("西河镇" in to for to in rooms) == 1 and len(rooms) == 3


def test_a_merged_prompt_that_is_quoted_means_several_tickets_and_is_asked_about(process: Process) -> None:
    """Before: the quote of a message with three prompts took the first of them."""
    process.sender = Sender(  # type: ignore[assignment]
        process.database, process.clock, process.groups, process.gate, pace=Pace()  # type: ignore[arg-type]
    )
    for number in range(3):
        process.hear("东山镇", district.DISPATCHER, lamp(number))
    process.step()
    assert len(process.groups.arrived) == 1
    process.wait(seconds=30)
    process.hear("东山镇", district.nick("东山镇", 3), "收到", quote=quote("one-1"))
    process.step()
    assert [duty.accepted_at for duty in process.rows(Assignment)] == [None] * 3
    assert len(process.groups.said("您指哪一件")) == 1


@pytest.mark.parametrize("word", ["领1", "办结1 灯换好了", "退1 不归镇里管", "1 @甄丁 你去办"])
def test_a_call_that_could_not_be_sent_in_time_is_not_sent_after_the_answer(process: Process, word: str) -> None:
    """Before: a reminder held back by a failing room was said after the ticket had been taken."""
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()

    def failing() -> None:
        raise TemporaryError("too often")

    process.groups.before = failing
    process.wait(minutes=5)
    process.step()
    process.groups.before = lambda: None
    speaker = 1 if "@" in word else 3
    process.hear("东山镇", district.nick("东山镇", speaker), word)
    process.wait(minutes=5)
    process.step()
    assert process.groups.said("还没人领办") == []
    assert [row.state for row in process.rows(OutboxMessage) if row.kind is SayKind.REMINDER] == [OutboxState.DROPPED]


def test_texts_that_a_database_refuses_are_cleaned_wherever_they_stand(process: Process) -> None:
    """Before: a NUL or a lone surrogate in an id or a file's name failed the batch, and all its messages were lost."""
    bad = "\x00\ud83d"
    process.hear(
        "东山镇", district.DISPATCHER + bad, LAMP + bad, id="m1" + bad, quote=quote("q" + bad), file_name="a" + bad,
        file_problem="b" + bad, recalls="c" + bad, mentions=("甄丙" + bad,), raw={"text": "x" + bad},
    )  # fmt: skip
    process.hear("东山镇", "甄丙", "", id="m2" + bad, type=MessageType.FILE)
    process.step()
    rows = process.rows(InboxMessage)
    assert [row.message_id for row in rows] == ["m1", "m2"]
    assert (rows[0].file_name, rows[0].file_problem, rows[0].recalls) == ("a", "b", "c")
    assert len(process.rows(Ticket)) == 1
