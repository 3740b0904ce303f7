"""Count a window from the audit trail alone, to be compared with a digest.

Of the assignments only the identity is read (id, unit, ticket); every time and state comes from the events. The code
shares nothing with `handlers.digest_counts`, on purpose. `python -m tests.digests.reconcile DATABASE_URL` compares
every stored digest of a database and prints what differs.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from storage.enums import EventKind
from storage.sessions import make_engine, reading
from storage.tables import Assignment, Digest, Event, Unit

WINDOW = timedelta(minutes=15)
SYSTEM = "系统"
ENDS = {EventKind.DECLINED: "declined", EventKind.TRANSFERRED: "transferred", EventKind.RESOLVED: "resolved"}


@dataclass
class Life:
    unit: str
    ticket_id: int
    dispatched: datetime
    accepted: datetime | None = None
    ended: datetime | None = None
    how: str = ""


def lives(session: Session) -> list[Life]:
    """What happened to each assignment, as the events tell it in the order they were written."""
    unit_names = {unit.id: unit.name for unit in session.exec(select(Unit))}
    identity = {a.id: (unit_names[a.unit_id], a.ticket_id) for a in session.exec(select(Assignment))}
    found: dict[int, Life] = {}
    for event in session.exec(select(Event).order_by(col(Event.id))):
        if event.kind is EventKind.DISPATCHED and event.assignment_id is not None:
            unit, ticket_id = identity[event.assignment_id]
            found[event.assignment_id] = Life(unit, ticket_id, event.at)
        elif event.kind is EventKind.WITHDRAWN:
            for life in found.values():
                if life.ticket_id == event.ticket_id and life.accepted is None and life.ended is None:
                    life.ended, life.how = event.at, "withdrawn"
        elif event.assignment_id is not None:
            _tell(found[event.assignment_id], event)
    return list(found.values())


def _tell(life: Life, event: Event) -> None:
    at = max(event.at, life.dispatched)
    if event.kind in (EventKind.ACCEPTED, EventKind.ASSIGNED, EventKind.CORRECTED):
        if event.by != SYSTEM and (life.accepted is None or at < life.accepted):
            life.accepted = at
    elif event.kind is EventKind.RECALLED:
        life.accepted = None
    elif event.kind in ENDS:
        life.ended, life.how = event.at, ENDS[event.kind]


def recount(every: Iterable[Life], start: datetime, end: datetime) -> dict[str, Any]:
    """The fields of a digest's row over the assignments of [start, end), as at `end`."""
    mine = []
    for life in every:
        over = life.how if life.ended is not None and life.ended < end else ""
        if start <= life.dispatched < end and over != "withdrawn":
            mine.append((life, over, life.accepted if life.accepted is not None and life.accepted < end else None))
    took = [int((accepted - life.dispatched).total_seconds()) for life, _, accepted in mine if accepted]
    due = [life.dispatched + WINDOW for life, _, _ in mine]
    in_time = [accepted is not None and accepted <= limit for (_, _, accepted), limit in zip(mine, due, strict=True)]
    early = [
        over in ("declined", "transferred") and life.ended is not None and life.ended < limit
        for (life, over, _), limit in zip(mine, due, strict=True)
    ]
    base = [
        not gone and (accepted is not None or limit < end)
        for (_, _, accepted), limit, gone in zip(mine, due, early, strict=True)
    ]
    good = sum(counts and timely for counts, timely in zip(base, in_time, strict=True))
    return {
        "dispatched": len(mine),
        "accepted": len(took),
        "accepted_on_time": sum(in_time),
        "on_time_rate": good / sum(base) if any(base) else None,
        "mean_seconds": statistics.fmean(took) if took else None,
        "median_seconds": statistics.median(took) if took else None,
        "p90_seconds": _p90(took),
        "max_seconds": max(took, default=None),
        "overdue_open": sum(
            accepted is None and not over and limit < end for (_, over, accepted), limit in zip(mine, due, strict=True)
        ),
        **{how: sum(over == how for _, over, _ in mine) for how in ENDS.values()},
    }


def _p90(took: list[int]) -> float | None:
    """Python's own inclusive quantiles are those of PERCENTILE.INC."""
    if len(took) < 2:
        return took[0] if took else None
    return statistics.quantiles(took, n=10, method="inclusive")[-1]


def differences(session: Session, numbers: dict[str, Any]) -> list[str]:
    """What a digest's totals and rows say otherwise than the events; empty where they agree."""
    start, end = (datetime.fromisoformat(at) for at in numbers["window"])
    every = lives(session)
    wrong = _compare("totals", numbers["totals"], recount(every, start, end))
    for row in numbers["units"]:
        own = recount([life for life in every if life.unit == row["unit"]], start, end)
        wrong += _compare(row["unit"], row, own)
    return wrong


def _compare(name: str, told: dict[str, Any], counted: dict[str, Any]) -> list[str]:
    return [
        f"{name}: {key} is {told[key]}, the events say {value}"
        for key, value in counted.items()
        if (told[key] is None) != (value is None) or (value is not None and abs(told[key] - value) > 1e-6)
    ]


if __name__ == "__main__":
    with reading(make_engine(sys.argv[1])) as database:
        digests = database.exec(select(Digest).order_by(col(Digest.window_end))).all()
        lines = [f"{d.kind.value} {d.window_end}: {w}" for d in digests for w in differences(database, d.numbers)]
    sys.stdout.write("\n".join([*lines, f"{len(digests)} digests, {len(lines)} differences\n"]))
    sys.exit(bool(lines))
