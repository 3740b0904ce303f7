"""The gateway of deploy/ under its own supervisor, in a folder of its own, with the Node packages of the tests."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.channels.wechaty_link import probe
from bot.channels.wechaty_tls import TlsConfig
from tests.gateway.bench import HERE as BENCH
from tests.gateway.bench import free_port, until
from tests.log_watch import WATCH, secret

SOURCES = Path("deploy/gateway")
TOKEN = secret("deploy_2f6c1d90-0000-4000-8000-00000000beef")  # of these tests only
ROOM = "庙城镇见诉领办工作群"


@pytest.fixture
def gateway_folder(node_modules: None, tmp_path: Path) -> Path:
    """deploy/gateway as an IT clerk has it after `npm ci`."""
    folder = tmp_path / "gateway"
    folder.mkdir()
    for source in SOURCES.iterdir():
        if source.is_file():
            shutil.copy(source, folder)
    (folder / "node_modules").symlink_to((BENCH / "node_modules").resolve())
    (folder / "tmp").mkdir()
    return folder


def certificates(folder: Path, *names: str) -> str:
    """Run the script as the handbook says; what it printed."""
    done = subprocess.run(
        ["bash", "certificates.sh", "tls", *names], cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class Supervised:
    folder: Path
    process: asyncio.subprocess.Process
    port: int
    practice_port: int

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def gateway_pid(self) -> int | None:
        """The process that the supervisor started, as the kernel tells it."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return int(children[0]) if children else None

    async def wrong(self, token: str = TOKEN) -> str | None:
        """What the bot's own check of a gateway finds wrong."""
        tls = TlsConfig(self.folder / "tls" / "ca.pem") if (self.folder / "tls").exists() else None
        return await probe(self.endpoint, token, tls)

    async def answers(self) -> bool:
        return await self.wrong() is None

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 10)


@asynccontextmanager
async def supervised(folder: Path, **settings: str) -> AsyncIterator[Supervised]:
    """The block begins once the bot's client can reach it; SIGTERM in the end, if it still runs."""
    port, practice_port = free_port(), free_port()
    values = {
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "GATEWAY_TOKEN": TOKEN,
        "GATEWAY_PUPPET": "practice",
        "GATEWAY_PRACTICE_ROOMS": ROOM,
        "GATEWAY_PRACTICE_PORT": str(practice_port),
        "TMPDIR": str(folder / "tmp"),
        **settings,
    }
    if (folder / "tls").exists():
        values |= {"GATEWAY_TLS_CERT": "tls/gateway.pem", "GATEWAY_TLS_KEY": "tls/gateway.key"}
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "env", *(f"{name}={value}" for name, value in values.items()), "node", "supervise.mjs",
            cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
    running = Supervised(folder, process, port, practice_port)
    try:
        await until(running.answers, 30, "the gateway answers")
        yield running
    finally:
        if process.returncode is None:
            await running.stop()
        WATCH.look((folder / "log").read_text(encoding="utf-8", errors="replace"), "the gateway")
