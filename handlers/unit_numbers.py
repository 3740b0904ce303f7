"""One unit's day, week or month in numbers, counted as the digest counts them. Plain JSON; nothing here commits."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from handlers.digest_counts import Tally, distribution
from handlers.digest_windows import DigestSettings
from handlers.policy import BEIJING
from storage import digest_facts as queries
from storage.digest_facts import Clock

DAY = timedelta(days=1)


def unit_numbers(
    session: Session, unit_id: int, *, start: datetime, end: datetime, settings: DigestSettings
) -> dict[str, Any]:
    """Count what the unit was dispatched in [start, end), as at `end`.

    `numbers` is the unit's row of a digest, `district` the counts of all units in the same window, `distribution` how
    many acceptances took how long, `trend` the last days up to `end`, each as at its own end; the last one may be
    under way.
    """
    days = _days(end, settings)
    own = queries.clocks(session, min(start, days[0][0]), end, unit_id)
    window = _tally(own, start, end)
    return {
        "numbers": window.numbers(),
        "distribution": distribution(window.seconds),
        "trend": [_day(own, begin, finish) for begin, finish in days],
        "district": _district(session, start, end),
    }


def _days(end: datetime, settings: DigestSettings) -> list[tuple[datetime, datetime]]:
    """Whole days from window hour to window hour; the last one is cut at `end`."""
    local = end.astimezone(BEIJING)
    last = local.replace(hour=settings.window_hour, minute=0, second=0, microsecond=0)
    if last < local:
        last += DAY
    finishes = [last - DAY * back for back in range(settings.trend_days - 1, -1, -1)]
    return [(finish - DAY, min(finish, end)) for finish in finishes]


def _tally(duties: list[Clock], start: datetime, end: datetime) -> Tally:
    """The sums of those dispatched in [start, end); the list is in the order of dispatch."""
    first, last = (bisect_left(duties, at, key=lambda duty: duty.dispatched_at) for at in (start, end))
    tally = Tally()
    for duty in duties[first:last]:
        tally.add(duty, end)
    return tally


def _day(duties: list[Clock], start: datetime, end: datetime) -> dict[str, Any]:
    numbers = _tally(duties, start, end).numbers()
    shown = {key: numbers[key] for key in ("dispatched", "accepted", "on_time_rate", "mean_seconds")}
    return {"day": (start + DAY).astimezone(BEIJING).date().isoformat(), **shown}


def _district(session: Session, start: datetime, end: datetime) -> dict[str, Any]:
    """Counted by the database: a month of the whole district is too much to load for one page."""
    found = queries.trend(session, [(start, end)])
    if not found:
        return {"dispatched": 0, "on_time_rate": None}
    (row,) = found
    return {
        "dispatched": row.dispatched,
        "on_time_rate": row.in_time / row.answerable if row.answerable else None,
    }
