"""Points in time as people and tools write them, as aware Beijing time."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, timezone

from bot.importers.tables import Cell

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")  # no summer time since 1991
FIRST_YEAR, LAST_YEAR = 2000, 2099
EXCEL_DAY_ZERO = datetime(1899, 12, 30, tzinfo=BEIJING)

_MILLISECONDS_FROM = 100_000_000_000  # a count of seconds never gets this high before the year 5138
_STAMP = re.compile(
    r"(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?"
    r"(?:[T\s,，]*(?:星期[一二三四五六日天])?\s*(?P<half>上午|下午|中午|凌晨|早上|晚上|[ap]m)?\s*"
    r"(?P<H>\d{1,2})[:点时](?P<M>\d{1,2})分?(?:[:]?(?P<S>\d{1,2})秒?(?:\.\d{1,9})?)?\s*(?P<half2>[ap]m)?"
    r"(?P<zone>z|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"(20\d{2})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?")


def from_cell(cell: Cell) -> datetime | None:
    """Read a date cell of a table: a real date, an Excel day number, or text. None: no date."""
    if isinstance(cell, datetime):
        return _in_range(cell if cell.tzinfo else cell.replace(tzinfo=BEIJING))
    if isinstance(cell, date):
        return _in_range(datetime.combine(cell, time(), BEIJING))
    if isinstance(cell, bool) or cell is None or isinstance(cell, time):
        return None
    if isinstance(cell, (int, float)):
        if 36_526 <= cell < 73_051:  # the day numbers of 2000-01-01 and 2100-01-01
            return EXCEL_DAY_ZERO + timedelta(seconds=round(cell * 86_400))
        return from_text(str(cell))
    return from_text(cell)


def from_text(text: str) -> datetime | None:
    """Read ISO, slashes, 年月日, 上午/下午, am/pm or 14 digits; without an offset it is Beijing time. None: no date."""
    plain = unicodedata.normalize("NFKC", text[:60]).strip()
    compact = _COMPACT.fullmatch(plain)
    if compact:
        return _build(*(int(part or 0) for part in compact.groups()))
    found = _STAMP.fullmatch(plain)
    if not found:
        return None
    hour = int(found["H"] or 0)
    half = (found["half"] or found["half2"] or "").lower()
    if half:
        adjusted = _of_half(hour, half)
        if adjusted is None:
            return None
        hour = adjusted
    moment = _build(int(found["y"]), int(found["m"]), int(found["d"]), hour, int(found["M"] or 0), int(found["S"] or 0))
    zone = found["zone"]
    if moment is None or not zone:
        return moment
    return _shift(moment, zone)


def from_epoch(value: object) -> datetime | None:
    """Read seconds or milliseconds since 1970, as a number or digits. None: no time of this century."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
        return _in_range(datetime.fromtimestamp(seconds, UTC).astimezone(BEIJING))
    except (ValueError, OverflowError, OSError):
        return None


def _of_half(hour: int, half: str) -> int | None:
    """Turn an hour of 上午/下午 into one of 24; 上午12 is midnight, 下午12 noon. None: contradiction."""
    if half in ("上午", "凌晨", "早上", "am"):
        return 0 if hour == 12 else hour if hour < 12 else None
    if half == "中午":
        return hour + 12 if hour in (1, 2) else hour if 10 <= hour <= 14 else None
    if half == "晚上" and hour == 12:
        return None  # midnight of which day?
    return hour + 12 if hour < 12 else hour


def _build(year: int, month: int, day: int, hour: int, minute: int, second: int) -> datetime | None:
    try:
        return _in_range(datetime(year, month, day, hour, minute, second, tzinfo=BEIJING))
    except ValueError:
        return None


def _shift(moment: datetime, zone: str) -> datetime | None:
    if zone in "zZ":
        offset = timedelta()
    else:
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        if hours > 14 or minutes > 59:
            return None
        offset = timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
    return _in_range(moment.replace(tzinfo=timezone(offset)).astimezone(BEIJING))


def _in_range(moment: datetime) -> datetime | None:
    try:
        local = moment.astimezone(BEIJING)
    except (ValueError, OverflowError):
        return None
    return local if FIRST_YEAR <= local.year <= LAST_YEAR else None
