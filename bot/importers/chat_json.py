"""Chat exports as JSON: one object, a list, or one object per line. Here chatlog, PyWxDump, wcferry, Wechaty."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from bot.importers import chat_documents, chat_wework, moments
from bot.importers.chat_model import Collector, Quote, Said, code_of, kind_of
from bot.importers.chat_tables import settle_type
from bot.importers.files import FileError
from bot.importers.values import mapping, number_of, text
from storage.enums import MessageType

Item = Mapping[str, Any]
SUPPORTED = "chatlog、PyWxDump、WeFlow、ChatLab、qq-chat-exporter、wcferry、Wechaty、企业微信会话存档"
_LISTS = ("messages", "data", "items", "list", "records")
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
        whole = chat_documents.read(document, collect)
        if whole is not None:
            return whole
    items, head = _items(document)
    lined = chat_documents.read_lines(items, collect)
    if lined is not None:
        return lined
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
    raise FileError(
        "不认识这种 JSON",
        f"支持 {SUPPORTED}",
    )


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
