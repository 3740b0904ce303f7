"""The engine's numbers on an embedded database: tickets, chatter, deadlines due at once, start.

    python -m benchmarks.engine [--json FILE] [--only tickets|chatter|deadlines|start]

The database is SQLite on disk with WAL and synchronous=FULL; the district is the sample one (45 rooms). Everything runs in
this process and one thread. Counted: storing in the inbox where said, the whole handler path with full recognition, what
is put into the outbox. Not counted: the gateway, the sending. Each figure is the best of ROUNDS, since the machine may have
other work; the load is told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, insert
from sqlmodel import Session, col, func, select

from benchmarks.peers.chatter import chatter as chat
from bot.channels.base import InboundMessage
from bot.clock import VirtualClock
from bot.database import Database
from bot.gate import Gate
from bot.importers.people import load
from bot.inbox_worker import InboxWorker
from bot.knowledge import Knowledge
from bot.receiver import Receiver
from bot.roster import load_into
from handlers import registry
from storage import people
from storage.enums import AssignmentRole, AssignmentStatus, MessageType, Source, Step, TicketStatus, UnitKind, Urgency
from storage.migrate import upgrade
from storage.sessions import make_engine, transaction
from storage.tables import Assignment, Deadline, OutboxMessage, Room, Ticket

SAMPLE = Path("bot/sample/district")
START = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)
ROUNDS = 3
SEED = 20260303
COMPLAINTS = (
    "市民反映，{place}村口垃圾桶满溢三天没人清运，臭味很大，请尽快处理。",
    "{place}有居民来电，自来水停了一天，家里没法做饭，请尽快恢复。",
    "市民投诉，{place}东头路面塌陷，电动车掉进去过，要求修补。",
    "{place}路灯坏了三盏，夜里看不见路，老人不敢出门，请维修。",
)


class Bench:
    """A fresh database with the sample district, every room bound."""

    def __init__(self, folder: Path, *, batch: int = 100) -> None:
        self.engine: Engine = make_engine(f"sqlite:///{folder}/bench-{random.randrange(10**9)}.db")
        upgrade(self.engine)
        self.database = Database(self.engine, inline=True)
        self.clock = VirtualClock(START)
        self.roster = load(SAMPLE)
        self.database.write_now(self._load)
        self.gate = Gate(connected=True)
        self.knowledge = Knowledge()
        self.receiver = Receiver(self.database, account="bench")
        self.worker = InboxWorker(self.database, self.clock, self.knowledge, self.gate, batch=batch)

    def _load(self, session: Session) -> None:
        load_into(session, self.roster, now=START)
        for room in people.rooms(session):
            people.bind_room(
                session, account="bench", channel_room_id=room.topic, room_id=room.id or 0, now=START, by="bench"
            )

    def unit_rooms(self) -> list[str]:
        return [u.room for u in self.roster.units if u.room and u.kind in (UnitKind.TOWN, UnitKind.AGENCY)]

    def hear(self, texts: list[str], batch: int) -> None:
        rooms = self.unit_rooms()
        messages = [
            InboundMessage(
                room_id=rooms[n % len(rooms)], message_id=f"m{n}", sender_id="", sender_name=f"居民{n % 500}",
                type=MessageType.TEXT, text=text, sent_at=START + timedelta(milliseconds=20 * n),
                received_at=START + timedelta(milliseconds=20 * n),
            )
            for n, text in enumerate(texts)
        ]  # fmt: skip
        for at in range(0, len(messages), batch):
            asyncio.run(self.receiver.store(messages[at : at + batch]))

    def close(self) -> None:
        self.database.close()


def per_second(folder: Path, texts: Callable[[Bench], list[str]], *, batch: int) -> tuple[float, int]:
    """Messages a second from the inbox's door to the outbox, and how many tickets they made."""
    bench = Bench(folder, batch=batch)
    told = texts(bench)
    began = perf_counter()
    bench.hear(told, batch)
    asyncio.run(bench.worker.drain())
    took = perf_counter() - began
    made = bench.database.read_now(lambda session: session.exec(select(func.count()).select_from(Ticket)).one())
    bench.close()
    return len(told) / took, made


def complaints(count: int) -> Callable[[Bench], list[str]]:
    def make(bench: Bench) -> list[str]:
        places = [f"{v.township}{v.name}" for v in bench.roster.villages]
        return [
            f"{COMPLAINTS[n % len(COMPLAINTS)].format(place=places[n % len(places)])}（第{n}次来电）" for n in range(count)
        ]

    return make


def chatter(count: int) -> Callable[[Bench], list[str]]:
    return lambda _: chat(count)


def tickets(folder: Path) -> dict[str, Any]:
    grouped = [per_second(folder, complaints(1000), batch=100) for _ in range(ROUNDS)]
    single = [per_second(folder, complaints(300), batch=1) for _ in range(ROUNDS)]
    return {
        "tickets_per_second_grouped": round(max(grouped)[0]),
        "tickets_made_of_1000": max(grouped)[1],
        "tickets_per_second_one_commit_each": round(max(single)[0]),
    }


def chatter_rate(folder: Path) -> dict[str, Any]:
    rates = [per_second(folder, chatter(5000), batch=100) for _ in range(ROUNDS)]
    return {"chatter_per_second": round(max(rates)[0]), "tickets_made_of_chatter": max(made for _, made in rates)}


def open_tickets(engine: Engine, count: int, *, due_now: int) -> None:
    """`count` waiting tickets spread over all units; the reminders of `due_now` of them fall due at START."""
    with Session(engine) as session, session.begin():
        rooms = session.exec(select(Room).order_by(col(Room.id))).all()
        for at in range(0, count, 10_000):
            rows = range(at + 1, min(at + 10_000, count) + 1)
            units = {n: rooms[n % 43] for n in rows}
            session.execute(
                insert(Ticket),
                [
                    {
                        "id": n, "no": f"20260303-{n:06}", "room_id": units[n].id, "unit_id": units[n].unit_id,
                        "source": Source.CITIZEN, "category": "市容环卫", "urgency": Urgency.NORMAL, "urgency_words": [],
                        "text": "垃圾没人清运", "gist": "垃圾没人清运", "status": TicketStatus.WAITING, "declines": 0,
                        "created_at": START - timedelta(minutes=5),
                    }
                    for n in rows
                ],
            )  # fmt: skip
            session.execute(
                insert(Assignment),
                [
                    {
                        "id": n, "ticket_id": n, "unit_id": units[n].unit_id, "short": n, "role": AssignmentRole.LEAD,
                        "status": AssignmentStatus.WAITING, "urgency": Urgency.NORMAL,
                        "dispatched_at": START - timedelta(minutes=5), "due_at": START + timedelta(minutes=10),
                    }
                    for n in rows
                ],
            )  # fmt: skip
            session.execute(
                insert(Deadline),
                [
                    {
                        "assignment_id": n, "step": Step.REMINDER, "round": 0,
                        "due_at": START if n <= due_now else START + timedelta(hours=1),
                    }
                    for n in rows
                ],
            )  # fmt: skip


def deadlines(folder: Path) -> dict[str, Any]:
    times = []
    for _ in range(ROUNDS):
        bench = Bench(folder)
        open_tickets(bench.engine, 100_000, due_now=1000)
        with transaction(bench.engine) as session:
            bench.knowledge.context(session)
        longest, began = 0.0, perf_counter()
        while True:  # as the scheduler does: LIMIT steps a transaction, off the event loop
            step = perf_counter()
            with transaction(bench.engine) as session:
                taken = registry.climb(session, bench.knowledge.context(session), now=START, limit=500)
            longest = max(longest, perf_counter() - step)
            if taken < 500:
                break
        times.append((perf_counter() - began, longest))
        with transaction(bench.engine) as session:
            said = session.exec(select(func.count()).select_from(OutboxMessage)).one()
        assert said == 1000, said
        bench.close()
    best = min(times)
    return {"deadlines_1000_of_100000_ms": round(best[0] * 1000), "longest_transaction_ms": round(best[1] * 1000)}


STARTING = """
import asyncio, resource, sys, time
from pathlib import Path
from bot.app import Bot
from bot.channels.simulator import SimulatorChannel
from bot.clock import SystemClock
from bot.settings import Settings
from storage.sessions import make_engine
began = float(sys.argv[2])
async def go():
    settings = Settings(_env_file=None, database_url=sys.argv[1], files_dir=Path(sys.argv[3]), web_port=int(sys.argv[4]))
    clock = SystemClock()
    bot = Bot(settings, make_engine(sys.argv[1]), SimulatorChannel(clock, [], "bench"), clock)
    stop = asyncio.Event()
    running = asyncio.create_task(bot.run(stop))
    while bot.scheduler.last_tick is None:
        await clock.sleep(0.01)
    print(time.time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, flush=True)
    stop.set()
    await running
asyncio.run(go())
"""


def start(folder: Path) -> dict[str, Any]:
    """From the process's start to its first tick, and the resident memory then, with 100,000 open tickets."""
    import time

    bench = Bench(folder)
    open_tickets(bench.engine, 100_000, due_now=0)
    url = str(bench.engine.url)
    bench.close()
    found = []
    for number in range(ROUNDS):
        began = time.time()  # noqa: TID251 - two processes share no other clock
        done = subprocess.run(
            [sys.executable, "-c", STARTING, url, str(began), str(folder), str(18_800 + number)],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        seconds, megabytes = done.stdout.split()
        found.append((float(seconds), int(megabytes)))
    best = min(found)
    return {"start_100000_open_seconds": round(best[0], 2), "resident_megabytes": best[1]}


ALL: dict[str, Callable[[Path], dict[str, Any]]] = {
    "tickets": tickets,
    "chatter": chatter_rate,
    "deadlines": deadlines,
    "start": start,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=list(ALL))
    options = parser.parse_args()
    random.seed(SEED)
    result: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "database": "SQLite, WAL, synchronous=FULL",
        "load_before": [round(value, 2) for value in os.getloadavg()],
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, measure in ALL.items():
            if options.only in (None, name):
                result |= measure(Path(folder))
    result["peak_megabytes_of_the_benchmark"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    for name, value in result.items():
        print(f"{name}: {value}")
    if options.json:
        options.json.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
