"""Faults that users of other engines met, tried here: those that no other test tries. The list is in tests/meta."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from bot.clock import VirtualClock
from bot.roster import load_into
from handlers.binding import rooms_listed
from handlers.context import Context, load_district
from handlers.policy import Policy
from storage import people
from storage.enums import MessageType
from storage.sessions import reading, transaction
from storage.tables import Assignment, InboxMessage, Member, OutboxMessage, Ticket
from tests import district
from tests.harness import story
from tests.process import LAMP, NINE, Groups, Process, prepare

HANDLER = district.nick("东山镇", 3)


@pytest.fixture
def process(engine: Engine, tmp_path: Path) -> Process:
    prepare(engine)
    return Process(engine, Groups(), VirtualClock(NINE), tmp_path)


def test_a_sweep_one_second_after_a_new_ticket_says_nothing(process: Process) -> None:
    """faults: django-helpdesk#8."""
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()
    assert len(process.groups.arrived) == 1
    for second in (1, 2, 60, 298, 299):
        process.clock.move_to(NINE + timedelta(seconds=second))
        process.step()
    assert len(process.groups.arrived) == 1


def test_a_roster_loaded_again_with_fifty_open_tickets_says_nothing_and_moves_no_clock(process: Process) -> None:
    """faults: alertmanager#627."""
    for number in range(50):
        process.hear("东山镇", district.DISPATCHER, f"市民反映，柳林村第{number}根电线杆旁的路灯坏了，请尽快维修。")
    process.step()
    said, dues = len(process.groups.arrived), [duty.due_at for duty in process.rows(Assignment)]
    process.wait(minutes=4)
    with transaction(process.database.engine) as session:
        load_into(session, district.roster(), now=process.clock.now())
    process.step()
    assert len(process.groups.arrived) == said == 50
    assert [duty.due_at for duty in process.rows(Assignment)] == dues
    process.wait(minutes=1)
    process.step()
    assert len(process.groups.said("还没人领办")) == 50


def test_every_event_twice_makes_no_second_ticket_and_no_second_reply(process: Process) -> None:
    """faults: python-wechaty#266."""
    heard = [
        ("m1", district.DISPATCHER, LAMP, {}),
        ("m2", HANDLER, "", {"type": MessageType.IMAGE}),
        ("m3", HANDLER, "领1", {}),
        ("m4", HANDLER, "待办", {}),
        ("m5", HANDLER, "", {"type": MessageType.RECALL, "recalls": "m3"}),
        ("m6", HANDLER, "办结1 灯换好了", {}),
    ]
    for message_id, sender, text, more in heard:
        for _ in range(2):
            process.hear("东山镇", sender, text, id=message_id, **more)
            process.step()
        process.wait(minutes=1, seconds=1)
    assert [row.message_id for row in process.rows(InboxMessage)] == ["m1", "m2", "m3", "m4", "m5", "m6"]
    assert len(process.rows(Ticket)) == 1
    kinds = sorted(row.kind.value for row in process.rows(OutboxMessage))
    assert kinds == ["confirmation", "confirmation", "notice", "prompt", "reply"]


@pytest.mark.parametrize(
    "at, on_time, kinds",
    [("09:14:59.900", True, []), ("09:15:00", True, []), ("09:15:00.001", False, []), ("09:15:01.999", False, [])],
)
def test_accepted_a_moment_before_or_after_the_due_time_nothing_is_announced(
    at: str, on_time: bool, kinds: list[str]
) -> None:
    """faults: oncall#4654."""
    told = story(f"09:00 东山镇 @D: {LAMP}", f"{at} 东山镇 @3: 领1", until="09:30")
    assert [sent["kind"] for sent in told.unexpected if sent["kind"] == "overdue"] == kinds
    assert told.duty()["on_time"] is on_time


@pytest.mark.parametrize(
    "at, said",
    [
        ("09:04:59.900", []),
        ("09:09:59.900", ["reminder"]),
        ("09:15:01.900", ["reminder", "escalation"]),
    ],
)
def test_accepted_a_tenth_of_a_second_before_a_step_that_step_is_not_said(at: str, said: list[str]) -> None:
    """faults: oncall#4654."""
    told = story(f"09:00 东山镇 @D: {LAMP}", f"{at} 东山镇 @3: 领1", until="10:30")
    told.says("09:00", "东山镇", "prompt")
    told.drop("confirmation")
    assert [sent["kind"] for sent in told.unexpected] == said


def test_a_ticket_reopened_after_days_has_a_fresh_window(process: Process) -> None:
    """faults: osTicket PR#5206."""
    told = story(
        f"09:00 东山镇 @D: {LAMP}",
        "09:05 东山镇 @3: 办结1 灯换好了",
        {"at": "+3 10:00", "kind": "callback", "order_no": "20260303-0001", "contacted": True, "resolved": False},
        until="+3 10:05",
    )
    again = told.duty(0, 1)
    assert again["due_at"] == "2026-03-06T10:15:00+08:00" and again["on_time"] is None
    told.says("+3 10:00", "东山镇", "prompt", "10:15前")
    told.says("+3 10:05", "东山镇", "reminder")
    assert told.kinds().count("逾期") == 0


def listed(engine: Engine, account: str, rooms: list[tuple[str, str]]) -> list[str]:
    with transaction(engine) as session:
        ctx = Context(district=load_district(session), policy=Policy())
        return rooms_listed(session, ctx, account=account, listed=rooms, now=NINE)


def bound(engine: Engine, account: str) -> dict[str, str]:
    with reading(engine) as session:
        topics = {room.id: room.topic for room in people.rooms(session)}
        return {b.channel_room_id: topics[b.room_id] for b in people.bindings(session) if b.account == account}


def test_new_room_ids_with_the_same_topics_are_bound_again_and_doubtful_ones_are_held(engine: Engine) -> None:
    """faults: puppet-wechat#139. Never to the wrong unit."""
    prepare(engine, "nobody")
    east, west = district.room("东山镇"), district.room("西河镇")
    listed(engine, "a", [("r1", east), ("r2", west)])
    assert bound(engine, "a") == {"r1": east, "r2": west}
    listed(engine, "a", [("n1", east), ("n2", west)])
    assert bound(engine, "a") == {"n1": east, "n2": west}
    held = listed(engine, "a", [("x1", east), ("x2", east), ("n2", west)])
    assert len(held) == 2 and "x1" not in bound(engine, "a") and "x2" not in bound(engine, "a")
    listed(engine, "a", [("n2", east), ("n3", "东山镇")])  # a bound id whose topic changed stays what it was
    assert bound(engine, "a")["n2"] == west and "n3" not in bound(engine, "a")


def test_a_member_with_a_new_contact_id_is_known_by_the_nickname_and_a_clash_counts_for_nobody(process: Process) -> None:
    """faults: puppet-wechat#139."""
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()
    for contact, nickname in (("wx-old", HANDLER), ("wx-new", HANDLER)):
        process.wait(minutes=1)
        process.hear("东山镇", nickname, "待办", sender_id=contact)
        process.step()
    process.wait(minutes=1)
    for _ in range(2):
        process.wait(minutes=1)
        process.hear("东山镇", district.nick("东山镇", 4), "领1", sender_id="wx-new")  # the id of another member
        process.step()
    assert [duty.accepted_at for duty in process.rows(Assignment)] == [None]
    assert len(process.groups.said("登记在花名册另一人名下")) == 1  # told once, not at every word


def test_a_name_that_fits_two_people_counts_for_nobody_and_is_told_once_how_to_mend_it(
    engine: Engine, tmp_path: Path
) -> None:
    prepare(engine)
    with transaction(engine) as session:
        for number in (3, 4):
            member = session.exec(select(Member).where(Member.name == district.person("东山镇", number))).one()
            member.aliases = ["东山镇值班员"]
            session.add(member)
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    process.step()
    for said in ("领1", "领1", "办结1 已修好"):
        process.wait(minutes=1)
        process.hear("东山镇", "东山镇值班员", said)
        process.step()
    assert [duty.accepted_at for duty in process.rows(Assignment)] == [None]
    assert len(process.groups.said("多人与“东山镇值班员”相符")) == 1
