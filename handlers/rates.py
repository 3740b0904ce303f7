"""三率 from imported call-back results, never from the chat. Pure.

Formulas (the district's own daily report): 响应率 = 联系 / 有效回访, 解决率 = 解决 / 有效回访,
满意率 = (满意 + 0.9 × 基本满意) / 有效回访,
综合 = 0.1 响应 + 0.4 满意 + 0.5 解决. The base is every result in the window; 剔除后 leaves the excluded ones out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from storage.digest_facts import CallBackRow
from storage.enums import Satisfaction


@dataclass(frozen=True, slots=True)
class RateWeights:
    fair: float = 0.9  # what a 基本满意 counts of a 满意
    response: float = 0.1
    satisfaction: float = 0.4
    solution: float = 0.5

    def __post_init__(self) -> None:
        if min(self.fair, self.response, self.satisfaction, self.solution) < 0 or self.fair > 1:
            raise ValueError("a weight of the rates is negative, or 基本满意 counts more than 满意")
        if abs(self.response + self.satisfaction + self.solution - 1) > 1e-9:
            raise ValueError("the weights of 响应, 满意 and 解决 must add up to 1")


def rates(rows: Sequence[CallBackRow], names: dict[int, str], weights: RateWeights) -> dict[str, Any]:
    """Return `{"all", "kept", "units"}`: the three rates (0 to 1, null without base) with and without 剔除.

    `units` lists every unit that has a result, in the order of `names` (id to name): `unit`, `all`, `kept`.
    """
    by_unit: dict[int, list[CallBackRow]] = {unit_id: [] for unit_id in names}
    for row in rows:
        if row.unit_id in by_unit:
            by_unit[row.unit_id].append(row)
    return {
        **_both(rows, weights),
        "units": [{"unit": names[unit_id], **_both(own, weights)} for unit_id, own in by_unit.items() if own],
    }


def _both(rows: Sequence[CallBackRow], weights: RateWeights) -> dict[str, Any]:
    return {"all": _of(rows, weights), "kept": _of([row for row in rows if not row.excluded], weights)}


def _of(rows: Iterable[CallBackRow], weights: RateWeights) -> dict[str, Any]:
    rows = list(rows)
    base = len(rows)
    if not base:
        return {"base": 0, "response": None, "solution": None, "satisfaction": None, "composite": None}

    good = sum(row.satisfaction is Satisfaction.GOOD for row in rows)
    fair = sum(row.satisfaction is Satisfaction.FAIR for row in rows)
    response = sum(row.contacted for row in rows) / base
    solution = sum(row.resolved for row in rows) / base
    satisfaction = (good + weights.fair * fair) / base
    composite = weights.response * response + weights.satisfaction * satisfaction + weights.solution * solution
    return {
        "base": base,
        "response": response,
        "solution": solution,
        "satisfaction": satisfaction,
        "composite": composite,
    }
