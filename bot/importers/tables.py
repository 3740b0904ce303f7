"""A workbook or CSV as rows of cells with the row numbers that Excel shows."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import xlrd
from openpyxl.utils import column_index_from_string

from bot.importers.files import (
    DEFAULT_LIMIT_BYTES,
    TYPE_WORDS,
    FileError,
    check_workbook_zip,
    clean,
    decode,
    read_limited,
    true_type,
)

MAX_ROWS = 200_000
MAX_COLUMNS = 256
EXCEL_RETURN = "_x000D_"  # a carriage return in a cell; openpyxl leaves it as it is stored
EXCEL_ROWS = 1_048_576  # LibreOffice likes to write an empty last one
HEADER_SEARCH_ROWS = 20
HEADER_LIMIT = 40  # characters; a longer cell is no header
MAX_MERGED_ROWS = 1000  # of one merged cell; more is no table of orders

Cell = str | int | float | bool | datetime | date | time | None
Row = tuple[int, tuple[Cell, ...]]  # number as Excel shows it, cells without the empty ones at the end

_EXPECTED = {".xlsx": "zip", ".xlsm": "zip", ".xls": "ole", ".csv": "text", ".txt": "text", ".tsv": "text"}
_BRACKETS = re.compile(r"[（(\[【].*?[)）\]】]")
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^<>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_UNCALCULATED = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\s[^<>]*/>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_NOT_WORD = re.compile(r"[\s*＊:：_\-]+")


@dataclass(frozen=True, slots=True)
class Sheet:
    name: str
    rows: tuple[Row, ...]  # without empty rows
    uncalculated: bool = False  # a formula has no stored value: written by a program and never opened in Excel


def read_sheets(path: Path, limit: int = DEFAULT_LIMIT_BYTES) -> tuple[Sheet, ...]:
    """Read every sheet of an .xlsx or .xls, or a .csv as one sheet. Raises only FileError."""
    expected = _EXPECTED.get(path.suffix.lower())
    if expected is None:
        raise FileError(f"不支持扩展名“{clean(path.suffix)}”", "请另存为 .xlsx、.xls 或 .csv")
    data = read_limited(path, limit)
    kind = true_type(data)
    if kind != expected:
        raise FileError(
            f"扩展名是 {path.suffix.lower()}，内容却是{TYPE_WORDS[kind]}",
            "请用 Excel 或 WPS 打开，另存为 .xlsx 再导入",
        )
    try:
        if kind == "zip":
            check_workbook_zip(data)
            return tuple(_xlsx(data))
        if kind == "ole":
            return tuple(_xls(data))
        return (Sheet(path.name, tuple(_csv(decode(data)))),)
    except FileError:
        raise
    except Exception as error:  # openpyxl and xlrd raise nearly every kind on damaged input
        raise FileError(
            f"工作簿读不出来（{type(error).__name__}）", "请去掉密码，用 Excel 或 WPS 另存为 .xlsx"
        ) from error


def _xlsx(data: bytes) -> Iterator[Sheet]:
    # read-only: the ordinary mode builds every cell of a merged range, and a range may claim the whole sheet
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that don't matter here
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # the file's own claim may be wrong either way
                cells = sheet.iter_rows(max_col=MAX_COLUMNS, max_row=EXCEL_ROWS, values_only=True)
                source = book._archive.read(sheet._worksheet_path)
                rows = tuple(_fill_down(tuple(_rows(cells)), _MERGED.findall(source)))
                yield Sheet(clean(str(sheet.title)).strip(), rows, _UNCALCULATED.search(source) is not None)
        finally:
            book.close()


def _fill_down(rows: tuple[Row, ...], merged: list[tuple[bytes, bytes, bytes, bytes]]) -> Iterator[Row]:
    """Repeat the value of a cell merged over several rows in each of them, where the row holds anything else."""
    index_of = {number: index for index, (number, _) in enumerate(rows)}
    filled: dict[int, list[Cell]] = {}
    for first_column, first, last_column, last in merged[:MAX_ROWS]:
        top, bottom = int(first), min(int(last), int(first) + MAX_MERGED_ROWS)
        column = column_index_from_string(first_column.decode()) - 1
        if bottom <= top or top not in index_of or first_column != last_column:
            continue
        anchor = rows[index_of[top]][1]
        if column >= len(anchor) or anchor[column] is None:
            continue
        for number in range(top + 1, bottom + 1):
            if number in index_of:
                cells = filled.setdefault(number, list(rows[index_of[number]][1]))
                cells += [None] * (column + 1 - len(cells))
                cells[column] = anchor[column]
    for number, row in rows:
        yield number, tuple(filled[number]) if number in filled else row


def _xls(data: bytes) -> Iterator[Sheet]:
    with xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), on_demand=True, ragged_rows=True) as book:
        for sheet in book.sheets():
            rows = ([_xls_cell(book.datemode, c) for c in sheet.row(i)] for i in range(sheet.nrows))
            yield Sheet(clean(str(sheet.name)), tuple(_rows(rows)))


def _xls_cell(datemode: int, cell: xlrd.sheet.Cell) -> object:
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return xlrd.xldate_as_datetime(cell.value, datemode)
        except (ValueError, OverflowError):
            return str(cell.value)
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    return None if cell.ctype == xlrd.XL_CELL_ERROR else cell.value


def _csv(text: str) -> Iterator[Row]:
    head = [line for line in text[:20_000].split("\n") if line.strip()][:HEADER_SEARCH_ROWS]
    delimiter = max(",\t;", key=lambda mark: sum(mark in line for line in head))
    try:
        yield from _rows(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise FileError(f"CSV 读不出来（{error}）", "请检查引号是否成对") from error


def _rows(rows: Iterable[Sequence[object]]) -> Iterator[Row]:
    empty: Sequence[object] | None = None
    for number, row in enumerate(rows, start=1):
        if row is empty:  # openpyxl gives the same padded row for each one that is missing
            continue
        if row.count(None) == len(row):
            empty = row
            continue
        width = len(row)
        while row[width - 1] is None:
            width -= 1
        cells = [_cell(value) for value in row[:width]]
        while cells and cells[-1] is None:
            cells.pop()
        if cells and number > MAX_ROWS:
            raise FileError(f"超过 {MAX_ROWS} 行", "请拆成几个文件分别导入")
        if cells:
            yield number, tuple(cells)


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return clean(value.replace(EXCEL_RETURN, "")).strip() or None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, timedelta):  # Excel's [h]:mm
        seconds = int(value.total_seconds())
        if not 0 <= seconds < 86_400:
            return str(value)
        return time(seconds // 3600, seconds // 60 % 60, seconds % 60)
    if value is None or isinstance(value, (bool, int, float, datetime, date, time)):
        return value
    return clean(str(value)).strip() or None


def text_of(cell: Cell) -> str:
    """Show a cell as the person who typed it would read it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", "seconds")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return str(cell)


def header_key(text: str) -> str:
    """Fold a header so that `On_Duty`, `值班 *` and `值班（是/否）` are found."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return _NOT_WORD.sub("", _BRACKETS.sub("", folded))


def find_header(rows: tuple[Row, ...], names: Mapping[str, str]) -> tuple[int, dict[str, int], tuple[str, ...]] | None:
    """Find the header among the first rows: its index in `rows`, field -> column, fields that occur twice.

    `names` maps folded headers to fields. The row that knows most fields wins, the first one of equals.
    """
    best: tuple[int, dict[str, int], tuple[str, ...]] | None = None
    for index, (_, cells) in enumerate(rows[:HEADER_SEARCH_ROWS]):
        columns: dict[str, int] = {}
        twice: list[str] = []
        for column, cell in enumerate(cells):
            field = names.get(header_key(cell)) if isinstance(cell, str) and len(cell) <= HEADER_LIMIT else None
            if field is None:
                continue
            if field in columns:
                twice.append(field)
            else:
                columns[field] = column
        if columns and (best is None or len(columns) > len(best[1])):
            best = (index, columns, tuple(twice))
    return best
