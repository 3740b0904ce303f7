"""Chat exports as CSV: 留痕 MemoTrace 1 and 2, chatlog, PyWxDump."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping

from bot.importers import moments
from bot.importers.chat_model import Collector, Said, code_of, kind_of
from bot.importers.chat_xml import looks_like_xml, parse
from bot.importers.files import FileError
from storage.enums import MessageType

Row = Mapping[str, str]
Reader = Callable[[int, Row, Collector], None]

FIELD_LIMIT = 2_000_000  # characters of one CSV field


def reader_of(text: str) -> tuple[str, Reader] | None:
    """Recognise the tool by the columns of the first line."""
    first = text.lstrip("\ufeff \n").split("\n", 1)[0][:2000]
    columns = {name.strip().strip('"') for name in first.split(",")}
    for name, wanted, reader in _TOOLS:
        if wanted <= columns:
            return name, reader
    return None


def read(text: str, reader: Reader, collect: Collector) -> None:
    csv.field_size_limit(FIELD_LIMIT)
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff \n"), newline=""))
    number = 1
    try:
        header = [name.strip() for name in next(rows)]
        number = rows.line_num + 1
        for row in rows:
            if any(cell.strip() for cell in row) and row != header:
                if len(row) != len(header):
                    collect.doubt(number, f"有 {len(row)} 列，表头有 {len(header)} 列")
                reader(number, dict(zip(header, row, strict=False)), collect)
            number = rows.line_num + 1
    except csv.Error as error:
        raise FileError(f"CSV 读不出来（{error}）", "请检查引号是否成对", number) from error


def _memotrace_1(number: int, row: Row, collect: Collector) -> None:
    kind = code_of(_int(row.get("Type")), _int(row.get("SubType")))
    when = row.get("StrTime", "")
    _add(
        collect,
        Said(
            number,
            moments.from_epoch(row.get("CreateTime", "")) or moments.from_text(when),
            row.get("NickName") or row.get("Remark") or "",
            row.get("StrContent", ""),
            sender_id=row.get("Sender", ""),
            when=when or row.get("CreateTime", ""),
            room_id=row.get("TalkerId", ""),
            is_self=row.get("IsSender") == "1",
        ),
        kind,
        row.get("Type", ""),
    )


def _memotrace_2(number: int, row: Row, collect: Collector) -> None:
    when = row.get("时间", "")
    said = Said(
        number,
        moments.from_text(when),
        row.get("发送人") or row.get("昵称") or row.get("备注") or "",
        row.get("内容", ""),
        id=row.get("消息ID", ""),
        when=when,
    )
    _add(collect, said, kind_of(row.get("类型", "")), row.get("类型", ""))


def _chatlog(number: int, row: Row, collect: Collector) -> None:
    when = row.get("Time", "")
    said = Said(
        number,
        moments.from_text(when),
        row.get("SenderName", ""),
        row.get("Content", ""),
        sender_id=row.get("Sender", ""),
        when=when,
        room_id=row.get("Talker", ""),
        room_name=row.get("TalkerName", ""),
    )
    _add(collect, said, MessageType.TEXT, "")


def _pywxdump(number: int, row: Row, collect: Collector) -> None:
    when = row.get("CreateTime", "")
    said = Said(
        number,
        moments.from_text(when) or moments.from_epoch(when),
        row.get("talker", ""),
        row.get("msg", ""),
        id=row.get("MsgSvrID", ""),
        sender_id=row.get("talker", ""),
        when=when,
        room_id=row.get("room_name", ""),
        is_self=row.get("is_sender") == "1",
    )
    said.id = "" if said.id == "0" else said.id
    _add(collect, said, kind_of(row.get("type_name", "")), row.get("type_name", ""))


def _add(collect: Collector, said: Said, kind: MessageType | None, named: str) -> None:
    settle_type(collect, said, kind, named)
    collect.add(said)


def settle_type(collect: Collector, said: Said, kind: MessageType | None, named: str) -> None:
    """Set the type, read XML if the tool left it raw; a kind that nobody knows becomes a system message."""
    parsed = parse(said.text) if looks_like_xml(said.text) else None
    if parsed is not None:
        kind = parsed.type if kind in (None, MessageType.URL, MessageType.TEXT) else kind
        said.text, said.quote = parsed.text, said.quote or parsed.quote
    elif looks_like_xml(said.text):
        said.text = "" if kind is not MessageType.TEXT else said.text
    if kind is None:
        collect.doubt(said.number, f"不认识的消息类型“{named[:20]}”，按系统消息处理")
    said.type = kind or MessageType.SYSTEM


def _int(text: str | None) -> int:
    plain = (text or "").strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 19 else 0


_TOOLS: tuple[tuple[str, frozenset[str], Reader], ...] = (
    ("memotrace-csv-1", frozenset({"localId", "CreateTime", "StrContent", "IsSender"}), _memotrace_1),
    ("memotrace-csv-2", frozenset({"消息ID", "类型", "时间", "内容"}), _memotrace_2),
    ("chatlog-csv", frozenset({"Time", "SenderName", "Sender", "Talker", "Content"}), _chatlog),
    ("pywxdump-csv", frozenset({"MsgSvrID", "type_name", "talker", "msg", "CreateTime"}), _pywxdump),
)
