"""A ticket has a number in every room that knows it; each message uses the number of its own room."""

from __future__ import annotations

from tests.harness import story

LAMP = "市民反映，东山镇柳林村村口路灯坏了三盏，夜里看不见路，请尽快维修。"
NOWHERE = "市民反映，双泉村村口路灯坏了，请维修。"  # takes number 1 of the dispatch room
BEGIN = (f"09:00 派单 @D: {NOWHERE}", f"09:01 派单 @D: {LAMP}")  # the second is 2 there, and 1 in the town's room


def test_a_question_in_the_dispatch_room_is_answered_with_that_rooms_number() -> None:
    """Before: 查2 in the dispatch room was answered with "1号", the number of the town's room."""
    told = story(*BEGIN, "09:02 派单 @D: 查2", until="09:02")
    assert told.says("09:02", "派单", "reply", "20260303-0002").startswith("2号 ")


def test_what_waits_everywhere_is_listed_with_the_rooms_own_numbers_and_the_units() -> None:
    told = story(*BEGIN, "09:02 西河镇 @D: 市民反映，梁家庄村垃圾没人清运，请处理。", "09:03 派单 @D: 待办", until="09:03")
    lines = told.says("09:03", "派单", "reply").split("\n")
    assert lines[0].startswith("2号 道路市政｜东山镇｜")
    assert lines[1].startswith("工单20260303-0003 ") and "｜西河镇｜" in lines[1]  # the dispatch room never saw it


def test_a_refusal_in_the_dispatch_room_names_its_number() -> None:
    told = story(*BEGIN, "09:02 派单 @D: 重办2 没弄好", "09:03 派单 @D: 2 维持", until="09:03")
    told.says("09:02", "派单", "refusal", "2号还没办结")
    told.says("09:03", "派单", "refusal", "2号")


def test_a_helper_that_answers_in_its_own_room_reads_its_own_number() -> None:
    told = story(
        "08:50 区水务局 @D: 市民反映，石桥村自来水发黄有异味，请查一查。",
        "08:51 区水务局 @3: 领1",
        f"09:00 东山镇 @D: {LAMP}",
        "09:01 东山镇 @3: 领1",
        "09:02 东山镇 @3: 吹哨1 水务局 一起到场",
        "09:03 区水务局 @3: 领2",
        "09:04 区水务局 @4: 领2",
        "09:05 区水务局 @3: 办结2 已到场配合",
        until="09:06",
    )
    told.says("09:02", "区水务局", "prompt", "2号", "东山镇吹哨", "领2")
    told.says("09:03", "区水务局", "confirmation", "2号由尤丙")
    told.says("09:04", "区水务局", "refusal", "2号", "尤丙")
    told.says("09:05", "区水务局", "confirmation", "2号已办结")
    assert told.tickets[1]["status"] == "已领办"  # the lead goes on


def test_a_reply_that_quotes_the_dispatch_rooms_message_uses_that_rooms_number() -> None:
    told = story(
        f"09:00 东山镇 @D: {LAMP}",
        "09:01 东山镇 @3: 退1 路灯不归镇里管",
        "09:02 派单 @D: 1 转 区城市管理委",
        until="09:02",
    )
    told.says("09:01", "派单", "notice", "1 转", "1 维持")
    told.says("09:02", "派单", "notice", "1号已转区城市管理委")
    told.says("09:02", "区城市管理委", "prompt", "1号")


def test_a_number_that_the_room_does_not_have_is_told_and_changes_nothing() -> None:
    told = story(f"09:00 东山镇 @D: {LAMP}", "09:01 东山镇 @3: 领7", until="09:01")
    told.says("09:01", "东山镇", "refusal", "没有7号", to=["甄丙"])
    assert told.duty()["accepted_at"] is None
