"""A workbook of plain tables: title, frozen header, filter, typed cells that can hold no formula.

Rows are written in order and forgotten (xlsxwriter's constant memory), so a sheet may be as long as Excel allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from handlers.policy import BEIJING

LAST_ROW = 1_048_575  # Excel's, counted from 0
LONGEST = 32_000  # characters of a cell; Excel takes 32,767
HEADER = 2  # row of the header, below the title and the note
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")  # marks that turn or hide what is read
_NOT_NAME = re.compile(r"[\[\]:*?/\\']")
_FORMATS: dict[str, dict[str, Any]] = {
    "text": {"indent": 1},
    "whole": {"num_format": "0"},
    "share": {"num_format": "0.0%"},
    "took": {"num_format": "[h]:mm:ss"},  # seconds go in, a fraction of a day is stored
    "at": {"num_format": "yyyy-mm-dd hh:mm:ss"},
    "link": {"font_color": "#12467b", "underline": 1},
    "title": {"bold": True, "font_size": 16, "font_color": "#12467b"},
    "note": {"font_color": "#5b6876"},
    "header": {"bold": True, "bg_color": "#12467b", "font_color": "#ffffff", "align": "center", "text_wrap": True},
    "good": {"bg_color": "#c9ead3"},
    "fair": {"bg_color": "#fde3b8"},
    "bad": {"bg_color": "#f9c9c4", "font_color": "#8c1d18"},
}


@dataclass(frozen=True, slots=True)
class Column:
    """`kind`: text, whole, share (0 to 1), took (seconds), at (aware datetime or ISO text), link (name of a sheet)."""

    title: str
    width: int
    kind: str = "text"


class Book:
    """Use as a context manager; the file is written at its end."""

    def __init__(self, path: Path, *, created: datetime) -> None:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(str(path), {**options, "strings_to_numbers": False})
        self._book.set_properties(
            {"title": "见诉领办台账", "created": created.astimezone(BEIJING).replace(tzinfo=None)}
        )
        base = {"font_name": "等线", "font_size": 11, "valign": "vcenter"}
        self.formats: dict[str, Format] = {
            name: self._book.add_format({**base, **extra} if name not in ("good", "fair", "bad") else extra)
            for name, extra in _FORMATS.items()
        }
        self._bold = {
            kind: self._book.add_format({**base, **_FORMATS[kind], "bold": True, "top": 1})
            for kind in ("text", "whole", "share", "took", "at")
        }
        self._names: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._book.close()

    def name(self, wanted: str) -> str:
        """Reserve a sheet name that Excel takes: at most 31 characters, none of []:*?/\\', used once."""
        base = _NOT_NAME.sub("", clean(wanted)).strip()[:28] or "未命名"
        name, count = base, 1
        while name.casefold() in self._names:
            count += 1
            name = f"{base}{count}"
        self._names.add(name.casefold())
        return name

    def sheet(self, name: str, title: str, note: str, columns: Sequence[Column], *, back: str | None = None) -> Sheet:
        """Add a sheet under a reserved name; `back` is the sheet that its title links to."""
        return Sheet(self, self._book.add_worksheet(name), title, note, columns, back)

    def bold(self, kind: str) -> Format:
        return self._bold.get(kind, self._bold["text"])


class Sheet:
    def __init__(
        self, book: Book, page: Worksheet, title: str, note: str, columns: Sequence[Column], back: str | None
    ) -> None:
        self._book, self._page, self._columns = book, page, columns
        self.rows = 0
        for place, column in enumerate(columns):
            page.set_column(place, place, column.width)
        page.freeze_panes(HEADER + 1, 1)
        page.set_landscape()
        page.fit_to_pages(1, 0)
        page.repeat_rows(HEADER)
        page.set_row(0, 26)
        page.set_row(HEADER, 32)
        if back:
            page.write_url(0, 0, f"internal:'{back}'!A1", book.formats["title"], clean(title), f"回到{back}")
        else:
            page.write_string(0, 0, clean(title), book.formats["title"])
        page.write_string(1, 0, clean(note), book.formats["note"])
        for place, column in enumerate(columns):
            page.write_string(HEADER, place, column.title, book.formats["header"])

    def add(self, values: Iterable[Any], *, bold: bool = False) -> None:
        """Write the next row, a value per column; None leaves a cell empty."""
        at = HEADER + 1 + self.rows
        if at > LAST_ROW:
            return
        for place, (column, value) in enumerate(zip(self._columns, values, strict=True)):
            form = self._book.bold(column.kind) if bold else self._book.formats[column.kind]
            if value is not None:
                self._cell(at, place, column.kind if not bold or column.kind != "link" else "text", value, form)
            elif bold:
                self._page.write_blank(at, place, None, form)
        self.rows += 1

    def _cell(self, at: int, place: int, kind: str, value: Any, form: Format) -> None:
        page = self._page
        if kind == "text":
            page.write_string(at, place, clean(str(value)), form)
        elif kind == "at":
            moment = datetime.fromisoformat(value) if isinstance(value, str) else value
            page.write_datetime(at, place, moment.astimezone(BEIJING).replace(tzinfo=None, microsecond=0), form)
        elif kind == "link":
            page.write_url(at, place, f"internal:'{value}'!A1", form, str(value))
        else:
            page.write_number(at, place, value / 86_400 if kind == "took" else value, form)

    def finish(self, *, filtered: int | None = None) -> None:
        """Set the filter over the rows; `filtered` leaves out those behind it, such as a row of sums."""
        rows = self.rows if filtered is None else filtered
        if rows:
            self._page.autofilter(HEADER, 0, min(HEADER + rows, LAST_ROW), len(self._columns) - 1)

    def colour(self, title: str, rule: str, value: Any, name: str) -> None:
        """Colour the cells of a column: `rule` is an Excel criterion such as `>=` or `==`, `name` good, fair or bad."""
        if not self.rows:
            return
        place = next(i for i, column in enumerate(self._columns) if column.title == title)
        value = f'"{value}"' if isinstance(value, str) else value
        last = min(HEADER + self.rows, LAST_ROW)
        how = {
            "type": "cell",
            "criteria": rule,
            "value": value,
            "format": self._book.formats[name],
            "stop_if_true": True,
        }
        if rule == "<":  # an empty cell is no zero
            first = f"{chr(ord('A') + place)}{HEADER + 2}"
            how |= {"type": "formula", "criteria": f"=AND(ISNUMBER({first}),{first}<{value})"}
            how.pop("value")
        self._page.conditional_format(HEADER + 1, place, last, place, how)


def clean(text: str) -> str:
    """Text that XML and Excel take: one line, no control or direction marks, not too long."""
    return _HIDDEN.sub("", _NOT_XML.sub("", text.replace("\r", " ").replace("\n", " ")))[:LONGEST]
