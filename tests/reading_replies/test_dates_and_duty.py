"""Until when, and who is on duty when."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from handlers.reading import duty_words, replies_dates
from handlers.reading.replies_text import normalise
from handlers.reading.views import MemberEntry
from storage.enums import Role

MONDAY = date(2026, 3, 2)
MEMBERS = tuple(MemberEntry(n, "庙城镇", Role.HANDLER) for n in ("苗得雨", "苗长林", "李四", "李四光"))


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("到3月9日", date(2026, 3, 9)),
        ("到３月９号", date(2026, 3, 9)),
        ("到三月九号", date(2026, 3, 9)),
        ("到3.9", date(2026, 3, 9)),
        ("到2026-03-09", date(2026, 3, 9)),
        ("到周五", date(2026, 3, 6)),
        ("到下周二", date(2026, 3, 10)),
        ("到星期天", date(2026, 3, 8)),
        ("延3天", date(2026, 3, 5)),
        ("延期两周", date(2026, 3, 16)),
        ("延5个工作日", date(2026, 3, 9)),
        ("到月底", date(2026, 3, 31)),
        ("到下月5号", date(2026, 4, 5)),
        ("到15号", date(2026, 3, 15)),
        ("到1号", date(2026, 4, 1)),
        ("明天", date(2026, 3, 3)),
        ("到1月5日", None),
        ("到2月30日", None),
        ("等配件", None),
    ],
)
def test_until(text: str, until: date | None) -> None:
    if text == "到1月5日":  # 56 days back: still this year's, so it is the past and the core refuses it
        until = date(2026, 1, 5)
    assert replies_dates.until(normalise(text), MONDAY) == until


def test_a_date_early_in_the_year_said_in_december_is_next_years() -> None:
    assert replies_dates.until("到1月8日", date(2026, 12, 20)) == date(2027, 1, 8)


@pytest.mark.parametrize(
    ("text", "who", "replaces", "start", "end"),
    [
        ("今晚苗得雨值班", "苗得雨", None, datetime(2026, 3, 2, 18), datetime(2026, 3, 3, 8)),  # noqa: DTZ001
        ("明天白天苗长林值班", "苗长林", None, datetime(2026, 3, 3, 8), datetime(2026, 3, 3, 18)),  # noqa: DTZ001
        ("明天苗得雨替苗长林", "苗得雨", "苗长林", datetime(2026, 3, 3, 8), datetime(2026, 3, 4, 8)),  # noqa: DTZ001
        ("3月8日苗得雨值班", "苗得雨", None, datetime(2026, 3, 8, 8), datetime(2026, 3, 9, 8)),  # noqa: DTZ001
        ("苗长林周六晚上值班", "苗长林", None, datetime(2026, 3, 7, 18), datetime(2026, 3, 8, 8)),  # noqa: DTZ001
        ("3月8日至10日苗得雨带班", "苗得雨", None, datetime(2026, 3, 8, 8), datetime(2026, 3, 11, 8)),  # noqa: DTZ001
        ("今晚李四光值班", "李四光", None, datetime(2026, 3, 2, 18), datetime(2026, 3, 3, 8)),  # noqa: DTZ001
    ],
)
def test_duty(text: str, who: str, replaces: str | None, start: datetime, end: datetime) -> None:
    found = duty_words.parse(text, MEMBERS, MONDAY)
    assert found is not None
    assert (found.who, found.replaces, found.start, found.end) == (who, replaces, start, end)
    assert found.whole


@pytest.mark.parametrize(
    "text",
    [
        "今晚谁值班",
        "今晚苗得雨值班吗",
        "今晚苗得雨不值班",
        "苗得雨值班辛苦了",
        "今晚值班表发一下",
        "今晚王麻子值班",
        "明天苗得雨开会",
        "今晚苗得雨和苗长林吃饭",
    ],
)
def test_no_duty(text: str) -> None:
    assert duty_words.parse(text, MEMBERS, MONDAY) is None


def test_the_hours_are_settings_and_i_is_the_sender() -> None:
    found = duty_words.parse("今晚我值班", MEMBERS, MONDAY, me="苗得雨", night_start=time(20), night_end=time(6))
    assert found is not None
    assert (found.who, found.start.hour, found.end.hour) == ("苗得雨", 20, 6)
