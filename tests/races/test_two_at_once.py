"""Two people, two accounts, two processes in the same instant."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.clock import VirtualClock
from handlers import lifecycle
from handlers.lifecycle import Move
from storage import tickets
from storage.enums import AssignmentStatus
from storage.sessions import transaction
from storage.tables import Assignment, Ticket
from tests import district
from tests.process import LAMP, NINE, Groups, Process, prepare

PAIRS = 100  # of acceptances in the same instant; a larger number is for a patient machine


def lamp(number: int) -> str:
    return f"市民反映，东山镇柳林村第{number}根电线杆旁的路灯坏了，请尽快维修。"


def test_of_two_sessions_that_read_the_same_waiting_duty_one_wins(engine: Engine, tmp_path: Path) -> None:
    """faults: zammad#3156. Both have read 待领办; both try to move it; the database lets one."""
    prepare(engine)
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    for number in range(PAIRS):
        process.hear("东山镇", district.DISPATCHER, lamp(number))
    process.step()
    ids = [duty.id for duty in process.rows(Assignment)]
    assert len(ids) == PAIRS
    wins: dict[int, list[str]] = {duty_id: [] for duty_id in ids}
    barrier = threading.Barrier(2)

    def accept_all(name: str) -> None:
        for duty_id in ids:
            barrier.wait()
            with transaction(engine) as session:
                duty = session.get_one(Assignment, duty_id)
                to = lifecycle.next_duty(AssignmentStatus.WAITING, Move.ACCEPT)
                if tickets.move(session, duty, expected=AssignmentStatus.WAITING, to=to, accepted_by=name):
                    wins[duty_id].append(name)

    threads = [threading.Thread(target=accept_all, args=(name,)) for name in ("甄丙", "甄丁")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(len(names) == 1 for names in wins.values())
    assert {duty.id: [duty.accepted_by] for duty in process.rows(Assignment)} == wins


def test_two_words_of_receipt_in_the_same_second_make_one_owner_and_the_other_is_told(
    engine: Engine, tmp_path: Path
) -> None:
    prepare(engine)
    groups = Groups()
    process = Process(engine, groups, VirtualClock(NINE), tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()
    process.wait(seconds=30)
    process.hear("东山镇", district.nick("东山镇", 3), "领1")
    process.hear("东山镇", district.nick("东山镇", 4), "领1")
    process.step()
    assert [duty.accepted_by for duty in process.rows(Assignment)] == ["甄丙"]
    assert len(groups.said("由甄丙领办，用时30秒")) == 1
    assert len(groups.said("已由甄丙领办")) == 1


@pytest.mark.parametrize("same_ids", [True, False])
def test_a_message_that_two_accounts_hear_makes_one_ticket_and_is_accepted_once(
    engine: Engine, tmp_path: Path, same_ids: bool
) -> None:
    prepare(engine, "one", "two")
    clock = VirtualClock(NINE)
    first, second = (Process(engine, Groups(name), clock, tmp_path) for name in ("one", "two"))
    for text, sender in ((LAMP, district.DISPATCHER), ("领1", district.nick("东山镇", 3))):
        for process in (first, second):
            process.hear("东山镇", sender, text, id=f"m-{text[:2]}" if same_ids else None)
        first.step()
        second.step()
        clock.move_to(clock.now().replace(second=30))
    assert len(first.rows(Ticket)) == 1
    said = [*first.groups.arrived, *second.groups.arrived]
    assert len([text for _, text in said if "请在09:15前领办" in text]) == 1
    assert len([text for _, text in said if "由甄丙领办" in text]) == 1
    assert not [text for _, text in said if "已经是您" in text]


def test_two_processes_on_one_database_fire_each_deadline_once_and_one_alone_goes_on(
    engine: Engine, tmp_path: Path
) -> None:
    """faults: apscheduler#129."""
    prepare(engine)
    clock = VirtualClock(NINE)
    groups = Groups()
    first = Process(engine, groups, clock, tmp_path)
    second = Process(engine, groups, clock, tmp_path)
    for number in range(300):
        first.hear("东山镇", district.DISPATCHER, lamp(number))
    first.step()
    groups.arrived.clear()
    clock.move_to(NINE.replace(minute=6))
    threads = [threading.Thread(target=process.step) for process in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    first.step()
    assert len(groups.said("还没人领办")) == len(set(groups.said("还没人领办"))) == 300
    clock.move_to(NINE.replace(minute=11))
    second.step()  # the first is gone
    assert len(groups.said("请领导安排")) == 300


def test_a_second_process_of_the_same_account_sends_nothing_until_the_first_is_gone(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    prepare(engine)
    clock = VirtualClock(NINE)
    mine, copy = Groups(), Groups()
    first = Process(engine, mine, clock, tmp_path, holder="host:1")
    second = Process(engine, copy, clock, tmp_path, holder="host:2")
    first.step()
    first.hear("东山镇", district.DISPATCHER, LAMP)
    second.step()
    assert copy.arrived == [] and second.sender.refused_by == "host:1"
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == ["account_is_taken"]
    clock.move_to(NINE.replace(second=11))
    second.step()
    assert len(copy.said("请在09:15前领办")) == 1 and mine.arrived == []
