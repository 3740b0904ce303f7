"""What WeChat itself writes: 多选 → 转发 or 邮件. Days on lines of their own, minutes in the headers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.importers import moments
from bot.importers.chat_model import Collector, Said
from bot.importers.chat_text import HEADER_LIMIT, NAME

DAY = re.compile(r"[—–―─\-]{3,}\s*(?P<day>\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?)\s*[—–―─\-]{3,}\s*")
HEADER = re.compile(NAME + r"[ \t\u3000]{2,}(?P<clock>\d{1,2}:\d{2}(?::\d{2})?)\s*")
_ROOM = re.compile(r"(?:微信群[“\"](?P<mail>.*)[”\"]的|(?P<forward>.*?)\s*微信群上的)聊天记录如下")
_PRIVATE = re.compile(r".*在微信上的聊天记录如下")
_GREETING = re.compile(r"(?:dear|hi|您好|你好)\s*[:：,，]?\s*", re.IGNORECASE)


def read(lines: Sequence[str], collect: Collector) -> None:
    """Read the greeting, then day by day. A header without a day above it has no time."""
    airy = _has_blank_after_headers(lines)
    day = room = ""
    current: Said | None = None
    body: list[str] = []

    def close() -> None:
        if current is not None:
            current.text = "\n".join(body).strip()
            collect.add(current)
        body.clear()

    for index, line in enumerate(lines):
        short = line if len(line) <= HEADER_LIMIT else ""
        new_day = DAY.fullmatch(short)
        header = HEADER.fullmatch(short)
        if header and airy and index + 1 < len(lines) and lines[index + 1].strip():
            header = None  # a line of a message that looks like a header
        if new_day:
            close()
            current, day = None, new_day["day"]
        elif header:
            close()
            when = f"{day} {header['clock']}".strip()
            current = Said(index + 1, moments.from_text(when), header["name"].strip(), when=when, room_name=room)
        elif current is not None:
            body.append(line)
        elif not day:
            room = _greeting(index + 1, short, collect) or room
        elif line.strip():
            collect.doubt(index + 1, "没有发送人和时间，这一行没有导入")
    close()


def _greeting(number: int, line: str, collect: Collector) -> str:
    """Take the room's name from the line above the messages; anything unknown there is odd."""
    found = _ROOM.match(line.strip())
    if found:
        return (found["mail"] or found["forward"] or "").strip()
    if _PRIVATE.match(line):
        collect.doubt(number, "这是两个人的聊天记录，不是群的")
    elif line.strip() and not _GREETING.fullmatch(line.strip()):
        collect.doubt(number, "第一条消息之前的文字，没有导入")
    return ""


def _has_blank_after_headers(lines: Sequence[str]) -> bool:
    """Tell the forward form (blank line after each header) from the mail form (none)."""
    headers = [i for i, line in enumerate(lines) if len(line) <= HEADER_LIMIT and HEADER.fullmatch(line)]
    blank = sum(1 for i in headers if i + 1 >= len(lines) or not lines[i + 1].strip())
    return blank * 2 > len(headers)
