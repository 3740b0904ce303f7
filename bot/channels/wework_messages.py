"""What a callback of 企业微信's 智能机器人 says, as messages of ours (document 100719). Pure; never raises.

It tells the sender's userid and no name, no time and no topic; it tells what was quoted by its words alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.channels.base import InboundMessage, QuoteRef
from bot.channels.wechaty_text import storable
from storage.enums import MessageType

MOST_ID_CHARS = 256
MOST_ITEMS = 50  # of a message mixed of words and pictures

_FILES = {"image": MessageType.IMAGE, "file": MessageType.FILE, "video": MessageType.VIDEO}
_NOT_SAID = ("event", "stream")  # nobody said anything
_NAMED = re.compile(r"[@＠]([^\s@＠]{1,64})")
_LEADING_NAMES = re.compile(r"^(?:[@＠]\S{1,64}\s+)+")


@dataclass(frozen=True, slots=True)
class Part:
    """A message, and where the picture or file that it is can be fetched for five minutes; None: it is none."""

    message: InboundMessage
    file_url: str | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """`user_id` said it in `chat_id`, "" in private; `parts` is empty for an event. `answer_at`: see 主动回复."""

    message_id: str
    chat_id: str
    user_id: str
    parts: tuple[Part, ...]
    answer_at: str = ""


def read(body: object, *, bot_name: str, sent_at: datetime, received_at: datetime) -> Callback | None:
    """The callback, or None where it is none that the documents describe."""
    if not isinstance(body, Mapping):
        return None
    kind, message_id, user_id = _text(body, "msgtype"), _text(body, "msgid"), _text(body, "from", "userid")
    group = _text(body, "chattype") == "group"
    chat_id = _text(body, "chatid") if group else ""
    if kind in _NOT_SAID:
        return Callback(message_id, chat_id, user_id, ())
    ids = (message_id, user_id, *([chat_id] if group else []))
    if not kind or not all(0 < len(each) <= MOST_ID_CHARS for each in ids):
        return None

    def message(type: MessageType, text: str = "", number: int = 0) -> InboundMessage:
        names = tuple(dict.fromkeys(name for name in _NAMED.findall(text) if name != bot_name))
        return InboundMessage(
            room_id=chat_id,
            message_id=f"{message_id}#{number}" if number else message_id,
            sender_id=user_id,
            sender_name=user_id,
            type=type,
            text=_without_bot(text, bot_name),
            sent_at=sent_at,
            received_at=received_at,
            mentions=names,
            mentions_bot=group,  # a group's message comes only where it @-s the robot
            quote=_quote(body.get("quote"), bot_name),
            raw={"msgtype": kind, "msgid": message_id, "aibotid": _text(body, "aibotid")},
        )

    return Callback(message_id, chat_id, user_id, _parts(kind, body, message), _text(body, "response_url"))


def _parts(kind: str, body: Mapping[Any, Any], message: Any) -> tuple[Part, ...]:
    if kind in ("text", "voice"):  # of a voice 企业微信 gives the words
        return (Part(message(MessageType.TEXT, _text(body, kind, "content"))),)
    if kind in _FILES:
        return (Part(message(_FILES[kind]), _text(body, kind, "url")),)
    if kind == "mixed":
        items = _items(body.get("mixed"))
        words = "\n".join(filter(None, (_text(item, "text", "content") for item in items)))
        urls = [url for item in items if (url := _text(item, "image", "url"))]
        pictures = (Part(message(MessageType.IMAGE, "", number), url) for number, url in enumerate(urls, 1))
        return (Part(message(MessageType.TEXT, words)), *pictures)
    return (Part(message(MessageType.UNKNOWN)),)


def _quote(quote: object, bot_name: str) -> QuoteRef | None:
    """The words quoted, without the names that 企业微信 shows before them; the sender and the id are not told."""
    if not isinstance(quote, Mapping):
        return None
    kind = _text(quote, "msgtype")
    if kind == "mixed":
        words = "\n".join(filter(None, (_text(item, "text", "content") for item in _items(quote.get("mixed")))))
    else:
        words = _text(quote, kind, "content") if kind else ""
    return QuoteRef(None, "", _LEADING_NAMES.sub("", _without_bot(words, bot_name)))


def _items(mixed: object) -> list[Mapping[Any, Any]]:
    found = mixed.get("msg_item") if isinstance(mixed, Mapping) else None
    return [item for item in found[:MOST_ITEMS] if isinstance(item, Mapping)] if isinstance(found, list) else []


def _without_bot(text: str, bot_name: str) -> str:
    """`@派单助手 收到` is what must be written to be heard; it is no part of what is said."""
    return re.sub(rf"[@＠]{re.escape(bot_name)}(?=\s|$)\s?", "", text).strip() if bot_name else text.strip()


def _text(body: Mapping[Any, Any], *path: str) -> str:
    """A text somewhere within, "" where there is none."""
    found: object = body
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return storable(found) if isinstance(found, str) else ""
