"""The numbers of a digest, computed once and stored, so that text, picture and Excel tell the same.

`windows_due` says which digests fall due, `compute` counts, `render_text` speaks. Nothing here commits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from handlers.digest_counts import Tally, distribution, is_overdue, state_at
from handlers.digest_lists import Context, decline_list, reopen_list, transfer_list, urgent_list, waiting_list
from handlers.digest_lists import whistles as whistles_of
from handlers.digest_text import render_text
from handlers.digest_windows import (
    DigestSettings,
    DueWindow,
    next_digest_at,
    period_start,
    previous_window,
    trend_days,
    window_start,
    windows_due,
)
from handlers.early_meeting import early_meeting
from handlers.policy import BEIJING
from handlers.rates import rates
from storage import digest_facts as queries
from storage.digest_facts import Duty, LedgerRow, OutageRow, UnitRow
from storage.enums import AssignmentRole, AssignmentStatus, DigestKind, UnitKind, Urgency

__all__ = [
    "DigestSettings",
    "DueWindow",
    "Numbers",
    "compute",
    "ledger_rows",
    "next_digest_at",
    "render_text",
    "window_start",
    "windows_due",
]

Numbers = dict[str, Any]  # plain JSON; its keys are those of `compute`
BACKLOG_EXACT = timedelta(days=31)  # older duties are judged by waiting still, not by their times
LISTED_KINDS = (UnitKind.TOWN, UnitKind.AGENCY)


def compute(
    session: Session, *, kind: DigestKind, start: datetime, end: datetime, now: datetime, settings: DigestSettings
) -> Numbers:
    """Count everything dispatched in [start, end) as at `end`, and return plain JSON.

    Times in it are ISO 8601 in Beijing time, durations whole seconds unless they are means, rates 0 to 1, null
    where there is no base. `units` has every unit in district order, `totals` are over the assignments.
    """
    everyone = queries.units(session)
    duties = queries.duties(session, start, end)
    before = queries.waiting_before(session, start, at=end, exact_since=start - BACKLOG_EXACT)
    siblings = defaultdict(list)
    for sibling in queries.siblings(session, start, end):
        siblings[sibling.of].append(sibling)
    context = Context(end=end, names={unit.id: unit.name for unit in everyone}, siblings=siblings)

    per_unit, total = _tallies(duties, end)
    counted = [duty for duty in duties if state_at(duty, end) is not AssignmentStatus.WITHDRAWN]
    rows = _unit_rows(everyone, per_unit, counted, context)
    totals = _totals(total, counted, before, context)
    window_rates = _rates(session, everyone, start, end, settings)
    since = period_start(end, settings)
    return {
        "kind": kind.value,
        "window": [_iso(start), _iso(end)],
        "computed_at": _iso(now),
        "units": rows,
        "totals": totals,
        "urgent": urgent_list(counted, before, queries.gists(session, start, end), context),
        "categories": _categories(counted, queries.categories(session)),
        "waiting": waiting_list(counted, before, context),
        "unrouted": [
            {"no": no, "since": _iso(at), "seconds": int((end - at).total_seconds())}
            for no, at in queries.unrouted(session, at=end)
        ],
        "past_limit": [
            {
                "no": no,
                "unit": context.names.get(unit_id or 0, "待定单位"),
                "seconds": int((end - ends).total_seconds()),
            }
            for no, unit_id, ends in queries.past_their_limit(session, at=end)
        ],
        "declines": decline_list(counted, context),
        "transfers": transfer_list(counted, context),
        "reopens": reopen_list(counted, context),
        "whistles": whistles_of(counted, queries.repeated_reports(session, start, end), context),
        "offline": _offline(queries.outages(session, start, end), start, end),
        "previous": _previous(session, kind, start, end, totals, settings),
        "baseline": _baseline(totals["mean_seconds"], settings),
        "rates": {"window": window_rates, "period": _rates(session, everyone, since, end, settings)},
        "early_meeting": early_meeting(rows, totals, window_rates, settings.early_meeting),
        "distribution": distribution(total.seconds),
        "trend": _trend(session, end, settings),
    }


def ledger_rows(
    session: Session, *, start: datetime, end: datetime, mask: Callable[[str], str], unit_id: int | None = None
) -> Iterator[LedgerRow]:
    """Stream the rows of the Excel 台账 as at `end`, of all units or one.

    Reasons are masked; nothing is told of 敏感 ones but number and state.
    """
    for row in queries.ledger_rows(session, start, end, unit_id):
        status = state_at(row, end)
        if row.urgency is Urgency.SENSITIVE:
            row = row._replace(gist="（敏感，不载内容）", category="", reason=None)
        reason = mask(row.reason) if row.reason and row.ended_at and row.ended_at < end else None
        accepted = row.accepted_at is not None and row.accepted_at < end
        yield row._replace(
            status=status,
            reason=reason,
            accepted_at=row.accepted_at if accepted else None,
            on_time=row.on_time if accepted or row.due_at < end else None,
            ended_at=row.ended_at if row.ended_at and row.ended_at < end else None,
        )


def _iso(at: datetime) -> str:
    return at.astimezone(BEIJING).isoformat()


def _tallies(duties: Iterable[Duty], end: datetime) -> tuple[dict[int, Tally], Tally]:
    per_unit: dict[int, Tally] = defaultdict(Tally)
    total = Tally()
    for duty in duties:
        if total.add(duty, end):
            per_unit[duty.unit_id].add(duty, end)
    return per_unit, total


def _unit_rows(
    everyone: list[UnitRow], per_unit: dict[int, Tally], counted: list[Duty], context: Context
) -> list[dict[str, Any]]:
    """Every active town and agency, and any other unit that got something, so that the rows add up to the totals."""
    repeats = Counter(duty.unit_id for duty in counted if _is_repeat(duty))
    reopened = Counter(duty.unit_id for duty in counted if context.is_reopen(duty))
    rows = []
    for unit in everyone:
        listed = unit.active and unit.kind in LISTED_KINDS
        if listed or unit.id in per_unit:
            numbers = per_unit.get(unit.id, Tally()).numbers()
            own = {"repeats": repeats[unit.id], "reopened": reopened[unit.id]}
            rows.append({"unit": unit.name, "kind": unit.kind.value, **numbers, **own})
    return rows


def _totals(total: Tally, counted: list[Duty], before: list[Duty], context: Context) -> dict[str, Any]:
    return {
        **total.numbers(),
        "repeats": sum(map(_is_repeat, counted)),
        "reopened": sum(map(context.is_reopen, counted)),
        "tickets": len({duty.ticket_id for duty in counted}),
        "carried": len(before),  # of earlier windows, waiting at the end
        "carried_overdue": sum(is_overdue(duty, context.end) for duty in before),
    }


def _is_repeat(duty: Duty) -> bool:
    return duty.repeat_of_id is not None and duty.role is AssignmentRole.LEAD


def _categories(counted: list[Duty], order: list[str]) -> list[dict[str, Any]]:
    """Complaints (not assignments) per category, most first, then the catalogue's order; `share` 0 to 1."""
    tickets = {duty.ticket_id: duty.category for duty in counted}
    counts = Counter(tickets.values())
    place = {category: index for index, category in enumerate(order)}
    ranked = sorted(counts, key=lambda name: (-counts[name], place.get(name, len(place)), name))
    return [{"category": name, "count": counts[name], "share": counts[name] / len(tickets)} for name in ranked]


def _offline(outages: list[OutageRow], start: datetime, end: datetime) -> dict[str, Any]:
    """Seconds of the window in which something was offline; overlapping outages count once."""
    spans = [(max(row.started_at, start), min(row.ended_at or end, end)) for row in outages]
    seconds, reached = 0.0, start
    for begin, finish in sorted(spans):
        seconds += max((finish - max(begin, reached)).total_seconds(), 0.0)
        reached = max(reached, finish)
    return {
        "seconds": int(seconds),
        "outages": [
            {"kind": row.kind.value, "account": row.account, "from": _iso(begin), "to": _iso(finish)}
            for row, (begin, finish) in zip(outages, spans, strict=True)
        ],
    }


def _previous(
    session: Session,
    kind: DigestKind,
    start: datetime,
    end: datetime,
    totals: dict[str, Any],
    settings: DigestSettings,
) -> dict[str, Any]:
    """The window before, counted afresh as at its own end, and the change: percent for volume, points for rates."""
    began, ended = previous_window(kind, start, end, settings)
    _, tally = _tallies(queries.duties(session, began, ended), ended)
    numbers = tally.numbers()
    had, has = numbers["dispatched"], totals["dispatched"]
    return {
        "window": [_iso(began), _iso(ended)],
        "totals": numbers,
        "dispatched_percent": 100 * (has - had) / had if had else None,
        "on_time_points": _less(totals["on_time_rate"], numbers["on_time_rate"], 100),
        "mean_seconds": _less(totals["mean_seconds"], numbers["mean_seconds"], 1),
    }


def _less(now: float | None, then: float | None, scale: float) -> float | None:
    return None if now is None or then is None else scale * (now - then)


def _baseline(mean: float | None, settings: DigestSettings) -> dict[str, Any] | None:
    if settings.baseline_seconds is None:
        return None
    return {
        "seconds": settings.baseline_seconds,
        "saved_seconds": None if mean is None else settings.baseline_seconds - mean,
    }


def _rates(
    session: Session, everyone: list[UnitRow], start: datetime, end: datetime, settings: DigestSettings
) -> dict[str, Any]:
    names = {unit.id: unit.name for unit in everyone}
    rows = queries.call_backs(session, start, end)
    return {"window": [_iso(start), _iso(end)], **rates(rows, names, settings.rates)}


def _trend(session: Session, end: datetime, settings: DigestSettings) -> list[dict[str, Any]]:
    days = trend_days(end, settings)
    found = {row.day: row for row in queries.trend(session, days)}
    trend = []
    for number, (_, finish) in enumerate(days):
        row = found.get(number)
        rate = row.in_time / row.answerable if row and row.answerable else None
        counts = {"dispatched": row.dispatched if row else 0, "accepted": row.accepted if row else 0}
        trend.append({"day": finish.astimezone(BEIJING).date().isoformat(), **counts, "on_time_rate": rate})
    return trend
