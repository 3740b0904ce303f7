"""What becomes a ticket, what belongs to one, what is said of it, and what ends it."""

from __future__ import annotations

from tests.harness import story

LAMP = "市民反映，东山镇柳林村村口路灯坏了三盏，夜里看不见路，请尽快维修。"
THREAT = "市民来电称，东山镇石桥村一户因宅基地无人管，扬言明天到镇政府门口喝农药，请立即介入。"


def test_an_album_of_nine_photos_in_a_second_is_one_ticket_with_nine_pictures() -> None:
    """faults: chatwoot PR#13359."""
    photos = [
        {"at": f"09:00:{20 + n // 5:02}", "id": f"p{n}", "room": "东山镇工作群", "sender": "东山镇-甄丁", "type": "image"}
        for n in range(9)
    ]
    told = story("09:00 东山镇 @4 m: 柳林村村口垃圾桶满得盖不上，臭得很，快派人清一下", *photos)
    assert len(told.tickets) == 1
    assert told.tickets[0]["message_ids"] == ["m", *(f"p{n}" for n in range(9))]


def test_two_houses_without_water_in_a_minute_are_two_tickets() -> None:
    """faults: keep#958."""
    told = story(
        "09:00 南湖街道 @D: 市民反映，望湖社区3号楼停水，请抢修。",
        "09:00:40 南湖街道 @D: 市民反映，望湖社区8号楼停水，请抢修。",
    )
    assert len(told.tickets) == 2
    assert told.tickets[1]["repeat_of"] is None


def test_a_sensitive_ticket_is_told_without_its_text_and_calls_the_leaders() -> None:
    told = story(f"09:00 东山镇 @D: {THREAT}", until="09:01")
    prompt = told.says("09:00", "东山镇", "prompt", "敏感", "石桥村", to=["甄丙", "甄甲", "甄乙"])
    alert = told.says("09:00", "督查", "alert", "敏感", "东山镇")
    assert all(word not in prompt + alert for word in ("农药", "扬言", "宅基地"))
    told.nothing_else()


def test_one_person_in_two_roles_is_called_once() -> None:
    """faults: goalert PR#1764."""
    from dataclasses import replace

    from tests import district

    members = tuple(replace(m, on_duty=True) if m.name == "甄甲" else m for m in district.roster().members)
    told = story(f"09:00 东山镇 @D: {THREAT}", until="09:01", roster=replace(district.roster(), members=members))
    told.says("09:00", "东山镇", "prompt", to=["甄甲", "甄丙", "甄乙"])


def test_a_routed_complaint_that_is_recalled_ends_in_the_units_room() -> None:
    told = story(f"09:00 派单 @D m: {LAMP}", "09:03 recall 派单 m", until="09:30")
    told.says("09:00", "东山镇", "prompt", "柳林村")
    told.says("09:03", "东山镇", "notice", "1号", "撤回")
    told.nothing_else()
    assert told.tickets[0]["status"] == "已撤销"


def test_thanks_after_the_end_are_nothing_and_a_late_word_of_receipt_reopens_nothing() -> None:
    """faults: chatwoot#10178, oncall#3161."""
    told = story(
        f"09:00 东山镇 @D: {LAMP}",
        "09:01 东山镇 @3: 办结1 已换灯泡，全亮了",
        "09:02 东山镇 @4: 收到",
        "09:03 东山镇 @D: 谢谢，辛苦了",
        until="09:30",
    )
    told.says("09:00", "东山镇", "prompt")
    told.says("09:01", "东山镇", "confirmation", "已办结")
    told.nothing_else()
    assert told.tickets[0]["status"] == "已办结" and told.duty()["seconds_to_accept"] == 60


def test_a_village_in_two_towns_is_asked_about_in_the_dispatch_room_and_settled_in_a_towns_own() -> None:
    told = story(
        "09:00 派单 @D: 市民反映，双泉村村口路灯坏了，请维修。",
        "09:10 西河镇 @D: 市民反映，双泉村垃圾没人清运，请处理。",
        until="09:11",
    )
    told.says("09:00", "派单", "question", "东山镇、西河镇", "1 转", to=["安丙"])
    assert told.tickets[0]["status"] == "待定单位"
    assert told.tickets[1]["township"] == "西河镇"


def test_a_complaint_in_the_supervision_room_is_routed_too() -> None:
    told = story(f"09:00 督查 @S: {LAMP}", until="09:01")
    told.says("09:00", "东山镇", "prompt", "柳林村")
    told.nothing_else()


def test_no_phone_name_or_house_number_leaves_the_database() -> None:
    told = story(
        "09:00 南湖街道 @D: 工单编号：热线-260303-090009\n诉求人：钟离样\n联系电话：138 0000 2299\n"
        "诉求内容：市民反映，望湖社区3号楼502室楼上漏水，要求维修。身份证号110116199001010011\n承办单位：南湖街道",
        until="09:30",
    )
    said = "".join(sent["text"] for sent in told.out["sent"])
    assert all(secret not in said for secret in ("2299", "13800002299", "钟离样", "110116199001010011", "502"))
    assert "望湖社区" in said and told.tickets[0]["phone"] is True


def test_an_orders_own_limit_is_shown_and_its_owner_reminded_a_day_before() -> None:
    told = story(
        "09:00 东山镇 @D: 工单编号：热线-260303-090010\n诉求内容：市民反映，柳林村路灯不亮，请维修。\n"
        "承办单位：东山镇\n办理时限：2天",
        "09:01 东山镇 @4: 领1",
        until="+1 09:00:30",
    )
    told.says("09:00", "东山镇", "prompt", "办理时限：2天")
    told.says("09:01", "东山镇", "confirmation")
    told.says("+1 09:00", "东山镇", "notice", "1号", "03月05日09:00", to=["甄丁"])
    told.drop("digest")
    told.nothing_else()


def test_an_order_past_its_own_limit_is_listed_in_the_digest() -> None:
    told = story(
        "09:00 东山镇 @D: 工单编号：热线-260303-090011\n诉求内容：市民反映，柳林村路灯不亮，请维修。\n"
        "承办单位：东山镇\n办理时限：2小时",
        "09:01 东山镇 @4: 领1",
        until="12:06",
    )
    assert "【超办理时限】1件未办结（已超）：" in told.out["digests"][0]["text"]
    assert "东山镇 20260303-0001 1小时" in told.out["digests"][0]["text"]


def test_a_complaint_that_says_it_adds_to_one_just_told_makes_no_second_ticket() -> None:
    """补充一下，臭味很大 complains by itself; twenty seconds after the rubbish was told it is part of that."""
    told = story(
        "09:00 东山镇 @D: 市民反映，柳林村第2户门前垃圾堆了三天没人清运，请处理。",
        "09:00:20 东山镇 @D: 补充一下，臭味很大，老人受不了，请尽快清理",
        "09:01 东山镇 @D: 补充反映，石桥村路面塌陷，电动车掉进去过，请修补。",
    )
    assert len(told.tickets) == 2
    assert told.tickets[1]["village"] == "石桥村"
