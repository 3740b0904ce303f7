"""企业微信 会话内容存档: one decrypted message per line, as document 91774 describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.importers import moments
from bot.importers.chat_model import Collector, Said
from bot.importers.values import mapping, text
from storage.enums import MessageType

MAX_PARTS = 100  # of one mixed or forwarded message

_TYPES: Mapping[str, MessageType] = {
    **dict.fromkeys(("text", "markdown"), MessageType.TEXT),
    "image": MessageType.IMAGE,
    **dict.fromkeys(("voice", "meeting_voice_call", "voip_doc_share"), MessageType.AUDIO),
    "video": MessageType.VIDEO,
    "emotion": MessageType.EMOTICON,
    "file": MessageType.FILE,
    "location": MessageType.LOCATION,
    "card": MessageType.CONTACT,
    "weapp": MessageType.MINI_PROGRAM,
    **dict.fromkeys(("link", "news", "docmsg", "sphfeed"), MessageType.URL),
    "chatrecord": MessageType.CHAT_HISTORY,
    **dict.fromkeys(("collect", "vote", "todo", "calendar"), MessageType.NOTE),
    **dict.fromkeys(("redpacket", "external_redpacket", "meeting", "agree", "disagree"), MessageType.SYSTEM),
}


def read_message(number: int, item: Mapping[str, Any], collect: Collector) -> None:
    """Read one archived message. Private chats and changes of company are no group talk."""
    action = text(item.get("action"))
    if action == "switch":
        return
    if not text(item.get("roomid")):
        collect.doubt(number, "是两个人之间的消息，不是群里的，没有导入")
        return
    kind = text(item.get("msgtype"))
    said = Said(
        number,
        moments.from_epoch(item.get("msgtime")),
        text(item.get("from")),
        id=text(item.get("msgid")),
        sender_id=text(item.get("from")),
        when=text(item.get("msgtime")),
        room_id=text(item.get("roomid")),
    )
    body = mapping(item.get(kind)) or mapping(item.get("info"))
    if action == "recall" or kind == "revoke":
        said.recalls = text(mapping(item.get("revoke")).get("pre_msgid"))
        if not said.recalls:
            collect.doubt(number, "撤回了哪一条没有写明，没有导入")
            return
        collect.add(said)
    elif kind == "mixed":
        _mixed(said, body, collect)
    else:
        if kind not in _TYPES:
            collect.doubt(number, f"不认识的消息类型“{kind[:20]}”，按系统消息处理")
        said.type = _TYPES.get(kind, MessageType.SYSTEM)
        said.text = _words(kind, body)
        collect.add(said)


def _words(kind: str, body: Mapping[str, Any]) -> str:
    if kind == "chatrecord":
        return "\n".join(words for part, inner in _parts(body) if (words := _words(part, inner)))
    if kind == "location":
        return " ".join(filter(None, (text(body.get("title")), text(body.get("address")))))
    keys = ("content", "title", "filename", "room_name", "displayname", "corpname", "description")
    return next((text(body.get(key)) for key in keys if text(body.get(key))), "")


def _mixed(said: Said, body: Mapping[str, Any], collect: Collector) -> None:
    """Say the texts as one message and each picture or file as another, right after it."""
    parts = _parts(body)
    words = "\n".join(text for kind, inner in parts if kind in ("text", "markdown") and (text := _words(kind, inner)))
    others = [(kind, inner) for kind, inner in parts if kind not in ("text", "markdown")]
    if words:
        collect.add(_copy(said, said.id, MessageType.TEXT, words))
    for place, (kind, inner) in enumerate(others, start=1):
        identity = said.id if not words and place == 1 else f"{said.id}#{place}"
        collect.add(_copy(said, identity, _TYPES.get(kind, MessageType.SYSTEM), _words(kind, inner)))
    if not words and not others:
        collect.doubt(said.number, "混合消息里没有内容，没有导入")


def _copy(said: Said, identity: str, kind: MessageType, words: str) -> Said:
    return Said(
        said.number,
        said.at,
        said.sender,
        words,
        kind,
        id=identity,
        sender_id=said.sender_id,
        when=said.when,
        room_id=said.room_id,
    )


def _parts(body: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Unpack the items of a mixed or forwarded message, whose content is JSON inside a string."""
    items = body.get("item")
    parts: list[tuple[str, Mapping[str, Any]]] = []
    for item in (items if isinstance(items, list) else [])[:MAX_PARTS]:
        entry = mapping(item)
        inner = entry.get("content")
        if isinstance(inner, str):
            try:
                inner = json.loads(inner)
            except (ValueError, RecursionError):
                inner = {"content": inner}
        kind = text(entry.get("type")).lower().removeprefix("chatrecord")
        parts.append((kind, mapping(inner)))
    return parts
