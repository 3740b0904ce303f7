"""When digests fall due. 2026-03-16 is a Monday; the instants are Beijing wall times."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from handlers.digest_windows import (
    DigestSettings,
    next_digest_at,
    period_start,
    previous_window,
    windows_due,
)
from storage.enums import DigestKind
from tests.digests.build import at

DAILY, WEEKLY, MONTHLY = DigestKind.DAILY, DigestKind.WEEKLY, DigestKind.MONTHLY
SETTINGS = DigestSettings()
NEVER: dict[DigestKind, datetime | None] = {DAILY: None, WEEKLY: None, MONTHLY: None}


def due(now: str, *, since: str = "2026-03-01 00:00", **last: str) -> list[tuple[str, str, str, bool]]:
    ends = {DigestKind[key.upper()]: at(value) for key, value in last.items()}
    found = windows_due({**NEVER, **ends}, at(now), SETTINGS, since=at(since))
    assert all(window.start.tzinfo is UTC and window.end.tzinfo is UTC for window in found)
    show = [(w.start + timedelta(hours=8), w.end + timedelta(hours=8)) for w in found]
    return [
        (w.kind.value, f"{s:%m-%d %H:%M}", f"{e:%m-%d %H:%M}", w.post) for w, (s, e) in zip(found, show, strict=True)
    ]


def test_the_daily_digest_comes_at_its_minute_and_not_before() -> None:
    stored = {"daily": "2026-03-03 12:00", "weekly": "2026-03-02 12:00", "monthly": "2026-02-19 12:00"}
    assert due("2026-03-04 12:04:59", **stored) == []
    only = [("日报", "03-03 12:00", "03-04 12:00", True)]
    assert due("2026-03-04 12:05:00", **stored) == only
    assert due("2026-03-04 12:05:01", **stored) == only
    assert due("2026-03-04 12:06", **{**stored, "daily": "2026-03-04 12:00"}) == []


def test_a_fresh_database_gets_the_digest_of_its_day_and_none_of_days_before() -> None:
    assert due("2026-03-03 12:05", since="2026-03-03 11:59") == [("日报", "03-02 12:00", "03-03 12:00", True)]
    assert due("2026-03-03 12:05", since="2026-03-03 12:05") == [("日报", "03-02 12:00", "03-03 12:00", True)]
    assert due("2026-03-03 12:06", since="2026-03-03 12:05:01") == []


def test_weekly_on_monday_and_monthly_on_the_19th() -> None:
    stored = {"daily": "2026-03-16 12:00", "weekly": "2026-03-09 12:00", "monthly": "2026-02-19 12:00"}
    assert due("2026-03-16 12:05", **stored) == [("周报", "03-09 12:00", "03-16 12:00", True)]
    assert due("2026-03-18 12:05", **{**stored, "daily": "2026-03-18 12:00", "weekly": "2026-03-16 12:00"}) == []
    assert due("2026-03-19 12:05", **{**stored, "daily": "2026-03-19 12:00", "weekly": "2026-03-16 12:00"}) == [
        ("月报", "02-19 12:00", "03-19 12:00", True)
    ]


def test_after_a_break_only_the_latest_of_each_kind_is_posted() -> None:
    stored = {"daily": "2026-03-14 12:00", "weekly": "2026-03-02 12:00", "monthly": "2026-02-19 12:00"}
    assert due("2026-03-17 03:00", **stored) == [
        ("周报", "03-02 12:00", "03-09 12:00", False),
        ("日报", "03-14 12:00", "03-15 12:00", False),
        ("日报", "03-15 12:00", "03-16 12:00", True),
        ("周报", "03-09 12:00", "03-16 12:00", True),
    ]


def test_the_year_and_short_months_are_crossed() -> None:
    stored = {"daily": "2027-01-19 12:00", "weekly": "2027-01-18 12:00", "monthly": "2026-12-19 12:00"}
    assert due("2027-01-19 12:05", **stored) == [("月报", "12-19 12:00", "01-19 12:00", True)]
    last_day = DigestSettings(month_day=31)
    found = windows_due(
        {**NEVER, DAILY: at("2026-03-01 12:00")}, at("2026-03-01 12:05"), last_day, since=at("2026-02-20")
    )
    assert [(w.kind, w.start, w.end) for w in found if w.kind is MONTHLY] == [
        (MONTHLY, at("2026-01-31 12:00"), at("2026-02-28 12:00"))
    ]


def test_a_digest_at_dawn_is_of_the_beijing_day_matomo_24980() -> None:
    """05:00 in Beijing is still yesterday in UTC, where most hosts live."""
    dawn = DigestSettings(daily_at=time(5), window_hour=0)
    (window,) = windows_due({**NEVER, DAILY: at("2026-03-31")}, at("2026-04-01 05:00"), dawn, since=at("2026-03-31"))
    assert (window.start, window.end) == (at("2026-03-31"), at("2026-04-01"))
    assert window.start == datetime(2026, 3, 30, 16, tzinfo=UTC)


def test_next_digest_at() -> None:
    assert next_digest_at(at("2026-03-03 12:04:59"), SETTINGS) == at("2026-03-03 12:05")
    assert next_digest_at(at("2026-03-03 12:05"), SETTINGS) == at("2026-03-04 12:05")
    assert next_digest_at(at("2026-12-31 23:59"), SETTINGS) == at("2027-01-01 12:05")


def test_previous_window_and_period() -> None:
    month = (at("2026-02-19 12:00"), at("2026-03-19 12:00"))
    assert previous_window(MONTHLY, *month, SETTINGS) == (at("2026-01-19 12:00"), at("2026-02-19 12:00"))
    hours = (at("2026-03-03 08:00"), at("2026-03-03 11:00"))
    assert previous_window(DigestKind.SPECIAL, *hours, SETTINGS) == (at("2026-03-03 05:00"), at("2026-03-03 08:00"))
    assert period_start(at("2026-03-19 12:00"), SETTINGS) == at("2026-02-19 12:00")
    assert period_start(at("2026-03-20 12:00"), SETTINGS) == at("2026-03-19 12:00")
    assert period_start(at("2026-01-05 12:00"), SETTINGS) == at("2025-12-19 12:00")


@pytest.mark.parametrize("wrong", [{"daily_at": time(11, 59)}, {"month_day": 0}, {"weekday": 7}, {"window_hour": 24}])
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="digest at|no such"):
        DigestSettings(**wrong)  # type: ignore[arg-type]
