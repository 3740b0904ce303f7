"""An hour of load: a real bot, a real gateway, 20 messages a second, 5,000 tickets open.

    python -m benchmarks.load --minutes N [--rate 20] [--open 5000] [--json FILE]

Three in a hundred messages are complaints, as in a district's groups; about as many tickets are resolved as come, so that
their number stays. Pauses between messages and the limit of a room are off: they delay by design what is measured here. The
ladder is the usual one (5, 10, 15 minutes).

Measured from the gateway's journal: from a complaint's arrival at the gateway to its prompt's, and how late each step of the
ladder was. Beside it: the bot's resident memory every ten seconds, and how long `/health`, which does nothing, waits for
the event loop.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.chaos_checker import STEPS, said, seconds, spread
from benchmarks.chaos_traffic import Traffic, WeChat
from benchmarks.chaos_world import World
from benchmarks.live import CLOCK, BotProcess, end, error_lines, machine, new_database, seconds_now, works
from benchmarks.load_before import open_tickets
from tests.gateway.bench import GatewayBench

SEED = 20261126
SHARE = 0.03  # of the messages that are complaints
PATIENCE = 200.0  # seconds within which most are taken; the rest meets the whole ladder
MEMORY_EVERY, LOOK_EVERY = 10.0, 0.5  # seconds
SOON = 60.0  # seconds before the end in which a step that falls due is not judged
WARM = 300.0  # seconds of the start that count for no figure of memory
SETTINGS = {"SECONDS_BETWEEN_MESSAGES": "0", "ROOM_MESSAGES_PER_MINUTE": "1000"}


@dataclass
class Load:
    folder: Path
    minutes: float
    rate: float
    open: int
    memory: list[tuple[float, float]] = field(default_factory=list)  # seconds since the start, megabytes
    stalls: list[float] = field(default_factory=list)  # seconds that /health took
    cpu: float = 0.0  # seconds of the bot's processor time since the start

    async def go(self) -> dict[str, Any]:
        rng = random.Random(SEED)
        world = World(rng, oldest=0.0)
        gateway = GatewayBench(self.folder / "gateway", rooms=world.rooms)
        database = self.folder / "lingban.db"
        new_database(database)
        old = open_tickets(database, world, self.open, now=CLOCK.now(), rng=rng)
        bot = BotProcess(gateway, self.folder, database, more=SETTINGS)
        wechat = WeChat(gateway)
        traffic = Traffic(world, wechat, gateway, rng, rate=self.rate, share=SHARE, patience=PATIENCE)
        traffic.done = old
        try:
            await gateway.start(180)
            bot.start()
            while not works(await bot.report()):
                await CLOCK.sleep(0.5)
            began = seconds_now()
            tasks = [asyncio.create_task(each) for each in (traffic.run(), self._memory(bot, began), self._look(bot))]
            await CLOCK.sleep(60 * self.minutes)
            traffic.writing = False
            await CLOCK.sleep(10)
            await end(tasks)
            ended = seconds_now()
            await bot.stop()
        finally:
            bot.kill()
            gateway.kill()
            await bot.close()
        return self._figures(gateway.journal(), wechat.script, database, began, ended)

    async def _memory(self, bot: BotProcess, began: float) -> None:
        assert bot.process is not None
        process = psutil.Process(bot.process.pid)
        used = sum(process.cpu_times()[:2])
        while True:
            self.cpu = sum(process.cpu_times()[:2]) - used
            self.memory.append((seconds_now() - began, process.memory_info().rss / 2**20))
            await CLOCK.sleep(MEMORY_EVERY)

    async def _look(self, bot: BotProcess) -> None:
        while True:
            self.stalls.append(await bot.answers_within())
            await CLOCK.sleep(LOOK_EVERY)

    def _figures(
        self, journal: Sequence[Mapping[str, Any]], script: Sequence[Mapping[str, Any]], database: Path, began: float,
        ended: float,
    ) -> dict[str, Any]:  # fmt: skip
        steps, still_open, understood = lateness(journal, database, began, ended - SOON)
        warm = [megabytes for at, megabytes in self.memory if at >= min(WARM, 60 * self.minutes / 2)]
        return {
            **machine(),
            "minutes": round((ended - began) / 60, 1),
            "messages": len(script),
            "messages a second": round(len(script) / (ended - began), 1),
            "open tickets at the start, at the end": [self.open, still_open],
            "sent by the bot": sum("sent" in entry for entry in journal),
            "messages understood by the end": understood,
            "processor time of the bot per message understood, milliseconds": round(
                1000 * self.cpu / max(understood, 1), 1
            ),
            "seconds from the message at the gateway to its prompt there": spread(prompts(journal, script)),
            "seconds that a step of the ladder was late": {name: spread(values) for name, values in steps.items()},
            "seconds that the event loop kept /health waiting": spread(self.stalls),
            "megabytes resident: first, after warming up, last, least and most since": [
                round(value, 1) for value in (self.memory[0][1], warm[0], warm[-1], min(warm), max(warm))
            ],
            "errors in the bot's log": error_lines(self.folder / "bot.log"),
        }


def prompts(journal: Sequence[Mapping[str, Any]], script: Sequence[Mapping[str, Any]]) -> list[float]:
    """For each complaint the seconds from its arrival to its prompt; one without a prompt counts as an hour."""
    came = {entry["came"]: entry["at"] / 1000 for entry in reversed(journal) if "came" in entry}
    told: dict[tuple[str, str], float] = {}
    for one in said(journal):
        if one.kind == "prompt":
            token = one.text.partition("（")[2].partition("）")[0]
            told.setdefault((one.room, token), one.at)
    return [
        told.get((entry["told_in"], entry["token"]), came[entry["id"]] + 3600) - came[entry["id"]]
        for entry in script
        if entry["kind"] == "complaint" and entry["id"] in came
    ]


def lateness(
    journal: Sequence[Mapping[str, Any]], database: Path, began: float, until: float
) -> tuple[dict[str, list[float]], int, int]:
    """Seconds from the due time of each step that fell due in the run until it was sent; tickets open; messages done."""
    with sqlite3.connect(database) as db:
        due = db.execute(
            """SELECT b.channel_room_id, a.short, d.step, d.due_at FROM deadline d JOIN assignment a ON a.id = d.assignment_id
               JOIN room r ON r.unit_id = a.unit_id JOIN room_binding b ON b.room_id = r.id WHERE d.outcome = 'said'"""
        ).fetchall()
        (still_open,) = db.execute("SELECT count(*) FROM ticket WHERE status NOT IN ('已办结', '已撤销')").fetchone()
        (understood,) = db.execute("SELECT count(*) FROM inbox WHERE state = 'done'").fetchone()
    db.close()
    told: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    for one in said(journal):
        told[one.room, one.short, one.kind].append(one.at)
    late: dict[str, list[float]] = defaultdict(list)
    for room, short, step, due_at in due:
        at = seconds(due_at)
        if step not in (*STEPS, "again") or not began <= at < until:
            continue
        said_at = [moment for moment in told[room, short, step] if moment >= at - 1]
        late[step].append(min(said_at, default=at + 3600) - at)
    return late, still_open, understood


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rate", type=float, default=20.0, help="Messages a second in all groups.")
    parser.add_argument("--open", type=int, default=5000, help="Tickets open at the start.")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path, help="An empty folder for database, journal and logs.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        load = Load(folder, options.minutes, options.rate, options.open)
        told = asyncio.run(load.go())
    for name, value in told.items():
        print(f"{name}: {value}")
    if options.json:
        told["memory"] = [(round(at), round(megabytes, 1)) for at, megabytes in load.memory]
        options.json.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
