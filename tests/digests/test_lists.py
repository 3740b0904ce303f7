"""What a digest lists: urgent, waiting, passed on, reopened, whistled, offline, compared."""

from __future__ import annotations

import pytest

from storage.enums import AssignmentRole, EventKind, OutageKind, TicketStatus, UnitKind, Urgency
from storage.tables import Event, Outage, Unit
from tests.digests.build import DECLINED, DONE, District, at, daily, has, row
from tests.digests.test_numbers import digest_noon_units

NOON = at("2026-03-03 12:00:00")


def test_backlog_is_told_but_not_counted(district: District) -> None:
    district.duty("怀柔镇", "2026-03-02 11:00:00")  # the day before
    district.duty("怀柔镇", "2026-01-02 11:00:00")  # longer ago than the times are looked at
    late = district.duty("雁栖镇", "2026-03-02 11:30:00", 90_000)  # accepted 12:30 today
    assert late.accepted_at is not None and late.accepted_at > NOON
    district.duty("雁栖镇", "2026-03-02 11:40:00", 60)
    numbers = daily(district)
    has(numbers["totals"], dispatched=0, carried=3, carried_overdue=3)
    assert [(e["unit"], e["carried"], e["minutes"]) for e in numbers["waiting"]] == [
        ("怀柔镇", True, 60 * 24 * 60 + 60),
        ("怀柔镇", True, 25 * 60),
        ("雁栖镇", True, 24 * 60 + 30),
    ]


def test_a_sensitive_ticket_shows_number_unit_and_state_only(district: District) -> None:
    ticket = district.ticket(
        at("2026-03-03 10:00:00"), urgency=Urgency.SENSITIVE, gist="扬言到区政府门口", category="信访法律", unit_id=3
    )
    district.duty("怀柔镇", "2026-03-03 10:00:00", ticket=ticket, urgency=Urgency.SENSITIVE)
    district.duty("雁栖镇", "2026-03-03 10:00:00", 100, urgency=Urgency.URGENT, category="供暖供气供电")
    numbers = daily(district)
    first, second = numbers["urgent"]
    assert (first["unit"], first["gist"], first["category"], first["overdue"]) == ("怀柔镇", None, None, True)
    assert (second["unit"], second["category"], second["gist"]) == ("雁栖镇", "供暖供气供电", "村口垃圾多日没人清理")
    assert "扬言" not in str(numbers)


def test_a_ticket_that_became_sensitive_later_is_sensitive(district: District) -> None:
    ticket = district.ticket(at("2026-03-03 10:00:00"), urgency=Urgency.SENSITIVE, gist="扬言到区政府门口", unit_id=3)
    district.duty("怀柔镇", "2026-03-03 10:00:00", ticket=ticket, urgency=Urgency.URGENT)
    assert "扬言" not in str(daily(district))


def test_reopened_is_a_lead_duty_after_a_resolved_one(district: District) -> None:
    ticket = district.ticket(at("2026-03-02 09:00:00"), unit_id=3)
    district.duty("怀柔镇", "2026-03-02 09:00:00", 60, ticket=ticket, status=DONE, ended="2026-03-02 10:00:00")
    district.duty("怀柔镇", "2026-03-03 09:00:00", 60, ticket=ticket)
    kept = district.ticket(at("2026-03-03 08:00:00"), unit_id=3)
    district.duty("怀柔镇", "2026-03-03 08:00:00", ticket=kept, status=DECLINED, ended="2026-03-03 08:05:00")
    district.duty("怀柔镇", "2026-03-03 08:10:00", 60, ticket=kept)  # 维持, no 重办
    numbers = daily(district)
    assert numbers["reopens"] == [{"no": ticket.no, "unit": "怀柔镇", "at": "2026-03-03T09:00:00+08:00"}]
    has(row(numbers, "怀柔镇"), reopened=1, dispatched=3)


def test_the_same_order_in_a_second_room_is_help_but_no_whistle(district: District) -> None:
    ticket = district.ticket(at("2026-03-03 09:00:00"), unit_id=3)
    district.duty("怀柔镇", "2026-03-03 09:00:00", 60, ticket=ticket)
    district.duty("雁栖镇", "2026-03-03 09:30:00", 60, ticket=ticket, role=AssignmentRole.HELPER)
    again = Event(ticket_id=ticket.id, at=at("2026-03-03 09:30:00"), kind=EventKind.REPORTED_AGAIN)
    district.session.add(again)
    district.session.flush()
    numbers = daily(district)
    assert numbers["whistles"] == {"calling": [], "answering": [], "list": []}
    has(row(numbers, "雁栖镇"), dispatched=1, helper=1)
    has(numbers["totals"], dispatched=2, tickets=1)


def test_what_no_unit_leads_is_listed_as_at_the_end(district: District) -> None:
    asked = district.ticket(at("2026-03-03 11:00:00"), status=TicketStatus.UNROUTED)
    back = district.ticket(at("2026-03-03 10:00:00"), unit_id=3)  # declined at 10:05, routed again after noon
    district.duty("雁栖镇", "2026-03-03 10:00:00", ticket=back, status=DECLINED, ended="2026-03-03 10:05:00")
    district.duty("怀柔镇", "2026-03-03 12:02:00", ticket=back)
    district.ticket(at("2026-03-03 12:01:00"), status=TicketStatus.UNROUTED)  # too late
    district.ticket(at("2026-03-03 09:00:00"), status=TicketStatus.WITHDRAWN, closed_at=at("2026-03-03 09:30:00"))
    numbers = daily(district)
    assert [(e["no"], e["seconds"]) for e in numbers["unrouted"]] == [(back.no, 7200), (asked.no, 3600)]
    assert numbers["declines"][0]["to"] is None


def test_categories_count_complaints_not_duties(district: District) -> None:
    ticket = district.ticket(at("2026-03-03 09:00:00"), category="供水排水", unit_id=3)
    for unit in ("怀柔镇", "雁栖镇", "庙城镇"):
        role = AssignmentRole.LEAD if unit == "怀柔镇" else AssignmentRole.HELPER
        district.duty(unit, "2026-03-03 09:00:00", 60, ticket=ticket, role=role)
    district.duty("怀柔镇", "2026-03-03 09:00:00", 60, category="街面秩序")
    district.duty("怀柔镇", "2026-03-03 09:00:00", 60, category="违法建设")
    assert [(c["category"], c["count"]) for c in daily(district)["categories"]] == [
        ("违法建设", 1),
        ("街面秩序", 1),
        ("供水排水", 1),
    ]


def test_offline_minutes_are_those_of_the_window_once(district: District) -> None:
    for kind, begin, finish in (
        (OutageKind.OFFLINE, "2026-03-02 11:50:00", "2026-03-02 12:10:00"),  # 10 min inside
        (OutageKind.DOWN, "2026-03-02 12:05:00", "2026-03-02 12:20:00"),  # 10 more
        (OutageKind.OFFLINE, "2026-03-03 11:58:30", None),  # 90 s, lasts
        (OutageKind.OFFLINE, "2026-03-03 12:00:00", "2026-03-03 12:30:00"),  # after
    ):
        over = at(finish) if finish else None
        district.session.add(Outage(kind=kind, account="a", started_at=at(begin), ended_at=over))
    district.session.flush()
    offline = daily(district)["offline"]
    assert offline["seconds"] == 1200 + 90
    assert [entry["to"] for entry in offline["outages"]][-1] == "2026-03-03T12:00:00+08:00"


def test_a_unit_that_left_is_listed_while_it_has_something(district: District) -> None:
    gone = Unit(name="旧单位", kind=UnitKind.AGENCY, position=99, active=False)
    district.session.add(gone)
    district.session.flush()
    assert "旧单位" not in [entry["unit"] for entry in daily(district)["units"]]
    ticket = district.ticket(at("2026-03-03 09:00:00"))
    duty = district.duty("怀柔镇", "2026-03-03 09:00:00", 60, ticket=ticket)
    duty.unit_id = gone.id or 0
    district.session.flush()
    has(row(daily(district), "旧单位"), dispatched=1)


def test_comparison_with_the_window_before_and_the_baseline(district: District) -> None:
    for _ in range(2):
        district.duty("怀柔镇", "2026-03-01 13:00:00", 600)
    district.duty("怀柔镇", "2026-03-01 13:00:00", 1200)
    for took in (300, 1200):
        district.duty("怀柔镇", "2026-03-03 09:00:00", took)
    numbers = daily(district, at("2026-03-03 12:00:00"), baseline_seconds=4800)
    previous = daily(district, at("2026-03-02 12:00:00"))
    assert numbers["previous"]["totals"]["dispatched"] == previous["totals"]["dispatched"] == 3
    assert numbers["previous"]["dispatched_percent"] == pytest.approx(-33.3333, abs=1e-3)
    assert numbers["previous"]["on_time_points"] == pytest.approx(-16.6667, abs=1e-3)
    assert numbers["previous"]["mean_seconds"] == -50
    assert numbers["baseline"] == {"seconds": 4800, "saved_seconds": 4050}


def test_the_trend_is_of_each_days_own_end(district: District) -> None:
    digest_noon_units(district)
    trend = daily(district, at("2026-04-22 12:00:00"))["trend"]
    assert len(trend) == 14
    assert trend[-2] == {"day": "2026-04-21", "dispatched": 1, "accepted": 0, "on_time_rate": None}
    assert trend[-1] == {"day": "2026-04-22", "dispatched": 11, "accepted": 7, "on_time_rate": pytest.approx(6 / 9)}
    assert trend[0] == {"day": "2026-04-09", "dispatched": 0, "accepted": 0, "on_time_rate": None}
