"""A real bot process beside a real gateway: started, killed, frozen, and asked how it is. For the long runs."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bot.clock import SystemClock
from bot.importers.people import load
from bot.roster import load_into
from bot.settings import Settings
from storage.migrate import upgrade
from storage.sessions import make_engine, transaction
from tests.gateway.bench import GatewayBench, free_port

DISTRICT = Path("bot/sample/district")
CLOCK = SystemClock()
ENVIRONMENT = dict(os.environ)  # noqa: TID251 - handed on to the bot's process


def seconds_now() -> float:
    """The host's time, in seconds since 1970, as the gateway's journal has it."""
    return CLOCK.now().timestamp()


def moment(text: str) -> float:
    """A time as SQLite keeps it (UTC, naive or with an offset), in seconds since 1970."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def machine() -> dict[str, Any]:
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }


def new_database(path: Path) -> None:
    """An empty database with the sample district."""
    engine = make_engine(f"sqlite:///{path}")
    upgrade(engine)
    with transaction(engine) as session:
        load_into(session, load(DISTRICT), now=CLOCK.now())
    engine.dispose()


@dataclass
class BotProcess:
    """`module` is what is run: `bot`, or `benchmarks.stepped_bot`. Its log goes to `home/bot.log`."""

    gateway: GatewayBench
    home: Path
    database: Path
    module: str = "bot"
    more: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self._client = httpx.AsyncClient(timeout=5.0, trust_env=False)

    def start(self) -> None:
        env = {name: value for name, value in ENVIRONMENT.items() if name.lower() not in Settings.model_fields}
        env |= {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "FILES_DIR": str(self.home / "files"),
            "GATEWAY_ENDPOINT": self.gateway.endpoint,
            "GATEWAY_TOKEN": self.gateway.token,
            "WEB_PORT": str(self.port),
            **self.more,
        }
        with (self.home / "bot.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module, "run"],
                env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    @property
    def ended_by_itself(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def kill(self) -> None:
        """kill -9; a second call does nothing."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()

    def signal(self, which: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(which)

    async def stop(self) -> None:
        """A clean stop."""
        process = self.process
        if process is None:
            return
        process.terminate()
        while process.poll() is None:
            await CLOCK.sleep(0.05)
        self.process = None

    async def report(self) -> dict[str, Any]:
        """What `/ready` says; {} where nobody answers."""
        try:
            answer = await self._client.get(f"http://127.0.0.1:{self.port}/ready")
        except httpx.HTTPError:
            return {}
        return dict(answer.json()) if answer.status_code in (200, 503) else {}

    async def answers_within(self) -> float:
        """Seconds that `/health` took, which does nothing but wait for its turn in the event loop; 60 for no answer."""
        began = CLOCK.monotonic()
        try:
            await self._client.get(f"http://127.0.0.1:{self.port}/health", timeout=60.0)
        except httpx.HTTPError:
            return 60.0
        return CLOCK.monotonic() - began

    async def close(self) -> None:
        await self._client.aclose()


async def end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks; what one of them died of before is raised here."""
    for task in tasks:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in done), done


def works(report: dict[str, Any]) -> bool:
    """Whether a bot that says this of itself may speak: connected, its ladder let go, the account its own."""
    taken = any("another process" in problem for problem in report.get("problems", ()))
    return bool(report.get("connected") and report.get("gate_open")) and not taken


class Tail:
    """The lines of a growing file of JSON, each given once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0

    def new(self) -> Iterator[dict[str, Any]]:
        with self._path.open("rb") as lines:
            lines.seek(self._at)
            for line in lines:
                if not line.endswith(b"\n"):
                    return
                self._at += len(line)
                yield json.loads(line)


def error_lines(log: Path) -> dict[str, int]:
    """How often each ERROR was logged, by its event."""
    found: dict[str, int] = {}
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if '"level": "error"' in line:
            event = str(json.loads(line).get("event"))
            found[event] = found.get(event, 0) + 1
        elif line.startswith("Traceback"):
            found["traceback outside the log"] = found.get("traceback outside the log", 0) + 1
    return found
