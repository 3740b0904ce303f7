"""Measure a digest over 1,000,000 assignments in the database: numbers, text, picture and Excel.

    python -m benchmarks.digest --json FILE [--assignments N] [--keep DATABASE]

The database is SQLite on disk. Counted per kind of digest: opening a read transaction, every query, the counting, the
text, the PNG and the .xlsx on disk. Not counted: filling the database, and the import of matplotlib (told apart, as a
running bot has done it). Each step is run three times; the median is told.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, insert
from sqlmodel import Session, SQLModel, func, select

from handlers.digest_windows import window_start
from handlers.digests import DigestSettings, compute, ledger_rows, render_text
from storage.enums import AssignmentRole, AssignmentStatus, DigestKind, Source, TicketStatus, UnitKind, Urgency
from storage.sessions import make_engine, reading
from storage.tables import Assignment, Catalogue, Room, Ticket, Unit

UNITS = 43
TOWNS = 16
A_DAY = 1_000  # assignments; so a million are 1,000 days
END = datetime(2026, 3, 19, 4, tzinfo=UTC)  # noon in Beijing on a 19th: all three kinds end there or on that Monday
CATEGORIES = tuple(f"类别{number:02}" for number in range(25))
BATCH = 20_000
ROUNDS = 3
SEED = 20260303


def fill(engine: Engine, assignments: int) -> None:
    """One ticket per assignment, spread over the days before END; 1 % is never accepted and stays open a while."""
    SQLModel.metadata.create_all(engine)
    dice = random.Random(SEED)
    with Session(engine) as session:
        for number in range(1, UNITS + 1):
            kind = UnitKind.TOWN if number <= TOWNS else UnitKind.AGENCY
            session.add(Unit(id=number, name=f"单位{number:02}", kind=kind, position=number))
        session.flush()
        for number in range(1, UNITS + 1):
            session.add(Room(id=number, unit_id=number, topic=f"群{number:02}"))
        for number, category in enumerate(CATEGORIES):
            session.add(Catalogue(category=category, lead_agency="单位17", position=number))
        session.commit()
        first = END + timedelta(hours=1) - timedelta(days=assignments / A_DAY)
        for begin in range(0, assignments, BATCH):
            rows = [_row(dice, n, first) for n in range(begin, min(begin + BATCH, assignments))]
            session.connection().execute(insert(Ticket), [ticket for ticket, _ in rows])
            session.connection().execute(insert(Assignment), [duty for _, duty in rows])
            session.commit()


def _row(dice: random.Random, number: int, first: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    at = first + timedelta(days=number / A_DAY)
    unit = min(UNITS, 1 + int(dice.expovariate(1 / 10)))
    took = timedelta(seconds=int(dice.lognormvariate(5.9, 0.9)))
    urgency = dice.choices(list(Urgency), [95, 4, 1])[0]
    status = dice.choices(
        [AssignmentStatus.RESOLVED, AssignmentStatus.DECLINED, AssignmentStatus.TRANSFERRED, AssignmentStatus.WAITING],
        [96, 2, 1, 0.02],
    )[0]
    accepted = at + took if status is AssignmentStatus.RESOLVED else None
    ended = None if status is AssignmentStatus.WAITING else at + took + timedelta(hours=3 if accepted else 0)
    ticket = {
        "id": number + 1,
        "no": f"{at:%Y%m%d}-{number:07}",
        "room_id": unit,
        "unit_id": unit,
        "source": Source.HOTLINE,
        "category": dice.choices(CATEGORIES, range(25, 0, -1))[0],
        "urgency": urgency,
        "urgency_words": [],
        "text": "市民反映，口头村村口垃圾桶满溢，三天没人清运，请尽快处理。",
        "gist": "口头村村口垃圾桶满溢，三天没人清运",
        "status": TicketStatus.RESOLVED if accepted else TicketStatus.WAITING,
        "repeat_of_id": None,
        "created_at": at,
        "closed_at": ended,
        "declines": 0,
    }
    duty = {
        "id": number + 1,
        "ticket_id": number + 1,
        "unit_id": unit,
        "short": number % 99 + 1,
        "role": AssignmentRole.LEAD,
        "status": status,
        "urgency": urgency,
        "dispatched_at": at,
        "due_at": at + timedelta(minutes=15),
        "accepted_at": accepted,
        "on_time": None if accepted is None else took <= timedelta(minutes=15),
        "ended_at": ended,
    }
    return ticket, duty


def measure(engine: Engine, kind: DigestKind, folder: Path) -> dict[str, Any]:
    """Return seconds per step and what was counted, for the digest of `kind` that ends last."""
    from bot.reports.ledger import write
    from bot.reports.picture import draw

    end = END if kind is not DigestKind.WEEKLY else END - timedelta(days=END.weekday())
    start = window_start(kind, end, DigestSettings())
    numbers: dict[str, Any] = {}

    def count() -> None:
        with reading(engine) as session:
            settings = DigestSettings(baseline_seconds=4800)
            numbers.update(compute(session, kind=kind, start=start, end=end, now=end, settings=settings))

    def excel() -> None:
        with reading(engine) as session:
            rows = ledger_rows(session, start=start, end=end, mask=lambda text: text)
            write(numbers, rows, folder / "ledger.xlsx")

    steps = {
        "numbers": _median(count),
        "text": _median(lambda: render_text(numbers)),
        "picture": _median(lambda: draw(numbers, folder / "picture.png")),
        "excel": _median(excel),
    }
    sizes = {f"{name}_bytes": (folder / name).stat().st_size for name in ("picture.png", "ledger.xlsx")}
    counted = {"assignments": numbers["totals"]["dispatched"], "messages": len(render_text(numbers)), **sizes}
    return {"seconds": {**steps, "total": round(sum(steps.values()), 3)}, "counted": counted}


def _median(step: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = perf_counter()
        step()
        times.append(perf_counter() - began)
    return round(statistics.median(times), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--assignments", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="a database file to use again, filled if it is not there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = given.keep or Path(folder) / "digest.sqlite"
        if not path.exists():
            fill(make_engine(f"sqlite:///{path}", durable=False), given.assignments)
        engine = make_engine(f"sqlite:///{path}")
        began = perf_counter()
        import bot.reports.picture  # noqa: F401

        imported = round(perf_counter() - began, 3)
        with reading(engine) as session:
            total = session.exec(select(func.count()).select_from(Assignment)).one()
        kinds = (DigestKind.DAILY, DigestKind.WEEKLY, DigestKind.MONTHLY)
        result = {
            "machine": f"{platform.machine()}, {_cores()} cores, Python {platform.python_version()}",
            "commit_mode": "SQLite, WAL, synchronous=FULL; the digest only reads",
            "counted": "queries, counting, text, PNG and .xlsx on disk; median of three; import of matplotlib apart",
            "assignments_in_database": total,
            "import_matplotlib_seconds": imported,
            "digests": {kind.value: measure(engine, kind, Path(folder)) for kind in kinds},
        }
    text = json.dumps(result, ensure_ascii=False, indent=2)
    given.json.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()
