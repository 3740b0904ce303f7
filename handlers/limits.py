"""The order's own 办理时限: when it ends. Never mixed with the group's fifteen minutes. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from handlers.policy import BEIJING

_LENGTH = re.compile(r"(\d{1,3})\s*(?:个)?\s*(小时|h|H|天|日|工作日)")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:\s*(\d{1,2})[:：时](\d{1,2})?)?")


def limit_at(time_limit: str | None, started: datetime) -> datetime | None:
    """When a limit as written ends ("7天", "24小时", "2026-03-09 18:00"), counted from `started`; None if not understood.

    A date without a time means the end of that day in Beijing.
    """
    if not time_limit:
        return None
    if date := _DATE.search(time_limit):
        year, month, day = (int(part) for part in date.group(1, 2, 3))
        hour, minute = int(date.group(4) or 23), int(date.group(5) or (0 if date.group(4) else 59))
        try:
            return datetime(year, month, day, hour, minute, tzinfo=BEIJING)
        except ValueError:
            return None
    if length := _LENGTH.search(time_limit):
        amount, unit = int(length.group(1)), length.group(2)
        return started + (timedelta(hours=amount) if unit in ("小时", "h", "H") else timedelta(days=amount))
    return None
