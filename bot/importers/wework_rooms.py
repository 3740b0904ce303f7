"""The list of 企业微信 groups: 群名, 群编号 (chatid), webhook. A clerk keeps it in Excel or CSV; it is a secret.

Whoever has a webhook's key can write into the group in the bot's name: a file that everybody on the machine may read is
refused, and no message of an error holds a key.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.importers.files import FileError
from bot.importers.tables import Cell, read_sheets

MOST_BYTES = 2**20
MOST_PROBLEMS = 20  # told at once
TITLES = {
    "topic": ("群名", "群聊名称", "工作群", "topic", "room"),
    "chat_id": ("群编号", "chatid", "chat_id"),
    "key": ("webhook", "webhook地址", "机器人地址", "key"),
}
_KEY = re.compile(r"(?:https://qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=)?([0-9A-Za-z-]{8,64})")
_CHAT_ID = re.compile(r"[0-9A-Za-z_@.-]{1,128}")


class WeworkRoomsError(ValueError):
    """Everything that is wrong with the list, a line each: row, what, what to do."""


@dataclass(frozen=True, slots=True)
class RoomLine:
    """`chat_id` is "" while nobody knows it. `key` is the webhook's key alone."""

    topic: str
    chat_id: str
    key: str


def read_rooms(path: Path) -> tuple[RoomLine, ...]:
    """All groups of the list, or WeworkRoomsError with every problem."""
    try:
        if path.is_file() and path.stat().st_mode & 0o007:
            raise FileError("里面是机器人的密钥，现在谁都能读", f"请先执行 chmod 640 {path}")
        rows = [row for sheet in read_sheets(path, MOST_BYTES) for row in sheet.rows]
        columns, rest = _header(rows)
    except FileError as error:
        raise WeworkRoomsError(f"{path}：{error}") from None
    lines, problems = [], []
    for number, cells in rest:
        topic, chat_id, key = (_cell(cells, columns.get(name)) for name in TITLES)
        if not (topic or chat_id or key):
            continue
        found = _KEY.fullmatch(key)
        if wrong := list(_wrong(topic, chat_id, found is not None)):
            problems += [f"{path} 第{number}行：{each}" for each in wrong]
        else:
            lines.append(RoomLine(topic, chat_id, found[1] if found else ""))
    problems += [f"{path}：{each}" for each in _twice(lines)]
    if not lines and not problems:
        problems.append(f"{path}：一个群也没有，请每群填一行：群名、群编号、webhook")
    if problems:
        raise WeworkRoomsError("\n".join(problems[:MOST_PROBLEMS]))
    return tuple(lines)


def _header(rows: Sequence[tuple[int, Sequence[Cell]]]) -> tuple[dict[str, int], Sequence[tuple[int, Sequence[Cell]]]]:
    """Which column holds what, and the rows below the heading."""
    for index, (_, cells) in enumerate(rows[:20]):
        words = ["".join(str(cell or "").lower().split()) for cell in cells]
        columns = {name: words.index(title) for name, titles in TITLES.items() for title in titles if title in words}
        if "topic" in columns and "key" in columns:
            return columns, rows[index + 1 :]
    raise FileError("没有表头", "第一行请写：群名、群编号、webhook")


def _cell(cells: Sequence[Cell], column: int | None) -> str:
    value = cells[column] if column is not None and column < len(cells) else None
    return "" if value is None else str(value).strip()


def _wrong(topic: str, chat_id: str, key_is_right: bool) -> Iterator[str]:
    if not topic:
        yield "没有群名"
    if chat_id and not _CHAT_ID.fullmatch(chat_id):
        yield "群编号不对，请在群里@机器人，照它的答复抄"
    if not key_is_right:
        yield "webhook 不对，请从群的“消息推送”页面复制整个地址"


def _twice(lines: Iterable[RoomLine]) -> Iterator[str]:
    kept = list(lines)
    for what, values in (
        ("群名", [line.topic for line in kept]),
        ("群编号", [line.chat_id for line in kept if line.chat_id]),
    ):
        for value, times in Counter(values).items():
            if times > 1:
                yield f"{what}“{value[:40]}”出现了{times}次"
    by_key = Counter(line.key for line in kept)
    shared = [line.topic for line in kept if by_key[line.key] > 1]
    if shared:
        yield f"{'、'.join(shared)[:80]} 用了同一个 webhook，一个 webhook 只属于一个群"
