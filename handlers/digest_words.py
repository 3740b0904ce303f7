"""How a digest says times, shares and ranks, and how it is cut into messages. Pure; picture and Excel use it too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

_NUMBER_ROOM = len("(10/10)\n")
_LINE = 100  # characters; a longer list goes on in the next line, so that it can be cut
MINUTE, HOUR, DAY = 60, 3600, 86400  # seconds
BEFORE = {"日报": "前一日", "周报": "前一周", "月报": "上一考核期", "专报": "前一段同样长的时间"}


def moment(at: datetime) -> str:
    return f"{at.month}月{at.day}日{at:%H:%M}"


def duration(seconds: float) -> str:
    """45秒, 10分34秒, 1小时5分, 2天3小时: whole seconds, as Excel shows them; then two units at most, cut."""
    whole = int(seconds + 0.5)
    for unit, name, below, lower in ((DAY, "天", HOUR, "小时"), (HOUR, "小时", MINUTE, "分"), (MINUTE, "分", 1, "秒")):
        if whole >= unit:
            rest = whole % unit // below
            tail = f"{rest}{lower}" if rest else ""
            return f"{whole // unit}{name}{tail}" if tail or name != "分" else f"{whole // unit}分钟"
    return f"{whole}秒"


def percent(rate: float) -> str:
    return f"{100 * rate:.1f}%"


def whole_percent(rate: float) -> str:
    """Rounded, but 100% only where all, and 0% only where none."""
    rounded = round(100 * rate)
    return f"{min(max(rounded, 1), 99) if 0 < rate < 1 else rounded}%"


def ranked(units: Sequence[dict[str, Any]], size: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The best and the worst units by on-time rate, equal rates by mean time, then by district order.

    Units with nothing answerable have no rank; none is both best and worst; 0 % is never best, 100 % never worst.
    """
    rated = [row for row in units if row["on_time_rate"] is not None]
    order = sorted(rated, key=lambda row: (-row["on_time_rate"], _mean_or_last(row)))
    best = [row for row in order[:size] if row["on_time_rate"] > 0]
    backwards = sorted(rated, key=lambda row: (row["on_time_rate"], -_mean_or_last(row)))
    worst = [row for row in backwards if row["on_time_rate"] < 1 and row not in best]
    return best, worst[:size]


def _mean_or_last(row: dict[str, Any]) -> float:
    return float("inf") if row["mean_seconds"] is None else float(row["mean_seconds"])


def wrapped(head: str, parts: Iterable[str]) -> list[str]:
    """Join the parts behind the head, going on in a new line where one grows long."""
    lines, current = [], head
    for part in parts:
        if len(current) > len(head) and len(current) + len(part) > _LINE:
            lines.append(current)
            current, head = part, ""
        else:
            current += ("、" if current != head else "") + part
    return [*lines, current]


def cut(lines: Iterable[str], limit: int) -> list[str]:
    """Pack whole lines into messages; a line longer than a message is cut hard. Nothing is left out."""
    room = limit - _NUMBER_ROOM
    messages: list[str] = []
    current = ""
    for line in lines:
        for piece in [line[at : at + room] for at in range(0, len(line), room)] or [""]:
            if current and len(current) + 1 + len(piece) > room:
                messages.append(current)
                current = piece
            else:
                current = f"{current}\n{piece}" if current else piece
    messages.append(current)
    if len(messages) == 1:
        return messages
    return [f"({number}/{len(messages)})\n{message}" for number, message in enumerate(messages, 1)]
