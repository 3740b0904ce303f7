"""What WeChat itself writes (forward, mail), and text pasted by hand."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from bot.importers.chat_exports import write_transcript
from tests.importers.chats import ROOM, SELF, error, read, said

FORWARD = """演练镇工作群 微信群上的聊天记录如下，请查收。

—————  2026-03-01  —————


虚甲 (网格员)  23:58

演练村东口井盖响
半夜更响

12:00-20:00 虚乙  23:59

[图片: 0123456789abcdef.jpg(请在附件中查看)]


—————  2026-03-02  —————


我  00:01

收到

虚丙  00:01

收到

虚丙  00:01

收到

虚甲 (网格员)  00:02

「虚丙：收到」
- - - - - - - - - - - - - - -
谢谢@虚丙\u2005辛苦 @所有人
"""


def test_the_forwarded_form(tmp_path: Path) -> None:
    imported = read(tmp_path, FORWARD)
    assert imported.format == "wechat-native"
    assert said(imported) == [
        ("2026-03-01 23:58:00", "虚甲 (网格员)", "text", "演练村东口井盖响\n半夜更响"),
        ("2026-03-01 23:59:00", "12:00-20:00 虚乙", "image", ""),
        ("2026-03-02 00:01:00", "我", "text", "收到"),
        ("2026-03-02 00:01:00", "虚丙", "text", "收到"),
        ("2026-03-02 00:01:00", "虚丙", "text", "收到"),
        ("2026-03-02 00:02:00", "虚甲 (网格员)", "text", "谢谢@虚丙\u2005辛苦 @所有人"),
    ]
    assert imported.lines[5]["quote"] == {"sender": "虚丙", "text": "收到"}
    assert imported.lines[5]["mentions"] == ["虚丙", "@all"]
    assert imported.odd == ((19, SELF),)


def test_the_mail_form_and_the_name_of_who_exported(tmp_path: Path) -> None:
    mail = (
        'Dear:\n微信群"演练镇工作群"的聊天记录如下:\n—————  2026-03-01  —————\n'
        "虚甲  09:00\n会议安排\n明早  10:00\n我  09:01\n[链接: 演练通知]\n"
    )
    imported = read(tmp_path, mail, me="虚丁")
    # without blank lines nothing tells the line "明早  10:00" from a header; it is lost, but reported
    assert said(imported) == [
        ("2026-03-01 09:00:00", "虚甲", "text", "会议安排"),
        ("2026-03-01 09:01:00", "虚丁", "url", "演练通知"),
    ]
    assert imported.odd == ((6, "没有内容，这一条没有导入"),)


def test_a_line_like_a_header_inside_a_forwarded_message_stays_text(tmp_path: Path) -> None:
    text = "—————  2026-03-01  —————\n\n虚甲  09:00\n\n会议安排\n明早  10:00\n请准时\n\n虚乙  09:05\n\n好的\n"
    assert said(read(tmp_path, text)) == [
        ("2026-03-01 09:00:00", "虚甲", "text", "会议安排\n明早  10:00\n请准时"),
        ("2026-03-01 09:05:00", "虚乙", "text", "好的"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_change_nothing(tmp_path: Path, encoding: str, newline: str) -> None:
    assert read(tmp_path, FORWARD.replace("\n", newline), encoding=encoding) == read(tmp_path, FORWARD)


def test_ids_stay_the_same_in_an_overlapping_export_and_tell_equal_lines_apart(tmp_path: Path) -> None:
    whole = read(tmp_path, FORWARD)
    later = read(tmp_path, FORWARD[: FORWARD.index("—")] + FORWARD[FORWARD.rindex("—————  2026") :])
    assert [line["id"] for line in later.lines] == [line["id"] for line in whole.lines[2:]]
    assert whole.lines[3]["id"] != whole.lines[4]["id"]


def test_another_groups_name_and_lost_lines_are_odd(tmp_path: Path) -> None:
    text = (
        "别的群 微信群上的聊天记录如下，请查收。\n转给你看看\n—————  2026-02-30  —————\n虚甲  09:00\n\n一\n\n"
        "—————  2026-03-01  —————\n散落的一行\n\n虚甲  09:00\n\n二\n\n虚乙  25:61\n\n三\n\n虚乙  09:01\n\n\n"
    )
    imported = read(tmp_path, text)
    assert said(imported) == [("2026-03-01 09:00:00", "虚甲", "text", "二")]
    assert imported.odd == (
        (1, "聊天记录里的群名是“别的群”，按“演练镇工作群”导入"),
        (2, "第一条消息之前的文字，没有导入"),
        (4, "没有看得懂的时间“2026-02-30 09:00”，这一条没有导入"),
        (9, "没有发送人和时间，这一行没有导入"),
        (15, "没有看得懂的时间“2026-03-01 25:61”，这一条没有导入"),
        (19, "没有内容，这一条没有导入"),
    )


def test_a_private_chat_says_so(tmp_path: Path) -> None:
    text = "虚甲 和 虚乙 在微信上的聊天记录如下，请查收。\n—————  2026-03-01  —————\n虚甲  09:00\n\n一\n"
    assert read(tmp_path, text).odd == ((1, "这是两个人的聊天记录，不是群的"),)


def test_pasted_with_times(tmp_path: Path) -> None:
    text = "虚甲 2026-03-01 09:00\n路灯不亮\n要求修\n\n虚 乙 2026/3/1 9:01:30\n[OK]\n\n虚丙：\n我这边也是\n"
    imported = read(tmp_path, text)
    assert imported.format == "pasted"
    assert said(imported) == [
        ("2026-03-01 09:00:00", "虚甲", "text", "路灯不亮\n要求修"),
        ("2026-03-01 09:01:30", "虚 乙", "text", "[OK]"),
    ]
    assert imported.odd == ((8, "这里起的一条没有时间，没有导入"),)


ORDER = (
    "工单编号：热线-260301-000301\n受理时间: 2026-03-01 08:57\n来电时间 2026-03-01 08:50\n"
    "办结时限：  18:00\n诉求内容：井盖响"
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("—————  2026-03-01  —————\n\n{0}  09:00\n\n{1}\n\n{0}  09:01\n\n收到\n", "wechat-native"),
        ("—————  2026-03-01  —————\n{0}  09:00\n{1}\n{0}  09:01\n收到\n", "wechat-native"),
        ("{0} 2026-03-01 09:00\n{1}\n\n{0} 2026-03-01 09:01\n收到\n", "pasted"),
        ("2026-03-01 09:00:00 {0}\n{1}\n\n2026-03-01 09:01:00 {0}\n收到\n", "memotrace-txt"),
        ("2026-03-01 09:00:00 {0}(100010)\n{1}\n\n2026-03-01 09:01:00 {0}(100010)\n收到\n", "qq"),
        ("{0}(wxid_1) 2026-03-01 09:00:00\n{1}\n\n{0}(wxid_1) 2026-03-01 09:01:00\n收到\n", "chatlog-txt"),
        ("{0} (2026-03-01 09:00:00):{1}\n{0} (2026-03-01 09:01:00):收到\n", "wechatexporter"),
        ("1|{0}:2026-03-01 09:00:00:{1}\n1|{0}:2026-03-01 09:01:00:收到\n", "wechat-dump"),
    ],
)
def test_times_inside_a_work_order_are_not_headers(tmp_path: Path, text: str, name: str) -> None:
    imported = read(tmp_path, text.format("虚甲", ORDER))
    assert (imported.format, imported.odd) == (name, ())
    assert said(imported) == [
        ("2026-03-01 09:00:00", "虚甲", "text", ORDER),
        ("2026-03-01 09:01:00", "虚甲", "text", "收到"),
    ]


def test_a_text_that_begins_with_a_bracket_is_not_taken_for_json(tmp_path: Path) -> None:
    text = "[强]虚甲 2026-03-01 09:00\n[图片]\n"
    assert said(read(tmp_path, text)) == [("2026-03-01 09:00:00", "[强]虚甲", "image", "")]


def test_pasted_with_clock_times_needs_the_day(tmp_path: Path) -> None:
    text = "虚甲 9:00\n路灯不亮\n虚乙 9:05\n收到\n"
    assert error(tmp_path, text) == "导出.txt 第 1 行：只有钟点，没有日期，请指明是哪一天"
    expected = [("2026-03-01 09:00:00", "虚甲", "text", "路灯不亮"), ("2026-03-01 09:05:00", "虚乙", "text", "收到")]
    assert said(read(tmp_path, text, day=date(2026, 3, 1))) == expected
    assert said(read(tmp_path, text, name="群聊2026-03-01.txt")) == expected
    assert error(tmp_path, text, name="2026-03-01至2026-03-02.txt").endswith("请指明是哪一天")


def test_pasted_without_any_time_is_an_error(tmp_path: Path) -> None:
    assert error(tmp_path, "\n虚甲：\n路灯不亮\n\n我：\n收到\n").startswith("导出.txt 第 2 行：所有消息都没有时间")


@pytest.mark.parametrize(
    "text", ["", " \n\n", "hello world\n", "[图片]\n", "{}", "[]", "[1, 2]", '{"a": [{}]}', "[[[["]
)
def test_what_is_no_chat_at_all(tmp_path: Path, text: str) -> None:
    assert error(tmp_path, text).startswith("导出.txt")


def test_the_transcript_is_json_lines(tmp_path: Path) -> None:
    imported = read(tmp_path, FORWARD)
    write_transcript(imported.lines, tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    assert tuple(json.loads(line) for line in lines) == imported.lines
    assert lines[1] == (
        '{"at": "2026-03-01T23:59:00+08:00", "id": "' + imported.lines[1]["id"] + f'", "room": "{ROOM}", '
        '"sender": "12:00-20:00 虚乙", "type": "image", "text": ""}'
    )
