"""Points in time as people and tools write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from bot.importers import moments
from bot.importers.tables import Cell


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-03-01 08:57", "2026-03-01T08:57:00+08:00"),
        ("2026-3-1 8:57:09", "2026-03-01T08:57:09+08:00"),
        ("2026/3/1 下午3:05", "2026-03-01T15:05:00+08:00"),
        ("2026/3/1 上午 9:05:06", "2026-03-01T09:05:06+08:00"),
        ("2026年3月1日 15时5分", "2026-03-01T15:05:00+08:00"),
        ("2026年3月1日 星期日 下午3:05", "2026-03-01T15:05:00+08:00"),
        ("2026-03-01 上午12:05", "2026-03-01T00:05:00+08:00"),
        ("2026-03-01 下午12:05", "2026-03-01T12:05:00+08:00"),
        ("2026-03-01 中午12:05", "2026-03-01T12:05:00+08:00"),
        ("2026-03-01 中午1:05", "2026-03-01T13:05:00+08:00"),
        ("2026-03-01 下午15:05", "2026-03-01T15:05:00+08:00"),
        ("2026-03-01 晚上8:05", "2026-03-01T20:05:00+08:00"),
        ("2026-03-01 凌晨0:30", "2026-03-01T00:30:00+08:00"),
        ("2026-03-01 3:05 PM", "2026-03-01T15:05:00+08:00"),
        ("２０２６－０３－０１　０８：５７", "2026-03-01T08:57:00+08:00"),
        ("2026-03-01", "2026-03-01T00:00:00+08:00"),
        ("20260301", "2026-03-01T00:00:00+08:00"),
        ("20260301085709", "2026-03-01T08:57:09+08:00"),
        ("2026-03-01T00:57:00Z", "2026-03-01T08:57:00+08:00"),
        ("2026-03-01T08:57:00.123+08:00", "2026-03-01T08:57:00+08:00"),
        ("2026-02-28T19:57:00-0500", "2026-03-01T08:57:00+08:00"),
        ("2026-03-01 上午13:00", None),
        ("2026-03-01 晚上12:00", None),
        ("2026-02-29 08:00", None),
        ("2026-03-01 24:00", None),
        ("1999-12-31 08:00", None),
        ("2100-01-01 08:00", None),
        ("昨天 08:00", None),
        ("08:00", None),
        ("", None),
    ],
)
def test_text(written: str, expected: str | None) -> None:
    found = moments.from_text(written)
    assert (found.isoformat() if found else None) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (datetime(2026, 3, 1, 8, 57, tzinfo=UTC), "2026-03-01T16:57:00+08:00"),
        (date(2026, 3, 1), "2026-03-01T00:00:00+08:00"),
        (46082, "2026-03-01T00:00:00+08:00"),
        (46082.5, "2026-03-01T12:00:00+08:00"),
        (20260301, "2026-03-01T00:00:00+08:00"),
        (time(8), None),
        (True, None),
        (None, None),
        (float("nan"), None),
    ],
)
def test_cells(cell: Cell, expected: str | None) -> None:
    found = moments.from_cell(cell)
    assert (found.isoformat() if found else None) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1762740000, "2025-11-10T10:00:00+08:00"),
        ("1762740000", "2025-11-10T10:00:00+08:00"),
        (1762740000344, "2025-11-10T10:00:00.344000+08:00"),
        (1762740000.0, "2025-11-10T10:00:00+08:00"),
        (0, None),
        (True, None),
        (float("inf"), None),
        (float("nan"), None),
        (10**400, None),
        ("二", None),
        (None, None),
    ],
)
def test_epochs(value: object, expected: str | None) -> None:
    found = moments.from_epoch(value)
    assert (found.isoformat() if found else None) == expected
