"""What the page of one unit shows: its day, week or month in numbers, its people on duty, what it has open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from handlers.context import Context
from handlers.digest_counts import LONGER, SPANS
from handlers.digest_windows import DigestSettings, window_back
from handlers.digest_words import duration, moment, percent
from handlers.duty_view import next_on_duty
from handlers.policy import BEIJING
from handlers.unit_numbers import unit_numbers
from storage.enums import AssignmentStatus, DigestKind, Urgency
from storage.open_duties import OpenDuty, count_open, open_duties

PERIODS = {"day": DigestKind.DAILY, "week": DigestKind.WEEKLY, "month": DigestKind.MONTHLY}
PERIOD_NAMES = (("day", "日"), ("week", "周"), ("month", "考核期"))
MOST_BACK = 400  # windows
PER_PAGE = 50
FIFTEEN_MINUTES = 900  # seconds


@dataclass(frozen=True, slots=True)
class Period:
    """A running window (`back` 0) or one that ended; a word that means nothing is the day."""

    word: str
    back: int

    @classmethod
    def of(cls, word: str, back: int) -> Period:
        return cls(word if word in PERIODS else "day", min(max(back, 0), MOST_BACK))

    def window(self, now: datetime, settings: DigestSettings) -> tuple[datetime, datetime]:
        return window_back(PERIODS[self.word], self.back, now, settings)


def unit_page(
    session: Session, ctx: Context, unit_id: int, period: Period, page: int, *, now: datetime, settings: DigestSettings
) -> dict[str, Any]:
    """The values of unit.html; the unit must exist."""
    start, end = period.window(now, settings)
    told = unit_numbers(session, unit_id, start=start, end=end, settings=settings)
    coming = next_on_duty(ctx.district, unit_id, now)
    rows = open_duties(session, unit_id, limit=PER_PAGE + 1, offset=(page - 1) * PER_PAGE)
    counts = count_open(session, unit_id)
    return {
        "unit": ctx.district.unit_by_id[unit_id],
        "periods": PERIOD_NAMES,
        "period": period.word,
        "back": period.back,
        "window_said": f"{said(start)} 至 {'现在' if period.back == 0 else said(end)}",
        "figures": _figures(told["numbers"], told["district"]),
        "spans": [{**span, "late": late} for span, late in zip(told["distribution"], _late_spans(), strict=True)],
        "trend": _trend(told["trend"], running=period.back == 0),
        "on_duty": ctx.district.on_duty(unit_id, now),
        "called": ctx.district.called(unit_id, now),
        "next_at": said(coming[0]) if coming else "",
        "next_duty": coming[1] if coming else [],
        "waiting": counts[AssignmentStatus.WAITING],
        "accepted": counts[AssignmentStatus.ACCEPTED],
        "open": [_open(row, now) for row in rows[:PER_PAGE]],
        "page": page,
        "more": len(rows) > PER_PAGE,
    }


def _trend(days: list[dict[str, Any]], *, running: bool) -> list[dict[str, Any]]:
    """The days with what is shown of them; one that is under way is not named by the day on which it will end."""
    shown = [
        {**d, "label": d["day"][5:], "rate": rate(d["on_time_rate"]), "mean": took(d["mean_seconds"])} for d in days
    ]
    if running:
        shown[-1]["label"] = "至今"
    return shown


def _late_spans() -> list[bool]:
    return [bound > FIFTEEN_MINUTES for bound, _ in SPANS] + [bool(LONGER)]


def _figures(numbers: dict[str, Any], district: dict[str, Any]) -> list[dict[str, str]]:
    own, all_ = numbers["on_time_rate"], district["on_time_rate"]
    base = f"{numbers['in_time']}/{numbers['answerable']}" if numbers["answerable"] else "没有应答件"
    beside = f"，全区{percent(all_)}" if all_ is not None else ""
    late = numbers["overdue_open"]
    return [
        {"name": "派单", "value": str(numbers["dispatched"]), "note": f"全区{district['dispatched']}", "tone": ""},
        {"name": "领办", "value": str(numbers["accepted"]), "note": f"按时{numbers['accepted_on_time']}", "tone": ""},
        {"name": "按时率", "value": rate(own), "note": base + beside, "tone": _tone(own)},
        {"name": "平均用时", "value": took(numbers["mean_seconds"]), "note": "", "tone": ""},
        {"name": "中位", "value": took(numbers["median_seconds"]), "note": "", "tone": ""},
        {"name": "九成", "value": took(numbers["p90_seconds"]), "note": "", "tone": ""},
        {"name": "最长", "value": took(numbers["max_seconds"]), "note": "", "tone": ""},
        {
            "name": "超时未领",
            "value": str(late),
            "note": f"仍待领办{numbers['waiting']}",
            "tone": "bad" if late else "",
        },
        {"name": "办结", "value": str(numbers["resolved"]), "note": "", "tone": ""},
        {"name": "退单、转派", "value": f"{numbers['declined']}、{numbers['transferred']}", "note": "", "tone": ""},
        {"name": "协办", "value": str(numbers["helper"]), "note": "", "tone": ""},
        {"name": "紧急敏感", "value": str(numbers["urgent"]), "note": "", "tone": ""},
    ]


def _tone(value: float | None) -> str:
    """The bands of the digest's picture."""
    if value is None:
        return ""
    return "good" if value >= 0.95 else "bad" if value < 0.6 else "fair" if value < 0.8 else ""


def _open(row: OpenDuty, now: datetime) -> dict[str, Any]:
    hidden = row.urgency is Urgency.SENSITIVE
    return {
        "no": row.no,
        "gist": "（敏感，不载内容）" if hidden else row.gist,
        "urgency": row.urgency.value,
        "category": "—" if hidden else row.category,
        "role": row.role.value,
        "status": row.status.value,
        "late": row.status is AssignmentStatus.WAITING and row.due_at < now,
        "due": said(row.due_at),
        "owner": row.owner,
    }


def said(at: datetime) -> str:
    return moment(at.astimezone(BEIJING))


def rate(value: float | None) -> str:
    return "—" if value is None else percent(value)


def took(seconds: float | None) -> str:
    return "—" if seconds is None else duration(seconds)
