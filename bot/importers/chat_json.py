"""Chat exports as JSON: chatlog, PyWxDump, WeFlow, ChatLab, wcferry, Wechaty. One object, a list, or one per line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.importers import chat_wework, moments
from bot.importers.chat_model import Collector, Quote, Said, code_of, kind_of
from bot.importers.chat_tables import settle_type
from bot.importers.files import FileError
from bot.importers.values import mapping, number_of, text
from storage.enums import MessageType

Item = Mapping[str, Any]
_LISTS = ("messages", "data", "items", "list", "records")
_CHATLAB = {
    **{0: MessageType.TEXT, 1: MessageType.IMAGE, 2: MessageType.AUDIO, 3: MessageType.VIDEO},
    **{4: MessageType.FILE, 5: MessageType.EMOTICON, 7: MessageType.URL, 8: MessageType.LOCATION},
    **{24: MessageType.URL, 25: MessageType.TEXT, 26: MessageType.CHAT_HISTORY, 27: MessageType.CONTACT},
    **dict.fromkeys((20, 21, 22, 23, 80, 81, 99), MessageType.SYSTEM),
}
_WECHATY = {
    **{1: MessageType.FILE, 2: MessageType.AUDIO, 3: MessageType.CONTACT, 4: MessageType.CHAT_HISTORY},
    **{5: MessageType.EMOTICON, 6: MessageType.IMAGE, 7: MessageType.TEXT, 8: MessageType.LOCATION},
    **{9: MessageType.MINI_PROGRAM, 10: MessageType.NOTE, 14: MessageType.URL, 15: MessageType.VIDEO},
    **dict.fromkeys((0, 11, 12, 13, 16, 18), MessageType.SYSTEM),
}


def read(source: str, collect: Collector) -> str:
    """Parse, recognise the tool, read every message; return the format's name. Raises only FileError."""
    document = _parse(source, collect)
    if isinstance(document, dict):
        whole = _whole(document, collect)
        if whole is not None:
            return whole
    items, head = _items(document)
    for name, wanted, reader in _TOOLS:
        if any(wanted <= item.keys() for _, item in items[:20]):
            for number, item in items:
                if wanted <= item.keys():
                    reader(number, item, collect)
                else:
                    collect.doubt(number, "缺少字段，没有导入")
            return f"{name}-webhook" if name == "chatlog-json" and "lastTime" in head else name
    if any(_is_training(item) for _, item in items[:20]):
        raise FileError("这是 MemoTrace 的训练用 JSON，没有时间和发送人", "请改用 CSV 或 TXT 导出")
    raise FileError("不认识这种 JSON", "支持 chatlog、PyWxDump、WeFlow、ChatLab、wcferry、Wechaty 和企业微信会话存档")


def _parse(source: str, collect: Collector) -> object:
    """Parse one document, or else one object per line, noting the lines that are none."""
    try:
        return json.loads(source)
    except RecursionError as error:
        raise FileError("JSON 嵌套太深", "请重新导出") from error
    except ValueError as error:
        whole = error
    objects: list[tuple[int, Item]] = []
    failed: list[int] = []
    for number, line in enumerate(source.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            failed.append(number)
            continue
        if isinstance(item, dict):
            objects.append((number, item))
        else:
            failed.append(number)
    if not objects:
        line_number = whole.lineno if isinstance(whole, json.JSONDecodeError) else 1
        raise FileError("JSON 不完整或写错了", "请重新导出", line_number) from whole
    for number in failed:
        collect.doubt(number, "不是 JSON 对象，没有导入")
    return objects


def _items(document: object) -> tuple[list[tuple[int, Item]], Item]:
    """Return the messages with their numbers, and the object around them."""
    head: Item = {}
    if isinstance(document, dict):
        head = document
        inner = next((head[key] for key in _LISTS if isinstance(head.get(key), list)), None)
        document = [document] if inner is None or _is_training(head) else inner
    if not isinstance(document, list):
        return [], head
    if document and isinstance(document[0], tuple):
        return document, head
    return [(number, item) for number, item in enumerate(document, start=1) if isinstance(item, dict)], head


def _is_training(item: Item) -> bool:
    turns = item.get("messages") or item.get("conversations")
    return isinstance(turns, list) and any(isinstance(turn, dict) and "role" in turn for turn in turns[:5])


def _whole(document: Item, collect: Collector) -> str | None:
    """Read the formats that say more around the messages than in them."""
    messages = document.get("messages")
    if not isinstance(messages, list):
        return None
    if isinstance(document.get("chatlab"), dict):
        _chatlab(document, messages, collect)
        return "chatlab"
    if isinstance(document.get("session"), dict):
        session = mapping(document["session"])
        room = text(session.get("displayName")) or text(session.get("nickname"))
        for number, item in _dicts(messages, collect):
            _weflow(number, item, room, collect)
        return "weflow"
    return None


def _dicts(messages: Iterable[object], collect: Collector) -> Iterable[tuple[int, Item]]:
    for number, item in enumerate(messages, start=1):
        if isinstance(item, dict):
            yield number, item
        else:
            collect.doubt(number, "不是 JSON 对象，没有导入")


def _chatlab(document: Item, messages: list[object], collect: Collector) -> None:
    room = text(mapping(document.get("meta")).get("name"))
    members = document.get("members")
    names = {
        text(member.get("platformId")): text(member.get("groupNickname")) or text(member.get("accountName"))
        for member in (members if isinstance(members, list) else [])
        if isinstance(member, dict)
    }
    told: dict[str, Quote] = {}
    for number, item in _dicts(messages, collect):
        sender_id = text(item.get("sender"))
        name = text(item.get("groupNickname")) or names.get(sender_id) or text(item.get("accountName"))
        said = Said(
            number,
            moments.from_epoch(item.get("timestamp")),
            name,
            text(item.get("content")),
            id=text(item.get("platformMessageId")),
            sender_id=sender_id,
            quote=told.get(text(item.get("replyToMessageId"))),
            when=text(item.get("timestamp")),
            room_name=room,
        )
        if said.id:
            told[said.id] = Quote(said.text, name, said.id)
        settle_type(collect, said, _CHATLAB.get(number_of(item.get("type"), 99)), text(item.get("type")))
        collect.add(said)


def _weflow(number: int, item: Item, room: str, collect: Collector) -> None:
    kind = text(item.get("type"))
    said = Said(
        number,
        moments.from_epoch(item.get("createTime")) or moments.from_text(text(item.get("formattedTime"))),
        text(item.get("senderDisplayName")),
        text(item.get("content")),
        id=text(item.get("serverId")),
        sender_id=text(item.get("senderUsername")),
        when=text(item.get("formattedTime")) or text(item.get("createTime")),
        room_name=room,
        is_self=item.get("isSend") == 1,
    )
    settle_type(collect, said, kind_of(kind), kind)
    collect.add(said)


def _chatlog(number: int, item: Item, collect: Collector) -> None:
    contents = mapping(item.get("contents"))
    refer = mapping(contents.get("refer"))
    words = next((text(contents.get(key)) for key in ("title", "label", "desc") if text(contents.get(key))), "")
    code, sub = number_of(item.get("type"), -1), number_of(item.get("subType"), 0)
    said = Said(
        number,
        moments.from_text(text(item.get("time"))),
        text(item.get("senderName")),
        text(item.get("content")) or words,
        id=text(item.get("seq")),
        sender_id=text(item.get("sender")),
        quote=Quote(text(refer.get("content")), text(refer.get("senderName")), text(refer.get("seq")))
        if refer
        else None,
        when=text(item.get("time")),
        room_id=text(item.get("talker")),
        room_name=text(item.get("talkerName")),
        is_self=item.get("isSelf") is True,
    )
    settle_type(collect, said, code_of(code, sub), f"{code}/{sub}")
    collect.add(said)


def _pywxdump(number: int, item: Item, collect: Collector) -> None:
    when, kind = text(item.get("CreateTime")), text(item.get("type_name"))
    identity = text(item.get("MsgSvrID"))
    said = Said(
        number,
        moments.from_text(when) or moments.from_epoch(when),
        text(item.get("talker")),
        text(item.get("msg")),
        id="" if identity == "0" else identity,
        sender_id=text(item.get("talker")),
        when=when,
        room_id=text(item.get("room_name")),
        is_self=number_of(item.get("is_sender"), 0) == 1,
    )
    settle_type(collect, said, kind_of(kind), kind)
    collect.add(said)


def _wcferry(number: int, item: Item, collect: Collector) -> None:
    code = number_of(item.get("type"), -1)
    said = Said(
        number,
        moments.from_epoch(item.get("ts")),
        text(item.get("sender")),
        text(item.get("content")),
        id=text(item.get("id")),
        sender_id=text(item.get("sender")),
        when=text(item.get("ts")),
        room_id=text(item.get("roomid")),
        is_self=True in (item.get("is_self"), item.get("_is_self")),
    )
    settle_type(collect, said, code_of(code, 0), str(code))
    collect.add(said)


def _wechaty(number: int, item: Item, collect: Collector) -> None:
    code = number_of(item.get("type"), 0)
    said = Said(
        number,
        moments.from_epoch(item.get("timestamp")),
        text(item.get("talkerName")) or text(item.get("talkerId")),
        text(item.get("text")) or text(item.get("filename")),
        id=text(item.get("id")),
        sender_id=text(item.get("talkerId")),
        when=text(item.get("timestamp")),
        room_id=text(item.get("roomId")),
    )
    settle_type(collect, said, _WECHATY.get(code), str(code))
    collect.add(said)


Reader = Callable[[int, Item, Collector], None]
_TOOLS: tuple[tuple[str, frozenset[str], Reader], ...] = (
    ("wework-archive", frozenset({"msgid", "action"}), chat_wework.read_message),
    ("chatlog-json", frozenset({"time", "talker", "sender", "type"}), _chatlog),
    ("pywxdump-json", frozenset({"type_name", "talker", "msg", "CreateTime"}), _pywxdump),
    ("wcferry", frozenset({"ts", "roomid", "sender", "content"}), _wcferry),
    ("wechaty", frozenset({"talkerId", "timestamp", "type"}), _wechaty),
)
