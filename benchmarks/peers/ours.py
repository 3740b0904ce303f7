"""Our side of each comparison, in the same run: `python -m benchmarks.peers.ours NAME FOLDER`; prints JSON.

SQLite on disk with WAL and synchronous=FULL, the sample district. Where steps of the ladder are counted, the clock is
virtual and the time that the work takes is real; every step is its row, its event and its message in the outbox.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from sqlmodel import select

from benchmarks.engine import START, Bench, chatter, complaints, open_tickets
from bot.channels.base import InboundMessage
from bot.clock import VirtualClock
from bot.database import Database
from bot.digesting import Digesting
from bot.gate import Gate
from bot.inbox_worker import InboxWorker
from bot.knowledge import Knowledge
from bot.scheduler import Scheduler
from bot.sender import Pace, Sender
from handlers.digest_windows import DigestSettings
from storage.enums import MessageType, SayKind
from storage.sessions import make_engine, reading
from storage.tables import Assignment, OutboxMessage, Room, Ticket, Unit

TICKETS, TOGETHER, MISSED, SHARED, RACES, CHATTER = 50, 1000, 100, 300, 20, 300
QUIET = 8  # ticks of a process of two after which nothing more comes


def apscheduler(folder: Path) -> dict[str, Any]:
    return {**_tickets(folder), **_together(folder), **_restart(folder), **_shared(folder)}


def helpdesk(folder: Path) -> dict[str, Any]:
    return {**_tickets(folder), **_accept_at_once(folder)}


def dispatch(folder: Path) -> dict[str, Any]:
    rate, cost, made = _through(folder, chatter(CHATTER), batch=100)
    return {"chatter_per_second": round(rate), "cpu_ms_per_message": round(cost, 3), "tickets_made": made}


def _tickets(folder: Path) -> dict[str, Any]:
    grouped, grouped_cost, _ = _through(folder, complaints(TICKETS), batch=100)
    single, cost, made = _through(folder, complaints(TICKETS), batch=1)
    return {
        "tickets_per_second_100_a_commit": round(grouped),
        "cpu_ms_per_ticket_100_a_commit": round(grouped_cost, 1),
        "tickets_per_second_one_commit_each": round(single),
        "cpu_ms_per_ticket_one_commit_each": round(cost, 1),
        "tickets_made_of_50": made,
    }


def _through(folder: Path, texts: Callable[[Bench], list[str]], *, batch: int) -> tuple[float, float, int]:
    """Messages a second from the inbox's door to the outbox, CPU milliseconds of each, and the tickets that they made."""
    bench = Bench(folder, batch=batch)
    told = texts(bench)
    asyncio.run(bench.receiver.store([_greeting(bench)]))
    asyncio.run(bench.worker.drain())  # the word lists are read with the first message
    began, cost = perf_counter(), process_time()
    bench.hear(told, batch)
    asyncio.run(bench.worker.drain())
    took, spent = perf_counter() - began, process_time() - cost
    made = len(bench.database.read_now(lambda session: session.exec(select(Ticket.id)).all()))
    bench.close()
    return len(told) / took, spent * 1000 / len(told), made


def _greeting(bench: Bench) -> InboundMessage:
    return InboundMessage(
        room_id=bench.unit_rooms()[0], message_id="first", sender_id="", sender_name="居民",
        type=MessageType.TEXT, text="早上好", sent_at=START, received_at=START,
    )  # fmt: skip


def _scheduler(database: Database, folder: Path, now: datetime) -> tuple[Scheduler, VirtualClock, Gate]:
    clock, gate, knowledge = VirtualClock(now), Gate(connected=True), Knowledge()
    gate.opened_at = now
    digesting = Digesting(database, clock, knowledge, DigestSettings(), folder)
    return Scheduler(database, clock, knowledge, gate, digesting), clock, gate


def _reminded(database: Database) -> int:
    """Reminders in the outbox; one that was put there twice would be counted twice."""
    with reading(database.engine) as session:
        return len(session.exec(select(OutboxMessage).where(OutboxMessage.kind == SayKind.REMINDER)).all())


def _together(folder: Path) -> dict[str, Any]:
    """TOGETHER steps fall due in one instant, with the writer's thread beside the event loop as in the service."""
    bench = Bench(folder)
    open_tickets(bench.engine, TOGETHER, due_now=TOGETHER)
    database = Database(bench.engine)
    scheduler, _, _ = _scheduler(database, folder, START)

    async def tick() -> tuple[float, float]:
        running, stall, last = asyncio.create_task(scheduler.tick()), 0.0, perf_counter()
        began = last
        while not running.done():
            await asyncio.sleep(0.001)  # noqa: TID251 - the stall of a real loop is measured
            now = perf_counter()
            stall, last = max(stall, now - last), now
        await running
        return perf_counter() - began, stall

    took, stall = asyncio.run(tick())
    said = _reminded(database)
    database.close()
    return {
        "due_together": {
            "said_of_1000": said, "last_after_ms": round(took * 1000), "longest_stall_of_the_loop_ms": round(stall * 1000),
        }
    }  # fmt: skip


def _restart(folder: Path) -> dict[str, Any]:
    """MISSED steps fall due while no process runs; it starts three seconds late."""
    bench = Bench(folder)
    open_tickets(bench.engine, MISSED, due_now=MISSED)
    scheduler, _, _ = _scheduler(bench.database, folder, START + timedelta(seconds=3))
    asyncio.run(scheduler.tick())
    said = _reminded(bench.database)
    bench.close()
    return {"said_of_100_after_a_restart": said}


class Written:
    """A channel whose messages are lines of a file that two processes share."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def send_text(self, to: str, text: str, mentions: object = ()) -> str:
        parts = "".join(f"{to} {line.split('号')[0]}\n" for line in text.split("\n") if "还没人领办" in line)
        os.write(self._file, parts.encode())
        return "sent"

    async def send_file(self, to: str, path: Path) -> None:
        return None

    async def close(self) -> None:
        return None


def process(url: str, path: str, account: str) -> None:
    """One of two processes on one database: it ticks and sends until nothing more comes."""
    database = Database(make_engine(url), inline=True)
    scheduler, clock, gate = _scheduler(database, Path(path).parent, START)
    sender = Sender(database, clock, Written(account, path), gate, pace=Pace(on=False))

    async def run() -> None:
        quiet = 0
        while quiet < QUIET:
            await scheduler.tick()
            quiet = 0 if await sender.step() else quiet + 1
            clock.move_to(clock.now() + timedelta(milliseconds=100))

    asyncio.run(run())


def _shared(folder: Path) -> dict[str, Any]:
    """Two processes on one database, SHARED steps due at once."""
    bench = Bench(folder)
    open_tickets(bench.engine, SHARED, due_now=SHARED)
    url, path = str(bench.engine.url), folder / "shared-ours.txt"
    bench.close()
    command = [sys.executable, "-m", "benchmarks.peers.ours", "--process", url, str(path), "bench"]
    both = [subprocess.Popen(command) for _ in range(2)]
    ended = [each.wait(300) for each in both]
    times = Counter(path.read_text(encoding="utf-8").splitlines())
    return {
        "two_processes_300_steps": {
            "said_twice": sum(1 for count in times.values() if count > 1),
            "never_said": SHARED - len(times),
            "processes_dead": sum(1 for code in ended if code),
        }
    }


def _accept_at_once(folder: Path) -> dict[str, Any]:
    """Two members of a unit take its ticket in the same instant, understood by two processes' workers side by side."""
    bench = Bench(folder, batch=1)
    bench.hear(complaints(RACES)(bench), 1)
    asyncio.run(bench.worker.drain())
    with reading(bench.engine) as session:
        duties = [(duty.unit_id, duty.short) for duty in session.exec(select(Assignment)).all()]
        rooms = {room.unit_id: room.topic for room in session.exec(select(Room)).all() if room.unit_id}
        names = {unit.id: unit.name for unit in session.exec(select(Unit)).all()}
    heard: list[InboundMessage] = []
    at = START + timedelta(minutes=1)
    bench.clock.move_to(at)
    for unit_id, short in duties:
        pair = [f"{names[unit_id]}-{each.name}" for each in bench.roster.members if each.unit == names[unit_id]][2:4]
        for member in pair:
            number = len(heard)
            heard.append(
                InboundMessage(
                    room_id=rooms[unit_id], message_id=f"a{number}", sender_id="", sender_name=member,
                    type=MessageType.TEXT, text=f"领{short}", sent_at=at, received_at=at,
                )
            )  # fmt: skip
    asyncio.run(bench.receiver.store(heard))
    url = str(bench.engine.url)
    workers = [
        InboxWorker(Database(make_engine(url), inline=True), bench.clock, Knowledge(), bench.gate, batch=1)
        for _ in range(2)
    ]
    threads = [threading.Thread(target=asyncio.run, args=(worker.drain(),)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(bench.engine) as session:
        owned = sum(1 for duty in session.exec(select(Assignment)).all() if duty.accepted_by)
        kinds = Counter(row.kind for row in session.exec(select(OutboxMessage)).all())
    bench.close()
    return {
        "two_takes_at_once": {
            "of": len(duties),
            "with_one_owner": owned,
            "told_it_is_theirs": kinds[SayKind.CONFIRMATION],
            "told_who_has_it": kinds[SayKind.REFUSAL],
        }
    }


ALL: dict[str, Callable[[Path], dict[str, Any]]] = {
    "apscheduler": apscheduler,
    "helpdesk": helpdesk,
    "nonebot": dispatch,
    "errbot": dispatch,
}


def main() -> None:
    logging.disable(logging.ERROR)
    if sys.argv[1] == "--process":
        process(*sys.argv[2:])
    else:
        print(json.dumps(ALL[sys.argv[1]](Path(sys.argv[2]))))


if __name__ == "__main__":
    main()
