"""The numbers of behaviour 7 at the two noons of the project's own scenarios; the expected values are theirs."""

from __future__ import annotations

from storage.enums import AssignmentRole, TicketStatus
from tests.digests.build import DECLINED, DONE, TRANSFERRED, WITHDRAWN, District, at, daily, has, row, unit_id

NOON = at("2026-03-03 12:00:00")


def digest_at_noon(district: District) -> None:
    """shared/data/cases/scenarios/digest_at_noon.jsonl"""
    district.duty("泉河街道", "2026-03-02 15:00:00", 120)
    district.duty("泉河街道", "2026-03-03 09:00:00", 240)
    district.duty("雁栖镇", "2026-03-03 09:10:00", 300)
    district.duty("庙城镇", "2026-03-03 09:20:00")
    district.duty("雁栖镇", "2026-03-03 10:00:00", 600, status=DONE, ended="2026-03-03 10:30:00")
    district.duty("庙城镇", "2026-03-03 10:20:00", 1500)
    district.duty("泉河街道", "2026-03-03 11:00:00", 1200)
    district.duty("区水务局", "2026-03-03 11:50:00", 478)
    district.duty("区水务局", "2026-03-03 12:00:00", 60)


def test_digest_at_noon(district: District) -> None:
    digest_at_noon(district)
    numbers = daily(district)
    assert numbers["window"] == ["2026-03-02T12:00:00+08:00", "2026-03-03T12:00:00+08:00"]
    has(
        numbers["totals"],
        dispatched=8,
        accepted=7,
        accepted_on_time=5,
        mean_seconds=634.0,
        median_seconds=478,
        max_seconds=1500,
        overdue_open=1,
        resolved=1,
        declined=0,
        transferred=0,
        on_time_rate=0.625,
    )
    has(row(numbers, "泉河街道"), dispatched=3, accepted=3, accepted_on_time=2, mean_seconds=520.0, median_seconds=240)
    has(row(numbers, "雁栖镇"), dispatched=2, accepted=2, resolved=1, mean_seconds=450.0, median_seconds=450.0)
    has(row(numbers, "庙城镇"), dispatched=2, accepted=1, accepted_on_time=0, overdue_open=1, mean_seconds=1500.0)
    has(row(numbers, "区水务局"), dispatched=1, accepted=1, mean_seconds=478.0, max_seconds=478)
    has(row(numbers, "龙山街道"), dispatched=0, accepted=0, on_time_rate=None, mean_seconds=None, p90_seconds=None)


def digest_noon_units(district: District) -> None:
    """shared/data/cases/scenarios/digest_noon_units.jsonl"""
    add = district.duty
    add("泉河街道", "2026-04-21 11:59:59", 180)
    add("泉河街道", "2026-04-21 12:00:00", 240)
    add("龙山街道", "2026-04-21 16:00:00", 600, status=DONE, ended="2026-04-21 17:00:00")
    c1 = district.ticket(at("2026-04-22 08:00:00"), unit_id=unit_id("怀柔镇"))
    add("区城市管理委", "2026-04-22 08:00:00", ticket=c1, status=TRANSFERRED, ended="2026-04-22 08:20:00")
    add("怀柔镇", "2026-04-22 08:20:00", 300, ticket=c1)
    add("龙山街道", "2026-04-22 09:00:00", 1200)
    y1 = district.ticket(at("2026-04-22 09:30:00"), status=TicketStatus.WITHDRAWN, closed_at=at("2026-04-22 09:31:00"))
    add("杨宋镇", "2026-04-22 09:30:00", ticket=y1, status=WITHDRAWN, ended="2026-04-22 09:31:00")
    w1 = district.ticket(at("2026-04-22 10:00:00"), unit_id=unit_id("渤海镇"))
    add("区水务局", "2026-04-22 10:00:00", ticket=w1, status=DECLINED, ended="2026-04-22 10:05:00")
    add("渤海镇", "2026-04-22 10:08:00", 120, ticket=w1)
    z1 = district.ticket(at("2026-04-22 11:00:00"), unit_id=unit_id("桥梓镇"))
    add("桥梓镇", "2026-04-22 11:00:00", 60, ticket=z1)
    add("区生态环境局", "2026-04-22 11:05:00", 240, ticket=z1, role=AssignmentRole.HELPER)
    add("北房镇", "2026-04-22 11:40:00", 1380)
    add("北房镇", "2026-04-22 11:50:00", 840)


def test_digest_noon_units_of_yesterday(district: District) -> None:
    digest_noon_units(district)
    numbers = daily(district, at("2026-04-21 12:00:00"))
    expected = {"dispatched": 1, "accepted": 0, "on_time_rate": None, "mean_seconds": None, "overdue_open": 0}
    has(numbers["totals"], **expected)
    has(row(numbers, "泉河街道"), **expected)


def test_digest_noon_units_of_today(district: District) -> None:
    digest_noon_units(district)
    numbers = daily(district, at("2026-04-22 12:00:00"))
    has(
        numbers["totals"],
        dispatched=11,
        accepted=7,
        accepted_on_time=6,
        on_time_rate=0.66667,
        mean_seconds=394.2857,
        median_seconds=240,
        p90_seconds=840.0,
        max_seconds=1200,
        overdue_open=1,
        resolved=1,
        declined=1,
        transferred=1,
        tickets=8,
    )
    has(row(numbers, "泉河街道"), dispatched=1, accepted=1, on_time_rate=1.0, mean_seconds=240.0)
    has(row(numbers, "龙山街道"), dispatched=2, on_time_rate=0.5, mean_seconds=900.0, p90_seconds=1140.0, resolved=1)
    has(row(numbers, "区水务局"), dispatched=1, accepted=0, on_time_rate=None, declined=1, overdue_open=0)
    has(row(numbers, "渤海镇"), dispatched=1, accepted=1, on_time_rate=1.0, mean_seconds=120.0)
    has(row(numbers, "区城市管理委"), dispatched=1, accepted=0, on_time_rate=0.0, transferred=1, overdue_open=0)
    has(row(numbers, "怀柔镇"), dispatched=1, on_time_rate=1.0, mean_seconds=300.0)
    has(row(numbers, "北房镇"), dispatched=2, accepted=0, on_time_rate=0.0, overdue_open=1, mean_seconds=None)
    has(row(numbers, "杨宋镇"), dispatched=0, on_time_rate=None, overdue_open=0)
    has(row(numbers, "桥梓镇"), dispatched=1, on_time_rate=1.0, mean_seconds=60.0)
    has(row(numbers, "区生态环境局"), dispatched=1, on_time_rate=1.0, mean_seconds=240.0, helper=1)
    assert [entry["unit"] for entry in numbers["units"]][:3] == ["泉河街道", "龙山街道", "怀柔镇"]
    assert sum(entry["dispatched"] for entry in numbers["units"]) == 11
    (decline,), (transfer,) = numbers["declines"], numbers["transfers"]
    assert (decline["unit"], decline["to"], decline["before_due"]) == ("区水务局", "渤海镇", True)
    assert (transfer["unit"], transfer["to"], transfer["before_due"]) == ("区城市管理委", "怀柔镇", False)
    (call,) = numbers["whistles"]["list"]
    assert (call["from"], call["to"], call["seconds"], call["lead_seconds"]) == ("桥梓镇", "区生态环境局", 240, 60)
    assert numbers["whistles"]["calling"] == [{"unit": "桥梓镇", "calls": 1, "answered": 1}]
    assert numbers["previous"]["totals"]["dispatched"] == 1
    assert numbers["previous"]["dispatched_percent"] == 1000
