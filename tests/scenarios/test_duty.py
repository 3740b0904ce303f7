"""Who is on duty is who is called and who is named: set in the group, over midnight, on other days, by whom."""

from __future__ import annotations

from tests.harness import story

LAMP = "市民反映，东山镇柳林村村口路灯坏了三盏，夜里看不见路，请尽快维修。"


def test_who_is_set_for_tonight_is_called_tonight_and_named_by_the_system() -> None:
    told = story("17:00 东山镇 @1: 今晚甄丁值班", f"23:50 东山镇 @D: {LAMP}", until="+1 00:05:02")
    told.says("17:00", "东山镇", "confirmation", "甄丁值班", to=["甄丁"])
    told.says("23:50", "东山镇", "prompt", "请在00:05前", to=["甄丁"])
    told.says("23:55", "东山镇", "reminder", to=["甄丁"])
    told.says("+1 00:05:02", "东山镇", "overdue", "系统指派甄丁", to=["甄丁"])
    assert told.duty()["owner"] == "甄丁"


def test_the_next_day_the_rosters_mark_holds_again() -> None:
    told = story("17:00 东山镇 @1: 今晚甄丁值班", f"+1 14:00 东山镇 @D: {LAMP}", until="+1 14:00")
    told.says("+1 14:00", "东山镇", "prompt", to=["甄丙"])


def test_one_stands_in_for_another_tomorrow() -> None:
    told = story("17:00 东山镇 @2: 明天甄丁替甄丙值班", f"+1 10:00 东山镇 @D: {LAMP}", until="+1 10:00")
    told.says("17:00", "东山镇", "confirmation", "甄丁")
    told.says("+1 10:00", "东山镇", "prompt", to=["甄丁"])


def test_only_a_leader_of_the_unit_sets_the_duty() -> None:
    told = story("17:00 东山镇 @3: 今晚甄丁值班", f"20:00 东山镇 @D: {LAMP}", until="20:00")
    told.says("17:00", "东山镇", "refusal", "本单位领导", to=["甄丙"])
    told.says("20:00", "东山镇", "prompt", to=["甄丙"])


def test_a_unit_with_handlers_off_duty_has_the_one_with_the_fewest_open_tickets_named() -> None:
    from tests import district

    lines = [
        f"09:0{n} 东山镇 @D: 市民反映，东山镇柳林村第{n}根电线杆旁的路灯坏了，请尽快维修。" for n in range(4)
    ]
    told = story(*lines, until="09:20", roster=district.roster(on_duty=False))
    assert [told.duty(n)["owner"] for n in range(4)] == ["甄丙", "甄丁", "甄丙", "甄丁"]
