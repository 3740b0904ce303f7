"""企业微信 会话内容存档: the one official way to read a whole group."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.importers.chats import error, read, said

T0 = 1772326800000  # 2026-03-01 09:00:00 in Beijing


def message(seconds: int, kind: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    base = {"msgid": f"m{seconds}", "action": "send", "from": "XuJia", "tolist": ["XuYi"], "roomid": "wr42"}
    return {**base, "msgtime": T0 + seconds * 1000, "msgtype": kind, kind: body, **more}


def record(kind: str, **content: Any) -> dict[str, Any]:
    return {"type": kind, "content": json.dumps(content, ensure_ascii=False)}


def lines(*messages: dict[str, Any]) -> str:
    return "\n".join(json.dumps(item, ensure_ascii=False) for item in messages)


def test_every_kind_of_message(tmp_path: Path) -> None:
    text = lines(
        message(0, "text", {"content": "演练村路灯不亮"}),
        message(1, "image", {"md5sum": "x", "sdkfileid": "y"}),
        message(2, "file", {"filename": "抢修单.pdf"}),
        message(3, "location", {"title": "村口", "address": "演练镇甲一村", "longitude": 1.0}),
        message(4, "link", {"title": "演练通报", "link_url": "http://127.0.0.1/"}),
        message(5, "chatrecord", {"title": "群聊", "item": [record("ChatRecordText", content="井盖响")]}),
        message(6, "mixed", {"item": [record("text", content="现场"), record("image", md5sum="z"), record("image")]}),
        message(7, "markdown", {"content": "**通知**"}, **{"markdown": {}, "info": {"content": "**通知**"}}),
        message(8, "vote", {"votetitle": "?"}),
        message(9, "quantum", {"a": 1}),
        message(10, "revoke", {"pre_msgid": "m0"}, action="recall"),
        message(11, "text", {"content": "这是一条引用/回复消息：\n\"XuJia：\n演练村路灯不亮\"\n------\n收到"}),
        {"msgid": "s", "action": "switch", "time": T0, "user": "XuYi"},
    )  # fmt: skip
    imported = read(tmp_path, text, name="archive.jsonl")
    assert imported.format == "wework-archive"
    assert [(kind, words) for _, _, kind, words in said(imported)] == [
        ("text", "演练村路灯不亮"),
        ("image", ""),
        ("file", "抢修单.pdf"),
        ("location", "村口 演练镇甲一村"),
        ("url", "演练通报"),
        ("chat_history", "井盖响"),
        ("text", "现场"),
        ("image", ""),
        ("image", ""),
        ("text", "**通知**"),
        ("note", ""),
        ("system", ""),
        ("recall", ""),
        ("text", "收到"),
    ]
    assert [line["id"] for line in imported.lines[6:9]] == ["m6", "m6#1", "m6#2"]
    assert imported.lines[12] == {
        "at": "2026-03-01T09:00:10+08:00",
        "kind": "recall",
        "id": "m0",
        "room": "演练镇工作群",
        "sender": "XuJia",
    }
    assert imported.lines[13]["quote"] == {"sender": "XuJia", "text": "演练村路灯不亮"}
    assert imported.odd == ((10, "不认识的消息类型“quantum”，按系统消息处理"),)


def test_what_is_not_talk_of_a_group(tmp_path: Path) -> None:
    text = lines(
        message(0, "text", {"content": "一"}),
        message(1, "text", {"content": "二"}, roomid=""),
        message(2, "revoke", {}, action="recall"),
        message(3, "mixed", {"item": "坏"}),
        message(4, "mixed", {"item": [{"type": "image", "content": "{坏"}]}),
        message(5, "text", {"content": "六"}, msgtime="昨天"),
        {"action": "send"},
    )
    imported = read(tmp_path, text)
    assert [(kind, words) for _, _, kind, words in said(imported)] == [("text", "一"), ("image", "")]
    assert imported.odd == (
        (2, "是两个人之间的消息，不是群里的，没有导入"),
        (3, "撤回了哪一条没有写明，没有导入"),
        (4, "混合消息里没有内容，没有导入"),
        (6, "没有看得懂的时间“昨天”，这一条没有导入"),
        (7, "缺少字段，没有导入"),
    )


def test_the_archive_of_several_rooms(tmp_path: Path) -> None:
    text = lines(message(0, "text", {"content": "一"}), message(1, "text", {"content": "二"}, roomid="wr43"))
    assert error(tmp_path, text) == (
        "导出.txt：文件里有几个群，分不清要哪一个，请指明其中一个：wr42（1 条）、wr43（1 条）"
    )
    assert [line["text"] for line in read(tmp_path, text, source_room="wr43").lines] == ["二"]
    assert error(tmp_path, lines(message(0, "text", {"content": "一"}, roomid=""))).startswith(
        "导出.txt 第 1 行：一条消息也没有读出来"
    )
