"""One unit's numbers, and who is on duty next; counted by hand. Times are Beijing's."""

from __future__ import annotations

from datetime import time

import pytest

from handlers.context import District as Snapshot
from handlers.context import DutyLine, MemberInfo
from handlers.digest_windows import DigestSettings, window_back
from handlers.duty_view import next_on_duty
from handlers.reading.views import Gazetteer
from handlers.unit_numbers import unit_numbers
from storage.enums import DigestKind, Role
from tests.digests.build import District, at, has, unit_id

SETTINGS = DigestSettings(trend_days=3)
TOWN = unit_id("怀柔镇")


@pytest.mark.parametrize(
    ("kind", "back", "start", "end"),
    [
        ("日报", 0, "2026-03-17 12:00", "2026-03-18 09:30"),
        ("日报", 1, "2026-03-16 12:00", "2026-03-17 12:00"),
        ("周报", 0, "2026-03-16 12:00", "2026-03-18 09:30"),  # a Monday
        ("周报", 2, "2026-03-02 12:00", "2026-03-09 12:00"),
        ("月报", 0, "2026-02-19 12:00", "2026-03-18 09:30"),
        ("月报", 1, "2026-01-19 12:00", "2026-02-19 12:00"),
    ],
)
def test_the_running_window_and_those_before_it(kind: str, back: int, start: str, end: str) -> None:
    assert window_back(DigestKind(kind), back, at("2026-03-18 09:30"), SETTINGS) == (at(start), at(end))


def test_at_the_hour_itself_a_new_window_begins() -> None:
    now = at("2026-03-18 12:00")
    assert window_back(DigestKind.DAILY, 0, now, SETTINGS) == (now, now)


def test_a_unit_is_counted_alone_beside_the_district(district: District) -> None:
    district.duty("怀柔镇", "2026-03-17 11:59:00", 30)  # the day before
    district.duty("怀柔镇", "2026-03-17 12:00:00", 100)
    district.duty("怀柔镇", "2026-03-18 08:00:00", 1000)
    district.duty("怀柔镇", "2026-03-18 09:20:00")  # waits, within its window
    district.duty("雁栖镇", "2026-03-18 09:00:00", 60)
    found = unit_numbers(
        district.session, TOWN, start=at("2026-03-17 12:00"), end=at("2026-03-18 09:30"), settings=SETTINGS
    )
    has(found["numbers"], dispatched=3, accepted=2, accepted_on_time=1, waiting=1, overdue_open=0, answerable=2)
    has(found["numbers"], on_time_rate=0.5, mean_seconds=550.0, median_seconds=550.0, p90_seconds=910.0)
    has(found["district"], dispatched=4, on_time_rate=2 / 3)
    assert {e["span"]: e["count"] for e in found["distribution"] if e["count"]} == {"3分内": 1, "15—30分": 1}
    assert [(e["day"], e["dispatched"], e["on_time_rate"], e["mean_seconds"]) for e in found["trend"]] == [
        ("2026-03-16", 0, None, None),
        ("2026-03-17", 1, 1.0, 30.0),
        ("2026-03-18", 3, 0.5, 550.0),
    ]


def test_a_past_day_tells_its_state_at_its_own_end(district: District) -> None:
    district.duty("怀柔镇", "2026-03-16 11:50:00", 1200)  # accepted after the noon that ended the day
    found = unit_numbers(
        district.session, TOWN, start=at("2026-03-15 12:00"), end=at("2026-03-16 12:00"), settings=SETTINGS
    )
    has(found["numbers"], dispatched=1, accepted=0, waiting=1, on_time_rate=None)
    assert found["trend"][-1] == {
        "day": "2026-03-16", "dispatched": 1, "accepted": 0, "on_time_rate": None, "mean_seconds": None,
    }  # fmt: skip


def test_nothing_at_all_is_no_number(district: District) -> None:
    found = unit_numbers(
        district.session, TOWN, start=at("2026-03-15 12:00"), end=at("2026-03-16 12:00"), settings=SETTINGS
    )
    assert found["district"] == {"dispatched": 0, "on_time_rate": None}
    assert found["numbers"]["on_time_rate"] is None


def people_of_a_rota(*lines: DutyLine) -> Snapshot:
    members = tuple(
        MemberInfo(number, name, 1, Role.HANDLER, number == 1, (), number)
        for number, name in enumerate(("赵样", "钱样", "孙样"), 1)
    )
    return Snapshot(version=1, units=(), rooms=(), members=members, duties=lines, gazetteer=Gazetteer())


def test_who_comes_next_and_when() -> None:
    day, night = time(8), time(18)
    rota = people_of_a_rota(
        *(DutyLine(1, 2, weekday, None, day, night, "白班") for weekday in range(7)),
        *(DutyLine(1, 3, weekday, None, night, day, "夜班") for weekday in range(7)),
    )
    found = next_on_duty(rota, 1, at("2026-03-18 09:30"))
    assert found is not None
    assert found[0] == at("2026-03-18 18:00") and [member.name for member in found[1]] == ["孙样"]
    found = next_on_duty(rota, 1, at("2026-03-18 23:00"))
    assert found is not None and found[0] == at("2026-03-19 08:00")


def test_after_the_last_line_those_marked_in_the_roster_come_next() -> None:
    dated = DutyLine(1, 2, None, at("2026-03-18 00:00").date(), time(8), time(18), "")
    found = next_on_duty(people_of_a_rota(dated), 1, at("2026-03-18 09:30"))
    assert found is not None and found[0] == at("2026-03-18 18:00") and [m.name for m in found[1]] == ["赵样"]
    assert next_on_duty(people_of_a_rota(), 1, at("2026-03-18 09:30")) is None
