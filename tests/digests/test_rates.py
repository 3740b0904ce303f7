"""三率 and the early-meeting list, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.digests import render_text
from handlers.early_meeting import EarlyMeetingRules, early_meeting
from handlers.rates import RateWeights, rates
from storage.digest_facts import CallBackRow
from storage.enums import Satisfaction
from storage.tables import CallBack
from tests.digests.build import District, at, daily

GOOD, FAIR, BAD = Satisfaction.GOOD, Satisfaction.FAIR, Satisfaction.BAD
ROWS = [
    CallBackRow(1, True, True, GOOD, False),
    CallBackRow(1, True, True, FAIR, False),
    CallBackRow(1, True, False, BAD, False),
    CallBackRow(2, False, False, None, True),
]


def test_formulas_with_and_without_the_excluded() -> None:
    found = rates(ROWS, {1: "怀柔镇", 2: "雁栖镇", 3: "庙城镇"}, RateWeights())
    # of 4: 3/4, 2/4, (1 + 0.9)/4 = 0.475; 0.1 x 0.75 + 0.4 x 0.475 + 0.5 x 0.5 = 0.515
    assert found["all"] == pytest.approx(
        {"base": 4, "response": 0.75, "solution": 0.5, "satisfaction": 0.475, "composite": 0.515}
    )
    # of 3: 1, 2/3, 1.9/3; 0.1 + 0.4 x 0.63333 + 0.5 x 0.66667 = 0.686667
    kept = {"base": 3, "response": 1, "solution": 2 / 3, "satisfaction": 1.9 / 3, "composite": 0.6866667}
    assert found["kept"] == pytest.approx(kept)
    assert [entry["unit"] for entry in found["units"]] == ["怀柔镇", "雁栖镇"]
    nothing = {"base": 0, "response": None, "solution": None, "satisfaction": None, "composite": None}
    assert found["units"][1]["kept"] == nothing


def test_no_base_no_rates() -> None:
    assert rates([], {1: "怀柔镇"}, RateWeights())["all"]["composite"] is None


@pytest.mark.parametrize("wrong", [{"response": 0.2}, {"fair": 1.1}, {"response": -0.1, "satisfaction": 0.6}])
def test_weights_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weight"):
        RateWeights(**wrong)


def test_call_backs_count_by_their_own_time_in_window_and_period(district: District) -> None:
    for number, when in enumerate(
        (
            "2026-02-19 11:59:59",
            "2026-02-19 12:00:00",
            "2026-03-02 12:00:00",
            "2026-03-03 11:59:59",
            "2026-03-03 12:00:00",
        )
    ):
        district.session.add(
            CallBack(order_no=f"{number}", unit_id=3, at=at(when), contacted=True, resolved=True, satisfaction=GOOD)
        )
    district.session.flush()
    numbers = daily(district)
    assert numbers["rates"]["window"]["all"]["base"] == 2
    assert numbers["rates"]["period"]["all"]["base"] == 3
    text = "\n".join(render_text(numbers))
    assert "【三率】本期回访（3月2日12:00至3月3日12:00）：基数2件，响应100.0%" in text
    assert "考核期至今回访（2月19日12:00至3月3日12:00）：基数3件" in text and "剔除后：基数2件" in text


def row(name: str, **given: Any) -> dict[str, Any]:
    zeros = {"dispatched": 0, "answerable": 0, "in_time": 0, "overdue_open": 0, "declined": 0, "repeats": 0}
    return {"unit": name, **zeros, "on_time_rate": None, "mean_seconds": None, **given}


def test_the_early_meeting_list_gives_reasons_and_figures() -> None:
    rows = [
        row("甲", answerable=10, in_time=9, on_time_rate=0.9, mean_seconds=300.0, repeats=2),
        row("乙", answerable=10, in_time=5, on_time_rate=0.5, mean_seconds=1000.0, overdue_open=2, declined=3),
        row("丙", answerable=2, in_time=1, on_time_rate=0.5, mean_seconds=899.0, declined=1),
        row("丁"),
    ]
    nothing = {"units": []}
    found = early_meeting(rows, {"on_time_rate": 15 / 22}, nothing, EarlyMeetingRules())
    assert [(entry["unit"], [r["rule"] for r in entry["reasons"]]) for entry in found] == [
        ("乙", ["超时最多", "领办最慢", "低于全区", "退单最多"]),
        ("甲", ["重复诉求"]),
    ]
    assert [r["text"] for r in found[0]["reasons"]] == [
        "超时5件（2件仍未领）",
        "平均16.7分钟",
        "按时率50.0%，低于全区18.2个百分点",
        "退单3件",
    ]


def test_a_rule_names_no_more_units_than_it_may_and_ties_follow_the_district() -> None:
    rows = [row(name, answerable=2, on_time_rate=0.0) for name in "甲乙丙丁"]
    rules = EarlyMeetingRules(units_per_rule=2, below_mean_points=1000)
    found = early_meeting(rows, {"on_time_rate": 0.0}, {"units": []}, rules)
    assert [entry["unit"] for entry in found] == ["甲", "乙"]
    assert early_meeting(rows, {"on_time_rate": 0.0}, {"units": []}, EarlyMeetingRules(units_per_rule=0)) == []


def test_the_lowest_solution_rate_is_named_where_there_is_a_base() -> None:
    kept = {"base": 4, "solution": 0.25}
    units = [{"unit": "甲", "kept": kept}, {"unit": "乙", "kept": {"base": 2, "solution": 0.0}}]
    found = early_meeting([row("甲"), row("乙")], {"on_time_rate": None}, {"units": units}, EarlyMeetingRules())
    assert [(entry["unit"], entry["reasons"][0]["text"]) for entry in found] == [("甲", "解决率25.0%（回访4件）")]
