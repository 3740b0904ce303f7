"""JSON exports: chatlog and its webhook, PyWxDump, WeFlow, ChatLab, wcferry, Wechaty."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.importers.chats import SELF, error, read, said

T0 = 1772326800  # 2026-03-01 09:00:00 in Beijing


def chatlog(seconds: int, sender: str, code: int, content: str, sub: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "seq": (T0 + seconds) * 1000,
        "time": f"2026-03-01T09:{seconds // 60:02}:{seconds % 60:02}+08:00",
        "talker": "42@chatroom",
        "talkerName": "演练镇工作群",
        "isChatRoom": True,
        "sender": f"wxid_{sender}" if sender else "",
        "senderName": sender,
        "isSelf": sender == "我",
        "type": code,
        "subType": sub,
        "content": content,
        **more,
    }


CHATLOG = [
    chatlog(0, "虚甲", 1, "演练村路灯不亮"),
    chatlog(60, "我", 49, "收到", 57, contents={"refer": chatlog(0, "虚甲", 1, "演练村路灯不亮")}),
    chatlog(70, "虚乙", 3, "", contents={"md5": "x"}),
    chatlog(80, "虚乙", 48, "", contents={"label": "演练镇甲一村", "x": "1"}),
    chatlog(90, "虚乙", 49, "", 5, contents={"title": "演练通报", "url": "http://127.0.0.1/"}),
    chatlog(100, "虚乙", 49, "", 6, contents={"title": "名单.xlsx"}),
    chatlog(110, "虚乙", 4_294_967_296 * 53 + 49, "接龙"),
    chatlog(120, "", 10000, "虚乙加入了群聊"),
]


def test_chatlog_and_its_webhook(tmp_path: Path) -> None:
    imported = read(tmp_path, json.dumps(CHATLOG, ensure_ascii=False))
    assert (imported.format, imported.odd) == ("chatlog-json", ((2, SELF),))
    assert said(imported) == [
        ("2026-03-01 09:00:00", "虚甲", "text", "演练村路灯不亮"),
        ("2026-03-01 09:01:00", "我", "text", "收到"),
        ("2026-03-01 09:01:10", "虚乙", "image", ""),
        ("2026-03-01 09:01:20", "虚乙", "location", "演练镇甲一村"),
        ("2026-03-01 09:01:30", "虚乙", "url", "演练通报"),
        ("2026-03-01 09:01:40", "虚乙", "file", "名单.xlsx"),
        ("2026-03-01 09:01:50", "虚乙", "note", "接龙"),
        ("2026-03-01 09:02:00", "系统消息", "system", "虚乙加入了群聊"),
    ]
    assert imported.lines[0]["id"] == f"{T0}000" and imported.lines[0]["sender_id"] == "wxid_虚甲"
    assert imported.lines[1]["quote"] == {"id": f"{T0}000", "sender": "虚甲", "text": "演练村路灯不亮"}
    hook = {"keyword": "", "lastTime": "2026-03-01 09:00:00", "length": 8, "messages": CHATLOG, "talker": "42@chatroom"}
    again = read(tmp_path, json.dumps(hook))
    assert (again.format, again.lines) == ("chatlog-json-webhook", imported.lines)


def test_one_object_per_line_with_a_torn_line(tmp_path: Path) -> None:
    lines = [json.dumps(item) for item in CHATLOG]
    imported = read(tmp_path, "\n".join([lines[0], lines[2][:40], "", "7", lines[3]]))
    assert [line["type"] for line in imported.lines] == ["text", "location"]
    assert imported.odd == ((2, "不是 JSON 对象，没有导入"), (4, "不是 JSON 对象，没有导入"))


def test_two_rooms_in_one_answer(tmp_path: Path) -> None:
    other = [{**item, "talker": "43@chatroom", "talkerName": "另一群"} for item in CHATLOG[:3]]
    both = json.dumps(CHATLOG + other)
    assert len(read(tmp_path, both).lines) == 8
    assert len(read(tmp_path, both, source_room="43@chatroom").lines) == 3
    assert error(tmp_path, both.replace("42@", "44@").replace(r"\u6f14\u7ec3\u9547", "")).startswith(
        "导出.txt：文件里有几个群"
    )


def test_pywxdump(tmp_path: Path) -> None:
    row = {"id": 1, "MsgSvrID": "70001", "type_name": "文本", "is_sender": 0, "talker": "wxid_jia1", "src": ""}
    rows = [
        {**row, "room_name": "42@chatroom", "msg": "演练村路灯不亮", "CreateTime": "2026-03-01 09:00:00", "extra": {}},
        {**row, "MsgSvrID": 70002, "type_name": "动画表情", "msg": "[表情]", "CreateTime": T0 + 60, "is_sender": 1},
    ]
    imported = read(tmp_path, json.dumps(rows), me="虚丁")
    assert imported.format == "pywxdump-json"
    assert said(imported) == [
        ("2026-03-01 09:00:00", "wxid_jia1", "text", "演练村路灯不亮"),
        ("2026-03-01 09:01:00", "虚丁", "emoticon", ""),
    ]
    assert [line["id"] for line in imported.lines] == ["70001", "70002"]


def test_weflow(tmp_path: Path) -> None:
    def message(seconds: int, kind: str, content: str, **more: Any) -> dict[str, Any]:
        base = {"localId": 1, "createTime": T0 + seconds, "type": kind, "localType": 1, "content": content, "isSend": 0}
        return {**base, "senderUsername": "wxid_jia1", "senderDisplayName": "虚甲", **more}

    document = {
        "weflow": {"version": "1.0"},
        "session": {"wxid": "42@chatroom", "displayName": "演练镇工作群", "type": "群聊"},
        "messages": [
            message(0, "文本消息", "演练村路灯不亮"),
            message(60, "引用消息", "收到", isSend=1, senderDisplayName="我"),
            message(70, "图片消息", "[图片]"),
            message(80, "系统消息", "“虚甲”撤回了一条消息", senderDisplayName="", senderUsername="", isSend=None),
            message(90, "量子消息", "怪"),
            "坏",
        ],
    }
    imported = read(tmp_path, json.dumps(document), me="虚丁")
    assert imported.format == "weflow"
    assert said(imported) == [
        ("2026-03-01 09:00:00", "虚甲", "text", "演练村路灯不亮"),
        ("2026-03-01 09:01:00", "虚丁", "text", "收到"),
        ("2026-03-01 09:01:10", "虚甲", "image", ""),
        ("2026-03-01 09:01:20", "系统消息", "system", "“虚甲”撤回了一条消息"),
        ("2026-03-01 09:01:30", "虚甲", "system", "怪"),
    ]
    assert imported.odd == (
        (5, "不认识的消息类型“量子消息”，按系统消息处理"),
        (6, "不是 JSON 对象，没有导入"),
    )


def test_chatlab_with_a_reply(tmp_path: Path) -> None:
    document = {
        "chatlab": {"version": "0.0.2"},
        "meta": {"name": "别的群", "platform": "wechat", "type": "group"},
        "members": [{"platformId": "p1", "accountName": "甲", "groupNickname": "演练镇-虚甲"}, None],
        "messages": [
            {
                "sender": "p1",
                "accountName": "甲",
                "timestamp": T0,
                "type": 0,
                "content": "一",
                "platformMessageId": "m1",
            },
            {
                "sender": "p2",
                "accountName": "乙",
                "timestamp": T0 + 5,
                "type": 25,
                "content": "二",
                "replyToMessageId": "m1",
            },
            {"sender": "p2", "accountName": "乙", "timestamp": T0 + 9, "type": 1, "content": "[图片]"},
        ],
    }
    imported = read(tmp_path, json.dumps(document))
    assert said(imported) == [
        ("2026-03-01 09:00:00", "演练镇-虚甲", "text", "一"),
        ("2026-03-01 09:00:05", "乙", "text", "二"),
        ("2026-03-01 09:00:09", "乙", "image", ""),
    ]
    assert imported.lines[1]["quote"] == {"id": "m1", "sender": "演练镇-虚甲", "text": "一"}
    assert imported.odd == ((1, "聊天记录里的群名是“别的群”，按“演练镇工作群”导入"),)


def test_chatlab_as_json_lines(tmp_path: Path) -> None:
    lines = [
        {"_type": "header", "chatlab": {"version": "0.0.2"}, "meta": {"name": "演练镇工作群", "type": "group"}},
        {"_type": "member", "platformId": "p1", "accountName": "甲", "groupNickname": "演练镇-虚甲"},
        {"_type": "message", "sender": "p1", "accountName": "甲", "timestamp": T0, "type": 0, "content": "一"},
        {"_type": "message", "sender": "p1", "accountName": "甲", "timestamp": "?", "type": 0, "content": "二"},
    ]
    imported = read(tmp_path, "\n".join(map(json.dumps, lines)), name="a.jsonl")
    assert imported.format == "chatlab"
    assert said(imported) == [("2026-03-01 09:00:00", "演练镇-虚甲", "text", "一")]
    assert imported.odd == ((4, "没有看得懂的时间“?”，这一条没有导入"),)


def test_qq_chat_exporter(tmp_path: Path) -> None:
    def message(seconds: int, **content: Any) -> dict[str, Any]:
        sender = {"uid": "u1", "uin": "100010", "name": "虚甲"}
        return {"messageId": f"q{seconds}", "timestamp": (T0 + seconds) * 1000, "sender": sender, "content": content}

    messages = [
        message(0, text="演练村路灯不亮"),
        message(5, text="收到", reply={"messageId": "q0", "senderName": "虚甲", "content": "演练村路灯不亮"}),
        message(9, text="", resources=[{"type": "image"}]),
        {**message(12, text="虚甲撤回了一条消息"), "isSystemMessage": True},
    ]
    imported = read(tmp_path, json.dumps({"chatInfo": {"name": "演练镇工作群", "type": "group"}, "messages": messages}))
    assert (imported.format, imported.odd) == ("qq-chat-exporter", ())
    assert [(line["id"], line["type"], line["text"]) for line in imported.lines] == [
        ("q0", "text", "演练村路灯不亮"),
        ("q5", "text", "收到"),
        ("q9", "image", ""),
        ("q12", "system", "虚甲撤回了一条消息"),
    ]
    assert imported.lines[1]["quote"] == {"id": "q0", "sender": "虚甲", "text": "演练村路灯不亮"}


def test_wcferry_object_with_xml(tmp_path: Path) -> None:
    base = {"id": "1", "ts": T0, "sign": "", "xml": "", "sender": "wxid_jia1", "roomid": "42@chatroom", "thumb": ""}
    forwarded = (
        "<msg><appmsg><title>群聊的聊天记录</title><type>19</type><recorditem>&lt;recordinfo&gt;&lt;datalist&gt;"
        "&lt;dataitem&gt;&lt;sourcename&gt;虚乙&lt;/sourcename&gt;&lt;datadesc&gt;井盖响&lt;/datadesc&gt;&lt;/dataitem&gt;"
        "&lt;/datalist&gt;&lt;/recordinfo&gt;</recorditem></appmsg></msg>"
    )
    messages = [
        {**base, "type": 1, "content": "演练村路灯不亮", "is_self": False},
        {**base, "id": "2", "ts": T0 + 1, "type": 49, "content": forwarded},
        {
            **base,
            "id": "3",
            "ts": T0 + 2,
            "type": 48,
            "content": '<msg><location label="演练镇" poiname="村口"/></msg>',
        },
        {**base, "id": "4", "ts": T0 + 3, "type": 3, "content": "<msg><img/></msg>"},
        {**base, "id": "5", "ts": T0 + 4, "type": 49, "content": '<!DOCTYPE a [<!ENTITY b "c">]><msg>&b;</msg>'},
    ]
    one = read(tmp_path, json.dumps(messages[0]))
    assert (one.format, said(one)) == ("wcferry", [("2026-03-01 09:00:00", "wxid_jia1", "text", "演练村路灯不亮")])
    assert [(line["type"], line["text"]) for line in read(tmp_path, json.dumps(messages)).lines[1:4]] == [
        ("chat_history", "虚乙：井盖响"),
        ("location", "演练镇 村口"),
        ("image", ""),
    ]


@pytest.mark.parametrize("unit", [1, 1000])
def test_wechaty_payloads_in_seconds_and_milliseconds(tmp_path: Path, unit: int) -> None:
    base = {"id": "m1", "talkerId": "wxid_jia1", "listenerId": "", "roomId": "42@chatroom", "mentionIdList": []}
    payloads = [
        {**base, "text": "演练村路灯不亮", "timestamp": T0 * unit, "type": 7},
        {**base, "id": "m2", "text": "<msg/>", "timestamp": (T0 + 1) * unit, "type": 6},
        {**base, "id": "m3", "filename": "名单.xlsx", "timestamp": (T0 + 2) * unit, "type": 1},
        {**base, "id": "m4", "text": "#接龙\n1. 虚甲", "timestamp": (T0 + 3) * unit, "type": 10},
    ]
    imported = read(tmp_path, "\n".join(json.dumps(payload) for payload in payloads), name="a.jsonl")
    assert (imported.format, imported.odd) == ("wechaty", ())
    assert said(imported) == [
        ("2026-03-01 09:00:00", "wxid_jia1", "text", "演练村路灯不亮"),
        ("2026-03-01 09:00:01", "wxid_jia1", "image", ""),
        ("2026-03-01 09:00:02", "wxid_jia1", "file", "名单.xlsx"),
        ("2026-03-01 09:00:03", "wxid_jia1", "note", "#接龙\n1. 虚甲"),
    ]


@pytest.mark.parametrize(
    "document",
    [
        [{"messages": [{"role": "user", "content": "路灯不亮"}, {"role": "assistant", "content": "收到"}]}],
        {"messages": [{"role": "user", "content": "路灯不亮"}]},
        [{"id": "1", "conversations": [{"role": "user", "content": "路灯不亮"}]}],
    ],
)
def test_training_json_is_told_apart(tmp_path: Path, document: object) -> None:
    assert error(tmp_path, json.dumps(document)) == (
        "导出.txt：这是 MemoTrace 的训练用 JSON，没有时间和发送人，请改用 CSV 或 TXT 导出"
    )


def test_broken_json_tells_the_line(tmp_path: Path) -> None:
    assert error(tmp_path, '[\n {"seq": 1,\n') == "导出.txt 第 3 行：JSON 不完整或写错了，请重新导出"
    assert error(tmp_path, "[" * 100_000).startswith("导出.txt：JSON 嵌套太深")
    assert error(tmp_path, '[{"seq": ' + "1" * 5000 + "}]").startswith("导出.txt 第 1 行：JSON 不完整")


def test_lone_surrogates_can_be_written(tmp_path: Path) -> None:
    text = '[{"ts": 1772326800, "roomid": "r", "sender": "a\\ud83d", "content": "b\\ude00\\u0000c", "type": 1}]'
    imported = read(tmp_path, text)
    assert said(imported) == [("2026-03-01 09:00:00", "a\ufffd", "text", "b\ufffdc")]
