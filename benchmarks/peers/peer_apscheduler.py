"""APScheduler's own SQLAlchemy job store on SQLite: what it does with jobs that stand for deadlines.

Run by `python -m benchmarks.peers` in an environment of its own: `python peer_apscheduler.py FOLDER`; prints JSON. A job
does nothing but write one line into a file. Jobs live in SQLite on disk with SQLAlchemy's defaults.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.schedulers.background import BackgroundScheduler

ADDED, TOGETHER, MISSED, SHARED = 300, 1000, 100, 300
EVER = {"misfire_grace_time": None, "coalesce": True}
QUIET = 300  # looks, a millisecond apart, after which nothing more comes


def fire(path: str, number: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{number}\n".encode())
    os.close(file)


async def fire_here(path: str, number: int) -> None:
    fire(path, number)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def wait_for(path: Path, count: int, seconds: float) -> float:
    """Seconds until `count` lines are there, or until the time is up."""
    began = time.perf_counter()
    while len(lines(path)) < count and time.perf_counter() - began < seconds:
        time.sleep(0.02)  # noqa: TID251 - a peer runs by the real clock
    return time.perf_counter() - began


def in_seconds(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)  # noqa: TID251 - as above


def scheduler(url: str, kind: type = BackgroundScheduler, **defaults: object):
    return kind(jobstores={"default": SQLAlchemyJobStore(url=url)}, job_defaults=defaults, timezone="UTC")


def fill(url: str, path: Path, count: int, due: datetime, job: str = "fire", **defaults: object) -> float:
    """Put jobs into the store, each in a transaction of its own as the library does; jobs a second."""
    adding = scheduler(url, **defaults)
    adding.start(paused=True)
    began = time.perf_counter()  # of the wall clock: a job is one short transaction
    for number in range(count):
        adding.add_job(f"peer_apscheduler:{job}", "date", run_date=due, args=[str(path), number])
    took = time.perf_counter() - began
    adding.shutdown()
    return count / took


def together(folder: Path, rate: float) -> dict[str, object]:
    """TOGETHER jobs fall due in one instant: how many fire, how late is the last, how long the event loop stands still."""
    found: dict[str, object] = {}
    for name, defaults in (("by_default", {}), ("misfire_grace_time_none", EVER)):
        url, path = f"sqlite:///{folder}/together-{name}.db", folder / f"together-{name}.txt"
        due = in_seconds(2 + 1.5 * TOGETHER / rate)
        fill(url, path, TOGETHER, due, "fire_here", **defaults)
        found[f"due_together_{name}"] = asyncio.run(fire_together(url, path, due, defaults))
    return found


async def fire_together(url: str, path: Path, due: datetime, defaults: dict[str, object]) -> dict[str, object]:
    running = scheduler(url, AsyncIOScheduler, **defaults)
    running.start()
    stall, last, quiet = 0.0, time.perf_counter(), 0
    while quiet < QUIET:
        await asyncio.sleep(0.001)  # noqa: TID251 - as above
        now = time.perf_counter()
        stall, last = max(stall, now - last), now
        quiet = quiet + 1 if in_seconds(0) > due and not running._jobstores["default"].get_next_run_time() else 0
        last = time.perf_counter()
    running.shutdown(wait=False)
    ended = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else due
    return {
        "fired_of_1000": len(set(lines(path))),
        "last_after_ms": round((ended - due).total_seconds() * 1000),
        "longest_stall_of_the_loop_ms": round(stall * 1000),
    }


def restart(folder: Path) -> dict[str, object]:
    """MISSED jobs fall due while no process runs; it starts three seconds late."""
    found: dict[str, object] = {}
    for name, defaults in (("by_default", {}), ("misfire_grace_time_none", EVER)):
        url, path = f"sqlite:///{folder}/restart-{name}.db", folder / f"restart-{name}.txt"
        due = in_seconds(2)
        fill(url, path, MISSED, due, **defaults)
        while in_seconds(0) < due + timedelta(seconds=3):
            time.sleep(0.05)  # noqa: TID251 - as above
        running = scheduler(url, **defaults)
        running.start()
        wait_for(path, MISSED, 5)
        running.shutdown()
        found[f"fired_of_100_after_a_restart_{name}"] = len(set(lines(path)))
    return found


def process(url: str, path: str, until: str) -> None:
    """One of two processes on one store."""
    running = scheduler(url, **EVER)
    running.start()
    while in_seconds(0) < datetime.fromisoformat(until):
        time.sleep(0.05)  # noqa: TID251 - as above
    print("alive" if running._thread.is_alive() else "dead")
    os._exit(0)


def shared(folder: Path, rate: float) -> dict[str, object]:
    """Two processes on one store, SHARED jobs due at once."""
    url, path = f"sqlite:///{folder}/shared.db", folder / "shared.txt"
    due = in_seconds(4 + 1.5 * SHARED / rate)
    fill(url, path, SHARED, due, **EVER)
    until = (due + timedelta(seconds=8)).isoformat()
    both = [
        subprocess.Popen(
            [sys.executable, __file__, "--process", url, str(path), until],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    said = [each.communicate(timeout=60)[0].strip() for each in both]
    times = Counter(lines(path))
    return {
        "two_processes_300_jobs": {
            "fired_twice": sum(1 for count in times.values() if count > 1),
            "never_fired": SHARED - len(times),
            "scheduler_threads_dead": said.count("dead"),
        }
    }


def main() -> None:
    if sys.argv[1] == "--process":
        process(*sys.argv[2:])
    folder = Path(sys.argv[1])
    rate = fill(f"sqlite:///{folder}/add.db", folder / "add.txt", ADDED, in_seconds(3600))
    found = {"jobs_added_per_second": round(rate)}
    print(json.dumps({**found, **together(folder, rate), **restart(folder), **shared(folder, rate)}))


if __name__ == "__main__":
    main()
