"""Changes of the duty rota as a leader types them: 今晚李四值班, 明天张三替李四, 3月8日王五值班, 周六白天赵六带班.

An interval is two naive Beijing local times, end exclusive. A night is [18:00, 08:00 of the next day), a day
[08:00, 18:00); without a word for either it is the whole duty day [08:00, 08:00 of the next day). The two hours are
arguments, because they are settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from handlers.reading import replies_dates
from handlers.reading.replies_text import normalise
from handlers.reading.views import MemberEntry

_PART = r"(?:白天|白班|日班|上午|下午|晚上|夜里|夜间|夜班|晚班|晚|夜|全天|一天)"
_DAY = (
    r"(?:20\d\d\s*[-年./]\s*\d{1,2}\s*[-月./]\s*\d{1,2}\s*[日号]?|\d{1,2}\s*月\s*\d{1,2}\s*[日号]?|"
    r"[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}[日号]?|(?<!\d)\d{1,2}[./]\d{1,2}(?!\d)|"
    r"(?<![\d月])\d{1,2}[日号]|"
    r"大后天|今天|明天|后天|今儿|明儿|今日|明日|今(?=晚|夜)|明(?=晚|夜)|后(?=晚|夜)|(?:本|这|下下?)?个?(?:周|"
    r"星期|礼拜)[一二三四五六日天])"
)
_WHEN = re.compile(r"(" + _DAY + r")(?:\s*(?:至|到|-|—|~)\s*(" + _DAY + r"))?的?\s*(" + _PART + r")?")
_RANGE_DAY = re.compile(r"(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?\s*(?:至|到|-|—|~)\s*(\d{1,2})\s*[日号]")
_DUTY = re.compile(r"值班|值守|带班|当班|顶班|替班|在岗|值夜|备勤")
_REPLACES = re.compile("替换|顶替|代替|替|顶|换下?|代")
_NOT = re.compile(r"[?？]|吗|谁|不|没|是否|哪|表|费|室|电话|通知|怎么")
_POLITE = re.compile(r"[\s，,。.!！、的是由请让安排我改成为了吧啊哈各位大家注意一下\x02]+")


@dataclass(frozen=True, slots=True)
class DutyChange:
    who: str  # roster name
    replaces: str | None  # roster name of who hands over
    start: datetime  # naive, Beijing
    end: datetime
    part: str  # "day", "night" or "all"
    when: str  # as written: 今晚
    whole: bool  # the message says nothing else


def parse(
    text: str,
    members: Iterable[MemberEntry],
    today: date,
    *,
    me: str | None = None,
    night_start: time = time(18),
    night_end: time = time(8),
) -> DutyChange | None:
    """Read one duty line; None if it names no day, no member, asks or denies. `me` is who 我 stands for."""
    plain = normalise(text)[:200]
    when = _WHEN.search(plain)
    if when is None or _NOT.search(plain):
        return None
    swap = _REPLACES.search(plain)
    duty = _DUTY.search(plain)
    if swap is None and duty is None:
        return None
    found = _people(plain, members, me)
    if not found or (len(found) > 1 and swap is None):
        return None
    who, replaces = _roles(found, swap)
    if who is None or (swap is not None and replaces is None and duty is None):
        return None
    days = _days(when, plain, today)
    if days is None:
        return None
    part = _part(when)
    start, end = _interval(days[0], days[1], part, night_start, night_end)
    rest = plain
    for word in (when[0], who, replaces or "", duty[0] if duty else "", swap[0] if swap else ""):
        rest = rest.replace(word, "", 1) if word else rest
    whole = not _POLITE.sub("", rest.replace("我", ""))
    return DutyChange(who, replaces, start, end, part, re.sub(r"\s", "", when[0]), whole)


def _people(plain: str, members: Iterable[MemberEntry], me: str | None) -> list[tuple[int, str]]:
    """Roster names with their places, the longest first, so that 李四 inside 李四光 is not found."""
    found: list[tuple[int, str]] = []
    rest = plain
    for name in sorted({m.name for m in members if m.name}, key=lambda n: (-len(n), n)):
        at = rest.find(name)
        if at >= 0:
            found.append((at, name))
            rest = rest.replace(name, "\x00" * len(name))
    if me is not None and "我" in rest and me not in [n for _, n in found]:
        found.append((rest.find("我"), me))
    return sorted(found)


def _roles(found: list[tuple[int, str]], swap: re.Match[str] | None) -> tuple[str | None, str | None]:
    if swap is None:
        return found[0][1], None
    before = [n for at, n in found if at < swap.start()]
    after = [n for at, n in found if at >= swap.end()]
    return (before[-1] if before else None), (after[0] if after else None)


def _part(when: re.Match[str]) -> str:
    word = when[3] or ""
    if "晚" in word or "夜" in word:
        return "night"
    return "day" if word in ("白天", "白班", "日班", "上午", "下午") else "all"


def _days(when: re.Match[str], plain: str, today: date) -> tuple[date, date] | None:
    first = _one_day(when[1], today)
    last = _one_day(when[2], today) if when[2] else first
    spanned = _RANGE_DAY.search(plain)
    if spanned and first is not None:
        try:
            last = first.replace(day=int(spanned[3]))
        except ValueError:
            return None
    if first is None or last is None or last < first or (last - first).days > 31:
        return None
    return first, last


def _one_day(word: str, today: date) -> date | None:
    short = {"今": 0, "明": 1, "后": 2, "今儿": 0, "今日": 0}
    if word in short:
        return today + timedelta(days=short[word])
    return replies_dates.until(word, today)


def _interval(first: date, last: date, part: str, night_start: time, night_end: time) -> tuple[datetime, datetime]:
    if part == "day":
        return datetime.combine(first, night_end), datetime.combine(last, night_start)
    begin = night_start if part == "night" else night_end
    return datetime.combine(first, begin), datetime.combine(last + timedelta(days=1), night_end)
