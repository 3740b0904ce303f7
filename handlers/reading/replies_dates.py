"""Until when? The date of an 延期: 到3月5日, 到周五, 延3天, 月底, 下周一"
". `today` is Beijing's, given by the caller."""

from __future__ import annotations

import re
from datetime import date, timedelta

from handlers.reading.numbers import value_of

_NUM = r"(\d{1,3}|[一二两三四五六七八九十]{1,3})"
_FULL = re.compile(r"(20\d\d)\s*[-年./]\s*(\d{1,2})\s*[-月./]\s*(\d{1,2})\s*[日号]?")
_MONTH_DAY = re.compile(r"(?<!\d)(\d{1,2}|[一二三四五六七八九十]{1,2})\s*月\s*" + _NUM + r"\s*[日号]?(?!\d)")
_SLASHED = re.compile(r"(?<![\d./-])(\d{1,2})\s*[./-]\s*(\d{1,2})(?![\d./-])\s*[日号]?")
_WEEKDAY = re.compile(r"(下下|下个?|本|这个?|)(?:周|星期|礼拜)([一二三四五六日天末1-7])")
_SPAN = re.compile(
    r"(?:延期|延长|延后|推迟|宽限|再给|再要|延|宽|顺延|给)?\s*"
    + _NUM
    + r"\s*(个?工作日|天|日|个?星期|周|个?礼拜|个月|个?小时)"
    r"(?!前)"
)
_MONTH_END = re.compile(r"(本月|这个月|下个?月|(\d{1,2}|[一二三四五六七八九十]{1,2})\s*月份?)?\s*(月?底|月末|末)")
_NEXT_MONTH_BEGIN = re.compile(r"下个?月(?:初|\s*(\d{1,2}|[一二三四五六七八九十]{1,3})\s*[日号])")
_DAY = re.compile(r"(?<![\d月])(\d{1,2})\s*[日号](?!楼|院|线)")
_NAMED = (
    ("大后天", 3),
    ("后天", 2),
    ("明天", 1),
    ("明儿", 1),
    ("明日", 1),
    ("次日", 1),
    ("今天", 0),
    ("今晚", 0),
)
_HALF_MONTH = re.compile(r"半个?月")
_WEEKDAYS = {c: i for i, c in enumerate("一二三四五六日")} | {str(i + 1): i for i in range(7)} | {"天": 6, "末": 6}
_LONG_AGO = 60  # days: a date further back than this means next year's


def until(text: str, today: date) -> date | None:
    """The date a normalised text names; None if it names none, or one that does not exist."""
    match = _FULL.search(text)
    if match:
        return _date(int(match[1]), int(match[2]), int(match[3]))
    for pattern in (_MONTH_DAY, _SLASHED):
        match = pattern.search(text)
        if match:
            return _month_day(value_of(match[1]), value_of(match[2]), today)
    match = _NEXT_MONTH_BEGIN.search(text)
    if match:
        return _in_next_month(value_of(match[1] or "1"), today)
    match = _WEEKDAY.search(text)
    if match:
        return _weekday(match[1], match[2], today)
    match = _MONTH_END.search(text)
    if match:
        return _month_end(match[1] or "", value_of(match[2]) if match[2] else None, today)
    for word, days in _NAMED:
        if word in text:
            return today + timedelta(days=days)
    if _HALF_MONTH.search(text):
        return today + timedelta(days=15)
    return _span(text, today) or _day(text, today)


def _date(year: int, month: int | None, day: int | None) -> date | None:
    try:
        return date(year, month or 0, day or 0)
    except (ValueError, OverflowError):
        return None


def _month_day(month: int | None, day: int | None, today: date) -> date | None:
    found = _date(today.year, month, day)
    if found is not None and (today - found).days > _LONG_AGO:
        found = _date(today.year + 1, month, day)
    return found


def _in_next_month(day: int | None, today: date) -> date | None:
    first = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    return _date(first.year, first.month, day)


def _weekday(which: str, name: str, today: date) -> date:
    monday = today - timedelta(days=today.weekday())
    weeks = 2 if which == "下下" else 1 if which.startswith("下") else 0
    found = monday + timedelta(days=_WEEKDAYS[name] + 7 * weeks)
    return found + timedelta(days=7) if not which and found < today else found


def _month_end(which: str, month: int | None, today: date) -> date | None:
    year, number = today.year, month or today.month
    if which.startswith("下"):
        year, number = today.year + today.month // 12, today.month % 12 + 1
    elif month is not None and month < today.month - 2:
        year += 1
    if not 1 <= number <= 12:
        return None
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)


def _span(text: str, today: date) -> date | None:
    match = _SPAN.search(text)
    amount = value_of(match[1]) if match else None
    if match is None or amount is None:
        return None
    unit = match[2]
    if "小时" in unit:
        return today + timedelta(days=amount // 24)
    if "工作日" in unit:
        return _working_days(amount, today)
    if "月" in unit:
        return today + timedelta(days=30 * amount)
    return today + timedelta(days=amount if unit in ("天", "日") else 7 * amount)


def _working_days(amount: int, today: date) -> date:
    """Monday to Friday only: public holidays are the caller's calendar."""
    found = today
    for _ in range(amount):
        found += timedelta(days=1)
        while found.weekday() > 4:
            found += timedelta(days=1)
    return found


def _day(text: str, today: date) -> date | None:
    match = _DAY.search(text)
    if match is None:
        return None
    found = _date(today.year, today.month, int(match[1]))
    return _in_next_month(int(match[1]), today) if found is not None and found < today else found
