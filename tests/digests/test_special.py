"""A period of one's own: what may be written for it, and its files. Times are Beijing's."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path

import openpyxl
import pytest

from bot.digest_files import name
from bot.settings import SettingsError, load_settings
from bot.showing import digest_of
from handlers.digest_windows import DigestSettings, DueWindow, WindowError, special_window
from storage.enums import DigestKind
from storage.sessions import transaction
from tests.databases import fresh
from tests.digests.build import District, add_district, at

NOW = at("2026-03-10 09:00")


@pytest.mark.parametrize(
    ("start", "end", "begins", "ends"),
    [
        ("2026-03-01", "2026-03-08", "2026-03-01 12:00", "2026-03-08 12:00"),
        ("2026-03-01T08:30", "2026-03-01 20:00:05", "2026-03-01 08:30", "2026-03-01 20:00:05"),
        ("2026-03-01T00:30+00:00", " 2026-03-02 ", "2026-03-01 08:30", "2026-03-02 12:00"),
        ("2026-03-09", "2026-03-10T09:00", "2026-03-09 12:00", "2026-03-10 09:00"),  # up to this very moment
    ],
)
def test_a_date_means_the_hour_of_the_windows(start: str, end: str, begins: str, ends: str) -> None:
    window = special_window(start, end, DigestSettings(), now=NOW)
    assert window == DueWindow(DigestKind.SPECIAL, at(begins), at(ends), post=False)
    assert window.start.tzinfo is UTC


def test_another_hour_of_the_windows_is_meant_too() -> None:
    window = special_window("2026-03-01", "2026-03-02", DigestSettings(window_hour=0), now=NOW)
    assert (window.start, window.end) == (at("2026-03-01 00:00"), at("2026-03-02 00:00"))
    assert name(window) == "专报-20260301T000000-20260302T000000"


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        ("昨天", "2026-03-08", "start"),
        ("2026-02-30", "2026-03-08", "start"),
        ("", "2026-03-08", "start"),
        ("0001-01-01T00:00", "2026-03-08", "start"),  # before the first moment that UTC can tell
        ("2026-03-01", "9999999", "end"),
        ("2026-03-08", "2026-03-08", "order"),
        ("2026-03-08", "2026-03-01", "order"),
        ("2026-03-08", "2026-03-10", "future"),
        ("2025-03-08", "2026-03-09", "long"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_the_part_that_is_wrong(start: str, end: str, problem: str) -> None:
    with pytest.raises(WindowError) as refused:
        special_window(start, end, DigestSettings(), now=NOW, longest=timedelta(days=365))
    assert refused.value.problem == problem


def test_the_files_of_a_daily_digest_are_named_by_the_day_in_beijing() -> None:
    window = DueWindow(DigestKind.DAILY, at("2026-03-02 07:00"), at("2026-03-03 07:00"), post=True)  # 23:00 UTC
    assert name(window) == "日报-20260303"


def test_a_period_has_text_picture_and_excel_of_the_same_numbers(tmp_path: Path) -> None:
    engine = fresh(tmp_path / "d.db")
    with transaction(engine) as session:
        add_district(session)
        district = District(session)
        district.duty("怀柔镇", "2026-03-01 11:59:59", 60)  # before the period
        district.duty("怀柔镇", "2026-03-01 12:00", 120)
        district.duty("雁栖镇", "2026-03-05 08:00", 1200)
        district.duty("雁栖镇", "2026-03-08 12:00", 60)  # at its end: the next one's
    window = special_window("2026-03-01", "2026-03-08", DigestSettings(), now=NOW)
    texts, files = digest_of(engine, window, DigestSettings(), now=NOW, folder=tmp_path / "out")
    assert "见诉领办专报｜3月1日12:00至3月8日12:00" in texts[0]
    assert "派单2件（诉求2件），领办2件，其中按时1件；按时率50.0%（1/2）" in texts[0]
    assert files is not None and files.picture is not None and files.picture.stat().st_size > 10_000
    book = openpyxl.load_workbook(files.ledger)
    summary = {row[0].value: row[2].value for row in book["汇总"].iter_rows(min_row=4)}
    assert (summary["怀柔镇"], summary["雁栖镇"], summary["合计"]) == (1, 1, 2)
    assert "PERCENTILE.INC" in book["汇总"]["A2"].value
    engine.dispose()


def test_weights_and_rules_come_from_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"RATE_FAIR": "0.8", "RATE_RESPONSE": "0.2", "RATE_SATISFACTION": "0.3", "EARLY_MEETING_OVERDUE": "5"}
    for key, value in {**given, "EARLY_MEETING_VOLUME_UNITS": "2", "DIGEST_FONT": "SimHei"}.items():
        monkeypatch.setenv(key, value)
    made = load_settings().digests()
    assert (made.rates.fair, made.rates.response, made.rates.satisfaction, made.rates.solution) == (0.8, 0.2, 0.3, 0.5)
    assert (made.early_meeting.most_overdue, made.early_meeting.most_volume, made.font) == (5, 2, "SimHei")
    monkeypatch.setenv("RATE_SOLUTION", "0.6")
    with pytest.raises(SettingsError, match=r"RATE_SOLUTION: .*must add up to 1"):
        load_settings()
