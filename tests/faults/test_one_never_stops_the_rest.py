"""One step, one room, one message that fails: the others go on, and what was overtaken is not said any more."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.exc import OperationalError

from bot.channels.base import TemporaryError
from bot.clock import VirtualClock
from bot.scheduler import Ticker
from bot.sender import Pace, Sender
from handlers import digests, escalation, texts
from storage import deadlines
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


def reminders_of_the_second_fail(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    real, left = escalation._words, [times]

    def failing(session, ctx, ticket, assignment, step, now, *, with_body):  # type: ignore[no-untyped-def]
        if ticket.no == "20260303-0002" and step.value == "reminder" and left[0]:
            left[0] -= 1
            raise ValueError("cannot be")
        return real(session, ctx, ticket, assignment, step, now, with_body=with_body)

    monkeypatch.setattr(escalation, "_words", failing)


def three_reminded(process: Process) -> None:
    for number in range(3):
        process.hear("东山镇", district.DISPATCHER, lamp(number))
    process.step()
    process.wait(minutes=5)
    process.step()


def test_a_step_that_fails_once_is_said_a_little_later_and_no_other_waits_for_it(
    process: Process, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Before: one step that raised rolled the whole tick back; later it was only logged and never tried again."""
    reminders_of_the_second_fail(monkeypatch, 2)
    three_reminded(process)
    assert [text[:2] for text in process.groups.said("还没人领办")] == ["1号", "3号"]
    process.wait(seconds=4)
    process.step()
    assert len(process.groups.said("还没人领办")) == 2
    process.wait(seconds=1)
    process.step()
    process.wait(seconds=20)
    process.step()
    assert [text[:2] for text in process.groups.said("还没人领办")] == ["1号", "3号", "2号"]
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == ["step_failed"] * 2
    process.wait(minutes=4, seconds=34)
    process.step()
    assert process.groups.said("请领导安排") == []
    process.wait(seconds=1)  # ten minutes after the dispatch: counted from there, not from the retry
    process.step()
    assert [text[:2] for text in process.groups.said("请领导安排")] == ["1号", "3号", "2号"]  # in the order of arming


def test_a_step_that_keeps_failing_is_parked_supervision_is_told_and_its_ladder_goes_on(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    reminders_of_the_second_fail(monkeypatch, -1)
    three_reminded(process)
    for seconds in (5, 20):
        assert process.groups.said("没能发出") == []
        process.wait(seconds=seconds)
        process.step()
    assert process.groups.said("没能发出") == ["东山镇工单20260303-0002的提醒机器人没能发出，请人工催办，并请管理员查看日志"]
    outcomes = {(d.assignment_id, d.outcome, d.attempts) for d in process.rows(Deadline) if d.step.value == "reminder"}
    assert outcomes == {(1, "said", 0), (2, "parked", 3), (3, "said", 0)}
    assert process.database.read_now(deadlines.count_parked) == 1
    process.wait(minutes=4, seconds=35)
    process.step()
    assert [text[:2] for text in process.groups.said("请领导安排")] == ["1号", "3号", "2号"]
    process.hear("东山镇", district.nick("东山镇", 3), "领2")
    process.step()
    assert process.database.read_now(deadlines.count_parked) == 0  # settled: nobody need look any more
    assert len(process.groups.said("没能发出")) == 1


def test_a_reminder_of_an_orders_limit_that_fails_keeps_no_step_from_being_taken(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before: it rolled the whole tick back, every second, and no deadline fired any more."""
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()
    process.database.write_now(
        lambda session: session.execute(update(Ticket).values(limit_at=NINE + timedelta(hours=1)))
    )

    def failing(**_values: object) -> str:
        raise ValueError("cannot be")

    monkeypatch.setattr(texts, "limit_near", failing)
    process.wait(minutes=5)
    for _ in range(3):
        process.step()
    assert len(process.groups.said("还没人领办")) == 1
    assert process.groups.said("办理时限提醒") == [
        "工单20260303-0001的办理时限提醒机器人没能发出，请人工提醒，并请管理员查看日志"
    ]


def test_a_digest_that_cannot_be_made_is_tried_again_told_of_and_delays_nothing(
    process: Process, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Before: the tick failed with it every second, and nobody was told."""
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()
    real, broken = digests.compute, [True]

    def compute(*args, **more):  # type: ignore[no-untyped-def]
        if broken[0]:
            raise ZeroDivisionError
        return real(*args, **more)

    monkeypatch.setattr(digests, "compute", compute)
    process.clock.move_to(NINE.replace(hour=12, minute=5))
    process.step()
    assert process.scheduler.last_tick == process.clock.now()
    for seconds in (10, 60):
        assert process.groups.said("没能做出") == []
        process.wait(seconds=seconds)
        process.step()
    assert process.groups.said("没能做出") == ["日报机器人没能做出，每小时再试，请管理员查看日志"]
    assert process.scheduler._digesting.failing
    tried = len([r for r in caplog.records if r.getMessage() == "digest_failed"])
    assert tried == 3
    broken[0] = False
    process.wait(minutes=60)
    process.step()
    assert len(process.groups.said("日报｜")) > 0 and not process.scheduler._digesting.failing


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
