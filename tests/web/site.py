"""A small district with a page: a bot to talk to, users of every role, and the page over the same database."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine

from bot.clock import VirtualClock
from bot.database import Database
from bot.knowledge import Knowledge
from bot.web.app import make_page
from bot.web.login import HASHER
from bot.web.parts import Parts
from handlers.context import Context
from handlers.digest_windows import DigestSettings
from storage import people
from storage.enums import MessageType, PageRole
from storage.page_tables import PageUser
from storage.sessions import transaction
from tests import district
from tests.log_watch import secret
from tests.process import LAMP, NINE, Groups, Process, prepare

T = TypeVar("T")
PASSWORD = secret("correct horse battery")
USERS = {  # name: role and unit
    "督查甲": (PageRole.SUPERVISION, None),
    "派单甲": (PageRole.DISPATCH, None),
    "东山甲": (PageRole.UNIT, "东山镇"),
    "西河甲": (PageRole.UNIT, "西河镇"),
    "管理甲": (PageRole.ADMIN, None),
}
PHONE = "13800001234"  # invented
COMPLAINANT = "郑样生"  # invented
RUBBISH = f"市民{COMPLAINANT}来电反映，石桥村垃圾五天没人清运，电话{PHONE}，请处理。"
FIRE = "市民反映，双泉村水管爆裂全村停水，请马上抢修。"


@cache
def hashed() -> str:
    return HASHER.hash(PASSWORD)


def apart(work: Callable[[], T]) -> T:
    """In a thread of its own: a browser's driver has an event loop in the test's."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


class Client:
    """A browser without scripts: keeps cookies, follows nothing."""

    def __init__(self, page: FastAPI) -> None:
        self._page = page
        self._cookies = httpx.Cookies()

    @property
    def cookies(self) -> dict[str, str]:
        return dict(self._cookies)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self._ask("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self._ask("POST", path, **more)

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._page, client=("testclient", 1))
            async with httpx.AsyncClient(transport=transport, base_url="https://page", cookies=self._cookies) as client:
                answer = await client.request(method, path, **more)
                self._cookies = client.cookies
                return answer

        return apart(lambda: asyncio.run(ask()))


class Site:
    """`say` and `wait` are the groups' side; `client` is a browser without scripts."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        prepare(engine)
        self.engine, self.folder = engine, folder
        self.url = engine.url.render_as_string(hide_password=False)
        self.clock = VirtualClock(NINE)
        self.process = Process(engine, Groups(), self.clock, folder)
        with transaction(engine) as session:
            units = {unit.name: unit.id for unit in people.units(session)}
            for name, (role, unit) in USERS.items():
                session.add(
                    PageUser(name=name, role=role, unit_id=units.get(unit or ""), password=hashed(), created_at=NINE)
                )
        self.database = Database(engine)
        self.parts = Parts(
            database=self.database,
            clock=self.clock,
            knowledge=Knowledge(),
            digests=DigestSettings(),
            files=folder,
        )
        self.page = make_page(self.parts)

    def with_parts(self, **more: Any) -> None:
        self.parts = replace(self.parts, **more)
        self.page = make_page(self.parts)

    def say(self, unit: str, sender: str, text: str, **more: Any) -> str:
        said = self.process.hear(unit, sender, text, **more)
        self._step()
        return said

    def wait(self, **length: float) -> None:
        self.clock.move_to(self.clock.now() + timedelta(**length))
        self._step()

    def _step(self) -> None:
        apart(self.process.step)

    def fill(self) -> None:
        """Three complaints: one accepted, one that waits with a phone and a picture, one urgent in another unit."""
        self.say("东山镇", district.DISPATCHER, LAMP)
        self.wait(minutes=2)
        self.say("东山镇", district.nick("东山镇", 3), "领1")
        picture = self.folder / "a.png"
        picture.write_bytes(PNG)
        self.say("东山镇", district.DISPATCHER, RUBBISH)
        self.say("东山镇", district.DISPATCHER, "", type=MessageType.IMAGE, file=picture, file_name="现场.png")
        self.say("西河镇", district.DISPATCHER, FIRE)

    def client(self, name: str | None = None) -> Client:
        client = Client(self.page)
        if name:
            answer = client.post("/login", data={"name": name, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
        return client

    def context(self) -> Context:
        return self.database.read_now(self.parts.knowledge.context)

    def close(self) -> None:
        self.database.close()


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c4890000000d49444154789c6360f8cf0000000301010018dd8db0"
    "0000000049454e44ae426082".replace(" ", "")
)


def csrf(html: str) -> str:
    return html.split('name="csrf" content="', 1)[1].split('"', 1)[0]


@contextmanager
def served(site: Site) -> Iterator[str]:
    """The page on a free loopback port, for a real browser; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(
            site.page, host="127.0.0.1", port=port, log_config=None, lifespan="off", timeout_graceful_shutdown=1
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
