"""The demo in the browser: the whole bot over the simulator's groups, a clock that can be hurried, and the page."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI
from sqlmodel import Session

from bot.app import Bot
from bot.channels.simulator import SimulatorChannel
from bot.clock import SpeedClock, SystemClock
from bot.database import Database
from bot.demo import SAMPLE
from bot.importers.people import load
from bot.importers.roster import Roster
from bot.roster import load_into
from bot.settings import Settings
from bot.stage import Person, Said
from bot.transcript import read_transcript
from bot.web.app import make_page
from bot.web.parts import Parts, Visitor
from bot.web.simulator import simulator_routes
from handlers.policy import BEIJING
from storage import inbox, outbox
from storage.enums import InboxState, PageRole, Role, UnitKind
from storage.migrate import upgrade
from storage.sessions import make_engine

OPENING_UNTIL = datetime(2026, 3, 3, 9, 0, tzinfo=BEIJING)  # the part of the sample morning that has happened already
STEP = 0.05  # real seconds between two looks at the clock
MOST_STEPS = 50  # of one jump
SETTLED_WITHIN = 20.0  # real seconds for the bot to take what was said
REAL = SystemClock()
NOTICE = "演示：人物、事件都是虚构的，时间是模拟的。本页只在这台机器上打开，不用登录。"


class Simulation:
    """The stage of the page. Steps of the ladder happen exactly at their times, however fast the clock runs."""

    def __init__(self, settings: Settings, folder: Path, *, port: int) -> None:
        """Makes a fresh database under `folder`; what was there is gone."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "simulator.db"
        for old in (path, path.with_name("simulator.db-wal"), path.with_name("simulator.db-shm")):
            old.unlink(missing_ok=True)
        self._roster: Roster = load(SAMPLE / "district")
        self._opening = [line for line in read_transcript(SAMPLE / "morning.jsonl") if line.at < OPENING_UNTIL]
        self._ready = asyncio.Event()
        self.uploads = folder / "files" / "uploads"
        self.clock = SpeedClock(self._opening[0].at)
        engine = make_engine(f"sqlite:///{path}")
        upgrade(engine)
        now = self.clock.now()
        Database(engine, inline=True).write_now(lambda session: load_into(session, self._roster, now=now))
        given = settings.model_copy(
            update={
                "database_url": f"sqlite:///{path}", "files_dir": folder / "files", "account": "simulator",
                "web_host": "127.0.0.1", "web_port": port, "web_https": False, "page_url": "",
                "seconds_between_messages": 0.0, "room_messages_per_minute": 1000, "backlog_settle_seconds": 0,
                "silent_gateway_minutes": 24 * 60, "backup_dir": None, "llm_base_url": "",
            }
        )  # fmt: skip
        topics = [unit.room for unit in self._roster.units if unit.room]
        centre = [u.room for u in self._roster.units if u.room and u.kind is UnitKind.SUPERVISION]
        shown = dict.fromkeys(line.data["room"] for line in read_transcript(SAMPLE / "morning.jsonl"))
        self._rooms = list(dict.fromkeys([*shown, *centre, *topics]))
        self.channel = SimulatorChannel(self.clock, self._rooms, settings.bot_name)
        self.bot = Bot(given, engine, self.channel, self.clock, beats=REAL)
        self.page = self._page()

    def _page(self) -> FastAPI:
        guest = Visitor("来宾", PageRole.SUPERVISION)
        parts: Parts = replace(
            self.bot.page, everyone=guest, notice=NOTICE, speed=lambda: self.clock.speed, simulator=True
        )
        page = make_page(parts)
        page.include_router(simulator_routes(self))
        return page

    # ---- the stage ---------------------------------------------------------------------------------------------------

    async def ready(self) -> None:
        await self._ready.wait()

    def version(self) -> int:
        return self.channel.version

    def rooms(self) -> Sequence[str]:
        return self._rooms

    def people(self, room: str) -> Sequence[Person]:
        """The members of the room's unit, and who is in every room: a dispatcher and a supervisor."""
        unit = next((unit for unit in self._roster.units if unit.room == room), None)
        kinds = {u.name: u.kind for u in self._roster.units}
        return [
            Person(member.aliases[0] if member.aliases else member.name, member.role.value)
            for role in (Role.DISPATCHER, Role.HANDLER, Role.HEAD, Role.DEPUTY, Role.SUPERVISOR)
            for member in self._roster.members
            if member.role is role
            and (unit is not None and member.unit == unit.name
                 or kinds[member.unit] in (UnitKind.DISPATCH, UnitKind.SUPERVISION))
        ]  # fmt: skip

    def said_in(self, room: str) -> Sequence[Said]:
        return self.channel.said_in(room)

    def say(self, room: str, sender: str, text: str, *, quote: str | None, file: Path | None) -> None:
        self.channel.say(room, sender, text, quote=quote, file=file)

    def recall(self, room: str, message_id: str) -> None:
        self.channel.recall(room, message_id)

    def set_speed(self, speed: float) -> None:
        self.clock.set_speed(speed)

    async def jump(self) -> None:
        before = self.version()
        for _ in range(MOST_STEPS):  # a step of a duty that was accepted meanwhile says nothing
            due = await self.bot.scheduler.next_wake()
            if due is None:
                return
            self.clock.stop_at(None)
            self.clock.jump_to(due)
            await self.bot.beat()
            await self._settled()
            if self.version() != before:
                return

    # ---- its life ----------------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Play the opening, then let the visitor play, until `stop` is set."""
        self.clock.set_speed(0.001)  # the opening is led by hand
        running = asyncio.create_task(self.bot.run(stop, web=self.page))
        leading = asyncio.create_task(self._lead())
        try:
            await running
        finally:
            leading.cancel()

    async def _lead(self) -> None:
        await self._settled()
        for line in self._opening:
            await self._pass(line.at)
            self.channel.say(line.data["room"], line.data["sender"], line.data["text"])
            await self._settled()
        self.clock.set_speed(1.0)
        self._ready.set()
        while True:
            due = await self.bot.scheduler.next_wake()
            self.clock.stop_at(due)
            if due is not None and self.clock.now() >= due:
                self.clock.stop_at(None)
                await self.bot.beat()
            await REAL.sleep(STEP)

    async def _pass(self, until: datetime) -> None:
        while (due := await self.bot.scheduler.next_wake()) is not None and due <= until:
            self.clock.jump_to(due)
            await self.bot.beat()
            await self._settled()
        self.clock.jump_to(until)

    async def _settled(self) -> None:
        """Until everything said is understood and everything to be said is out."""
        begun, quiet = REAL.monotonic(), 0
        while quiet < 2 and REAL.monotonic() - begun < SETTLED_WITHIN:
            await REAL.sleep(STEP)
            busy = await self.bot.database.read(self._busy)
            quiet = 0 if busy or self.channel.has_unheard() else quiet + 1

    def _busy(self, session: Session) -> bool:
        return inbox.count_in(session, InboxState.NEW) > 0 or outbox.oldest_pending(session) is not None
