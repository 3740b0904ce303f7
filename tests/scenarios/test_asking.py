"""Questions to the bot and to whom it answers; whom it does not understand; what it keeps quiet about."""

from __future__ import annotations

import pytest

from tests.harness import story

LAMP = "市民反映，东山镇柳林村村口路灯坏了三盏，夜里看不见路，请尽快维修。"
ROAD = "市民反映，东山镇石桥村主街路面塌了个坑，电动车摔过人，请修补。"
THREAT = "市民来电称，东山镇石桥村一户因宅基地无人管，扬言明天到镇政府门口喝农药，请立即介入。"


def private(at: str, sender: str, text: str, contact: str = "wx-1") -> dict[str, str]:
    return {"at": at, "id": f"p{at}", "room": "", "sender": sender, "sender_id": contact, "text": text}


def test_a_member_is_helped_in_a_private_chat_and_a_stranger_is_not() -> None:
    told = story(
        f"09:00 东山镇 @D: {LAMP}",
        private("09:01", "东山镇-甄丙", "帮助"),
        private("09:02", "东山镇-甄丙", "待办"),
        private("09:03", "路人", "帮助", "wx-2"),
        until="09:04",
    )
    said = [(sent["at"][11:16], sent["to"], sent["text"]) for sent in told.unexpected if sent.get("to")]
    assert [each[:2] for each in said] == [("09:01", "甄丙"), ("09:02", "甄丙")]
    assert "领12" in said[0][2] and said[1][2].startswith("1号 道路市政")


def test_an_acceptance_in_a_private_chat_is_nothing_and_a_complaint_there_no_ticket() -> None:
    told = story(
        f"09:00 东山镇 @D: {LAMP}",
        private("09:01", "东山镇-甄丙", "领1"),
        private("09:02", "东山镇-甄丙", ROAD),
        until="09:03",
    )
    assert len(told.tickets) == 1 and told.duty()["accepted_at"] is None


@pytest.mark.parametrize("speaker, word", [("@3", "领12"), ("@1", "@姓名 去办"), ("@D", "12 转 水务局")])
def test_help_is_short_and_by_role(speaker: str, word: str) -> None:
    told = story(f"09:00 东山镇 {speaker}: 帮助", until="09:01")
    text = told.says("09:00", "东山镇", "reply", word)
    assert len(text) <= 600
    told.nothing_else()


def test_a_list_of_what_waits_never_shows_what_is_sensitive() -> None:
    told = story(f"09:00 东山镇 @D: {THREAT}", "09:01 东山镇 @3: 待办", "09:02 东山镇 @3: 查1", until="09:02")
    said = "".join(sent["text"] for sent in told.unexpected)
    assert all(word not in said for word in ("农药", "扬言", "宅基地"))


def test_a_sensitive_ticket_keeps_its_words_through_its_whole_life() -> None:
    told = story(
        f"09:00 东山镇 @D: {THREAT}",
        "09:20 东山镇 @3: 退1 属派出所职责",
        "09:21 派单 @D: 1 维持",
        "09:22 东山镇 @3: 领1",
        "09:23 东山镇 @3: 吹哨1 区城市管理委 一起到场",
        "09:30 东山镇 @3: 办结1 已劝回",
        "09:31 派单 @D: 重办1 回访要求再去",
        until="12:06",
    )
    said = "".join(sent["text"] for sent in told.out["sent"])
    assert all(word not in said for word in ("农药", "扬言", "宅基地"))


def test_long_lists_are_counted_and_stay_within_one_message() -> None:
    lines = [
        f"09:00:{n:02} 东山镇 @D: 市民反映，东山镇柳林村第{n}根电线杆旁的路灯坏了，请尽快维修。" for n in range(40)
    ]
    told = story(*lines, "09:01 东山镇 @3: 待办", until="09:01")
    text = told.says("09:01", "东山镇", "reply", "1号 ", "另有28件")
    assert len(text) <= 600


def test_my_own_tickets_are_those_that_i_have() -> None:
    told = story(
        f"09:00 东山镇 @D: {LAMP}", f"09:01 东山镇 @D: {ROAD}", "09:02 东山镇 @4: 领2", "09:03 东山镇 @4: 我的",
        "09:04 东山镇 @3: 我的", until="09:04",
    )  # fmt: skip
    assert told.says("09:03", "东山镇", "reply").startswith("2号 ")
    told.says("09:04", "东山镇", "reply", "没有待办")


def test_a_full_number_is_answered_to_its_units_and_the_centres_only() -> None:
    told = story(
        f"09:00 东山镇 @D: {LAMP}",
        "09:01 东山镇 @3: 查 20260303-0001",
        "09:02 西河镇 @3: 查 20260303-0001",
        "09:03 督查 @S: 查 20260303-0001",
        until="09:03",
    )
    told.says("09:01", "东山镇", "reply", "待领办")
    told.says("09:02", "西河镇", "reply", "没有查到")
    told.says("09:03", "督查", "reply", "东山镇")


def test_two_equal_answers_within_a_minute_are_one() -> None:
    told = story(
        "09:00 东山镇 @3: 待办", "09:00:30 东山镇 @4: 待办", "09:01:31 东山镇 @4: 待办", until="09:02"
    )
    told.says("09:00", "东山镇", "reply", "没有待办")
    told.says("09:01:31", "东山镇", "reply", "没有待办")
    told.nothing_else()


NO_ANSWERS = ["收到了吗？", "谁去？", "没收到", "还没安排", "12点开会", "辛苦了", "他说收到了", "要是没人去我去"]


@pytest.mark.parametrize("text", NO_ANSWERS)
def test_what_is_no_answer_accepts_nothing_and_is_not_answered(text: str) -> None:
    told = story(f"09:00 东山镇 @D: {LAMP}", f"09:01 东山镇 @3: {text}", until="09:02")
    told.says("09:00", "东山镇", "prompt")
    told.nothing_else()
    assert told.duty()["accepted_at"] is None


def test_several_wait_so_the_bot_asks_which_and_takes_the_bare_number() -> None:
    told = story(
        f"09:00 东山镇 @D: {LAMP}", f"09:01 东山镇 @D: {ROAD}", "09:02 东山镇 @3: 收到", "09:02:20 东山镇 @3: 2",
        until="09:03",
    )  # fmt: skip
    told.says("09:02", "东山镇", "question", "1、2号", to=["甄丙"])
    told.says("09:02:20", "东山镇", "confirmation", "2号由甄丙领办")
    assert told.duty(0)["accepted_at"] is None


def test_people_who_may_not_are_told_who_may_and_nothing_changes() -> None:
    told = story(
        f"09:00 东山镇 @D: {LAMP}",
        "09:01 东山镇 @D: 领1",
        "09:02 东山镇 @3: 1 @甄丁 你去办",
        "09:03 东山镇 西河镇-贾丙: 退1 不归我们",
        "09:04 东山镇 @3: 重办1 再看看",
        until="09:04",
    )
    told.says("09:00", "东山镇", "prompt")
    told.says("09:01", "东山镇", "refusal", "东山镇", to=["安丙"])
    told.says("09:02", "东山镇", "refusal", "本单位领导", to=["甄丙"])
    told.says("09:03", "东山镇", "refusal", "东山镇", to=["贾丙"])
    told.says("09:04", "东山镇", "refusal", "派单员", to=["甄丙"])
    told.nothing_else()
    assert told.kinds() == ["上报", "派单"]


def test_nothing_that_the_bot_itself_said_is_heard() -> None:
    told = story(f"09:00 东山镇 @D: {LAMP}", f"09:01 东山镇 派单助手: {ROAD}", "09:02 东山镇 派单助手: 领1", until="09:03")
    assert len(told.tickets) == 1 and told.duty()["accepted_at"] is None
