"""Work orders and call-back results from the hotline's Excel or CSV."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from bot.importers import moments
from bot.importers.files import DEFAULT_LIMIT_BYTES, FileError, clean
from bot.importers.tables import Cell, Row, Sheet, find_header, header_key, read_sheets, text_of
from storage.enums import Satisfaction

TEXT_LIMIT = 20_000  # characters of one order; an Excel cell holds 32,767
CATEGORY_LIMIT = 200  # characters
EXACT_DIGITS = 15  # Excel keeps no more digits of a number

# Field -> headers by priority: of two columns of one field the first filled one counts.
HEADERS: Mapping[str, tuple[str, ...]] = {
    "order_no": ("工单编号", "工单号", "工单编码", "诉求编号", "受理编号", "热线编号", "案件编号", "order_no"),
    "text": ("诉求内容", "主要内容", "反映内容", "来电内容", "问题描述", "工单内容", "诉求描述", "内容", "text"),
    "title": ("标题", "诉求标题", "工单标题"),
    "caller": ("诉求人", "反映人", "来电人", "联系人", "来话人", "诉求人姓名", "来电人姓名", "caller"),
    "phone": (
        *("联系电话", "联系方式", "来电人电话", "诉求人电话", "联系人电话", "来电号码", "来话号码", "电话"),
        *("手机号", "phone"),
    ),
    "unit": ("二级承办单位", "承办单位", "办理单位", "责任单位", "主办单位", "承办部门", "unit"),
    "received_at": (
        *("来电时间", "来话时间", "受理时间", "登记时间", "创建时间", "诉求时间", "派单时间"),
        "received_at",
    ),
    "township": ("被反映街乡镇", "被反映街道乡镇", "街乡镇", "街道乡镇", "乡镇街道", "所属街乡镇", "township"),
    "village": ("村/社区", "所在村社区", "村社区", "社区村", "社区/村", "村居", "所属社区", "village"),
    "place": ("小区点位", "小区/点位", "点位", "诉求地址", "问题地址", "事发地址", "详细地址", "地址", "place"),
    "category": ("问题分类", "诉求分类", "问题类型", "分类", "category"),
    "level1": ("一级分类", "一级问题分类", "一级问题"),
    "level2": ("二级分类", "二级问题分类", "二级问题"),
    "level3": ("三级分类", "三级问题分类", "三级问题"),
    "kind": ("工单类型", "诉求类型", "kind"),
    "nature": ("工单性质", "nature"),
    "time_limit": ("办理时限", "办结时限", "截止时间", "处理时限", "time_limit"),
    "contacted": ("是否联系", "是否响应", "联系情况", "contacted"),
    "resolved": ("是否解决", "解决情况", "resolved"),
    "satisfaction": ("是否满意", "满意度", "满意情况", "satisfaction"),
    "valid": ("是否有效回访", "有效回访"),
    "called_back_at": ("回访时间", "回访日期", "回访完成时间", "call_back_at"),
}
CALL_BACK = ("contacted", "resolved", "satisfaction")
_NAMES = {
    header_key(header): f"{field}.{rank}" for field, headers in HEADERS.items() for rank, header in enumerate(headers)
}
_MEANS: Mapping[str, bool | None] = {
    **dict.fromkeys(("是", "已联系", "联系", "已响应", "已解决", "解决", "1", "yes", "true", "√"), True),
    **dict.fromkeys(("否", "未联系", "未响应", "未解决", "没解决", "0", "no", "false", "×"), False),
    **dict.fromkeys(("", "-", "--", "/", "无", "未回访", "未评价", "不涉及", "空"), None),
}
_SATISFIED: Mapping[str, Satisfaction | None] = {
    **dict.fromkeys(("满意", "非常满意", "是", "1", "yes", "true"), Satisfaction.GOOD),
    **dict.fromkeys(("基本满意", "较满意", "比较满意"), Satisfaction.FAIR),
    **dict.fromkeys(("不满意", "非常不满意", "否", "0", "no", "false"), Satisfaction.BAD),
    **dict.fromkeys(("", "-", "--", "/", "无", "未回访", "未评价", "不涉及", "空"), None),
}
T = TypeVar("T")
_ROUNDED = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+")
_ARROWS = re.compile(r"\s*(?:[-－—=]+>|→|>|＞|/|\\)\s*")


class OrdersImportError(Exception):
    """The file as a whole can't be read; rows that can't are `odd`, and the rest goes on."""

    def __init__(self, path: Path, row: int | None, what: str) -> None:
        place = clean(path.name) + (f" 第 {row} 行" if row is not None else "")
        super().__init__(f"{place}：{what}")
        self.path = path
        self.row = row
        self.what = what


class Odd(NamedTuple):
    """A row that was left out, or taken with the doubtful value empty."""

    sheet: str
    row: int  # as Excel numbers it
    why: str
    lost: bool = False  # an order that was not taken; not a footer or a row that is there twice

    def __str__(self) -> str:
        return f"{self.sheet} 第{self.row}行：{self.why}"


@dataclass(frozen=True, slots=True)
class OrderRow:
    sheet: str
    row: int  # as Excel numbers it
    order_no: str
    text: str = ""  # what is reported; empty in a file of call-backs only
    title: str = ""
    caller: str = ""
    phone: str = ""
    unit: str = ""  # as written; who leads
    township: str = ""
    village: str = ""
    place: str = ""
    category: tuple[str, ...] = ()  # from the widest to the narrowest
    kind: str = ""  # 诉求 投诉 举报 求助 建议 咨询 …
    nature: str = ""  # 主办 or 协办
    time_limit: str = ""  # as written
    received_at: datetime | None = None  # Beijing time
    contacted: bool | None = None  # None: not called back yet
    resolved: bool | None = None
    satisfaction: Satisfaction | None = None
    called_back_at: datetime | None = None  # Beijing time; None: the table does not tell

    @property
    def called_back(self) -> bool:
        return not (self.contacted is None and self.resolved is None and self.satisfaction is None)

    def as_message(self) -> str:
        """Render the order as it is pasted into a group, one `field：value` per line.

        The content comes last: a field name inside it must not come before the order's own field.
        """
        fields = (
            ("工单编号", self.order_no),
            ("工单类型", self.kind),
            ("来电时间", f"{self.received_at:%Y-%m-%d %H:%M}" if self.received_at else ""),
            ("诉求人", self.caller),
            ("联系电话", self.phone),
            ("被反映街乡镇", self.township),
            ("所在村社区", self.village),
            ("小区点位", self.place),
            ("问题分类", "->".join(self.category)),
            ("标题", self.title if self.title != self.text else ""),
            ("承办单位", self.unit),
            ("办理时限", self.time_limit),
            ("诉求内容", self.text),
        )
        return "\n".join(f"{name}：{' '.join(value.split())}" for name, value in fields if value.strip())


@dataclass(frozen=True, slots=True)
class OrdersImport:
    orders: tuple[OrderRow, ...]
    odd: tuple[Odd, ...]


def read_orders(path: Path, *, limit: int = DEFAULT_LIMIT_BYTES) -> OrdersImport:
    """Read every sheet that has a header of orders. Raises only OrdersImportError."""
    try:
        sheets = read_sheets(path, limit)
    except FileError as error:
        raise OrdersImportError(path, error.line, f"{error.what}，{error.todo}") from error
    odd: list[Odd] = []
    found: dict[OrderRow, OrderRow] = {}
    headed = False
    for sheet in sheets:
        header = find_header(sheet.rows, _NAMES)
        if header is None or not _is_header(header[1]):
            continue
        headed = True
        for order in _orders(sheet, header[0], header[1], odd):
            first = found.setdefault(replace(order, sheet="", row=0), order)
            if first is not order:
                odd.append(Odd(order.sheet, order.row, f"和{first.sheet}第 {first.row} 行完全相同，只取一次"))
    if not headed:
        what = "找不到表头：前 20 行里要有“工单编号”和“诉求内容”（或“是否解决”等回访列）"
        raise OrdersImportError(path, None, what)
    return OrdersImport(tuple(found.values()), tuple(odd))


def _is_header(columns: Mapping[str, int]) -> bool:
    fields = {name.split(".")[0] for name in columns}
    return "order_no" in fields and not fields.isdisjoint(("text", "title", *CALL_BACK))


def _orders(sheet: Sheet, header: int, columns: Mapping[str, int], odd: list[Odd]) -> Iterator[OrderRow]:
    for row in sheet.rows[header + 1 :]:
        again = find_header((row,), _NAMES)
        if again is not None and _is_header(again[1]):  # repeated on every printed page, or a second table
            columns = again[1]
            continue
        order = _OrderReader(sheet.name, row, columns, odd).order()
        if order is not None:
            yield order


class _OrderReader:
    """One row of the table; doubts go to `odd`."""

    def __init__(self, sheet: str, row: Row, columns: Mapping[str, int], odd: list[Odd]) -> None:
        self._sheet = sheet
        self._number, self._cells = row
        self._columns = columns
        self._odd = odd

    def order(self) -> OrderRow | None:
        order_no = self._order_no()
        if order_no is None:
            return None
        order = OrderRow(
            sheet=self._sheet,
            row=self._number,
            order_no=order_no,
            text=self._text("text") or self._text("title"),
            title=self._text("title"),
            caller=self._text("caller"),
            phone=self._phone(),
            unit=self._text("unit"),
            township=self._text("township"),
            village=self._text("village"),
            place=self._text("place"),
            category=self._category(),
            kind=self._text("kind"),
            nature=self._text("nature"),
            time_limit=self._text("time_limit"),
            received_at=self._moment("received_at"),
        )
        if not self._said_no("valid"):
            order = replace(
                order,
                contacted=self._answer("contacted", _MEANS),
                resolved=self._answer("resolved", _MEANS),
                satisfaction=self._answer("satisfaction", _SATISFIED),
                called_back_at=self._moment("called_back_at"),
            )
        if not order.text and not order.called_back:
            self._doubt("没有诉求内容，也没有回访结果，没有导入")
            return None
        return order

    def _doubt(self, why: str, *, lost: bool = False) -> None:
        self._odd.append(Odd(self._sheet, self._number, why, lost))

    def _cell(self, field: str) -> Cell:
        """Return the first filled cell of the field's columns, in the order of HEADERS."""
        for rank in range(len(HEADERS[field])):
            column = self._columns.get(f"{field}.{rank}")
            if column is not None and column < len(self._cells) and self._cells[column] is not None:
                return self._cells[column]
        return None

    def _text(self, field: str) -> str:
        return text_of(self._cell(field)).strip()[:TEXT_LIMIT]

    def _order_no(self) -> str | None:
        cell = self._cell("order_no")
        text = unicodedata.normalize("NFKC", text_of(cell)).strip()
        if not text:
            self._doubt("没有工单编号，没有导入", lost=bool(self._text("text") or self._text("title")))
        elif _ROUNDED.fullmatch(text) or (isinstance(cell, (int, float)) and len(text) > EXACT_DIGITS):
            self._doubt("工单编号被 Excel 存成了数字，后几位已丢失，没有导入；请把这一列设为文本重新导出", lost=True)
        elif len(text) > 60 or "\n" in text:
            self._doubt("工单编号不像编号，没有导入", lost=True)
        else:
            return text
        return None

    def _phone(self) -> str:
        text = self._text("phone")
        if _ROUNDED.fullmatch(text):
            self._doubt("联系电话被 Excel 存成了科学计数，已留空")
            return ""
        return text

    def _moment(self, field: str) -> datetime | None:
        cell = self._cell(field)
        moment = moments.from_cell(cell)
        if cell is not None and moment is None:
            self._doubt(f"时间“{text_of(cell)[:40]}”看不懂，已留空")
        return moment

    def _category(self) -> tuple[str, ...]:
        levels = [self._text(f"level{level}") for level in (1, 2, 3)]
        if not any(levels):
            levels = _ARROWS.split(self._text("category")[:CATEGORY_LIMIT])
        return tuple(level for level in levels if level)

    def _said_no(self, field: str) -> bool:
        return _MEANS.get(self._text(field).lower()) is False

    def _answer(self, field: str, meanings: Mapping[str, T | None]) -> T | None:
        text = self._text(field).lower()
        if text not in meanings:
            self._doubt(f"{HEADERS[field][0]}的“{text[:20]}”看不懂，已留空")
        return meanings.get(text)
