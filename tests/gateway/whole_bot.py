"""The whole bot in this process, against the bench's gateway: real gRPC, SQLite on disk, APScheduler, the host's clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, select

from bot.app import Bot, open_database
from bot.channels.wechaty import TlsConfig, WechatyChannel
from bot.clock import SystemClock
from bot.importers.people import load
from bot.roster import load_into
from bot.settings import Settings
from storage.migrate import upgrade
from storage.sessions import reading, transaction
from storage.tables import Assignment, InboxMessage, Ticket
from tests.gateway.bench import GatewayBench, Person, free_port, until
from tests.gateway.watched import FAST

DISTRICT = Path("bot/sample/district")
TOWN = "庙城镇见诉领办工作群"
SUPERVISION = "区接诉即办督查群"
DISPATCHER = Person("ge", "小葛", "城指中心-葛样一")
HANDLER = Person("zhou3", "周三", "庙城镇-周样三（网格员）")
OTHER = Person("zhou4", "周四", "周样四-庙城镇")
HEAD = Person("zhou1", "周一", "庙城镇 周样一")
PEOPLE = (DISPATCHER, HANDLER, OTHER, HEAD)
COMPLAINT = "市民反映，庙城镇桃山村村口垃圾成堆，三天没人清运，请尽快处理。电话13800001234"


def now() -> datetime:
    return SystemClock().now()


@dataclass
class Running:
    bot: Bot
    gateway: GatewayBench

    def rows(self, table: type) -> list:  # type: ignore[type-arg]
        with reading(self.bot.database.engine) as session:
            return list(session.exec(select(table)).all())

    @property
    def tickets(self) -> list[Ticket]:
        return self.rows(Ticket)

    @property
    def duties(self) -> list[Assignment]:
        return self.rows(Assignment)

    async def heard(self, message_id: str, seconds: float = 15) -> InboxMessage:
        """The stored row of a message, once it is understood."""

        def found() -> InboxMessage | None:
            rows = [row for row in self.rows(InboxMessage) if row.message_id == message_id and row.state == "done"]
            return rows[0] if rows else None

        return await until(found, seconds, f"message {message_id} understood")  # type: ignore[no-any-return]

    async def says(self, sender: Person, text: str, **more: object) -> str:
        return await self.gateway.emit(room=TOWN, sender=sender.id, text=text, **more)  # type: ignore[arg-type]

    def told(self, room: str = TOWN) -> list[str]:
        return [sent.text for sent in self.gateway.sent() if sent.room == room and not sent.file]

    async def hears(self, wanted: str, *, room: str = TOWN, seconds: float = 15) -> str:
        sent = await self.gateway.wait_sent(lambda s: s.room == room and wanted in s.text, seconds)
        return sent.text


def settings(folder: Path, **more: object) -> Settings:
    values: dict[str, object] = {
        "database_url": f"sqlite:///{folder}/lingban.db",
        "files_dir": folder / "files",
        "seconds_between_messages": 0.0,
        "backlog_settle_seconds": 1,
        "web_port": free_port(),
        **more,
    }
    return Settings(_env_file=None, **values)  # type: ignore[arg-type]


@asynccontextmanager
async def running(
    gateway: GatewayBench, folder: Path, *, ready: Callable[[Bot], bool] = lambda bot: bot.gate.is_open, **more: object
) -> AsyncIterator[Running]:
    """The bot, started on the sample district; the block begins when its gate is open, and ends with a clean stop."""
    given = settings(folder, **more)
    engine = open_database(given)
    upgrade(engine)

    def fill(session: Session) -> None:
        load_into(session, load(DISTRICT), now=now())

    with transaction(engine) as session:
        fill(session)
    channel = WechatyChannel(
        name=given.account,
        endpoint=gateway.endpoint,
        token=gateway.token,
        files_dir=given.files_dir,
        clock=SystemClock(),
        tls=TlsConfig(gateway.tls.ca, "gateway.test") if gateway.tls else None,
        bot_names=(given.bot_name,),
        timing=FAST,
    )
    bot = Bot(given, engine, channel)
    stop = asyncio.Event()
    task = asyncio.create_task(bot.run(stop))
    try:
        await until(lambda: ready(bot) or task.done(), 30, "the bot is ready")
        yield Running(bot, gateway)
        assert not task.done(), task
    finally:
        stop.set()
        await asyncio.wait_for(task, 8)


def no_errors(records: list[logging.LogRecord], *, but: tuple[str, ...] = ()) -> None:
    """A story fails on any ERROR line that it did not expect."""
    wrong = [r.getMessage() for r in records if r.levelno >= logging.ERROR and r.getMessage() not in but]
    assert wrong == []
