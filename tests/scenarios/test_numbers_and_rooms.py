"""Numbers in rooms, rooms that are nobody's, senders that are nobody."""

from __future__ import annotations

from dataclasses import replace

from bot.importers.roster import MemberRow
from storage.enums import Role
from tests import district
from tests.harness import story

LAMP = "市民反映，东山镇柳林村村口路灯坏了三盏，夜里看不见路，请尽快维修。"
ROAD = "市民反映，东山镇石桥村主街路面塌了个坑，电动车摔过人，请修补。"
RUBBISH = "市民反映，东山镇柳林村村口垃圾成堆，三天没人清运，请尽快处理。"


def test_a_room_numbers_from_one_each_day_and_skips_what_is_still_open() -> None:
    told = story(
        f"20:00 东山镇 @D: {LAMP}",
        "20:01 东山镇 @3: 领1",
        f"20:10 东山镇 @D: {ROAD}",
        "20:11 东山镇 @3: 领2",
        "20:30 东山镇 @3: 办结2 坑已填平",
        f"+1 08:00 东山镇 @D: {RUBBISH}",
        "+1 08:01 东山镇 @3: 领2",
    )
    assert [ticket["short"] for ticket in told.tickets] == [1, 2, 2]  # 1 is open since yesterday, 2 is free again
    assert told.duty(2)["seconds_to_accept"] == 60


def test_a_ticket_reopened_on_a_later_day_gets_a_new_number_and_a_fresh_window() -> None:
    told = story(
        f"20:00 东山镇 @D: {LAMP}",
        "20:01 东山镇 @3: 领1",
        "20:30 东山镇 @3: 办结1 灯修好了",
        f"+1 08:00 东山镇 @D: {ROAD}",
        "+1 08:01 东山镇 @3: 领1",
        {"at": "+1 09:00", "kind": "callback", "order_no": "20260303-0001", "contacted": True, "resolved": False},
        "+1 09:05 东山镇 @3: 领2",
    )
    again = told.duty(0, 1)
    assert (again["short"], again["due_at"][11:19], again["seconds_to_accept"]) == (2, "09:15:00", 300)
    assert told.tickets[0]["status"] == "已领办"
    assert "重办" in told.kinds() and "回访" in told.kinds()


def test_reported_ten_minutes_before_midnight_it_is_due_five_minutes_after() -> None:
    """faults: zammad#3180."""
    told = story(f"23:50 东山镇 @D: {LAMP}", "23:50:30 东山镇 @3: 领1")
    assert told.duty()["due_at"] == "2026-03-04T00:05:00+08:00"


def test_a_room_that_is_nobodys_is_ignored_with_one_warning() -> None:
    told = story(f"09:00 爬山群 @D a: {LAMP}", f"09:01 爬山群 @D b: {ROAD}")
    assert told.tickets == [] and told.out["ignored"] == ["a", "b"]
    assert len(told.out["warnings"]) == 1
    told.nothing_else()


def test_a_sender_who_may_be_two_people_is_nobody_and_is_told_how_to_mend_it() -> None:
    two = replace(
        district.roster(),
        members=(*district.roster().members, MemberRow("甄丙", "西河镇", Role.HANDLER, False, ())),
    )
    told = story(f"09:00 南湖街道 @D: {LAMP}", "09:01 南湖街道 甄丙: 领1", until="09:02", roster=two)
    told.says("09:00", "南湖街道", "prompt", "柳林村")
    told.says("09:01", "南湖街道", "refusal", "甄丙", "单位-姓名")
    told.nothing_else()
    assert told.duty()["accepted_at"] is None


def test_nobody_on_duty_so_every_handler_is_called() -> None:
    """faults: oncall#4548-like."""
    told = story(f"09:00 东山镇 @D: {LAMP}", until="09:01", roster=district.roster(on_duty=False))
    told.says("09:00", "东山镇", "prompt", "柳林村", to=["甄丙", "甄丁"])
    told.nothing_else()


def test_a_unit_without_a_room_is_told_to_supervision() -> None:
    units = tuple(replace(u, room=None) if u.name == "区水务局" else u for u in district.roster().units)
    told = story(
        "09:00 派单 @D: @区水务局 有居民反映自来水发黄有异味，请尽快查一查",
        until="09:01",
        roster=replace(district.roster(), units=units),
    )
    told.says("09:00", "督查", "alert", "区水务局没有绑定的群")
    told.nothing_else()
    assert told.tickets[0]["unit"] == "区水务局"
