"""Two people, two accounts, two processes in the same instant."""

from __future__ import annotations

import asyncio
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from bot.clock import VirtualClock
from bot.inbox_worker import InboxWorker
from bot.knowledge import Knowledge
from handlers import lifecycle
from handlers.lifecycle import Move
from storage import tickets
from storage.enums import AssignmentStatus
from storage.sessions import transaction
from storage.tables import Assignment, OutboxMessage, Ticket
from tests import district
from tests.process import LAMP, NINE, Groups, Process, prepare

DUTIES = 100
PAIRS = int(os.environ.get("RACE_PAIRS", "300"))  # noqa: TID251 - of the test run; 10000 is for a patient machine


def lamp(number: int) -> str:
    return f"市民反映，东山镇柳林村第{number}根电线杆旁的路灯坏了，请尽快维修。"


def test_of_two_sessions_that_read_the_same_waiting_duty_one_wins(engine: Engine, tmp_path: Path) -> None:
    """faults: zammad#3156. Both have read 待领办; both try to move it; the database lets one."""
    prepare(engine)
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    for number in range(DUTIES):
        process.hear("东山镇", district.DISPATCHER, lamp(number))
    process.step()
    ids = [duty.id for duty in process.rows(Assignment)]
    assert len(ids) == DUTIES
    for _ in range(max(1, PAIRS // DUTIES)):
        wins = race(engine, ids)
        assert all(len(names) == 1 for names in wins.values())
        assert {duty.id: [duty.accepted_by] for duty in process.rows(Assignment)} == wins
        with transaction(engine) as session:
            session.execute(update(Assignment).values(status=AssignmentStatus.WAITING, accepted_by=None))


def race(engine: Engine, ids: list[int]) -> dict[int, list[str]]:
    """Two people accept each duty at the same instant; who was told to have it."""
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
        thread.join(600)
    return wins


def test_pairs_of_answers_taken_by_two_processes_have_one_owner_each_and_the_other_is_told(
    engine: Engine, tmp_path: Path
) -> None:
    prepare(engine)
    clock, groups = VirtualClock(NINE), Groups()
    pair = [Process(engine, groups, clock, tmp_path) for _ in range(2)]
    for process in pair:  # a message each, so that both are at work at once
        process.worker = InboxWorker(process.database, clock, Knowledge(), process.gate, batch=1)
    for number in range(DUTIES):
        pair[0].hear("东山镇", district.DISPATCHER, lamp(number))
    pair[0].step()
    clock.move_to(NINE.replace(minute=1))
    for number in range(1, DUTIES + 1):
        for who in (3, 4):
            pair[0].hear("东山镇", district.nick("东山镇", who), f"领{number}")
    threads = [threading.Thread(target=asyncio.run, args=(process.worker.drain(),)) for process in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    pair[0].step()
    duties = pair[0].rows(Assignment)
    assert len({duty.id for duty in duties if duty.accepted_by in ("甄丙", "甄丁")}) == DUTIES
    for duty in duties:
        other = {"甄丙": "甄丁", "甄丁": "甄丙"}[duty.accepted_by]
        said = [row for row in pair[0].rows(OutboxMessage) if row.text.startswith(f"{duty.short}号")]
        told = [(row.kind.value, row.mentions) for row in said if row.kind.value in ("confirmation", "refusal")]
        assert sorted(told) == [("confirmation", []), ("refusal", [other])]


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
    units = (*district.TOWNS, *district.AGENCIES)
    for number in range(300):
        first.hear(units[number % 6], district.DISPATCHER, f"市民反映，第{number}根电线杆旁的路灯坏了，请尽快维修。")
    first.step()
    groups.arrived.clear()
    clock.move_to(NINE.replace(minute=6))
    threads = [threading.Thread(target=process.step) for process in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    first.step()
    reminders = [sent for sent in groups.arrived if "还没人领办" in sent[1]]
    assert len(reminders) == len(set(reminders)) == 300
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
    for _ in range(2):
        clock.move_to(clock.now() + timedelta(seconds=4))
        second.step()
    assert len(copy.said("请在09:15前领办")) == 1 and mine.arrived == []
