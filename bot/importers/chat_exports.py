"""A group's history from whatever file people have, as a transcript for `replay`. The format is told by content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bot.importers import chat_json, chat_native, chat_tables, chat_text
from bot.importers.chat_model import Collector
from bot.importers.files import DEFAULT_LIMIT_BYTES, FileError, clean, read_text

SAMPLE_LINES = 20_000  # enough to tell a text format by its headers


class ChatImportError(Exception):
    """The file as a whole can't be read; single lines that can't are `odd`, and the rest goes on."""

    def __init__(self, path: Path, line: int | None, what: str) -> None:
        place = clean(path.name) + (f" 第 {line} 行" if line is not None else "")
        super().__init__(f"{place}：{what}")
        self.path = path
        self.line = line
        self.what = what


@dataclass(frozen=True, slots=True)
class ChatImport:
    lines: tuple[dict[str, Any], ...]  # JSON objects of spec/replay.md, sorted by `at`
    odd: tuple[tuple[int, str], ...]  # line (in a JSON list: place of the message) and why
    format: str


def read_chat(
    path: Path,
    room: str,
    *,
    me: str | None = None,
    day: date | None = None,
    source_room: str | None = None,
    limit: int = DEFAULT_LIMIT_BYTES,
) -> ChatImport:
    """Read one export as talk in `room`. Raises only ChatImportError.

    `me`: name of who exported, where the tool says 我. `day`: of times without a date; else a date in the file's name.
    `source_room`: the room's name or id inside a file that holds several.
    """
    collect = Collector(room, me=me, day=day or chat_text.day_of_name(path.name), source_room=source_room)
    try:
        source, damaged = read_text(path, limit)
        for number in damaged:
            collect.doubt(number, "有损坏的字节，按读得出的导入")
        source = clean(source).lstrip("\ufeff\u200e\u200f")
        name = _read(source, collect)
        if not collect.said:
            first = min((each for each in collect.odd if each[0] not in damaged), default=None)
            why = f"：第 {first[0]} 行{first[1]}" if first else ""
            raise FileError(f"一条消息也没有读出来{why}", "请换一种导出方式", first[0] if first else None)
        lines = collect.finish()
    except FileError as error:
        raise ChatImportError(path, error.line, f"{error.what}，{error.todo}") from error
    return ChatImport(lines, tuple(sorted(set(collect.odd))), name)


def write_transcript(lines: Iterable[Mapping[str, Any]], out: Path) -> None:
    """Write the lines as JSON Lines, UTF-8, ready for `replay`."""
    with out.open("w", encoding="utf-8", newline="\n") as stream:
        for line in lines:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def _read(source: str, collect: Collector) -> str:
    if source.lstrip()[:1] in ("{", "[") and _is_json(source):
        return chat_json.read(source, collect)
    table = chat_tables.reader_of(source)
    if table is not None:
        chat_tables.read(source, table[1], collect)
        return table[0]
    lines = source.split("\n")
    sample = lines[:SAMPLE_LINES]
    if any(len(line) <= chat_text.HEADER_LIMIT and chat_native.DAY.fullmatch(line) for line in sample):
        chat_native.read(lines, collect)
        return "wechat-native"
    name, reader = _text_family(sample)
    reader(lines, collect)
    return name


def _is_json(source: str) -> bool:
    """Tell JSON from text whose first message begins with a bracket, like [图片]."""
    start = source.lstrip()[1:200].lstrip()
    return start[:1] in ('"', "{", "[", "}", "]", "") or start[:1].isdigit()


def _text_family(sample: list[str]) -> tuple[str, chat_text.Reader]:
    """Choose the family whose header most lines match; headers without a date count only if none has one.

    Some patterns hold others, and a line of a message may look like a header: the narrower family needs only nearly
    as many lines.
    """
    for families in (chat_text.DATED, chat_text.UNDATED):
        counts = [sum(1 for line in sample if chat_text.matches(line, header)) for _, header, _ in families]
        for count, (name, _, reader) in zip(counts, families, strict=True):
            if count and count * 10 >= max(counts) * 9:
                return name, reader
    raise FileError("不认识这种聊天记录", "请看文档 docs/imports.md 里支持的格式")
