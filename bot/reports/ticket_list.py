"""The tickets that a search found, as Excel or CSV; cells hold no formula, whoever wrote the complaint."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.reports.sheets import Book, Column, clean
from handlers.policy import BEIJING

BOM = "\ufeff"  # without it Excel reads a CSV in the machine's own encoding
_LINES = 500  # rows of one piece of the stream
# What a spreadsheet takes for the beginning of a formula (full-width ones too: Excel folds them).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")

COLUMNS = (
    Column("工单编号", 16),
    Column("12345单号", 22),
    Column("主办单位", 16),
    Column("状态", 10),
    Column("紧急程度", 9),
    Column("类别", 14),
    Column("事项（已脱敏）", 46),
    Column("地点（已脱敏）", 24),
    Column("村居", 14),
    Column("来源", 9),
    Column("上报时间", 20, "at"),
    Column("派单时间", 20, "at"),
    Column("领办时限", 20, "at"),
    Column("领办时间", 20, "at"),
    Column("领办用时", 10, "took"),
    Column("按时", 7),
    Column("责任人", 12),
    Column("结束时间", 20, "at"),
)
PERSONAL = (Column("原文", 60), Column("电话", 24), Column("诉求人", 16))

Row = Sequence[Any]  # a value per column: text, aware time, seconds, or None


def write_excel(rows: Iterable[Row], columns: Sequence[Column], note: str, path: Path, *, now: datetime) -> None:
    """Write the workbook, streaming; `note` says what was searched and by whom."""
    with Book(path, created=now) as book:
        sheet = book.sheet(book.name("工单"), "工单", note, columns)
        for row in rows:
            sheet.add(row)
        sheet.finish()
        sheet.colour("按时", "==", "否", "bad")


def csv_pieces(rows: Iterable[Row], columns: Sequence[Column]) -> Iterator[str]:
    """The same as CSV, a piece of some hundred lines at a time; times are Beijing's, durations whole seconds."""
    page = io.StringIO()
    writer = csv.writer(page)
    page.write(BOM)
    writer.writerow([f"{column.title}（秒）" if column.kind == "took" else column.title for column in columns])
    for number, row in enumerate(rows, 1):
        writer.writerow([_cell(value) for value in row])
        if number % _LINES == 0:
            yield page.getvalue()
            page.seek(0)
            page.truncate()
    yield page.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, int):
        return str(value)
    text = clean(str(value))
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
