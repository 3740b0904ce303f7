"""Pasted 12345 work orders: fields by any of their names, in any layout, several orders in one message.

Layouts met: one field a line, all on one line with ; | , or blanks between, 【name】value, numbered fields, name and value
on lines of their own, and a table with a header row. A message is an order if it has a content field or an order number
and some other field that only orders have. The field names are data (`data/order_fields.txt`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

import ahocorasick

from handlers.reading.text import lines_with_spans, word_sections
from handlers.reading.views import Span

ORDER_NO = re.compile(r"(?:热线|工单|诉求|怀柔|京)-?\d{6,8}-?\d{4,9}(?![\d\-])|\d{6}-\d{6}(?![\d\-])")
_BARE_NO = re.compile(r"(?<![\d\-])2\d{11,16}(?![\d\-])")
_NUMBER_VALUE = re.compile(r"[A-Za-z\u4e00-\u9fff]{0,4}-?\d[\d\-]{4,24}")
_PRAISE_KIND = re.compile(r"表扬|感谢|点赞")
_PRAISE_TEXT = re.compile(r"表扬|感谢|点赞|锦旗|致谢|谢意")
_COMPLAINS_TOO = re.compile(
    r"同时(?:反映|要求|投诉)|但是?|另外?(?:反映|要求)|不过|希望(?:尽快|能)|要求(?!转达|表扬|对)|投诉|举报"
)


@dataclass(frozen=True, slots=True)
class Field:
    name: str  # ours: "number", "content", …
    label: str  # as written
    value: str
    span: Span  # of the value
    strong: bool


@dataclass(slots=True)
class Order:
    fields: list[Field] = field(default_factory=list)
    span: Span = (0, 0)

    def first(self, name: str) -> Field | None:
        """Return the first non-empty field of that name."""
        return next((f for f in self.fields if f.name == name and f.value), None)

    def value(self, name: str) -> str | None:
        found = self.first(name)
        return found.value if found else None

    @property
    def strong_fields(self) -> int:
        return sum(f.strong for f in self.fields)

    @property
    def is_order(self) -> bool:
        names = {f.name for f in self.fields if f.value}
        if not self.strong_fields:
            return False
        if "content" in names:
            content = next(f for f in self.fields if f.name == "content")
            return content.strong or len(names) >= 2
        return "number" in names and len(names) >= 3

    @property
    def number(self) -> str | None:
        found = self.first("number")
        if found is None:
            return None
        match = ORDER_NO.search(found.value) or _NUMBER_VALUE.search(found.value)
        return match.group().strip("-") if match else None

    def only_praises(self) -> bool:
        """Tell whether the order holds praise and nothing to be done."""
        kind, content = self.value("kind") or "", self.value("content") or self.value("title") or ""
        if _PRAISE_KIND.search(kind):
            return not re.search(r"同时(?:反映|要求|投诉)|投诉|举报", content)
        return bool(_PRAISE_TEXT.search(content)) and not _COMPLAINS_TOO.search(content) and not kind


@lru_cache(maxsize=1)
def _labels() -> tuple[dict[str, tuple[str, bool]], re.Pattern[str], re.Pattern[str]]:
    names: dict[str, tuple[str, bool]] = {}
    for section, words in word_sections("order_fields.txt").items():
        for word in words:
            names[word.rstrip("!")] = (section, not word.endswith("!"))
    choice = "|".join(re.escape(word) for word in sorted(names, key=len, reverse=True))
    separated = re.compile(
        rf"(?:(?<=^)|(?<=[\s,;:|/。、.【\[(!])|(?<=[）)】\]]))[【\[]?({choice})(?:\([^)\n]{{0,12}}\))?"
        rf"(?:[】\]]\s*[:=]?|\s*[:=]|[ \t\n|]+)[ \t\n]*"
    )
    glued = re.compile(
        rf"(?:(?<=^)|(?<=[\s,;:|。]))({choice})(?=\d{{8}}|热线-|怀柔\d|[\u4e00-\u9fff]{{2,4}}1[3-9]\d{{9}})"
    )
    return names, separated, glued


@lru_cache(maxsize=1)
def _strong_labels() -> ahocorasick.Automaton:
    """The names that only orders have: a text without any is none."""
    automaton = ahocorasick.Automaton()
    for label, (_, strong) in _labels()[0].items():
        if strong:
            automaton.add_word(label, label)
    automaton.make_automaton()
    return automaton


def find_fields(folded: str) -> list[Field]:
    """Return the fields in order; a value runs to the next field and is stripped of separators."""
    names, separated, glued = _labels()
    marks = [(m.start(1), m.end(), m.group(1)) for m in separated.finditer(folded)]
    if not marks and not glued.search(folded):
        return []

    taken = {start for start, _, _ in marks}
    marks += [(m.start(1), m.end(1), m.group(1)) for m in glued.finditer(folded) if m.start(1) not in taken]
    marks.sort()
    fields = []
    for i, (_, begin, label) in enumerate(marks):
        end = marks[i + 1][0] if i + 1 < len(marks) else len(folded)
        value_end = begin + len(_TAIL.sub("", folded[begin:end])) if end > begin else begin
        name, strong = names[label]
        fields.append(Field(name, label, folded[begin:value_end].strip(), (begin, value_end), strong))
    return fields


_TAIL = re.compile(
    r"[\s;,|、。【\[\-—=]*(?:(?<=[\s;,|、。\-])(?:[一二三四五六七八九十]{1,2}[、.]|\d{1,2}[、.)]))?[\s;,|、【\[\-—=]*$"
)


def find_orders(folded: str) -> list[Order]:
    """Return the orders of a message, in order; empty if it is none."""
    if next(_strong_labels().iter(folded), None) is None:
        return []
    table = _read_table(folded)
    if table:
        return table

    fields = find_fields(folded)
    if not any(f.strong for f in fields):
        return []

    orders = _split(fields, folded)
    for order in orders:
        if order.first("number") is None:
            _adopt_bare_number(order, folded, alone=len(orders) == 1)
    return [order for order in orders if order.is_order]


def _split(fields: list[Field], folded: str) -> list[Order]:
    """A new order begins where the first field's name comes again, or a second number, after some content."""
    orders = [Order()]
    lead = fields[0].name
    for found in fields:
        current = orders[-1]
        names = {f.name for f in current.fields if f.value}
        complete = "content" in names or len(names) >= 4
        again = found.name == lead and found.name in names and found.label == current.fields[0].label
        second_number = found.name == "number" and "number" in names and found.value != current.value("number")
        if complete and (again or second_number):
            orders.append(Order())
        orders[-1].fields.append(found)
    starts = [0] + [order.fields[0].span[0] - len(order.fields[0].label) - 2 for order in orders[1:]]
    for order, begin, end in zip(orders, starts, [*starts[1:], len(folded)], strict=True):
        order.span = (max(0, begin), max(0, end))
    return orders


def _adopt_bare_number(order: Order, folded: str, *, alone: bool) -> None:
    """A number without a field name before it (热线-…, or twelve digits and more) is the order's."""
    begin, end = (0, len(folded)) if alone else order.span
    match = ORDER_NO.search(folded, begin, end) or _BARE_NO.search(folded, begin, end)
    if match:
        order.fields.append(Field("number", "", match.group(), match.span(), True))


def _read_table(folded: str) -> list[Order]:
    """Read a header line of three and more field names with rows below it, cells parted by tabs or |."""
    names, _, _ = _labels()
    lines = lines_with_spans(folded)
    for row, (line, _) in enumerate(lines[:4]):
        mark = "\t" if "\t" in line else "|"
        heads = [cell.strip() for cell in line.split(mark)]
        known = [names.get(head) for head in heads]
        if sum(k is not None for k in known) < 3 or sum(k is not None for k in known) < len(heads) * 0.6:
            continue
        if row + 1 >= len(lines):
            return []
        return [order for text, at in lines[row + 1 :] if (order := _row(text, at, mark, heads, known)).is_order]
    return []


def _row(text: str, at: int, mark: str, heads: list[str], known: list[tuple[str, bool] | None]) -> Order:
    order = Order(span=(at, at + len(text)))
    begin = at
    for head, meaning, cell in zip(heads, known, text.split(mark), strict=False):
        if meaning is not None:
            order.fields.append(Field(meaning[0], head, cell.strip(), (begin, begin + len(cell)), meaning[1]))
        begin += len(cell) + 1
    return order


def loose_number(folded: str) -> tuple[str, Span] | None:
    """Return an order number in free text: 热线-260302-020256, 怀柔2026…, or digits after 工单号."""
    match = ORDER_NO.search(folded)
    if match:
        return match.group(), match.span()
    match = _NAMED_NO.search(folded) or _CELL_NO.search(folded)
    return (match.group(1), match.span(1)) if match else None


_NAMED_NO = re.compile(r"(?:工单|诉求|受理|案件)(?:编号|单号|号码?|编码)[:= 为是]{0,3}(\d{10,20})(?!\d)")
_CELL_NO = re.compile(
    r"(?:^|[|\t\n:])[ ]*(2[4-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{4,8})[ ]*[|\t]", re.M
)  # 260306007788|…
