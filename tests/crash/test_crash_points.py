"""The process dies at each arrow of the diagram; another starts on the same database. Nothing lost, nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.clock import VirtualClock
from storage.enums import MessageType, OutboxState
from storage.tables import Assignment, Deadline, InboxMessage, OutboxMessage, Ticket
from tests import district
from tests.process import LAMP, NINE, CrashNow, Groups, Process, lost_answer, prepare

Arm = Callable[[Process, Groups], None]


def before(commit: int) -> Arm:
    def arm(process: Process, _groups: Groups) -> None:
        process.database.before_commit = commit

    return arm


def after(commit: int) -> Arm:
    def arm(process: Process, _groups: Groups) -> None:
        process.database.after_commit = commit

    return arm


def die() -> None:
    raise CrashNow


def before_the_call(_process: Process, groups: Groups) -> None:
    groups.before = die


# A step of a process makes these commits: understand, look again for more, tick, look for what to send, record it.
POINTS: dict[str, Arm] = {
    "before the message is understood": before(1),
    "after the message is understood": after(1),
    "before the tick": before(3),
    "after the tick": after(3),
    "before a row is marked sending": before(4),
    "after a row is marked sending": after(4),
    "before the call": before_the_call,
}


def revive(engine: Engine, groups: Groups, clock: VirtualClock, folder: Path) -> Process:
    groups.before = groups.after = lambda: None
    process = Process(engine, groups, clock, folder)
    process.recover()
    return process


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_on_the_way_to_the_prompt_loses_nothing_and_says_it_once(
    engine: Engine, tmp_path: Path, point: str
) -> None:
    prepare(engine)
    groups, clock = Groups(), VirtualClock(NINE)
    process = Process(engine, groups, clock, tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    POINTS[point](process, groups)
    with pytest.raises(CrashNow):
        process.step()
    process = revive(engine, groups, clock, tmp_path)
    process.step()
    process.wait(seconds=61)  # a send of unknown outcome waits that long for its echo
    process.step()
    assert len(process.rows(Ticket)) == 1
    assert len(groups.said("请在09:15前领办")) == 1
    assert len(process.rows(Deadline)) == 2  # the prompt, said; the reminder, pending
    assert process.unsettled() == []


def test_a_crash_after_the_message_went_out_is_settled_by_our_own_echo(engine: Engine, tmp_path: Path) -> None:
    prepare(engine)
    groups, clock = Groups(), VirtualClock(NINE)
    process = Process(engine, groups, clock, tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    groups.after = die
    with pytest.raises(CrashNow):
        process.step()
    assert [row.state for row in process.rows(OutboxMessage)] == [OutboxState.SENDING]
    process = revive(engine, groups, clock, tmp_path)
    process.wait(seconds=1)
    process.hear("东山镇", "派单助手", "@甄丙\u2005" + groups.arrived[0][1], is_self=True)
    process.wait(seconds=120)
    process.step()
    assert len(groups.said("请在09:15前领办")) == 1
    assert [row.state for row in process.rows(OutboxMessage)] == [OutboxState.SENT]


def test_a_send_of_unknown_outcome_without_an_echo_is_said_once_more_and_marked(engine: Engine, tmp_path: Path) -> None:
    prepare(engine)
    groups, clock = Groups(), VirtualClock(NINE)
    process = Process(engine, groups, clock, tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    groups.before = lost_answer
    process.step()
    assert groups.arrived == []
    groups.before = lambda: None
    process.wait(seconds=59)
    process.step()
    assert groups.arrived == []
    process.wait(seconds=2)
    process.step()
    process.wait(seconds=120)
    process.step()
    assert [text.startswith("补发：1号") for text in groups.said("请在09:15前领办")] == [True]


@pytest.mark.parametrize("point", [before(1), after(1)], ids=["before the commit", "after the commit"])
def test_a_crash_around_an_acceptance_keeps_its_time_and_confirms_it_once(
    engine: Engine, tmp_path: Path, point: Arm
) -> None:
    prepare(engine)
    groups, clock = Groups(), VirtualClock(NINE)
    process = Process(engine, groups, clock, tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()
    process.wait(seconds=90)
    process.hear("东山镇", district.nick("东山镇", 3), "领1")
    point(process, groups)
    with pytest.raises(CrashNow):
        process.step()
    process.wait(minutes=30)
    process = revive(engine, groups, clock, tmp_path)
    process.step()
    (duty,) = process.rows(Assignment)
    assert (duty.accepted_at - duty.dispatched_at).total_seconds() == 90
    assert len(groups.said("由甄丙领办")) == 1
    assert len(groups.said("未领办")) == 0


def test_down_for_half_an_hour_only_the_highest_step_is_said_and_how_late(engine: Engine, tmp_path: Path) -> None:
    """faults: grafana/oncall#1206."""
    prepare(engine)
    groups, clock = Groups(), VirtualClock(NINE)
    process = Process(engine, groups, clock, tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()
    clock.move_to(NINE.replace(minute=40))
    process = revive(engine, groups, clock, tmp_path)
    process.step()
    late = groups.said("未领办")
    assert len([text for text in late if text.startswith("1号")]) == 1
    assert "系统指派甄丙" in late[0] and "迟了24分钟" in late[0]
    assert groups.said("还没人领办") == groups.said("请领导安排") == []


def test_a_hundred_due_while_the_process_is_down_all_fire(engine: Engine, tmp_path: Path) -> None:
    """faults: apscheduler#273."""
    prepare(engine)
    groups, clock = Groups(), VirtualClock(NINE)
    process = Process(engine, groups, clock, tmp_path)
    for number in range(100):
        text = f"市民反映，东山镇柳林村村口第{number}根电线杆旁路灯坏了，请尽快维修。"
        process.hear("东山镇", district.DISPATCHER, text)
    process.step()
    assert len(process.rows(Ticket)) == 100
    clock.move_to(NINE.replace(minute=20))
    process = revive(engine, groups, clock, tmp_path)
    process.step()
    assert sum(duty.overdue_at is not None for duty in process.rows(Assignment)) == 100
    assert len({text for text in groups.said("未领办") if "号" in text.split("（")[0]}) >= 100


def test_a_message_whose_handler_fails_is_parked_and_those_behind_it_go_on(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from handlers import registry

    prepare(engine)
    groups, clock = Groups(), VirtualClock(NINE)
    process = Process(engine, groups, clock, tmp_path)
    real = registry.handle

    def failing(session, ctx, message, *, now, **more):  # type: ignore[no-untyped-def]
        if message.text == "坏消息":
            raise ValueError("cannot be")
        return real(session, ctx, message, now=now, **more)

    monkeypatch.setattr(registry, "handle", failing)
    process.hear("东山镇", district.DISPATCHER, "坏消息")
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()
    states = {row.text: row.state.value for row in process.rows(InboxMessage)}
    assert states == {"坏消息": "parked", LAMP: "done"}
    assert len(groups.said("请在09:15前领办")) == 1
    assert len(groups.said("没能处理")) == 1
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == ["message_failed"] * 3


def test_a_picture_that_could_not_be_fetched_is_told_of_on_the_ticket(engine: Engine, tmp_path: Path) -> None:
    """faults: python-wechaty#310."""
    from storage.tables import Event

    prepare(engine)
    groups, clock = Groups(), VirtualClock(NINE)
    process = Process(engine, groups, clock, tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()
    process.hear("东山镇", district.DISPATCHER, "", type=MessageType.FILE, file_problem="超过20MB")
    process.step()
    assert any("文件未取到" in event.detail for event in process.rows(Event))
