"""Text exports of other tools: MemoTrace, chatlog, QQ, WechatExporter, wechat-dump."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.importers.chats import SELF, error, read, said

MEMOTRACE = """2026-03-01 09:00:00 虚甲
演练村路灯不亮

2026-03-01 09:00:30
"虚乙"通过扫描二维码加入群聊

2026-03-01 09:01:00 "虚甲" 撤回了一条消息

2026-03-01 09:01:30 虚乙
[语音]

2026-03-01 09:02:00 虚丙
收到，马上去
引用:虚甲:演练村路灯不亮
要求尽快
"""


def test_memotrace(tmp_path: Path) -> None:
    imported = read(tmp_path, MEMOTRACE)
    assert (imported.format, imported.odd) == ("memotrace-txt", ())
    assert said(imported) == [
        ("2026-03-01 09:00:00", "虚甲", "text", "演练村路灯不亮"),
        ("2026-03-01 09:00:30", "系统消息", "system", '"虚乙"通过扫描二维码加入群聊'),
        ("2026-03-01 09:01:00", "系统消息", "system", '"虚甲" 撤回了一条消息'),
        ("2026-03-01 09:01:30", "虚乙", "audio", ""),
        ("2026-03-01 09:02:00", "虚丙", "text", "收到，马上去"),
    ]
    assert imported.lines[4]["quote"] == {"sender": "虚甲", "text": "演练村路灯不亮\n要求尽快"}


def test_memotrace_with_a_broken_time_and_a_stray_line(tmp_path: Path) -> None:
    imported = read(tmp_path, "导出说明\n" + MEMOTRACE + "\n2026-13-01 09:00:00 虚甲\n五\n")
    assert len(imported.lines) == 5
    assert imported.odd == (
        (1, "第一条消息之前的文字，没有导入"),
        (18, "没有看得懂的时间“2026-13-01 09:00:00”，这一条没有导入"),
    )


CHATLOG = """虚甲(wxid_jia1) [演练镇工作群(42@chatroom)] 2026-03-01 09:00:00
演练村路灯不亮

我(我) [演练镇工作群(42@chatroom)] 2026-03-01 09:01:00
> 虚甲(wxid_jia1) 03-01 09:00:00
> 演练村路灯不亮
收到

虚乙(wxid_yi22) [演练镇工作群(42@chatroom)] 2026-03-01 09:02:00
![图片](http://localhost:5030/image/ff)

虚乙(wxid_yi22) [演练镇工作群(42@chatroom)] 2026-03-01 09:03:00
[位置|演练镇甲一村南口|演练市|116.5|40.3]

虚乙(wxid_yi22) [演练镇工作群(42@chatroom)] 2026-03-01 09:04:00
[文件|抢修单.pdf](http://localhost:5030/file/ee)
"""


def test_chatlog(tmp_path: Path) -> None:
    imported = read(tmp_path, CHATLOG)
    assert (imported.format, imported.odd) == ("chatlog-txt", ((4, SELF),))
    assert said(imported) == [
        ("2026-03-01 09:00:00", "虚甲", "text", "演练村路灯不亮"),
        ("2026-03-01 09:01:00", "我", "text", "收到"),
        ("2026-03-01 09:02:00", "虚乙", "image", ""),
        ("2026-03-01 09:03:00", "虚乙", "location", "演练镇甲一村南口"),
        ("2026-03-01 09:04:00", "虚乙", "file", "抢修单.pdf"),
    ]
    assert imported.lines[0]["sender_id"] == "wxid_jia1"
    assert imported.lines[1]["quote"] == {"sender": "虚甲", "text": "演练村路灯不亮"}


def test_chatlog_of_several_rooms_takes_the_one_that_is_meant(tmp_path: Path) -> None:
    other = CHATLOG.replace("演练镇工作群(42@chatroom)", "另一群(43@chatroom)").replace("路灯不亮", "井盖响")
    assert [line["text"] for line in read(tmp_path, CHATLOG + "\n" + other).lines][:1] == ["演练村路灯不亮"]
    assert len(read(tmp_path, CHATLOG + "\n" + other).lines) == 5
    chosen = read(tmp_path, CHATLOG + "\n" + other, source_room="另一群")
    assert (len(chosen.lines), chosen.lines[0]["text"]) == (5, "演练村井盖响")
    third = CHATLOG.replace("演练镇工作群(", "第三群(")
    assert error(tmp_path, third + "\n" + other) == (
        "导出.txt：文件里有几个群，分不清要哪一个，请指明其中一个：另一群（5 条）、第三群（5 条）"
    )


def test_chatlog_times_without_a_date_need_the_day(tmp_path: Path) -> None:
    short = "虚甲(wxid_jia1) 09:00:00\n一\n\n虚乙(wxid_yi22) 12-31 23:59:00\n二\n"
    assert error(tmp_path, short).startswith("导出.txt 第 1 行：时间里没有完整日期，请指明是哪一天")
    assert said(read(tmp_path, short, day=date(2026, 1, 2))) == [
        ("2025-12-31 23:59:00", "虚乙", "text", "二"),
        ("2026-01-02 09:00:00", "虚甲", "text", "一"),
    ]


QQ = """消息记录（此消息记录为文本格式，不支持重新导入）

================================================================
消息分组:我的群聊
================================================================
消息对象:演练镇工作群
================================================================

2026-03-01 9:00:00 【管理员】虚甲(网格)(100010)
演练村路灯不亮

2026-03-01 9:01:00 虚乙<xuyi@example.com>
[图片]

2026-03-01 9:02:00 系统消息(10000)
虚丙加入本群。
"""


def test_qq(tmp_path: Path) -> None:
    imported = read(tmp_path, QQ)
    assert (imported.format, imported.odd) == ("qq", ())
    assert said(imported) == [
        ("2026-03-01 09:00:00", "虚甲(网格)", "text", "演练村路灯不亮"),
        ("2026-03-01 09:01:00", "虚乙", "image", ""),
        ("2026-03-01 09:02:00", "系统消息", "system", "虚丙加入本群。"),
    ]
    assert [line["sender_id"] for line in imported.lines] == ["100010", "xuyi@example.com", "10000"]


def test_wechat_exporter(tmp_path: Path) -> None:
    text = (
        "演练镇工作群 - 微信聊天记录\n\n虚甲 (2026-03-01 09:00:00):演练村路灯不亮\n第二行\n"
        "虚乙(网格) (2026-03-01 09:01:00):「虚甲：演练村路灯不亮」\n- - - - -\n收到\n"
        "虚乙(网格) (2026-03-01 09:02:00):[视频]\n"
    )
    imported = read(tmp_path, text)
    assert (imported.format, imported.odd) == ("wechatexporter", ())
    assert said(imported) == [
        ("2026-03-01 09:00:00", "虚甲", "text", "演练村路灯不亮\n第二行"),
        ("2026-03-01 09:01:00", "虚乙(网格)", "text", "收到"),
        ("2026-03-01 09:02:00", "虚乙(网格)", "video", ""),
    ]
    assert imported.lines[1]["quote"] == {"sender": "虚甲", "text": "演练村路灯不亮"}


def test_wechat_dump(tmp_path: Path) -> None:
    text = (
        "1|虚甲:2026-03-01 09:00:00:时间：9点\n地点：村口\n1|me:2026-03-01 09:01:00:收到\n"
        "3|虚甲:2026-03-01 09:02:00:Image|img:ab\n777|虚甲:2026-03-01 09:03:00:怪\n"
    )
    imported = read(tmp_path, text, me="虚丁")
    assert imported.format == "wechat-dump"
    assert said(imported) == [
        ("2026-03-01 09:00:00", "虚甲", "text", "时间：9点\n地点：村口"),
        ("2026-03-01 09:01:00", "虚丁", "text", "收到"),
        ("2026-03-01 09:02:00", "虚甲", "image", ""),
        ("2026-03-01 09:03:00", "虚甲", "system", "怪"),
    ]
    assert imported.odd == ((5, "不认识的消息类型 777，按系统消息处理"),)


def test_a_quoted_quotation_is_split_at_the_last_line_of_dashes(tmp_path: Path) -> None:
    text = "虚甲 2026-03-01 09:00\n「虚乙：「虚丙：一」\n- - - - - -\n二」\n- - - - - - - - - - - - - - -\n三\n"
    line = read(tmp_path, text).lines[0]
    assert line["text"] == "三"
    assert line["quote"]["sender"] == "虚乙" and line["quote"]["text"].endswith("二")
