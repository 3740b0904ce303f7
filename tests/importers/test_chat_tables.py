"""CSV exports: MemoTrace 1 and 2, chatlog, PyWxDump."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.importers.chats import SELF, error, read, said

MEMOTRACE_1 = '''localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime,Remark,NickName,Sender
1,7,1,0,0,1772326800,,"演练村路灯不亮,
要求修",2026-03-01 09:00:00,演练镇-虚甲,虚甲,wxid_jia1
2,7,1,0,1,1772326860,,收到,2026-03-01 09:01:00,,我,wxid_me
3,7,34,0,0,1772326870,,,2026-03-01 09:01:10,,虚乙,wxid_yi22
4,7,49,57,0,1772326880,,"<msg><appmsg><title>这边也不亮</title><type>57</type><refermsg><svrid>99</svrid>\
<displayname>虚甲</displayname><content>演练村路灯不亮</content></refermsg></appmsg></msg>",2026-03-01,,虚乙,wxid_yi22
5,7,10000,0,0,1772326890,,"""虚甲"" 撤回了一条消息",2026-03-01 09:01:30,,,
6,7,12345,0,0,1772326900,,怪,2026-03-01 09:01:40,,虚乙,wxid_yi22
7,7,1,0,0,x,,没有时间,很久以前,,虚乙,wxid_yi22
'''


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_memotrace_1(tmp_path: Path, encoding: str) -> None:
    imported = read(tmp_path, MEMOTRACE_1, name="a.csv", encoding=encoding)
    assert imported.format == "memotrace-csv-1"
    assert said(imported) == [
        ("2026-03-01 09:00:00", "虚甲", "text", "演练村路灯不亮,\n要求修"),
        ("2026-03-01 09:01:00", "我", "text", "收到"),
        ("2026-03-01 09:01:10", "虚乙", "audio", ""),
        ("2026-03-01 09:01:20", "虚乙", "text", "这边也不亮"),
        ("2026-03-01 09:01:30", "系统消息", "system", '"虚甲" 撤回了一条消息'),
        ("2026-03-01 09:01:40", "虚乙", "system", "怪"),
    ]
    assert imported.lines[3]["quote"] == {"id": "99", "sender": "虚甲", "text": "演练村路灯不亮"}
    assert imported.odd == (
        (4, SELF),
        (8, "不认识的消息类型“12345”，按系统消息处理"),
        (9, "没有看得懂的时间“很久以前”，这一条没有导入"),
    )


def test_memotrace_1_of_a_whole_account_needs_the_room_and_takes_names_from_the_text(tmp_path: Path) -> None:
    text = (
        "localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime\n"
        '1,7,1,0,0,1772326800,,"wxid_jia1:\n演练村路灯不亮",2026-03-01 09:00:00\n'
        "2,8,1,0,1,1772326860,,收到,2026-03-01 09:01:00\n"
    )
    assert error(tmp_path, text, name="messages.csv") == (
        "messages.csv：文件里有几个群，分不清要哪一个，请指明其中一个：7（1 条）、8（1 条）"
    )
    (line,) = said(read(tmp_path, text, source_room="7"))
    assert line == ("2026-03-01 09:00:00", "wxid_jia1", "text", "演练村路灯不亮")
    assert said(read(tmp_path, text, source_room="8", me="虚丁")) == [("2026-03-01 09:01:00", "虚丁", "text", "收到")]


def test_memotrace_2(tmp_path: Path) -> None:
    text = (
        "消息ID,类型,发送人,时间,内容,备注,昵称,更多信息\n"
        "7000000000000000001,文本,虚甲,2026-03-01 09:00:00,演练村路灯不亮,演练镇-虚甲,甲,x\n"
        "7000000000000000001,文本,虚甲,2026-03-01 09:00:00,演练村路灯不亮,演练镇-虚甲,甲,x\n"
        "7.00000E+18,表情包,虚乙,2026-03-01 09:01:00,[表情包],,乙,x\n"
        "7000000000000000003,合并转发的聊天记录,虚乙,2026-03-01 09:02:00,虚甲：一,,乙,x\n"
        "7000000000000000004,文本,虚乙,2026-03-01 09:03:00,少一列\n"
    )
    imported = read(tmp_path, text, name="a.csv")
    assert imported.format == "memotrace-csv-2"
    assert said(imported) == [
        ("2026-03-01 09:00:00", "虚甲", "text", "演练村路灯不亮"),
        ("2026-03-01 09:01:00", "虚乙", "emoticon", ""),
        ("2026-03-01 09:02:00", "虚乙", "chat_history", "虚甲：一"),
        ("2026-03-01 09:03:00", "虚乙", "text", "少一列"),
    ]
    assert imported.lines[0]["id"] == "7000000000000000001" and imported.lines[1]["id"].startswith("x")
    assert imported.odd == ((3, "和前面一条编号相同，只取一次"), (6, "有 5 列，表头有 8 列"))


def test_chatlog_and_pywxdump(tmp_path: Path) -> None:
    chatlog = (
        "Time,SenderName,Sender,TalkerName,Talker,Content\n"
        "2026-03-01 09:00:00,虚甲,wxid_jia1,演练镇工作群,42@chatroom,演练村路灯不亮\n"
        "2026-03-01 09:01:00,虚乙,wxid_yi22,演练镇工作群,42@chatroom,![图片](http://localhost:5030/image/ff)\n"
    )
    assert said(read(tmp_path, chatlog)) == [
        ("2026-03-01 09:00:00", "虚甲", "text", "演练村路灯不亮"),
        ("2026-03-01 09:01:00", "虚乙", "image", ""),
    ]
    pywxdump = (
        "id,MsgSvrID,type_name,is_sender,talker,room_name,msg,src,CreateTime\n"
        "1,7000000000000000001,文本,0,wxid_jia1,42@chatroom,演练村路灯不亮,,2026-03-01 09:00:00\n"
        "2,0,图片,0,wxid_jia1,42@chatroom,图片,a.png,2026-03-01 09:01:00\n"
    )
    imported = read(tmp_path, pywxdump)
    assert (imported.format, imported.odd) == ("pywxdump-csv", ())
    assert said(imported) == [
        ("2026-03-01 09:00:00", "wxid_jia1", "text", "演练村路灯不亮"),
        ("2026-03-01 09:01:00", "wxid_jia1", "image", ""),
    ]
    assert imported.lines[0]["id"] == "7000000000000000001" and imported.lines[1]["id"].startswith("x")


def test_a_table_of_nothing_useful(tmp_path: Path) -> None:
    head = "消息ID,类型,发送人,时间,内容\n"
    assert error(tmp_path, head) == "导出.txt：一条消息也没有读出来，请换一种导出方式"
    assert error(tmp_path, head + "1,文本,虚甲,昨天,一\n") == (
        "导出.txt 第 2 行：一条消息也没有读出来：第 2 行没有看得懂的时间“昨天”，这一条没有导入，请换一种导出方式"
    )
    assert error(tmp_path, head + "1,文本,,2026-03-01,一\n").endswith("没有发送人，这一条没有导入，请换一种导出方式")
