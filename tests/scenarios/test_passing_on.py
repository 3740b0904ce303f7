"""Declined three times, agreed to, urged, extended, whistled for, told twice, assigned late."""

from __future__ import annotations

from tests.harness import story

LAMP = "市民反映，东山镇柳林村村口路灯坏了三盏，夜里看不见路，请尽快维修。"
DITCH = "市民反映，东山镇石桥村河边污水直排，味道难闻，请尽快查处。"


def test_the_third_decline_is_told_to_supervision() -> None:
    told = story(
        f"09:00 东山镇 @D: {LAMP}",
        "09:01 东山镇 @3: 退1 路灯不归镇里管",
        "09:02 派单 @D: 1 转 区城市管理委",
        "09:03 区城市管理委 @3: 退1 这条是公路",
        "09:04 派单 @D: 1 转 区交通局",
        "09:05 区交通局 @3: 退1 村内道路不归交通局",
        until="09:06",
    )
    told.says("09:05", "督查", "alert", "20260303-0001", "3次", "东山镇、区城市管理委、区交通局", to=["鲁丙"])
    assert told.tickets[0]["status"] == "待定单位" and told.tickets[0]["unit"] is None
    assert [a["status"] for a in told.tickets[0]["assignments"]] == ["已退单"] * 3


def test_a_wish_in_the_decline_is_carried_out_by_one_word() -> None:
    told = story(
        f"09:00 东山镇 @D: {DITCH}",
        "09:01 东山镇 @3: 1 转 水务局 河道归他们管",
        "09:03 派单 @D: 1 同意",
        "09:04 区水务局 @3: 领1",
    )
    assert [a["unit"] for a in told.tickets[0]["assignments"]] == ["东山镇", "区水务局"]
    assert told.duty(0, 1)["seconds_to_accept"] == 60 and told.duty(0, 1)["due_at"][11:19] == "09:18:00"


def test_a_transfer_just_before_the_due_time_gives_the_new_unit_a_fresh_window() -> None:
    """faults: glpi#1911."""
    order = f"工单编号：热线-260303-090020\n诉求内容：{DITCH}\n承办单位：东山镇\n办理时限：2天"
    told = story(
        f"09:00 东山镇 @D: {order}", "09:14:50 东山镇 @D: 1 转 区水务局", "09:20 区水务局 @3: 领1", until="+1 09:00:30"
    )
    assert told.duty(0, 1)["due_at"][11:19] == "09:29:50"
    assert told.duty(0, 0)["status"] == "已转派"
    assert told.kinds().count("逾期") == 0
    told.says("+1 09:00", "区水务局", "notice", "03月05日09:00")  # the order's own limit goes on from 09:00


def test_an_urge_calls_the_owner_at_once_and_is_counted() -> None:
    told = story(
        f"09:00 东山镇 @D: {LAMP}",
        "09:01 东山镇 @4: 领1",
        "09:30 东山镇 @D: 催1",
        "09:40 东山镇 @D: 催1",
        until="09:41",
    )
    told.says("09:00", "东山镇", "prompt")
    told.says("09:01", "东山镇", "confirmation", "甄丁")
    told.says("09:30", "东山镇", "notice", "1号", "第1次", to=["甄丁"])
    told.says("09:40", "东山镇", "notice", "1号", "第2次", to=["甄丁"])
    told.nothing_else()


def test_an_extension_is_an_event_with_its_date_and_reason() -> None:
    told = story(f"09:00 东山镇 @D: {LAMP}", "09:01 东山镇 @3: 领1", "09:30 东山镇 @3: 延期1 到3月9日 灯具在采购")
    event = told.tickets[0]["events"][-1]
    assert event["kind"] == "延期"
    assert event["detail"].startswith("到2026-03-09 ") and event["detail"].endswith("灯具在采购")
    told.says("09:30", "东山镇", "confirmation", "3月9日")


def test_the_same_order_in_another_units_room_is_a_helpers_duty() -> None:
    """faults: oncall#4421."""
    order = "工单编号：热线-260303-090001\n诉求内容：市民反映，石桥村河边污水直排，要求查处。\n承办单位：东山镇"
    told = story(f"09:00 东山镇 @D: {order}", f"09:05 区水务局 @D: {order}", "09:06 区水务局 @3: 领1")
    assert [(a["unit"], a["role"]) for a in told.tickets[0]["assignments"]] == [("东山镇", "主办"), ("区水务局", "协办")]
    assert told.duty(0, 1)["seconds_to_accept"] == 60 and told.duty(0, 0)["accepted_at"] is None


def test_a_leader_who_assigns_after_the_overdue_notice_accepts_late() -> None:
    told = story(f"09:00 东山镇 @D: {LAMP}", "09:20 东山镇 @1: 1 @甄丁 你去办")
    duty = told.duty()
    assert (duty["owner"], duty["assigned_by"], duty["accepted_by"]) == ("甄丁", "指派", "甄甲")
    assert (duty["seconds_to_accept"], duty["on_time"]) == (1200, False)


def test_several_numbers_in_one_answer_take_each_of_them() -> None:
    told = story(f"09:00 东山镇 @D: {LAMP}", f"09:01 东山镇 @D: {DITCH}", "09:02 东山镇 @3: 领1、2")
    assert [t["assignments"][0]["seconds_to_accept"] for t in told.tickets] == [120, 60]


def test_a_question_is_asked_once_and_the_bare_answer_to_it_is_understood() -> None:
    told = story(f"09:00 东山镇 @D: {LAMP}", "09:01 东山镇 @3: 退1", "09:01:30 东山镇 @3: 这条路是公路局的")
    told.says("09:01", "东山镇", "question", "请写原因", to=["甄丙"])
    assert told.duty()["status"] == "已退单"
    assert "公路局" in told.tickets[0]["events"][-1]["detail"]


def test_a_helper_that_becomes_the_lead_leaves_a_trail_of_its_first_duty() -> None:
    """Before: the helper's duty turned 已转派 with no event, so the trail could not explain the ledger."""
    told = story(
        f"09:00 东山镇 @D: {DITCH}",
        "09:01 东山镇 @3: 领1",
        "09:02 东山镇 @3: 吹哨1 水务局 一起到场",
        "09:05 东山镇 @D: 1 转 区水务局",
        "09:06 区水务局 @3: 领1",
    )
    assert [(a["unit"], a["role"], a["status"]) for a in told.tickets[0]["assignments"]] == [
        ("东山镇", "主办", "已转派"),
        ("区水务局", "协办", "已转派"),
        ("区水务局", "主办", "已领办"),
    ]
    assert told.kinds().count("转派") == 2


def test_another_window_of_the_settings_is_named_in_every_sentence() -> None:
    """Before: the sentences said 15分钟 whatever ACCEPT_WINDOW_MINUTES was."""
    told = story(
        f"09:00 东山镇 @D: {DITCH}",
        "09:21 东山镇 @D: 1 转 区水务局",
        "09:22 区水务局 @3: 领1",
        "09:23 区水务局 @3: 吹哨1 交通局 一起到场",
        until="09:24",
        accept_window_minutes=20,
    )
    told.says("09:20:02", "东山镇", "overdue", "超过20分钟未领办")
    told.says("09:21", "东山镇", "notice", "新时限20分钟")
    told.says("09:23", "区水务局", "notice", "各自20分钟内报到")
    assert "15分钟" not in "".join(sent["text"] for sent in told.out["sent"])
