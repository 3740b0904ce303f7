"""The chaos run: a real bot and a real gateway, killed, frozen, starved and misled at random, while 43 groups talk.

    python -m benchmarks.chaos --minutes N --seed S [--kills K] [--json FILE]

Faults: kill -9 of the bot or of the gateway (often just after something was sent), SIGSTOP of either, the database locked for
ten seconds by somebody else, the bot's clock five minutes off, a full disk. The disk is a small tmpfs filled to the brim
where this user may mount one, else a limit on the size of files (RLIMIT_FSIZE). A second process checks nothing: the
checker (`benchmarks.chaos_checker`) reads what the run left behind. Exit status 1 where anything was lost or said twice.

The ladder is short (reminder 1, escalation 2, overdue 3 minutes), pauses between messages are off, an unknown outcome is
settled after ten seconds: the rules are the same, more of them meet in an hour.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.chaos_checker import Evidence, Policy, Verdict, check
from benchmarks.chaos_faults import AGAIN, FAULTS, Disk, Faults
from benchmarks.chaos_traffic import Traffic, WeChat
from benchmarks.chaos_world import World
from benchmarks.live import CLOCK, BotProcess, end, error_lines, machine, new_database, seconds_now, works
from handlers.policy import BEIJING
from tests.gateway.bench import GatewayBench

RULES = {
    "AGAIN_MINUTES": "2,4", "URGENT_AGAIN_MINUTES": "2,4",
    "SECONDS_BETWEEN_MESSAGES": "0", "ROOM_MESSAGES_PER_MINUTE": "1000", "BACKLOG_SETTLE_SECONDS": "1",
    "SILENT_GATEWAY_MINUTES": "60",
}  # fmt: skip
LOOK = 0.4  # seconds between two looks at /ready
SHOW_EVERY = 10  # faults, between two looks at what was found so far
CALM_LOOKS = 8  # after which nothing waits any more
START_WITHIN, SETTLE_WITHIN = 300.0, 240.0  # seconds


@dataclass
class Plan:
    """How long, how much, and which faults. `calm` are the seconds between two faults; `only` a fixed order of them."""

    seconds: float
    seed: int
    kills: int = 10**9
    rate: float = 2.0
    share: float = 0.3
    patience: float = 40.0
    calm: tuple[float, float] = (1.0, 5.0)
    echo_seconds: int = 10
    only: tuple[str, ...] = ()
    oldest: float = 50.0
    digest_after: float = 240.0  # seconds after the start
    disk_megabytes: int = 400
    hurt_again: float = AGAIN  # how often a process is killed again while it comes back
    policy: Policy = Policy(reminder=60, escalation=120, window=180)
    air: float = 2.0  # see the checker


@dataclass
class Run:
    """One run in one folder; everything that the checker needs is kept."""

    folder: Path
    plan: Plan
    watch: list[dict[str, Any]] = field(default_factory=list)

    async def go(self) -> tuple[Verdict, dict[str, Any]]:
        plan, rng = self.plan, random.Random(self.plan.seed)
        world = World(rng, oldest=plan.oldest)
        gateway = GatewayBench(self.folder / "gateway", rooms=world.rooms)
        with Disk(self.folder / "disk", plan.disk_megabytes) as disk:
            database = disk.folder / "lingban.db"
            new_database(database)
            offset = self.folder / "clock"
            offset.write_text("0")
            digest = CLOCK.now().astimezone(BEIJING) + timedelta(seconds=plan.digest_after)
            more = {
                **RULES, **self._ladder(), "STEPPED_CLOCK": str(offset), "ECHO_WAIT_SECONDS": str(plan.echo_seconds),
                "DIGEST_WINDOW_HOUR": str(digest.hour), "DIGEST_TIME": f"{digest:%H:%M}",
            }  # fmt: skip
            bot = BotProcess(gateway, self.folder, database, module="benchmarks.stepped_bot", more=more)
            wechat = WeChat(gateway)
            traffic = Traffic(
                world, wechat, gateway, rng, rate=plan.rate, share=plan.share, patience=plan.patience
            )  # fmt: skip
            faults = Faults(bot, gateway, wechat, traffic, disk, offset, random.Random(plan.seed + 1))
            faults.again = plan.hurt_again
            began = seconds_now()
            try:
                await gateway.start(START_WITHIN)
                bot.start()
                await self._until_works(bot)
                tasks = [asyncio.create_task(traffic.run()), asyncio.create_task(self._look(bot))]
                await self._trouble(
                    faults,
                    began,
                    lambda: self._evidence(world, wechat, faults, gateway, database, digest, seconds_now()),
                )
                traffic.writing = False
                await self._settled(bot)
                await end(tasks)
                ended = seconds_now()
                await bot.stop()
            finally:
                bot.kill()
                gateway.kill()
                await bot.close()
            evidence = self._evidence(world, wechat, faults, gateway, database, digest, ended)
            verdict = check(evidence)
            shutil.copy(database, self.folder)  # the disk goes
            return verdict, self._figures(faults, disk, began, ended)

    def _ladder(self) -> dict[str, str]:
        names = {"REMINDER": self.plan.policy.reminder, "ESCALATION": self.plan.policy.escalation}
        minutes = {f"{mark}{name}_MINUTES": after for name, after in names.items() for mark in ("", "URGENT_")}
        return {
            name: f"{after / 60:.0f}"
            for name, after in [*minutes.items(), ("ACCEPT_WINDOW_MINUTES", self.plan.policy.window)]
        }

    def _evidence(
        self, world: World, wechat: WeChat, faults: Faults, gateway: GatewayBench, database: Path, digest: datetime,
        ended: float,
    ) -> Evidence:  # fmt: skip
        return Evidence(
            script=wechat.script,
            journal=gateway.journal(),
            faults=faults.log,
            clock=faults.clock,
            watch=self.watch,
            database=database,
            policy=self.plan.policy,
            supervision=world.supervision.id,
            ended=ended,
            digests_due=[digest.replace(second=0, microsecond=0).timestamp()],
            air=self.plan.air,
        )

    def _show_so_far(self, evidence: Evidence) -> None:
        """A long run tells meanwhile what it found; what is still on its way looks lost here."""
        verdict = check(evidence)
        kills = sum("kill" in fault["kind"] for fault in evidence.faults)
        so_far = {"kills": kills, "lost": verdict.lost, "doubled": verdict.doubled, "needless": verdict.needless}
        (self.folder / "so-far.json").write_text(json.dumps(so_far, ensure_ascii=False, indent=1), encoding="utf-8")

    async def _trouble(self, faults: Faults, began: float, so_far: Callable[[], Evidence]) -> None:
        plan, rng = self.plan, random.Random(self.plan.seed + 2)
        for kind in plan.only:
            await CLOCK.sleep(rng.uniform(*plan.calm))
            await faults.strike(kind)
        while not plan.only and seconds_now() < began + plan.seconds and faults.kills < plan.kills:
            await CLOCK.sleep(rng.uniform(*plan.calm))
            await faults.strike(rng.choices(list(FAULTS), list(FAULTS.values()))[0])
            if len(faults.log) % SHOW_EVERY == 0:
                await asyncio.to_thread(self._show_so_far, so_far())
        await CLOCK.sleep(max(0.0, began + plan.seconds - seconds_now()) if plan.only else 0.0)

    async def _look(self, bot: BotProcess) -> None:
        while True:
            began = seconds_now()
            self.watch.append({"at": began, "up": works(await bot.report())})
            await CLOCK.sleep(max(0.0, began + LOOK - seconds_now()))

    async def _until_works(self, bot: BotProcess) -> None:
        limit = seconds_now() + START_WITHIN
        while not works(await bot.report()):
            if bot.ended_by_itself or seconds_now() > limit:
                raise RuntimeError("the bot does not work at all; see its log")
            await CLOCK.sleep(LOOK)

    async def _settled(self, bot: BotProcess) -> None:
        """Wait until nothing waits: in the inbox, in the outbox, or for an echo. What is left is the checker's to tell."""
        calm, limit = 0, seconds_now() + SETTLE_WITHIN
        while calm < CALM_LOOKS and seconds_now() < limit:
            report = await bot.report()
            idle = works(report) and not report["waiting"] and report["oldest_unsent_age"] is None
            calm = calm + 1 if idle else 0
            await CLOCK.sleep(LOOK)

    def _figures(self, faults: Faults, disk: Disk, began: float, ended: float) -> dict[str, Any]:
        kinds = Counter(fault["kind"] for fault in faults.log)
        back = [f["back"] - f["end"] for f in faults.log if f.get("back")]
        return {
            **machine(),
            "seed": self.plan.seed,
            "minutes": round((ended - began) / 60, 1),
            "kills of bot and gateway": faults.kills,
            "faults": dict(kinds),
            "full disk by": disk.how,
            "share of looks that found the bot up": round(
                sum(w["up"] for w in self.watch) / max(len(self.watch), 1), 3
            ),
            "longest way back, seconds": round(max(back, default=0.0), 1),
            "errors in the bot's log": error_lines(self.folder / "bot.log"),
        }


def report(verdict: Verdict, figures: dict[str, Any]) -> dict[str, Any]:
    return {
        **figures,
        "counted": dict(sorted(verdict.counts.items())),
        "lateness in seconds, while the bot was up": verdict.lateness(),
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled),
        "called for what was taken": len(verdict.needless),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--kills", type=int, default=10**9, help="End after so many, if that is sooner.")
    parser.add_argument("--rate", type=float, default=2.0, help="Messages a second in all groups.")
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--keep", type=Path, help="An empty folder for database, journal and logs; else they are deleted."
    )
    options = parser.parse_args()
    plan = Plan(seconds=60 * options.minutes, seed=options.seed, kills=options.kills, rate=options.rate)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        verdict, figures = asyncio.run(Run(folder, plan).go())
    told = report(verdict, figures)
    for name, value in told.items():
        print(f"{name}: {value}")
    problems = [*verdict.lost, *verdict.doubled, *verdict.needless]
    for problem in problems:
        print(f"  {problem}")
    if options.json:
        options.json.write_text(
            json.dumps({**told, "problems": problems}, ensure_ascii=False, indent=1), encoding="utf-8"
        )
    sys.exit(1 if verdict.lost or verdict.doubled else 0)


if __name__ == "__main__":
    main()
