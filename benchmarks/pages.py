"""Server time of every list of the page over 1,000,000 tickets.

    python -m benchmarks.pages --json FILE [--tickets N] [--keep DATABASE]

The database is SQLite on disk (WAL, synchronous=FULL). Counted: one request through the whole application in this
process (routing, rights, queries, template), without network and without the clock of a browser. Each address is asked
`ROUNDS` times after one that warms up; the median and the slowest are told. Not counted: filling the database.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
from sqlalchemy import Engine

from benchmarks.pages_data import END, TICKETS, fill
from bot.clock import VirtualClock
from bot.database import Database
from bot.knowledge import Knowledge
from bot.web.app import make_page
from bot.web.parts import Parts, Visitor
from handlers.digest_windows import DigestSettings
from storage.enums import PageRole
from storage.sessions import make_engine

ROUNDS = 7
LIMIT_MS = 100
SUPERVISOR = Visitor("督查", PageRole.SUPERVISION)
UNIT = Visitor("单位", PageRole.UNIT, unit_id=1)
ADMIN = Visitor("管理", PageRole.ADMIN)


def addresses(tickets: int) -> list[tuple[Visitor, str]]:
    """Each list: first page, deep page, each filter, filters that find little, words; as the district and as a unit."""
    deep = tickets // 10
    searches = [
        "", f"before={deep}", f"before={tickets // 2}", "before=200",
        "unit=单位01", "unit=单位30", f"unit=单位30&before={deep}", "category=类别07", f"category=类别07&before={deep}",
        "status=待领办", "status=已办结", "status=重办", "urgency=敏感", f"urgency=紧急&before={deep}",
        "since=2026-03-01", "until=2024-01-01", "since=2024-06-01&until=2024-06-02",
        "unit=单位30&urgency=敏感&category=类别07", "unit=单位30&status=待领办&until=2024-01-01",
        "status=重办&urgency=敏感", "category=类别24&status=待领办&since=2024-01-01&until=2024-02-01",
        "q=井盖", f"q=井盖&before={deep}", "q=从来没有的话", f"q=编号{deep}号", "q=20260319-0999999", "q=单位30&unit=单位30",
    ]  # fmt: skip
    lists = [(SUPERVISOR, f"/tickets?{search}") for search in searches]
    own = [
        "",
        f"before={deep}",
        "status=待领办",
        "urgency=敏感&status=重办",
        "q=井盖",
        "q=从来没有的话",
        "category=类别03",
    ]
    lists += [(UNIT, f"/tickets?{search}") for search in own]
    pages = ["/", "/board", "/reports", "/reports?page=19", "/reports?kind=日报", "/roster", "/roster/30", "/catalogue"]
    of_units = ("", "?period=week", "?period=month&back=1", "?page=3")
    pages += [f"/units/{unit}{query}" for unit in (1, 30) for query in of_units]
    lists += [(SUPERVISOR, page) for page in pages]
    return [*lists, (UNIT, "/"), (UNIT, "/units/1"), (ADMIN, "/changes")]


async def measure(engine: Engine, folder: Path, tickets: int) -> list[dict[str, Any]]:
    """One row per address, the slowest first."""
    database, clock, knowledge = Database(engine), VirtualClock(END + timedelta(minutes=1)), Knowledge()
    found = []
    for who, path in addresses(tickets):
        parts = Parts(database, clock, knowledge, DigestSettings(), folder, everyone=who)
        transport = httpx.ASGITransport(make_page(parts))
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
            (await client.get(path)).raise_for_status()
            times = []
            for _ in range(ROUNDS):
                began = perf_counter()
                answer = await client.get(path)
                times.append(1000 * (perf_counter() - began))
        found.append(
            {
                "as": who.role.value, "address": path, "median_ms": round(statistics.median(times), 1),
                "slowest_ms": round(max(times), 1), "bytes": len(answer.content),
            }
        )  # fmt: skip
    database.close()
    return sorted(found, key=lambda row: -row["median_ms"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--tickets", type=int, default=TICKETS)
    parser.add_argument("--keep", type=Path, help="a database file to use again, filled if it is not there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = given.keep or Path(folder) / "pages.db"
        began = perf_counter()
        engine = make_engine(f"sqlite:///{path}") if path.exists() else fill(path, given.tickets)
        rows = asyncio.run(measure(engine, Path(folder), given.tickets))
        result = {
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
            "commit_mode": "SQLite, WAL, synchronous=FULL; the pages only read",
            "counted": f"one request through the application, median of {ROUNDS} after one to warm up, milliseconds",
            "tickets": given.tickets,
            "seconds_in_all": round(perf_counter() - began),
            "limit_ms": LIMIT_MS,
            "over_the_limit": [row["address"] for row in rows if row["median_ms"] > LIMIT_MS],
            "addresses": rows,
        }
    text = json.dumps(result, ensure_ascii=False, indent=1)
    given.json.write_text(text + "\n", encoding="utf-8")
    for row in rows:
        sys.stdout.write(f"{row['median_ms']:8.1f} {row['slowest_ms']:8.1f} ms  {row['as']}  {row['address']}\n")
    sys.exit(bool(result["over_the_limit"]))


if __name__ == "__main__":
    main()
