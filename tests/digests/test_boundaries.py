"""Both sides of every instant, and the instant itself."""

from __future__ import annotations

import pytest

from handlers.digest_counts import percentile
from handlers.digests import DigestSettings, compute
from storage.enums import AssignmentStatus, DigestKind
from tests.digests.build import DECLINED, DONE, TRANSFERRED, WITHDRAWN, District, at, daily, has


@pytest.mark.parametrize(
    ("dispatched", "belongs"),
    [
        ("2026-03-02 11:59:59", False),
        ("2026-03-02 12:00:00", True),
        ("2026-03-03 11:59:59", True),
        ("2026-03-03 12:00:00", False),
    ],
)
def test_the_window_holds_its_start_and_not_its_end(district: District, dispatched: str, belongs: bool) -> None:
    district.duty("怀柔镇", dispatched, 60)
    assert daily(district)["totals"]["dispatched"] == belongs


@pytest.mark.parametrize(("seconds", "counts"), [(599, 1), (600, 0), (601, 0)])
def test_an_acceptance_at_the_windows_end_belongs_to_after_it(district: District, seconds: int, counts: int) -> None:
    district.duty("怀柔镇", "2026-03-03 11:50:00", seconds)
    numbers = daily(district)
    has(numbers["totals"], accepted=counts, waiting=1 - counts, overdue_open=0)
    assert len(numbers["waiting"]) == 1 - counts


@pytest.mark.parametrize(("seconds", "in_time"), [(899, 1), (900, 1), (901, 0)])
def test_at_the_due_time_itself_is_in_time(district: District, seconds: int, in_time: int) -> None:
    district.duty("怀柔镇", "2026-03-03 11:00:00", seconds)
    has(daily(district)["totals"], accepted=1, accepted_on_time=in_time, on_time_rate=float(in_time))


@pytest.mark.parametrize(
    ("dispatched", "overdue"),
    [("2026-03-03 11:44:59", 1), ("2026-03-03 11:45:00", 0), ("2026-03-03 11:45:01", 0)],
)
def test_a_due_time_at_the_windows_end_has_not_passed(district: District, dispatched: str, overdue: int) -> None:
    district.duty("怀柔镇", dispatched)
    has(daily(district)["totals"], overdue_open=overdue, answerable=overdue, waiting=1)


@pytest.mark.parametrize("status", [DECLINED, TRANSFERRED])
@pytest.mark.parametrize(("ended", "answerable"), [("11:14:59", 0), ("11:15:00", 1), ("11:15:01", 1)])
def test_passed_on_before_the_due_time_is_not_answerable(
    district: District, status: AssignmentStatus, ended: str, answerable: int
) -> None:
    district.duty("怀柔镇", "2026-03-03 11:00:00", status=status, ended=f"2026-03-03 {ended}")
    has(daily(district)["totals"], answerable=answerable, dispatched=1, overdue_open=0)


@pytest.mark.parametrize("status", [DONE, DECLINED, TRANSFERRED, WITHDRAWN])
@pytest.mark.parametrize(("ended", "over"), [("11:59:59", True), ("12:00:00", False), ("12:00:01", False)])
def test_what_ends_at_the_windows_end_was_still_open(
    district: District, status: AssignmentStatus, ended: str, over: bool
) -> None:
    accepted = 60 if status is DONE else None
    district.duty("怀柔镇", "2026-03-03 11:00:00", accepted, status=status, ended=f"2026-03-03 {ended}")
    totals = daily(district)["totals"]
    counted = {DONE: "resolved", DECLINED: "declined", TRANSFERRED: "transferred"}.get(status)
    has(totals, dispatched=int(not (over and status is WITHDRAWN)), **({counted: int(over)} if counted else {}))


def test_accepted_then_declined_before_the_due_time_is_accepted_but_not_answerable(district: District) -> None:
    district.duty("怀柔镇", "2026-03-03 11:00:00", 60, status=DECLINED, ended="2026-03-03 11:10:00")
    has(daily(district)["totals"], accepted=1, accepted_on_time=1, answerable=0, on_time_rate=None, mean_seconds=60.0)


def test_accepted_at_5_resolved_at_60_took_5_goalert_4375(district: District) -> None:
    district.duty("怀柔镇", "2026-03-03 10:00:00", 300, status=DONE, ended="2026-03-03 11:00:00")
    has(daily(district)["totals"], mean_seconds=300.0, resolved=1)


def test_unaccepted_is_no_zero_and_seconds_are_not_rounded_up_goalert(district: District) -> None:
    for took in (61, 59, None):
        district.duty("怀柔镇", "2026-03-03 10:00:00", took)
    has(daily(district)["totals"], mean_seconds=60.0, accepted=2, dispatched=3)


def test_seconds_are_cut_to_whole_ones(district: District) -> None:
    duty = district.duty("怀柔镇", "2026-03-03 10:00:00", 59)
    duty.accepted_at = at("2026-03-03 10:00:59.999")
    district.session.flush()
    has(daily(district)["totals"], max_seconds=59)


def test_the_months_border_is_beijings_zammad_5865(district: District) -> None:
    district.duty("怀柔镇", "2026-03-31 23:59:00", 60)
    district.duty("怀柔镇", "2026-04-01 00:01:00", 60)
    months = DigestSettings(window_hour=0, month_day=1)
    for end, first in ((at("2026-04-01"), at("2026-03-01")), (at("2026-05-01"), at("2026-04-01"))):
        numbers = compute(district.session, kind=DigestKind.MONTHLY, start=first, end=end, now=end, settings=months)
        has(numbers["totals"], dispatched=1)


def test_percentiles_as_excel_percentile_inc() -> None:
    """By hand: the rank of p90 of seven is 5.4, counted from 0: 600 + 0.4 x 600."""
    assert percentile([60, 120, 240, 240, 300, 600, 1200], 90) == 840
    assert percentile([600, 1200], 90) == 1140
    assert percentile([600, 1200], 50) == 900
    assert percentile([7], 90) == 7
    assert percentile([], 50) is None
    assert percentile([1, 2, 3, 4], 50) == 2.5
