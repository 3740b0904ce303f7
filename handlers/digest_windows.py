"""When a digest falls due and which window it tells of. Pure.

Windows are half-open and end at `window_hour` Beijing time; the digest itself comes at `daily_at` of the same day.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from handlers.early_meeting import EarlyMeetingRules
from handlers.policy import BEIJING
from handlers.rates import RateWeights
from storage.enums import DigestKind

REGULAR = (DigestKind.DAILY, DigestKind.WEEKLY, DigestKind.MONTHLY)  # 专报 never falls due by itself


@dataclass(frozen=True, slots=True)
class DigestSettings:
    daily_at: time = time(12, 5)  # Beijing; when digests are posted
    window_hour: int = 12  # Beijing hour at which every window ends
    month_day: int = 19  # 考核期 from the 19th; a shorter month ends it on its last day
    weekday: int = 0  # 0 = Monday
    baseline_seconds: int | None = None  # the mean time-to-accept before the bot
    text_limit: int = 600  # characters of one message
    rank_size: int = 3
    top_categories: int = 5
    trend_days: int = 14
    font: str | None = None  # file or family of the picture's font; None: the first known one with Chinese glyphs
    rates: RateWeights = field(default_factory=RateWeights)
    early_meeting: EarlyMeetingRules = field(default_factory=EarlyMeetingRules)

    def __post_init__(self) -> None:
        if not 0 <= self.window_hour <= 23 or not 1 <= self.month_day <= 31 or not 0 <= self.weekday <= 6:
            raise ValueError(f"no such hour, day or weekday: {self.window_hour}, {self.month_day}, {self.weekday}")
        if self.daily_at < time(self.window_hour):
            raise ValueError(f"a digest at {self.daily_at} would come before its window ends at {self.window_hour}:00")


@dataclass(frozen=True, slots=True)
class DueWindow:
    """A digest to make; `post` is false for one that was missed and is only stored. Times are aware UTC."""

    kind: DigestKind
    start: datetime
    end: datetime
    post: bool


class WindowProblem(StrEnum):
    """Which part of a wanted period cannot be used."""

    START = "start"
    END = "end"
    ORDER = "order"  # it does not end after its start
    FUTURE = "future"  # it ends after now
    LONG = "long"


class WindowError(ValueError):
    """A period that cannot be counted; says what was given and what can be written."""

    def __init__(self, problem: WindowProblem, said: str) -> None:
        super().__init__(said)
        self.problem = problem


def special_window(
    start: str, end: str, settings: DigestSettings, *, now: datetime, longest: timedelta | None = None
) -> DueWindow:
    """The window [start, end) of a 专报, never to be posted.

    A date means the hour at which every window ends; a time without offset is Beijing's. Raises WindowError.
    """
    begins = _moment(start, settings, WindowProblem.START)
    ends = _moment(end, settings, WindowProblem.END)
    if ends <= begins:
        raise WindowError(WindowProblem.ORDER, f"the period ends at {_said(ends)}, not after its start {_said(begins)}")
    if ends > now:
        raise WindowError(
            WindowProblem.FUTURE,
            f"the period ends at {_said(ends)}, which has not come yet; the latest end is now, {_said(now)}",
        )
    if longest is not None and ends - begins > longest:
        raise WindowError(WindowProblem.LONG, f"the period is longer than {longest.days} days")
    return DueWindow(DigestKind.SPECIAL, begins, ends, post=False)


def _moment(text: str, settings: DigestSettings, problem: WindowProblem) -> datetime:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        pass
    else:
        return _at(day, time(settings.window_hour))
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=BEIJING)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise WindowError(
            problem, f"{text[:40]!r} is no date (2026-03-01) and no time (2026-03-01T08:30) that can be counted from"
        ) from None


def _said(at: datetime) -> str:
    return f"{at.astimezone(BEIJING):%Y-%m-%dT%H:%M:%S}"


def windows_due(
    last_ends: Mapping[DigestKind, datetime | None], now: datetime, settings: DigestSettings, *, since: datetime
) -> list[DueWindow]:
    """Return the digests that fell due up to and including `now` and are not stored yet, in time order.

    `last_ends` holds the end of the last stored window of each kind. Where that is None, those count that fell due
    at or after `since`, the first moment the database knows. Only the latest of a kind is posted.
    """
    due: list[DueWindow] = []
    for kind in REGULAR:
        last = last_ends.get(kind)
        begin = (last if last is not None else since).astimezone(BEIJING).date()
        missed = []
        for day in _days(begin, now.astimezone(BEIJING).date()):
            post_at = _at(day, settings.daily_at)
            end = _at(day, time(settings.window_hour))
            known = end > last if last is not None else post_at >= since
            if known and post_at <= now and _ends_on(kind, day, settings):
                missed.append(DueWindow(kind, window_start(kind, end, settings), end, post=False))
        due += missed[:-1] + [DueWindow(w.kind, w.start, w.end, post=True) for w in missed[-1:]]
    return sorted(due, key=lambda window: (window.end, REGULAR.index(window.kind)))


def next_digest_at(now: datetime, settings: DigestSettings) -> datetime:
    """The first posting time after `now`; every regular digest comes at one of these."""
    today = now.astimezone(BEIJING).date()
    at = _at(today, settings.daily_at)
    return at if at > now else _at(today + timedelta(days=1), settings.daily_at)


def window_start(kind: DigestKind, end: datetime, settings: DigestSettings) -> datetime:
    """The start of the window of a regular digest that ends at `end`."""
    day = end.astimezone(BEIJING).date()
    if kind is DigestKind.MONTHLY:
        before = day.replace(day=1) - timedelta(days=1)
        started = before.replace(day=_month_end(before, settings.month_day))
    else:
        started = day - timedelta(days=7 if kind is DigestKind.WEEKLY else 1)
    return _at(started, time(settings.window_hour))


def window_back(kind: DigestKind, back: int, now: datetime, settings: DigestSettings) -> tuple[datetime, datetime]:
    """The window of a regular kind that runs at `now`, up to now; or the one that ended `back` windows before."""
    local = now.astimezone(BEIJING)
    first = local.date() + timedelta(days=1)
    ends = (_at(first - timedelta(days=days), time(settings.window_hour)) for days in range(33))
    last = next(end for end in ends if end <= now and _ends_on(kind, end.astimezone(BEIJING).date(), settings))
    start, end = last, now
    for _ in range(back):
        start, end = window_start(kind, start, settings), start
    return start, end


def previous_window(
    kind: DigestKind, start: datetime, end: datetime, settings: DigestSettings
) -> tuple[datetime, datetime]:
    """The window before, of the same kind; for a 专报 the equally long time before it."""
    if kind is DigestKind.SPECIAL:
        return start - (end - start), start
    return window_start(kind, start, settings), start


def period_start(end: datetime, settings: DigestSettings) -> datetime:
    """The start of the 考核期 that the moment before `end` lies in."""
    day = end.astimezone(BEIJING).date()
    this_month = _at(day.replace(day=_month_end(day, settings.month_day)), time(settings.window_hour))
    return this_month if this_month < end else window_start(DigestKind.MONTHLY, this_month, settings)


def trend_days(end: datetime, settings: DigestSettings) -> list[tuple[datetime, datetime]]:
    """The last days up to `end`, each 24 hours, the earliest first."""
    day = timedelta(days=1)
    return [(end - day * back, end - day * (back - 1)) for back in range(settings.trend_days, 0, -1)]


def _ends_on(kind: DigestKind, day: date, settings: DigestSettings) -> bool:
    if kind is DigestKind.WEEKLY:
        return day.weekday() == settings.weekday
    if kind is DigestKind.MONTHLY:
        return day.day == _month_end(day, settings.month_day)
    return True


def _month_end(day: date, month_day: int) -> int:
    return min(month_day, calendar.monthrange(day.year, day.month)[1])


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, BEIJING).astimezone(UTC)
