"""Breaks of every length: what was missed is said once, as the highest step reached, and how late it is."""

from __future__ import annotations

import pytest

from tests.harness import Told, story

LAMP = "市民反映，东山镇柳林村村口路灯坏了三盏，夜里看不见路，请尽快维修。"
FIRE = "市民反映，东山镇柳林村村口电线冒火花，随时可能着火，请立即处理。"
BREAKS = pytest.mark.parametrize("gone, back", [("offline", "online"), ("crash", "restart")])

AGAIN = ["09:45:00 overdue", "10:15:00 overdue"]
OVERDUE = ["09:15:02 overdue", *AGAIN]
ESCALATION = ["09:10:00 escalation", *OVERDUE]
# back at, what is said in the town's room from then on until 10:16, and the words on lateness of the first of them
LENGTHS = [
    ("09:04:59", ["09:05:00 reminder", *ESCALATION], ""),
    ("09:05:00", ["09:05:00 reminder", *ESCALATION], ""),
    ("09:05:30", ["09:05:30 reminder", *ESCALATION], ""),
    ("09:05:31", ["09:05:31 reminder", *ESCALATION], "31秒"),
    ("09:09:59", ["09:09:59 reminder", *ESCALATION], "4分59秒"),
    ("09:10:00", ESCALATION, ""),
    ("09:15:01", ["09:15:01 escalation", *OVERDUE], "5分1秒"),
    ("09:15:02", OVERDUE, ""),
    ("09:44:59", ["09:44:59 overdue", *AGAIN], "29分钟"),
    ("09:45:00", AGAIN, "29分钟"),
    ("10:15:00", AGAIN[1:], "59分钟"),
]


def in_the_town(told: Told) -> list[str]:
    return [f"{sent['at'][11:19]} {sent['kind']}" for sent in told.unexpected if sent.get("room") == "东山镇工作群"]


@BREAKS
@pytest.mark.parametrize("at, said, late", LENGTHS, ids=[each[0] for each in LENGTHS])
def test_after_a_break_only_the_highest_step_is_said_and_the_later_ones_at_their_own_times(
    gone: str, back: str, at: str, said: list[str], late: str
) -> None:
    """faults: grafana/oncall#1206."""
    told = story(f"09:00 东山镇 @D: {LAMP}", f"09:01 {gone}", f"{at} {back}", until="10:16")
    told.says("09:00", "东山镇", "prompt")
    assert in_the_town(told) == said
    first = told.unexpected[0]["text"]
    assert f"迟了{late}" in first if late else "迟了" not in first
    reports = [sent["at"][11:19] for sent in told.unexpected if sent.get("room") == "督查群"]
    assert reports == [next(each.split()[0] for each in said if "overdue" in each)]
    assert told.kinds().count("逾期") == 1


@BREAKS
def test_a_complaint_told_in_the_break_is_shown_with_the_step_that_was_reached(gone: str, back: str) -> None:
    told = story(f"08:59 {gone}", f"09:00 东山镇 @D: {LAMP}", f"09:12 {back}", until="09:15:02")
    late = told.says("09:12", "东山镇", "escalation", "路灯坏了三盏", "迟了2分钟", "领1", to=["甄甲", "甄乙"])
    assert late.count("1号") >= 1
    overdue = told.says("09:15:02", "东山镇", "overdue", "系统指派甄丙")
    assert "路灯坏了三盏" not in overdue  # before: every later step told it again
    told.says("09:15:02", "督查", "overdue")
    told.nothing_else()
    assert told.duty()["dispatched_at"] == "2026-03-03T09:00:00+08:00"


@BREAKS
def test_a_prompt_missed_by_less_than_the_first_step_is_said_as_a_prompt(gone: str, back: str) -> None:
    told = story(f"08:59 {gone}", f"09:00 东山镇 @D: {LAMP}", f"09:04 {back}", until="09:05")
    told.says("09:04", "东山镇", "prompt", "迟了4分钟", "请在09:15前", to=["甄丙"])
    told.says("09:05", "东山镇", "reminder")
    told.nothing_else()


@BREAKS
def test_what_was_accepted_in_the_break_is_confirmed_and_nothing_else(gone: str, back: str) -> None:
    told = story(
        f"08:59 {gone}", f"09:00 东山镇 @D: {LAMP}", "09:14:59 东山镇 @3: 收到，马上去", f"10:00 {back}", until="10:30"
    )
    told.says("10:00", "东山镇", "confirmation", "1号由甄丙领办", "14分钟")
    told.nothing_else()
    assert (told.duty()["seconds_to_accept"], told.duty()["on_time"]) == (899, True)


@BREAKS
@pytest.mark.parametrize("at, on_time", [("09:15:00", True), ("09:15:01", False), ("09:15:02", False)])
def test_an_acceptance_of_the_break_is_judged_by_its_own_stamp(gone: str, back: str, at: str, on_time: bool) -> None:
    told = story(f"09:00 东山镇 @D: {LAMP}", f"09:01 {gone}", f"{at} 东山镇 @3: 领1", f"09:40 {back}", until="10:00")
    told.says("09:00", "东山镇", "prompt")
    told.says("09:40", "东山镇", "confirmation", "甄丙")
    told.nothing_else()
    assert told.duty()["on_time"] is on_time and told.kinds().count("逾期") == 0


def test_a_pressing_ticket_of_the_break_alerts_supervision_when_it_can() -> None:
    told = story("08:59 offline", f"09:00 东山镇 @D: {FIRE}", "09:01 online", until="09:02")
    told.says("09:01", "东山镇", "prompt", "紧急", "迟了1分钟", to=["甄丙", "甄甲", "甄乙"])
    told.says("09:01", "督查", "alert", "紧急", "东山镇")
    told.nothing_else()


def test_two_breaks_in_a_row_say_nothing_twice() -> None:
    told = story(
        f"09:00 东山镇 @D: {LAMP}", "09:01 offline", "09:06 online", "09:07 crash", "09:08 restart", "09:09 offline",
        "09:11 online", until="09:12",
    )  # fmt: skip
    told.says("09:00", "东山镇", "prompt")
    told.says("09:06", "东山镇", "reminder", "迟了1分钟")
    told.says("09:11", "东山镇", "escalation", "迟了1分钟")
    told.nothing_else()


def test_a_break_over_night_is_met_with_one_message_and_no_more() -> None:
    told = story(f"20:00 东山镇 @D: {LAMP}", "20:01 crash", "+1 08:00 restart", until="+1 09:30")
    told.says("20:00", "东山镇", "prompt")
    told.says("+1 08:00", "东山镇", "overdue", "迟了11小时44分钟", "系统指派甄丙")
    told.says("+1 08:00", "督查", "overdue")
    told.nothing_else()


def test_messages_of_the_break_count_in_the_order_of_their_own_times() -> None:
    told = story(
        f"09:00 东山镇 @D: {LAMP}", "09:01 offline", "09:03 东山镇 @4: 领1", "09:04 东山镇 @3: 领1", "09:05 online",
        until="09:06",
    )  # fmt: skip
    told.says("09:00", "东山镇", "prompt")
    told.says("09:05", "东山镇", "confirmation", "甄丁")
    told.says("09:05", "东山镇", "refusal", "甄丁", to=["甄丙"])
    told.nothing_else()
    assert told.duty()["seconds_to_accept"] == 180


def test_the_minutes_without_a_connection_are_stated_in_the_digest() -> None:
    told = story(f"09:00 东山镇 @D: {LAMP}", "09:01 东山镇 @3: 领1", "10:00 offline", "10:25 online", until="12:06")
    assert "25分钟" in told.out["digests"][0]["text"]
