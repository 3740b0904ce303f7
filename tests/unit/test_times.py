"""The arithmetic of the ladder, the rota, an order's own limit, the gate after a break."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from bot.gate import Gate
from handlers.context import DutyLine, is_holiday
from handlers.limits import limit_at
from handlers.policy import BEIJING, Policy
from storage.enums import Step, Urgency

NINE = datetime(2026, 3, 3, 9, 0, tzinfo=BEIJING)
DUE = NINE + timedelta(minutes=15)


def ladder(urgency: Urgency) -> list[str]:
    policy, found = Policy(), []
    step: tuple[Step, int] | None = (Step.PROMPT, 0)
    while step:
        at = policy.step_at(*step, dispatched_at=NINE, due_at=DUE, urgency=urgency)
        found.append(f"{step[0].value} {at:%H:%M:%S}")
        step = policy.next_step(*step, urgency)
    return found


def test_the_ladder_of_an_ordinary_ticket() -> None:
    assert ladder(Urgency.NORMAL) == [
        "prompt 09:00:00", "reminder 09:05:00", "escalation 09:10:00", "overdue 09:15:02",
        "again 09:45:00", "again 10:15:00", "again 10:45:00", "again 11:15:00",
    ]  # fmt: skip


@pytest.mark.parametrize("urgency", [Urgency.URGENT, Urgency.SENSITIVE])
def test_the_ladder_of_a_pressing_ticket(urgency: Urgency) -> None:
    steps = ladder(urgency)
    assert steps[:4] == ["prompt 09:00:00", "reminder 09:03:00", "escalation 09:08:00", "overdue 09:15:02"]
    assert steps[4:] == [f"again {at}" for at in (
        "09:25:00", "09:35:00", "09:45:00", "09:55:00", "10:05:00", "10:15:00",
        "10:25:00", "10:35:00", "10:45:00", "10:55:00", "11:05:00", "11:15:00",
    )]  # fmt: skip


def line(**given: object) -> DutyLine:
    values = {"unit_id": 1, "member_id": 1, "weekday": None, "day": None, "starts": time(18), "ends": time(8), "line": ""}
    return DutyLine(**{**values, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "clock, covered",
    [("03-03 17:59", False), ("03-03 18:00", True), ("03-04 00:00", True), ("03-04 07:59", True), ("03-04 08:00", False)],
)
def test_a_night_line_runs_over_midnight_and_ends_on_the_dot(clock: str, covered: bool) -> None:
    now = datetime.fromisoformat(f"2026-{clock}").replace(tzinfo=BEIJING)
    assert line(day=date(2026, 3, 3)).covers(now) is covered
    assert line(weekday=1).covers(now) is covered  # the 3rd of March 2026 is a Tuesday


def test_holidays_are_the_states_and_a_make_up_workday_is_none() -> None:
    assert is_holiday(date(2025, 10, 1)) is True
    assert is_holiday(date(2025, 9, 28)) is False  # a Sunday that is worked
    assert is_holiday(date(2026, 3, 7)) is True  # an ordinary Saturday
    assert is_holiday(date(2099, 1, 3)) is True  # beyond the calendar: a Saturday
    assert is_holiday(date(2099, 1, 5)) is False


def test_a_dated_line_goes_before_a_holidays_and_that_before_a_weekly_one() -> None:
    ranks = [line(day=date(2026, 3, 3)).rank, line().rank, line(weekday=1).rank]
    assert ranks == sorted(ranks) and len(set(ranks)) == 3


@pytest.mark.parametrize(
    "written, ends",
    [
        ("7天", "2026-03-10 09:00"),
        ("24小时", "2026-03-04 09:00"),
        ("2026-03-09 18:00", "2026-03-09 18:00"),
        ("2026年3月9日", "2026-03-09 23:59"),
        ("尽快", None),
        ("2026-13-40", None),
        (None, None),
    ],
)
def test_the_orders_own_limit(written: str | None, ends: str | None) -> None:
    expected = datetime.fromisoformat(ends).replace(tzinfo=BEIJING) if ends else None
    assert limit_at(written, NINE) == expected


def test_the_gate_opens_only_when_the_backlog_is_taken_and_it_was_quiet_for_a_while() -> None:
    gate = Gate(settle=timedelta(seconds=5))
    assert gate.try_open(NINE, backlog=0) is False
    gate.connect(NINE)
    assert gate.try_open(NINE + timedelta(seconds=4), backlog=0) is False
    gate.heard(NINE + timedelta(seconds=4))
    assert gate.try_open(NINE + timedelta(seconds=8), backlog=0) is False
    assert gate.try_open(NINE + timedelta(seconds=9), backlog=3) is False
    assert gate.try_open(NINE + timedelta(seconds=9), backlog=0) is True
    gate.disconnect()
    assert gate.is_open is False


def test_the_gate_opens_in_the_end_though_a_message_comes_every_second() -> None:
    """Before: in a busy hour, with never five seconds of silence in any group, no prompt was said after a break."""
    gate = Gate(settle=timedelta(seconds=5))
    gate.connect(NINE)
    opened = []
    for second in range(1, 40):
        now = NINE + timedelta(seconds=second)
        gate.heard(now)
        opened.append(gate.try_open(now, backlog=0))
    assert opened.index(True) + 1 == 30
