"""What is taken back in the chat: a complaint, an acceptance, several at once, in a break, too late."""

from __future__ import annotations

from tests.harness import story

LAMP = "市民反映，东山镇柳林村村口路灯坏了三盏，夜里看不见路，请尽快维修。"
ROAD = "市民反映，东山镇石桥村主街路面塌了个坑，电动车摔过人，请修补。"
NOWHERE = "市民反映，双泉村村口路灯坏了，请维修。"  # two towns have such a village


def test_accepted_and_taken_back_while_offline_it_is_overdue_at_the_return() -> None:
    """Before: the overdue step was armed twice, every tick failed, and no deadline of any ticket fired any more."""
    told = story(
        f"09:00 东山镇 @D: {LAMP}",
        "09:03 offline",
        "09:06 东山镇 @4 a: 领1",
        "09:12 recall 东山镇 a",
        "09:30 online",
        until="09:45",
    )
    told.says("09:00", "东山镇", "prompt", "柳林村")
    told.says("09:30", "东山镇", "confirmation", "甄丁", "6分钟")
    told.says("09:30", "东山镇", "notice", "甄丁撤回了领办", "1号")
    told.says("09:30", "东山镇", "overdue", "系统指派甄丙", "迟了14分钟", to=["甄丙"])
    told.says("09:30", "督查", "overdue", "20260303-0001")
    told.says("09:45", "东山镇", "overdue", "仍未领办", to=["甄丙", "甄甲"])
    told.nothing_else()
    duty = told.duty()
    assert (duty["status"], duty["owner"], duty["assigned_by"], duty["accepted_at"]) == ("待领办", "甄丙", "系统", None)
    assert duty["on_time"] is False


def test_other_tickets_go_on_climbing_whatever_became_of_one() -> None:
    told = story(
        f"09:00 东山镇 @D: {LAMP}",
        "09:01 西河镇 @D: 市民反映，梁家庄村垃圾没人清运，请处理。",
        "09:03 offline",
        "09:06 东山镇 @4 a: 领1",
        "09:12 recall 东山镇 a",
        "09:30 online",
        until="09:31",
    )
    told.says("09:30", "西河镇", "overdue", "系统指派贾丙")
    assert told.duty(1)["owner"] == "贾丙"


def test_a_recalled_answer_that_took_several_gives_each_of_them_back() -> None:
    """Before: only the first waited again; the second stayed with somebody who had taken the word back."""
    told = story(
        f"09:00 东山镇 @D: {LAMP}",
        f"09:01 东山镇 @D: {ROAD}",
        "09:02 东山镇 @3 a: 领1、2",
        "09:03 recall 东山镇 a",
        until="09:06",
    )
    told.says("09:03", "东山镇", "notice", "1号恢复待领办", "09:15")
    told.says("09:03", "东山镇", "notice", "2号恢复待领办", "09:16")
    told.says("09:05", "东山镇", "reminder", "1号")
    told.says("09:06", "东山镇", "reminder", "2号")
    assert [ticket["status"] for ticket in told.tickets] == ["待领办", "待领办"]
    assert [told.duty(n)["accepted_at"] for n in (0, 1)] == [None, None]


def test_taken_back_after_the_due_time_the_system_names_an_owner_again_at_once() -> None:
    """Before: the ticket was left without any owner, since overdue had been announced already."""
    told = story(f"09:00 东山镇 @D: {LAMP}", "09:20 东山镇 @4 a: 领1", "09:21 recall 东山镇 a", until="09:45")
    told.says("09:21", "东山镇", "notice", "甄丁撤回了领办", "已超时", "由系统指派甄丙", to=["甄丙"])
    told.says("09:45", "东山镇", "overdue", "甄丙请尽快领办", to=["甄丙", "甄甲"])
    duty = told.duty()
    assert (duty["owner"], duty["assigned_by"], duty["on_time"]) == ("甄丙", "系统", False)
    assert duty["assigned_at"] == "2026-03-03T09:21:00+08:00"
    assert told.kinds().count("逾期") == 1


def test_a_recalled_acceptance_before_a_step_climbs_from_the_next_one() -> None:
    told = story(f"09:00 东山镇 @D: {LAMP}", "09:02 东山镇 @3 a: 领1", "09:07 recall 东山镇 a", until="09:15:02")
    told.says("09:00", "东山镇", "prompt")
    told.says("09:02", "东山镇", "confirmation")
    told.says("09:07", "东山镇", "notice", "时限仍为09:15")
    told.says("09:10", "东山镇", "escalation", to=["甄甲", "甄乙"])  # the reminder of 09:05 is not made up
    told.says("09:15:02", "东山镇", "overdue", "系统指派甄丙")
    told.says("09:15:02", "督查", "overdue")
    told.nothing_else()


def test_a_leaders_assignment_that_is_recalled_waits_again() -> None:
    told = story(f"09:00 东山镇 @D: {LAMP}", "09:02 东山镇 @1 a: 1 @甄丁 你去办", "09:03 recall 东山镇 a", until="09:04")
    assert (told.duty()["status"], told.duty()["owner"]) == ("待领办", None)
    told.says("09:03", "东山镇", "notice", "甄甲撤回了领办")


def test_a_complaint_that_nobody_could_place_is_taken_back_in_the_room_that_was_asked() -> None:
    """Before: the dispatcher went on looking for a unit for a ticket that was gone."""
    told = story(f"09:00 派单 @D m: {NOWHERE}", "09:01 recall 派单 m", until="09:20")
    told.says("09:00", "派单", "question", "1 转")
    told.says("09:01", "派单", "notice", "1号", "已撤回")
    told.nothing_else()
    assert told.tickets[0]["status"] == "已撤销"


def test_a_declined_complaint_that_is_recalled_is_over_in_the_dispatch_room() -> None:
    told = story(
        f"09:00 东山镇 @D m: {LAMP}", "09:01 东山镇 @3: 退1 路灯不归镇里管", "09:02 recall 东山镇 m", until="09:20"
    )
    told.says("09:01", "派单", "notice", "东山镇退单")
    told.says("09:02", "派单", "notice", "1号", "已撤回")
    assert told.tickets[0]["status"] == "已撤销"


def test_a_helper_that_waits_is_told_when_the_complaint_is_taken_back() -> None:
    order = "工单编号：热线-260303-090021\n诉求内容：市民反映，石桥村河边污水直排，要求查处。\n承办单位：东山镇"
    told = story(
        f"09:00 东山镇 @D m: {order}", f"09:01 区水务局 @D: {order}", "09:02 recall 东山镇 m", until="09:20"
    )
    told.says("09:02", "东山镇", "notice", "1号发布人已撤回")
    told.says("09:02", "区水务局", "notice", "1号发布人已撤回")
    assert [duty["status"] for duty in told.tickets[0]["assignments"]] == ["已撤销", "已撤销"]


def test_once_anybody_accepted_a_recall_is_an_event_only() -> None:
    told = story(f"09:00 东山镇 @D m: {LAMP}", "09:01 东山镇 @3: 领1", "09:02 recall 东山镇 m", until="09:20")
    told.says("09:00", "东山镇", "prompt")
    told.says("09:01", "东山镇", "confirmation")
    told.nothing_else()
    assert told.tickets[0]["status"] == "已领办" and told.kinds()[-1] == "撤回"


def test_the_same_words_after_a_recall_are_a_new_ticket_with_a_new_number() -> None:
    told = story(f"09:00 东山镇 @D m: {LAMP}", "09:01 recall 东山镇 m", f"09:02 东山镇 @D: {LAMP}", until="09:03")
    assert [(t["no"], t["short"], t["status"]) for t in told.tickets] == [
        ("20260303-0001", 1, "已撤销"), ("20260303-0002", 2, "待领办"),
    ]  # fmt: skip
    assert told.tickets[1]["repeat_of"] is None


def test_a_recall_of_what_was_nothing_or_never_seen_is_nothing() -> None:
    told = story("09:00 东山镇 @3 a: 大家早上好", "09:01 recall 东山镇 a", "09:02 recall 东山镇 zzz", until="09:03")
    told.nothing_else()
    assert told.tickets == []
