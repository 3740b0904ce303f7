"""One roster sheet read cell by cell; what is wrong is noted in the shared list, and reading goes on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from bot.importers.people_columns import SheetSpec
from bot.importers.roster import DutyRow, Problem
from bot.importers.tables import Cell, Sheet, find_header, header_key, text_of

NOBODY_LEADS = "其他"  # the one category that no agency leads by subject
VILLAGE_KINDS = {"村": "村", "村委会": "村", "行政村": "村", "社区": "社区", "居委会": "社区", "居": "社区"}
DUTY_LINES = ("白班", "夜班", "节假日")
NAME_LIMIT = 200  # characters of any cell that is a name, an alias or a topic

AS_TYPED = ("room", "aliases", "examples", "contact_id")  # a group's topic and a nickname may hold blanks
FORMULA_ERRORS = frozenset({"#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"})
EXCEL_DAYS = range(36526, 73051)  # 2000 to 2099, as Excel counts days

_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff]")
_HAN = "[\u3400-\u9fff]"
_BETWEEN_HAN = re.compile(rf"(?<={_HAN})\s+(?={_HAN})")
_YES = frozenset({"是", "1", "y", "yes", "true", "√", "✓", "值班", "在班"})
_NO = frozenset({"", "否", "0", "n", "no", "false", "×", "不值班", "不"})
_WEEK = re.compile(r"星期|礼拜|周")
_RANGE = re.compile(r"[至到~～-]")
_SPLIT = re.compile(r"[;；、，,\n]")
_CLOCK = re.compile(r"(\d{1,2})[:：点时](\d{1,2})?分?(?:[:：]\d{1,2})?")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]00:00(?::00)?)?")
_DAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
_DAYS |= {str(number): (number - 1) % 7 for number in range(8)}
_ENGLISH = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS |= {name[:length]: i for i, name in enumerate(_ENGLISH) for length in (3, len(name))}
_DAY_SETS = {
    "每天": tuple(range(7)),
    "每日": tuple(range(7)),
    "工作日": tuple(range(5)),
    "双休日": (5, 6),
    "周末": (5, 6),
}

T = TypeVar("T")


class SheetReader:
    """Walk the rows below a sheet's header; `row` is the current one's number."""

    def __init__(self, sheet: Sheet, spec: SheetSpec, problems: list[Problem]) -> None:
        self._sheet = sheet
        self._spec = spec
        self._problems = problems
        self._index = -1
        self._cells: tuple[Cell, ...] = ()
        self.row = 0
        self.columns: dict[str, int] = {}
        self.headers: dict[str, str] = {}  # field -> header as written
        self._find_header()

    def _find_header(self) -> None:
        names = {
            header_key(name): column.field for column in self._spec.columns for name in (*column.titles, column.field)
        }
        found = find_header(self._sheet.rows, names)
        if found is None:
            titles = "、".join(c.titles[0] for c in self._spec.columns if c.required)
            self._problems.append(Problem(self._sheet.name, None, "", "找不到表头", f"请在第一行写上列名：{titles}"))
            return
        self._index, self.columns, twice = found
        number, cells = self._sheet.rows[self._index]
        self.headers = {field: text_of(cells[column]) for field, column in self.columns.items()}
        for field in twice:
            self._problems.append(
                Problem(self._sheet.name, number, self.headers[field], "这一列出现了两次", "请只保留一列")
            )
        for column in self._spec.columns:
            if column.required and column.field not in self.columns:
                what = f"缺少列“{column.titles[0]}”（{column.field}）"
                self._problems.append(Problem(self._sheet.name, number, "", what, "请按模板补上这一列"))

    @property
    def complete(self) -> bool:
        """Tell whether all required columns are there; without them the rows say nothing."""
        return all(column.field in self.columns for column in self._spec.columns if column.required)

    def next_row(self) -> bool:
        self._index += 1
        if self._index >= len(self._sheet.rows):
            return False
        self.row, self._cells = self._sheet.rows[self._index]
        return True

    def cell(self, field: str) -> Cell:
        column = self.columns.get(field)
        return None if column is None or column >= len(self._cells) else self._cells[column]

    def problem(self, field: str, what: str, todo: str) -> None:
        self._problems.append(Problem(self._sheet.name, self.row, self.headers.get(field, field), what, todo))

    def text(self, field: str) -> str:
        """Return the cell as text; names without the blanks that only align them: 张　三 is 张三."""
        text = _UNSEEN.sub("", text_of(self.cell(field))).strip()
        if field not in AS_TYPED:
            text = _BETWEEN_HAN.sub("", text)
        if text in FORMULA_ERRORS:
            self.problem(field, f"是公式错误 {text}", "请改成文字")
            return ""
        if len(text) > NAME_LIMIT and field not in ("aliases", "examples"):
            self.problem(field, f"超过 {NAME_LIMIT} 个字", "请改短")
        return text

    def need(self, field: str) -> str:
        """Return the text; empty is a problem."""
        text = self.text(field)
        if not text and text_of(self.cell(field)).strip() not in FORMULA_ERRORS:
            self.problem(field, "是空的", "请填写")
        return text

    def choice(self, field: str, allowed: Mapping[str, T]) -> T | None:
        text = self.need(field)
        if text and text not in allowed:
            self.problem(field, f"不认识“{text}”", f"请填：{'、'.join(allowed)}")
        return allowed.get(text)

    def yes_no(self, field: str) -> bool:
        text = self.text(field).lower()
        if text not in _YES and text not in _NO:
            self.problem(field, f"不认识“{text}”", "请填：是、否")
        return text in _YES

    def split(self, field: str) -> tuple[str, ...]:
        """Split a list cell at ; 、 , or line ends; drop repetitions, keep the order."""
        parts = (part.strip() for part in _SPLIT.split(self.text(field)))
        return tuple(dict.fromkeys(part for part in parts if part))

    def clock(self, field: str) -> time | None:
        cell = self.cell(field)
        if isinstance(cell, datetime):
            return cell.time().replace(second=0, microsecond=0)
        if isinstance(cell, time):
            return cell.replace(second=0, microsecond=0)
        if isinstance(cell, float) and 0 < cell < 1:  # a part of a day, as Excel keeps a time
            minutes = round(cell * 24 * 60) % (24 * 60)
            return time(minutes // 60, minutes % 60)
        text = self.need(field)
        found = _CLOCK.fullmatch(text)
        hour, minute = (int(found[1]), int(found[2] or 0)) if found else (99, 0)
        if (hour, minute) == (24, 0):
            return time(0)
        if hour <= 23 and minute <= 59:
            return time(hour, minute)
        if text:
            self.problem(field, f"“{text}”不是时间", "请写成 08:30 这样")
        return None

    def date(self, field: str) -> date | None:
        """Return the date; None for an empty cell and, with a problem noted, for a bad one."""
        cell = self.cell(field)
        if isinstance(cell, datetime):
            return cell.date()
        if isinstance(cell, date):
            return cell
        if isinstance(cell, int) and not isinstance(cell, bool) and cell in EXCEL_DAYS:
            return date(1899, 12, 30) + timedelta(days=cell)
        text = self.text(field)
        found = _DATE.fullmatch(text)
        if found:
            try:
                return date(int(found[1]), int(found[2]), int(found[3]))
            except ValueError:
                pass
        if text:
            self.problem(field, f"“{text}”不是日期", "请写成 2026-03-09 这样")
        return None

    def weekdays(self, field: str) -> tuple[int, ...]:
        """Read 周一, 1, Monday, 周一至周五, 周六、周日, 工作日 or 每天; 1 is Monday, 0 and 7 are Sunday."""
        text = self.text(field).lower()
        if not text:
            return ()
        if text in _DAY_SETS:
            return _DAY_SETS[text]
        days: list[int] = []
        for part in _SPLIT.split(text):
            ends = [_DAYS.get(_WEEK.sub("", end.strip())) for end in _RANGE.split(part)]
            first, last = ends[0], ends[-1]
            if first is None or last is None or len(ends) > 2:
                self.problem(field, f"“{text}”不是星期", "请填：周一 至 周日、工作日、每天")
                return ()
            days += [(first + step) % 7 for step in range((last - first) % 7 + 1)]
        return tuple(dict.fromkeys(days))


def first_text(reader: SheetReader) -> str:
    """Return the first column's text of the current row, where the template marks its examples."""
    return text_of(reader._cells[0]) if reader._cells else ""


def group_and_name(reader: SheetReader) -> tuple[str, str]:
    """Return whom the current row is about, as far as it can be read: (unit or township, name)."""

    def name(field: str) -> str:
        return _BETWEEN_HAN.sub("", _UNSEEN.sub("", text_of(reader.cell(field))).strip())

    return name("unit") or name("township"), name("name")


def duty(reader: SheetReader) -> list[DutyRow]:
    """Read one line of the rota; several weekdays in one cell become several rows."""
    unit, member = reader.need("unit"), reader.need("member")
    weekdays, day = reader.weekdays("weekday"), reader.date("day")
    starts, ends = reader.clock("starts"), reader.clock("ends")
    line = reader.text("line")
    if line and line not in DUTY_LINES:
        reader.problem("line", f"不认识“{line}”", f"请填：{'、'.join(DUTY_LINES)}，或留空")
    if reader.text("weekday") and reader.text("day"):
        reader.problem("day", "星期和日期都填了", "请只填一个：固定排班填星期，某一天填日期")
    elif not reader.text("weekday") and not reader.text("day") and line != "节假日":
        reader.problem("weekday", "星期和日期都是空的", "请填一个；只在节假日值班的，班次填 节假日")
    if starts is None or ends is None:
        return []
    if day is not None or not weekdays:
        return [DutyRow(unit, member, None, day, starts, ends, line)]
    return [DutyRow(unit, member, weekday, None, starts, ends, line) for weekday in weekdays]
