"""The faults of the chaos run. Each strikes, is written down with its times, and is over when the bot works again."""

from __future__ import annotations

import asyncio
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.chaos_traffic import Traffic, WeChat
from benchmarks.live import CLOCK, BotProcess, seconds_now, works
from tests.gateway.bench import GatewayBench

# How often each, of a hundred.
FAULTS = {
    "kill bot": 42, "kill gateway": 26, "freeze bot": 7, "freeze gateway": 7, "lock database": 6, "step clock": 6,
    "fill disk": 6,
}  # fmt: skip
CLOCK_OFFSETS = (-300.0, 0.0, 300.0)  # seconds
LOCKED = 10.0  # seconds
FULL = (2.0, 8.0)
FROZEN = (2.0, 20.0)
AWAY = (0.1, 3.0)  # how long what was killed stays dead
AGAIN = 0.25  # how often a process is killed again while it comes back
ON_SENDING = 0.5  # how often a kill waits for the next thing that is sent
REMEMBERS = 0.5  # how often the puppet gives again, after a break, what it gave before
REMEMBERED = 120.0  # seconds
BACK_WITHIN = 300.0


class Disk:
    """Where the database lies: a tmpfs of its own where one may be mounted, else a folder."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder, self._megabytes = folder, megabytes
        self._mounted = False

    def __enter__(self) -> Disk:
        self.folder.mkdir(parents=True, exist_ok=True)
        mount = shutil.which("mount")
        if mount:
            options = f"size={self._megabytes}m"
            done = subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", self.folder], capture_output=True)
            self._mounted = done.returncode == 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._mounted:
            subprocess.run(["umount", "-l", self.folder], check=False)

    @property
    def how(self) -> str:
        return "a tmpfs filled to the brim" if self._mounted else "RLIMIT_FSIZE of the bot's process"

    def fill(self, bot: BotProcess) -> None:
        if not self._mounted:
            self._limit(bot, 1)
            return
        with (self.folder / "ballast").open("wb", buffering=0) as file:
            for size in (2**20, 2**12, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def free(self, bot: BotProcess) -> None:
        if self._mounted:
            (self.folder / "ballast").unlink()
        else:
            self._limit(bot, resource.RLIM_INFINITY)

    @staticmethod
    def _limit(bot: BotProcess, size: int) -> None:
        assert bot.process is not None
        _, hard = resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (size, hard))


class Faults:
    def __init__(
        self, bot: BotProcess, gateway: GatewayBench, wechat: WeChat, traffic: Traffic, disk: Disk, offset: Path,
        rng: random.Random,
    ) -> None:  # fmt: skip
        """`offset` is the file that the bot's clock reads."""
        self._bot, self._gateway, self._wechat, self._traffic = bot, gateway, wechat, traffic
        self._disk, self._offset, self._rng = disk, offset, rng
        self.log: list[dict[str, Any]] = []
        self.clock: list[dict[str, Any]] = [{"at": seconds_now(), "offset": 0.0}]
        self.kills = 0
        self.again = AGAIN
        self._strikes: dict[str, Callable[[], Awaitable[None]]] = {
            "kill bot": self._kill_bot,
            "kill gateway": self._kill_gateway,
            "freeze bot": self._freeze_bot,
            "freeze gateway": self._freeze_gateway,
            "lock database": self._lock,
            "step clock": self._step_clock,
            "fill disk": self._fill_disk,
        }

    async def strike(self, kind: str) -> None:
        """Do it, and wait until the bot works again; RuntimeError if it does not, or ended by itself."""
        await self._strikes[kind]()
        if "gateway" in kind or kind in ("kill bot", "freeze bot"):
            await self._puppet_may_remember()
        await self._back(kind)

    def _note(self, kind: str, start: float) -> dict[str, Any]:
        """A fault that is over now."""
        self.log.append({"kind": kind, "start": start, "end": seconds_now()})
        return self.log[-1]

    async def _back(self, kind: str) -> None:
        limit = seconds_now() + BACK_WITHIN
        while seconds_now() < limit:
            if self._bot.ended_by_itself:
                raise RuntimeError(f"the bot ended by itself after: {kind}; see its log")
            if works(await self._bot.report()):
                self.log[-1]["back"] = seconds_now()
                return
            await CLOCK.sleep(0.2)
        raise RuntimeError(f"the bot does not work {BACK_WITHIN:g} s after: {kind}; see its log")

    async def _puppet_may_remember(self) -> None:
        if self._rng.random() < REMEMBERS:
            await CLOCK.sleep(self._rng.uniform(0, 3))
            self._wechat.give_again(REMEMBERED)

    async def _moment(self) -> None:
        """Often a kill falls just after a sending: between the mark, the call and the record."""
        if self._rng.random() > ON_SENDING:
            return
        sent, limit = self._traffic.sent, seconds_now() + 3
        while self._traffic.sent == sent and seconds_now() < limit:
            await CLOCK.sleep(0.002)
            self._traffic.look()
        await CLOCK.sleep(self._rng.uniform(0, 0.02))

    # ---- the faults --------------------------------------------------------------------------------------------------

    async def _kill_bot(self) -> None:
        while True:
            await self._moment()
            start = seconds_now()
            self._bot.kill()
            self.kills += 1
            await CLOCK.sleep(self._rng.uniform(*AWAY))
            self._bot.start()
            self._note("kill bot", start)
            if self._rng.random() >= self.again:
                return
            await CLOCK.sleep(self._rng.uniform(0.1, 12))  # into the start, or just after it

    async def _kill_gateway(self) -> None:
        while True:
            await self._moment()
            start = seconds_now()
            self._gateway.kill()
            self.kills += 1
            await CLOCK.sleep(self._rng.uniform(*AWAY))
            await self._gateway.start(BACK_WITHIN)
            self._note("kill gateway", start)
            if self._rng.random() >= self.again:
                return
            await CLOCK.sleep(self._rng.uniform(0.1, 4))

    async def _freeze_bot(self) -> None:
        start = seconds_now()
        self._bot.signal(signal.SIGSTOP)
        await CLOCK.sleep(self._rng.uniform(*FROZEN))
        self._bot.signal(signal.SIGCONT)
        self._note("freeze bot", start)

    async def _freeze_gateway(self) -> None:
        start = seconds_now()
        self._gateway.freeze()
        await CLOCK.sleep(self._rng.uniform(*FROZEN))
        self._gateway.thaw()
        self._note("freeze gateway", start)

    async def _lock(self) -> None:
        start = seconds_now()

        def hold(release: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
            connection = sqlite3.connect(self._bot.database, timeout=30, isolation_level=None)
            connection.execute("BEGIN IMMEDIATE")
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result()
            connection.execute("ROLLBACK")
            connection.close()

        release = asyncio.Event()
        holding = asyncio.create_task(asyncio.to_thread(hold, release, asyncio.get_running_loop()))
        await CLOCK.sleep(LOCKED)
        release.set()
        await holding
        self._note("lock database", start)

    async def _step_clock(self) -> None:
        before = self.clock[-1]["offset"]
        offset = self._rng.choice([value for value in CLOCK_OFFSETS if value != before])
        start = seconds_now()
        written = self._offset.with_suffix(".new")
        written.write_text(str(offset))
        written.replace(self._offset)
        self.clock.append({"at": start, "offset": offset})
        self._note("step clock", start)

    async def _fill_disk(self) -> None:
        start = seconds_now()
        self._disk.fill(self._bot)
        await CLOCK.sleep(self._rng.uniform(*FULL))
        self._disk.free(self._bot)
        self._note("fill disk", start)
