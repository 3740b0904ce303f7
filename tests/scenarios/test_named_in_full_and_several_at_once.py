"""A ticket named by its full number or by quoting a notice, several orders in one message, and who is told what."""

from __future__ import annotations

import pytest

from tests.harness import story

LAMP = "09:00 东山镇 @D m1: 市民反映，柳林村路灯坏了三盏，请维修。"
RUBBISH = "09:00:30 东山镇 @D m2: 市民反映，石桥村垃圾没人清运，请处理。"
WATER = "09:00:50 东山镇 @D m3: 市民反映，双泉村停水两天了，请尽快恢复供水。"


def test_a_supervisor_transfers_by_the_full_number_of_a_notice() -> None:
    told = story(LAMP, "09:02 督查 @S: 20260303-0001 转 水务局", "09:03 区水务局 @3: 领1")
    told.says("09:00", "东山镇", "prompt", "1号", to=["甄丙"])
    told.says("09:02", "督查", "notice", "工单20260303-0001已转区水务局")
    told.says("09:02", "区水务局", "prompt", "1号", to=["尤丙"])
    told.says("09:02", "东山镇", "notice", "1号已转区水务局")
    told.says("09:03", "区水务局", "confirmation", "1号由尤丙领办")
    told.nothing_else()


def test_a_supervisor_urges_and_assigns_by_the_full_number_and_learns_that_it_is_done() -> None:
    told = story(
        LAMP,
        "09:01 督查 @S: 催 20260303-0001",
        "09:02 派单 @D: 20260303-0001 甄丁办",
        "09:40 东山镇 @4: 办结1 已更换灯泡",
        "09:50 督查 @S: 重办20260303-0001 市民说又灭了",
        "09:51 东山镇 @4: 领1",
    )
    told.says("09:00", "东山镇", "prompt", "1号", to=["甄丙"])
    told.says("09:01", "东山镇", "notice", "1号督查员催办（第1次）", to=["甄丙"])
    told.says("09:01", "督查", "confirmation", "工单20260303-0001已催东山镇（第1次）")
    told.says("09:02", "东山镇", "confirmation", "1号由安丙指派甄丁承办", to=["甄丁"])
    told.says("09:02", "派单", "confirmation", "工单20260303-0001已指派东山镇甄丁承办")
    told.says("09:40", "东山镇", "confirmation", "1号已办结")
    told.says("09:50", "东山镇", "notice", "1号重办：市民说又灭了")
    told.says("09:50", "督查", "confirmation", "工单20260303-0001已重办，东山镇新时限15分钟")
    told.says("09:50", "东山镇", "prompt", "1号", to=["甄丙"])
    told.says("09:51", "东山镇", "confirmation", "1号由甄丁领办")
    told.nothing_else()


@pytest.mark.parametrize(
    "room, speaker, text, number",
    [
        ("东山镇", "@3", "领20260303-0009", "20260303-0009"),  # no such ticket
        ("西河镇", "@3", "领20260303-0001", "20260303-0001"),  # another unit's: its room learns nothing of it
    ],
)
def test_a_full_number_that_the_room_may_not_name_is_refused(room: str, speaker: str, text: str, number: str) -> None:
    told = story(LAMP, f"09:01 {room} {speaker}: {text}", "09:02 东山镇 @3: 领1")
    told.says("09:00", "东山镇", "prompt")
    told.says("09:01", room, "refusal", f"没有查到{number}")
    told.says("09:02", "东山镇", "confirmation", "1号由甄丙领办")
    told.nothing_else()


def test_a_handler_takes_by_the_full_number_in_his_own_room() -> None:
    told = story(LAMP, RUBBISH, "09:01 东山镇 @3: 20260303-0002 我去", "09:02 东山镇 @3: 领20260303-0001")
    told.says("09:00", "东山镇", "prompt")
    told.says("09:00:30", "东山镇", "prompt")
    told.says("09:01", "东山镇", "confirmation", "2号由甄丙领办")
    told.says("09:02", "东山镇", "confirmation", "1号由甄丙领办")
    told.nothing_else()


def test_quoting_a_notice_in_the_supervision_room_orders_but_never_claims() -> None:
    told = story(
        LAMP,
        {"at": "09:16", "room": "督查群", "sender": "督查室-鲁丙", "id": "q1", "text": "收到",
         "quote": {"text": "【超时】东山镇 工单20260303-0001（道路市政）15分钟未领办，已系统指派甄丙"}},
        {"at": "09:17", "room": "督查群", "sender": "督查室-鲁丙", "id": "q2", "text": "转水务局",
         "quote": {"text": "【超时】东山镇 工单20260303-0001（道路市政）15分钟未领办，已系统指派甄丙"}},
        "09:18 区水务局 @3: 领1",
    )  # fmt: skip
    told.says("09:00", "东山镇", "prompt")
    told.says("09:05", "东山镇", "reminder")
    told.says("09:10", "东山镇", "escalation")
    told.says("09:15:02", "东山镇", "overdue")
    told.says("09:15:02", "督查", "overdue", "20260303-0001")
    told.says("09:17", "督查", "notice", "工单20260303-0001已转区水务局")
    told.says("09:17", "东山镇", "notice", "1号已转区水务局")
    told.says("09:17", "区水务局", "prompt")
    told.says("09:18", "区水务局", "confirmation", "1号由尤丙领办")
    told.nothing_else()


def test_one_message_takes_one_and_hands_another_back() -> None:
    told = story(LAMP, RUBBISH, "09:01 东山镇 @3: 领1，2退单 不在我镇范围", "09:02 派单 @D: 1维持", "09:03 东山镇 @3: 领2")
    told.says("09:00", "东山镇", "prompt", "1号")
    told.says("09:00:30", "东山镇", "prompt", "2号")
    told.says("09:01", "东山镇", "confirmation", "1号由甄丙领办")
    told.says("09:01", "东山镇", "notice", "2号已退回派单中心")
    told.says("09:01", "派单", "notice", "不在我镇范围", to=["安丙"])
    told.says("09:02", "派单", "notice", "1号维持东山镇承办")
    told.says("09:02", "东山镇", "prompt", "2号")
    told.says("09:03", "东山镇", "confirmation", "2号由甄丙领办")
    told.nothing_else()


def test_a_leader_gives_three_tickets_to_two_people_in_one_message() -> None:
    told = story(LAMP, RUBBISH, WATER, "09:02 东山镇 @1: 1 甄丁办，2 甄丙办，3号转水务局")
    for clock, number in (("09:00", "1号"), ("09:00:30", "2号"), ("09:00:50", "3号")):
        told.says(clock, "东山镇", "prompt", number)
    told.drop("alert")
    told.says("09:02", "东山镇", "confirmation", "1号由甄甲指派甄丁承办", to=["甄丁"])
    told.says("09:02", "东山镇", "confirmation", "2号由甄甲指派甄丙承办", to=["甄丙"])
    told.says("09:02", "东山镇", "notice", "3号已退回派单中心")
    told.says("09:02", "派单", "notice", "建议转区水务局")
    told.nothing_else()


@pytest.mark.parametrize(
    "text, refused",
    [("领1，3退单 重复", "本群没有3号"), ("领1 退3 重复", "本群没有3号")],
)
def test_what_is_refused_of_one_does_not_keep_the_other_from_being_done(text: str, refused: str) -> None:
    told = story(LAMP, RUBBISH, f"09:01 东山镇 @3: {text}", "09:02 东山镇 @4: 领2")
    told.says("09:00", "东山镇", "prompt")
    told.says("09:00:30", "东山镇", "prompt")
    told.says("09:01", "东山镇", "confirmation", "1号由甄丙领办")
    told.says("09:01", "东山镇", "refusal", refused)
    told.says("09:02", "东山镇", "confirmation", "2号由甄丁领办")
    told.nothing_else()




def test_a_handler_who_names_the_place_and_says_what_he_does_answers_and_reports_nothing_new() -> None:
    told = story(LAMP, RUBBISH, "09:01 东山镇 @3: 石桥村垃圾马上安排清运车", "09:02 东山镇 @4: 领1")
    told.says("09:00", "东山镇", "prompt")
    told.says("09:00:30", "东山镇", "prompt")
    told.says("09:01", "东山镇", "confirmation", "2号由甄丙领办")
    told.says("09:02", "东山镇", "confirmation", "1号由甄丁领办")
    told.nothing_else()
    assert len(told.tickets) == 2
