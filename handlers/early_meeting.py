"""The list for the district chief's breakfast meeting (早餐会 / 督办名单), by the district's rules of 2019. Pure.

Each rule names units with a reason and its figures; a person decides. Units only, never persons.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class EarlyMeetingRules:
    """How many units each rule may name, and from which figure on; 0 units switches a rule off."""

    units_per_rule: int = 3
    most_overdue: int = 2  # late or unaccepted past the due time, at least
    slowest_seconds: int = 900  # mean time-to-accept above this
    below_mean_points: float = 10.0  # percentage points of on-time rate below the district's
    below_mean_answerable: int = 3  # fewer say nothing about a unit
    most_declines: int = 2
    most_repeats: int = 2
    most_volume: int = 0  # units named for their volume alone (the city's top ten is not known here)
    call_back_base: int = 3
    call_back_units: int = 3  # lowest 解决率, where call-back results exist
    listed: int = 10


def early_meeting(
    rows: Sequence[dict[str, Any]], totals: dict[str, Any], rates: dict[str, Any], rules: EarlyMeetingRules
) -> list[dict[str, Any]]:
    """Return `[{"unit", "reasons": [{"rule", "text", "figure"}]}]`, most reasons first, then the most overdue.

    `rows` and `totals` are those of the digest, in district order; `rates` as of `handlers.rates`.
    """
    reasons: dict[str, list[dict[str, Any]]] = {row["unit"]: [] for row in rows}

    def name(rule: str, size: int, figure: Callable[[dict[str, Any]], float | None], say: Callable[..., str]) -> None:
        """Add the reason for the `size` units with the largest figure; None is not meant."""
        meant = [(value, row) for row in rows if (value := figure(row)) is not None]
        for value, row in sorted(meant, key=lambda pair: -pair[0])[:size]:
            reasons[row["unit"]].append({"rule": rule, "figure": value, "text": say(value, row)})

    size = rules.units_per_rule
    name(
        "超时最多",
        size,
        _from(_late, rules.most_overdue),
        lambda v, r: f"超时{v}件" + (f"（{r['overdue_open']}件仍未领）" if r["overdue_open"] else ""),
    )
    name(
        "领办最慢",
        size,
        lambda r: _above(r["mean_seconds"], rules.slowest_seconds),
        lambda v, r: f"平均{v / 60:.1f}分钟",
    )
    name(
        "低于全区",
        size,
        lambda r: _points_below(r, totals, rules),
        lambda v, r: f"按时率{r['on_time_rate']:.1%}，低于全区{v:.1f}个百分点",
    )
    name("退单最多", size, _from(lambda r: int(r["declined"]), rules.most_declines), lambda v, r: f"退单{v}件")
    name("重复诉求", size, _from(lambda r: int(r["repeats"]), rules.most_repeats), lambda v, r: f"重复诉求{v}件")
    name("诉求量大", rules.most_volume, _from(lambda r: int(r["dispatched"]), 1), lambda v, r: f"派单{v}件")
    unsolved = {u["unit"]: u["kept"] for u in rates["units"] if u["kept"]["base"] >= rules.call_back_base}
    name(
        "解决率低",
        rules.call_back_units,
        lambda r: _above(1 - unsolved[r["unit"]]["solution"], 0.0) if r["unit"] in unsolved else None,
        lambda v, r: f"解决率{1 - v:.1%}（回访{unsolved[r['unit']]['base']}件）",
    )

    late = {row["unit"]: _late(row) for row in rows}
    named = [{"unit": unit, "reasons": given} for unit, given in reasons.items() if given]
    named.sort(key=lambda entry: (-len(entry["reasons"]), -late[entry["unit"]]))
    return named[: rules.listed]


def _late(row: dict[str, Any]) -> int:
    return int(row["answerable"] - row["in_time"])


def _above(value: float | None, limit: float) -> float | None:
    return value if value is not None and value > limit else None


def _from(figure: Callable[[dict[str, Any]], int], least: int) -> Callable[[dict[str, Any]], int | None]:
    return lambda row: value if (value := figure(row)) >= least else None


def _points_below(row: dict[str, Any], totals: dict[str, Any], rules: EarlyMeetingRules) -> float | None:
    """Percentage points below the district's on-time rate, rounded to one decimal, if they reach the rule's."""
    if row["on_time_rate"] is None or row["answerable"] < rules.below_mean_answerable:
        return None
    points = round(100 * (totals["on_time_rate"] - row["on_time_rate"]), 1)
    return points if points >= rules.below_mean_points and points > 0 else None
