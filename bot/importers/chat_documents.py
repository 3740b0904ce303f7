"""JSON exports that say more around the messages than in them: ChatLab, WeFlow, qq-chat-exporter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.importers import moments
from bot.importers.chat_model import Collector, Quote, Said, kind_of
from bot.importers.chat_tables import settle_type
from bot.importers.values import mapping, number_of, text
from storage.enums import MessageType

Item = Mapping[str, Any]
Numbered = tuple[int, Item]

_CHATLAB = {
    **{0: MessageType.TEXT, 1: MessageType.IMAGE, 2: MessageType.AUDIO, 3: MessageType.VIDEO},
    **{4: MessageType.FILE, 5: MessageType.EMOTICON, 7: MessageType.URL, 8: MessageType.LOCATION},
    **{24: MessageType.URL, 25: MessageType.TEXT, 26: MessageType.CHAT_HISTORY, 27: MessageType.CONTACT},
    **dict.fromkeys((20, 21, 22, 23, 80, 81, 99), MessageType.SYSTEM),
}


def read(document: Item, collect: Collector) -> str | None:
    """Read the whole document; return the format's name, or None if it is of another kind."""
    messages = document.get("messages")
    if not isinstance(messages, list):
        return None
    if isinstance(document.get("chatlab"), dict):
        members = document.get("members")
        _chatlab(
            text(mapping(document.get("meta")).get("name")),
            [member for member in (members if isinstance(members, list) else []) if isinstance(member, dict)],
            _numbered(messages, collect),
            collect,
        )
        return "chatlab"
    if isinstance(document.get("session"), dict):
        session = mapping(document["session"])
        room = text(session.get("displayName")) or text(session.get("nickname"))
        for number, item in _numbered(messages, collect):
            _weflow(number, item, room, collect)
        return "weflow"
    if isinstance(document.get("chatInfo"), dict):
        room = text(mapping(document["chatInfo"]).get("name"))
        for number, item in _numbered(messages, collect):
            _qq(number, item, room, collect)
        return "qq-chat-exporter"
    return None


def read_lines(items: Sequence[Numbered], collect: Collector) -> str | None:
    """Read ChatLab's JSON Lines, where `_type` tells header, member and message apart; None if it is none."""
    kinds = {text(item.get("_type")) for _, item in items[:20]}
    if "header" not in kinds or not any(isinstance(item.get("chatlab"), dict) for _, item in items[:20]):
        return None
    header = next(item for _, item in items if text(item.get("_type")) == "header")
    members = [item for _, item in items if text(item.get("_type")) == "member"]
    messages = [(number, item) for number, item in items if text(item.get("_type")) == "message"]
    _chatlab(text(mapping(header.get("meta")).get("name")), members, messages, collect)
    return "chatlab"


def _numbered(messages: Iterable[object], collect: Collector) -> list[Numbered]:
    found: list[Numbered] = []
    for number, item in enumerate(messages, start=1):
        if isinstance(item, dict):
            found.append((number, item))
        else:
            collect.doubt(number, "不是 JSON 对象，没有导入")
    return found


def _chatlab(room: str, members: Iterable[Item], messages: Iterable[Numbered], collect: Collector) -> None:
    names = {
        text(member.get("platformId")): text(member.get("groupNickname")) or text(member.get("accountName"))
        for member in members
    }
    told: dict[str, Quote] = {}
    for number, item in messages:
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


def _qq(number: int, item: Item, room: str, collect: Collector) -> None:
    sender, content = mapping(item.get("sender")), mapping(item.get("content"))
    reply = mapping(content.get("reply"))
    when = item.get("timestamp")
    said = Said(
        number,
        moments.from_epoch(when) or moments.from_text(text(when)),
        text(sender.get("groupCard")) or text(sender.get("name")),
        text(content.get("text")),
        id=text(item.get("messageId")),
        sender_id=text(sender.get("uin")) or text(sender.get("uid")),
        when=text(when),
        room_name=room,
    )
    if reply:
        words = text(reply.get("content")) or text(reply.get("text"))
        said.quote = Quote(words, text(reply.get("senderName")), text(reply.get("messageId")))
    system = item.get("isSystemMessage") is True or item.get("isRecalled") is True
    settle_type(collect, said, MessageType.SYSTEM if system else MessageType.TEXT, "")
    resources = content.get("resources")
    if not said.text and isinstance(resources, list) and resources:
        said.type = kind_of(text(mapping(resources[0]).get("type"))) or MessageType.FILE
    collect.add(said)
