"""What goes wrong between a phone and the bot (guide: wechaty, rows 16, 27 and 53): nothing is done twice or lost unsaid."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.clock import VirtualClock
from storage.enums import MessageType
from storage.tables import InboxMessage, Ticket
from tests import district
from tests.process import LAMP, NINE, Groups, Process, prepare

HANDLER = district.nick("东山镇", 3)


@pytest.fixture
def process(engine: Engine, tmp_path: Path) -> Process:
    prepare(engine)
    return Process(engine, Groups(), VirtualClock(NINE), tmp_path)


def test_a_morning_that_comes_again_with_new_ids_after_a_login_is_not_answered_again(process: Process) -> None:
    """Before: an hour later the acceptance was answered once more (1号已经是您在办), and so was every question."""
    heard = [(0, district.DISPATCHER, LAMP), (3, HANDLER, "领1"), (5, HANDLER, "待办"), (9, HANDLER, "办结1 灯换好了")]
    for minute, sender, text in heard:
        process.clock.move_to(NINE + timedelta(minutes=minute))
        process.hear("东山镇", sender, text)
        process.step()
    said = list(process.groups.arrived)
    process.wait(hours=1)
    for minute, sender, text in heard:
        process.hear("东山镇", sender, text, sent_at=NINE + timedelta(minutes=minute))
    process.step()
    assert process.groups.arrived == said
    assert len(process.rows(Ticket)) == 1
    assert [row.became for row in process.rows(InboxMessage)][4:] == ["copy:1", "copy:2", "copy:3", "copy:4"]


def test_what_was_told_while_the_bot_was_away_is_late_but_no_copy(process: Process) -> None:
    process.wait(hours=1)
    process.hear("东山镇", district.DISPATCHER, LAMP, sent_at=NINE)
    process.hear("东山镇", district.DISPATCHER, LAMP.replace("三盏", "四盏"), sent_at=NINE)
    process.step()
    assert len(process.rows(Ticket)) == 2


def test_a_message_whose_content_never_came_is_told_to_supervision_once_an_hour(process: Process) -> None:
    """Before: a line of the log was all; a complaint could be lost and nobody knew."""
    for _ in range(3):
        process.wait(minutes=1)
        lost = {"type": MessageType.UNKNOWN, "raw": {"lost": True, "problem": "no answer in time"}}
        process.hear("东山镇", "", "", **lost)
        process.step()
    told = "09:01有微信消息没取到内容，机器人看不到，请各群看看有没有漏掉的诉求，漏了请再发一次"
    assert process.groups.arrived == [(f"one:{district.SUPERVISION}", told)]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("诉求如下", True), ("转来一件，市民来电反映如下", True), ("诉求内容", True),
        ("诉求如下：", False), ("情况如下，已处理", False), ("收到", False), ("如下图", False),
    ],
)  # fmt: skip
def test_a_heading_with_nothing_under_it_is_asked_for_again(process: Process, text: str, asked: bool) -> None:
    """Before: wechat4u cuts 诉求如下:⏎… after the heading, and the rest was lost without a word."""
    process.hear("东山镇", district.DISPATCHER, text)
    process.step()
    expected = f"只收到“{text[-12:]}”，后面的内容没收到，请把全文再发一次"
    assert [said for _, said in process.groups.arrived] == ([expected] if asked else [])
    process.hear("东山镇", district.DISPATCHER, f"诉求如下：\n{LAMP}")
    process.step()
    assert len(process.rows(Ticket)) == 1


def test_a_stranger_is_not_asked(process: Process) -> None:
    process.hear("东山镇", "路过的", "诉求如下")
    process.step()
    assert process.groups.arrived == []


def test_the_same_words_twice_in_three_seconds_under_two_ids_are_one_ticket_and_one_prompt(process: Process) -> None:
    """wechaty: row 15."""
    for _ in range(2):
        process.hear("东山镇", district.DISPATCHER, LAMP)
        process.step()
        process.wait(seconds=3)
    assert len(process.rows(Ticket)) == 1 and len(process.groups.arrived) == 1


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (MessageType.NOTE, "#接龙\n哪里路灯坏了报一下\n1. 柳林村村口路灯坏了三盏"),
        (MessageType.TEXT, "#接龙\n哪里路灯坏了报一下\n1. 柳林村村口路灯坏了三盏\n2. 石桥村也坏了一盏"),
        (MessageType.SYSTEM, "收到红包，请在手机上查看"),
        (MessageType.SYSTEM, "“路过的”拍了拍“甄丙”"),
        (MessageType.UNKNOWN, "当前版本不支持展示该内容，请升级至最新版本。"),
    ],
)
def test_a_list_that_everybody_copies_a_red_packet_and_a_tip_are_nothing(
    process: Process, kind: MessageType, text: str
) -> None:
    """wechaty: rows 45, 47 and 51."""
    for _ in range(2):
        process.hear("东山镇", HANDLER, text, type=kind)
        process.step()
    assert process.rows(Ticket) == [] and process.groups.arrived == []
