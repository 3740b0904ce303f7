"""Payloads as the puppets really give them (guide: raw shapes by puppet), read without a gateway."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from bot.channels.wechaty_payloads import moment, raw_fields, read_content, read_event
from bot.channels.wechaty_text import (
    mentions_name,
    names_mentioned,
    readable,
    spoken,
    storable,
    with_mentions,
)
from storage.enums import MessageType as T

NOW = datetime(2026, 3, 5, 1, 0, tzinfo=UTC)
ROOM = "1@chatroom"


@dataclass
class Raw:
    text: str = ""
    type: int = 7
    from_id: str = "zhang"
    room_id: str = ROOM
    id: str = "m1"
    filename: str = ""
    timestamp: int = 0
    to_id: str = ""
    mention_ids: list[str] = field(default_factory=list)


def app(kind: int, title: str = "", inner: str = "") -> str:
    return (
        f"<?xml version='1.0'?>\n<msg><appmsg appid=''><title>{title}</title><type>{kind}</type>{inner}</appmsg></msg>"
    )


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ('{"data":"ready"}', "ready"),
        ('{"gerror":"{\\"code\\":2,\\"message\\":\\"poll failed\\"}"}', "poll failed"),
        ('{"gerror":"no json"}', "no json"),
        ('{"code":36,"msg":"The text (…) is banned"}', "The text (…) is banned"),
        ("{}", ""),
        ("", ""),
        ("null", "None"),
        ("17", "17"),
        ("half {", "half {"),
        ("[" * 100_000, "[" * 300),
    ],
)
def test_an_event_is_read_as_far_as_it_goes(payload: str, words: str) -> None:
    assert read_event(payload).words == words


@pytest.mark.parametrize("stamp", [1_772_672_400, 1_772_672_400_000])
def test_stamps_in_seconds_and_in_milliseconds_are_the_same_instant(stamp: int) -> None:
    assert moment(stamp, NOW) == datetime(2026, 3, 5, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize("stamp", [0, -1, 2**63, 10**30])
def test_a_stamp_that_is_no_date_is_replaced_by_the_arrival(stamp: int) -> None:
    assert moment(stamp, NOW) == NOW


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (1, T.FILE), (2, T.AUDIO), (3, T.CONTACT), (5, T.EMOTICON), (6, T.IMAGE), (7, T.TEXT), (10, T.NOTE),
        (11, T.UNKNOWN), (12, T.UNKNOWN), (15, T.VIDEO), (16, T.UNKNOWN), (99, T.UNKNOWN), (-5, T.UNKNOWN),
    ],
)  # fmt: skip
def test_the_type_is_the_puppets_number(number: int, kind: T) -> None:
    assert read_content(Raw("文字", number)).type is kind


@pytest.mark.parametrize(
    ("raw", "kind", "text"),
    [
        (Raw("张三邀请李四加入了群聊", 0, from_id=""), T.SYSTEM, "张三邀请李四加入了群聊"),
        (Raw("收到红包，请在手机上查看", 0, from_id=ROOM), T.SYSTEM, "收到红包，请在手机上查看"),
        (Raw("普通话", 7, from_id=""), T.SYSTEM, "普通话"),
        (Raw("不认识的", 0), T.UNKNOWN, "不认识的"),
        (Raw("操作过于频繁", 0, from_id="bot"), T.SYSTEM, "操作过于频繁"),
        (Raw(app(33, "北京市12345"), 9), T.MINI_PROGRAM, "北京市12345"),
        (Raw(app(36, "随手拍"), 0), T.MINI_PROGRAM, "随手拍"),
        (Raw(app(5, "通知 &amp; 公告"), 14), T.URL, "通知 & 公告"),
        (Raw(app(53, "#接龙\n值班安排"), 10), T.NOTE, "#接龙\n值班安排"),
        (Raw("#接龙\n1. 张三", 10), T.NOTE, "#接龙\n1. 张三"),
        (Raw(app(87, "", "<textannouncement>明天停水</textannouncement>"), 0), T.NOTE, "明天停水"),
        (Raw(app(2001, "红包"), 0), T.UNKNOWN, "红包"),
        (Raw("<msg><img length='3'/></msg>", 6), T.IMAGE, ""),
        (Raw("语音转文字：路灯坏了", 2), T.AUDIO, "语音转文字：路灯坏了"),
        (Raw('<msg><location x="40" y="116" label="怀柔区迎宾路8号" poiname="广场"/></msg>', 8), T.LOCATION,
         "怀柔区迎宾路8号（广场）"),
        (Raw("迎宾路8号:\n/cgi-bin/mmwebwx-bin/webwxgetpubliclinkimg?url=x", 8), T.LOCATION, "迎宾路8号"),
        (Raw("<broken", 9), T.MINI_PROGRAM, "<broken"),
    ],
)  # fmt: skip
def test_what_a_message_says(raw: Raw, kind: T, text: str) -> None:
    content = read_content(raw, "bot")
    assert (content.type, content.text) == (kind, text)


def test_a_quote_in_xml_keeps_its_text_whole_and_names_the_message_quoted() -> None:
    refer = "<refermsg><svrid>77</svrid><displayname>李四</displayname><content>垃圾没人清</content></refermsg>"
    text = app(57, "收到", refer)
    content = read_content(Raw(text, 0))
    assert (content.type, content.text, content.spoken) == (T.TEXT, text, "收到")
    assert content.quote is not None
    assert (content.quote.message_id, content.quote.sender, content.quote.text) == ("77", "李四", "垃圾没人清")


def test_a_quoted_quote_is_its_title() -> None:
    inner = app(57, "里面").replace("<", "&lt;").replace(">", "&gt;")
    content = read_content(Raw(app(57, "外面", f"<refermsg><content>{inner}</content></refermsg>"), 0))
    assert content.quote is not None and content.quote.text == "里面"


def test_a_forwarded_chat_becomes_lines_with_names() -> None:
    record = (
        "<recordinfo><datalist><dataitem datatype='1'><sourcename>张三</sourcename><datadesc>路灯坏了</datadesc>"
        "</dataitem><dataitem datatype='2'><sourcename>李四</sourcename></dataitem></datalist></recordinfo>"
    )
    text = app(19, "群聊的聊天记录", f"<recorditem><![CDATA[{record}]]></recorditem>")
    content = read_content(Raw(text, 4))
    assert content.type is T.CHAT_HISTORY
    assert content.text == "群聊的聊天记录\n张三：路灯坏了\n李四：（非文字内容，请单独发送）"


REVOKE = (
    '<sysmsg type="revokemsg"><revokemsg><session>1@chatroom</session><msgid>11</msgid><newmsgid>22</newmsgid>'
    '<replacemsg><![CDATA["张三" 撤回了一条消息]]></replacemsg></revokemsg></sysmsg>'
)


@pytest.mark.parametrize("number", [13, 0])
def test_a_recall_names_every_id_the_message_may_have(number: int) -> None:
    content = read_content(Raw(REVOKE, number))
    assert (content.type, content.recalled) == (T.RECALL, ("22", "11"))
    assert content.text == '"张三" 撤回了一条消息'


def test_a_recall_by_bare_id_and_one_by_words_alone() -> None:
    assert read_content(Raw("m77", 13)).recalled == ("m77",)
    words = read_content(Raw('"张三" 撤回了一条消息', 13))
    assert (words.type, words.recalled) == (T.RECALL, ())


def test_a_pat_is_not_a_recall() -> None:
    pat = '<sysmsg type="pat"><pat><template><![CDATA["张三" 拍了拍我]]></template></pat></sysmsg>'
    content = read_content(Raw(pat, 13))
    assert (content.type, content.text, content.recalled) == (T.SYSTEM, '"张三" 拍了拍我', ())


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><msg><appmsg><title>&b;</title></appmsg></msg>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><msg><appmsg><title>&a;</title></appmsg></msg>',
        "<msg>" * 50_000,
        app(19, "x" * 3_000_000),
    ],
)
def test_hostile_xml_is_text(text: str) -> None:
    assert read_content(Raw(text, 0)).type is T.UNKNOWN


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A&amp;B 1&lt;2 &quot;好&quot;", 'A&B 1<2 "好"'),
        ("&amp;lt;", "&lt;"),
        ('<img class="emoji emoji1f250" text="x" src="/a.png">好', "🉐好"),
        ('<span class="emoji emoji1f604"></span>', "😄"),
        ('<img class="emoji emoji1f1e81f1f3">', "🇨🇳"),
        ('<img class="emoji emoji2320e3">', "#⃣"),
        ('<img class="emoji emoji26a0"/>', "⚠"),
        ('<img class="emoji emojid83d">', "[表情]"),
        ("一<br/>二", "一\n二"),
        ("[旺柴] 1 < 2 <b>粗</b>", "[旺柴] 1 < 2 <b>粗</b>"),
        ("a\x00b\ud83dc", "abc"),
        ("👨‍👩‍👧 🇨🇳\u200b\u202e\r\n", "👨‍👩‍👧 🇨🇳\u200b\u202e\r\n"),
    ],
)
def test_a_text_reads_as_its_sender_saw_it(text: str, shown: str) -> None:
    assert readable(text) == shown


def test_mentions_in_text() -> None:
    assert names_mentioned("@李 四🐟\u2005@张三\u2005去看 a@b.c") == ("李 四🐟", "张三")
    assert mentions_name("＠派单助手：看", ["派单助手"])
    assert mentions_name("@李*四(网格 办", ["李*四(网格"]), "names with regex characters are plain text"
    assert not mentions_name("派单助手在吗", ["派单助手"])
    assert not mentions_name("@任何人", ["", "派单助手"])
    assert spoken("「张三：@派单助手 修」\n- - - - - - - - - - - - - - -\n收到") == "收到"
    assert spoken("没有引用\n- - - - -\n的") == "没有引用\n- - - - -\n的"
    assert with_mentions("正文 @张三", ["张三", "李\u2005四\n", "李 四", ""]) == "@李 四\u2005正文 @张三"


def test_raw_fields_fit_a_json_column_and_do_not_double_the_text() -> None:
    raw = raw_fields(Raw("x\x00\ud800", filename="a\x00.jpg"), "x")
    assert "text" not in raw and raw["filename"] == "a.jpg"
    assert raw_fields(Raw("<xml/>"), "")["text"] == "<xml/>"
    json.dumps(raw).encode()
    assert storable("\udfff") == ""
