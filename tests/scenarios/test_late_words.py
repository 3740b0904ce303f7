"""Words that arrive late are judged by their own stamps; what was announced wrongly is taken back in both rooms."""

from __future__ import annotations

import pytest

from tests import district
from tests.harness import Told, at, story

LAMP = "市民反映，东山镇柳林村村口路灯坏了三盏，夜里看不见路，请尽快维修。"
RUBBISH = "柳林村村口垃圾桶满得盖不上，臭得很，快派人清一下"


def late(stamp: str, arrives: str, person: int, text: str, message_id: str = "late") -> dict[str, str]:
    return {
        "at": stamp, "received_at": at(arrives).isoformat(), "id": message_id, "room": district.room("东山镇"),
        "sender": district.nick("东山镇", person), "text": text,
    }  # fmt: skip


def corrected(told: Told, clock: str) -> None:
    told.says(clock, "东山镇", "notice", "更正", "1号", "按时记录")
    told.says(clock, "督查", "notice", "更正", "20260303-0001")
    assert told.duty()["on_time"] is True and "更正" in told.kinds()


@pytest.mark.parametrize(
    "person, text, owner, how, status",
    [
        (4, "领1", "甄丁", "自领", "已领办"),
        (1, "1 @甄丁 你去办", "甄丁", "指派", "已领办"),
        (4, "办结1 灯已换好", "甄丁", "自领", "已办结"),
    ],
    ids=["accepted", "assigned by a leader", "reported done"],
)
def test_any_answer_stamped_in_time_corrects_what_was_announced(
    person: int, text: str, owner: str, how: str, status: str
) -> None:
    """Before: of an assignment or a result that arrived late the record was corrected and nobody was told."""
    told = story(f"09:00 东山镇 @D: {LAMP}", late("09:14:30", "09:16", person, text), until="09:20")
    told.says("09:15:02", "东山镇", "overdue", "系统指派甄丙")
    corrected(told, "09:16")
    duty = told.duty()
    assert (duty["owner"], duty["assigned_by"], duty["status"]) == (owner, how, status)
    assert duty["seconds_to_accept"] == 870


@pytest.mark.parametrize("stamp, on_time", [("09:15:00", True), ("09:15:01", False)])
def test_the_due_time_itself_is_in_time_and_a_second_later_is_not(stamp: str, on_time: bool) -> None:
    told = story(f"09:00 东山镇 @D: {LAMP}", late(stamp, "09:16", 4, "领1"), until="09:20")
    assert told.duty()["on_time"] is on_time
    assert ("更正" in told.kinds()) is on_time


def test_an_earlier_stamp_that_comes_second_becomes_the_acceptance_and_the_room_is_told() -> None:
    told = story(
        f"09:00 东山镇 @D: {LAMP}", late("09:02", "09:05", 4, "领1"), "09:03 东山镇 @3: 领1", until="09:06"
    )
    told.says("09:03", "东山镇", "confirmation", "甄丙")
    told.says("09:05", "东山镇", "notice", "更正", "甄丁", "甄丙")
    duty = told.duty()
    assert (duty["owner"], duty["accepted_by"], duty["seconds_to_accept"]) == ("甄丁", "甄丁", 120)


def test_an_equal_stamp_that_comes_second_is_told_who_has_it() -> None:
    told = story(f"09:00 东山镇 @D: {LAMP}", "09:02 东山镇 @3: 领1", "09:02 东山镇 @4: 领1", until="09:03")
    told.says("09:02", "东山镇", "confirmation", "甄丙")
    told.says("09:02", "东山镇", "refusal", "09:02已由甄丙领办", to=["甄丁"])
    assert told.duty()["owner"] == "甄丙"


def test_a_complaint_that_arrives_late_is_prompted_with_the_step_it_has_reached() -> None:
    complaint = {**late("09:00", "09:11", 4, RUBBISH), "id": "m"}
    told = story(complaint, until="09:15:02")
    told.says("09:11", "东山镇", "escalation", "垃圾桶", "迟了1分钟", to=["甄甲", "甄乙"])
    told.says("09:15:02", "东山镇", "overdue")
    assert told.duty()["dispatched_at"] == "2026-03-03T09:00:00+08:00"


def test_pictures_that_arrive_before_and_after_their_words_belong_to_them() -> None:
    room, sender = district.room("东山镇"), district.nick("东山镇", 4)
    told = story(
        {"at": "08:58:30", "id": "p1", "room": room, "sender": sender, "type": "image"},
        {"at": "09:00", "id": "m", "room": room, "sender": sender, "text": RUBBISH},
        {"at": "09:02", "id": "p2", "room": room, "sender": sender, "type": "image"},
        {"at": "09:02:01", "id": "p3", "room": room, "sender": sender, "type": "image"},
        until="09:03",
    )
    assert told.tickets[0]["message_ids"] == ["p1", "m", "p2"]  # two minutes and a second is too late
    assert told.out["ignored"] == ["p3"]
