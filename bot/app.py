"""The composition root: the only place that names concrete classes, starts the loops and stops them."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from fastapi import FastAPI
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlmodel import Session

from bot.alarms import other_route
from bot.backoff import delay
from bot.backup import BackupError, Nightly
from bot.channels.base import Channel, ConnectionState, InboundMessage, RoomsChanged, StateChange
from bot.channels.wechaty import WechatyChannel
from bot.channels.wechaty_tls import TlsConfig
from bot.channels.wework import WeworkChannel, WeworkRoom
from bot.channels.wework_crypto import Seal
from bot.clock import Clock, SystemClock
from bot.database import Database
from bot.digesting import Digesting
from bot.doubts import Doubts
from bot.gate import Gate
from bot.health import Health, health_routes
from bot.importers.wework_rooms import read_rooms
from bot.inbox_worker import InboxWorker
from bot.knowledge import Knowledge
from bot.order_folder import OrderFolder
from bot.receiver import Receiver
from bot.retention import Retention
from bot.scheduler import Scheduler, Ticker, last_tick
from bot.sender import Sender
from bot.serving import Server
from bot.settings import Settings
from bot.web.app import make_page
from bot.web.parts import Parts
from handlers import texts
from handlers.binding import rooms_listed
from handlers.troubles import tell_of_backup, tell_of_held_back, tell_of_lost_digest, tell_of_refused
from storage import meta
from storage.enums import OutageKind
from storage.migrate import require_head
from storage.sessions import make_engine, sqlite_path

log = logging.getLogger(__name__)
T = TypeVar("T")
STOP_WITHIN = 5.0  # seconds that a clean stop may take
STOP_LOOKS = 20  # at the loops that are to end meanwhile
IDLE = 1.0  # seconds after which a loop looks by itself, whatever it was told
DOWN_AFTER = timedelta(seconds=30)  # a gap between ticks longer than this was an outage
BACKUP_LOOK, BACKUP_AGAIN = 30.0, 600.0  # seconds between two looks; after one that failed
KEEP_AGAIN = 1.0  # seconds at most until what is only in memory is tried again: a kill meanwhile loses it
BEGIN_AGAIN = 5.0  # … until a loop that failed begins anew: what is late waits for it
STORE_AT_ONCE = 200  # messages of one storing transaction


def open_database(settings: Settings) -> Engine:
    """The engine of the settings' database; the folder of a SQLite file is made."""
    path = sqlite_path(settings.database_url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    return make_engine(settings.database_url)


def make_channel(settings: Settings, clock: Clock) -> Channel:
    """The channel that CHANNEL names. ValueError where its settings or its list of groups cannot be used."""
    return wework_channel(settings, clock) if settings.channel == "wework" else wechat_channel(settings, clock)


def webhook_keys(settings: Settings) -> list[str]:
    """Secrets that stand in the list of groups; WeworkRoomsError where it is wrong."""
    if settings.channel != "wework" or settings.wework_rooms_file is None:
        return []
    return [line.key for line in read_rooms(settings.wework_rooms_file)]


def wework_channel(settings: Settings, clock: Clock) -> WeworkChannel:
    assert settings.wework_rooms_file is not None  # the settings see to it
    lines = read_rooms(settings.wework_rooms_file)
    return WeworkChannel(
        name=settings.account,
        seal=Seal(settings.wework_token.get_secret_value(), settings.wework_aes_key.get_secret_value()),
        rooms=[WeworkRoom(line.topic, line.chat_id, line.key) for line in lines],
        bot_name=settings.bot_name,
        files_dir=settings.files_dir,
        clock=clock,
        host=settings.wework_host,
        port=settings.wework_port,
        path=settings.wework_path,
        public_url=settings.wework_public_url,
        unknown_chat=texts.chat_not_listed,
    )


def wechat_channel(settings: Settings, clock: Clock) -> WechatyChannel:
    tls = None
    if settings.gateway_tls_ca is not None:
        tls = TlsConfig(settings.gateway_tls_ca, settings.gateway_tls_name or None)
    return WechatyChannel(
        name=settings.account,
        endpoint=settings.gateway_endpoint,
        token=settings.gateway_token.get_secret_value(),
        files_dir=settings.files_dir,
        clock=clock,
        tls=tls,
        bot_names=(settings.bot_name,),
    )


def second_opinions(
    settings: Settings, database: Database, clock: Clock, knowledge: Knowledge, on_answer: Callable[[], None]
) -> Doubts | None:
    """Who asks the language model; None where none is set, and then nothing of it is loaded."""
    if not settings.llm_base_url:
        return None
    from bot.language_model import PROMPT, LanguageModel

    model = LanguageModel(settings.llm_base_url, settings.llm_model, settings.llm_api_key.get_secret_value(), clock)
    return Doubts(database, clock, knowledge, model, prompt=PROMPT, on_answer=on_answer)


class Bot:
    """All loops of one process. `run` returns when `stop` is set, and only then."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        channel: Channel,
        clock: Clock | None = None,
        *,
        beats: Clock | None = None,
    ) -> None:
        """`beats` is the ticker's clock where that of the rules is moved by hand."""
        self.clock = clock or SystemClock()
        self._beats = beats or self.clock
        self.channel = channel
        self._account = channel.name
        self.database = Database(engine)
        self.gate = Gate(settle=timedelta(seconds=settings.backlog_settle_seconds))
        self.knowledge = Knowledge(settings.context())
        files: Path = settings.files_dir
        path = sqlite_path(settings.database_url)
        self._digesting = Digesting(self.database, self.clock, self.knowledge, settings.digests(), files / "digests")
        self.receiver = Receiver(self.database, account=self._account)
        self._came = asyncio.Event()  # something is in the inbox, or may be taken now
        self.doubts = second_opinions(settings, self.database, self.clock, self.knowledge, self._came.set)
        self.worker = InboxWorker(self.database, self.clock, self.knowledge, self.gate, doubts=self.doubts)
        self.scheduler = Scheduler(
            self.database, self.clock, self.knowledge, self.gate, self._digesting, account=self._account
        )
        self.sender = Sender(
            self.database,
            self.clock,
            channel,
            self.gate,
            holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}",
            pace=settings.pace(),
            waits=settings.waits(),
            on_lost_digest=self._tell_of_lost_digest,
            on_refused=self._tell_of_refused,
        )
        self.health = Health(
            self.database,
            self.clock,
            self.knowledge,
            self.gate,
            last_tick=lambda: self.scheduler.last_tick,
            folders=[files, *filter(None, [path.parent if path else None, settings.backup_dir])],
            silent_after=timedelta(minutes=settings.silent_gateway_minutes),
            other_route=other_route(settings.alarm_urls.get_secret_value()),
            troubles=self._troubles,
            doubts=self.doubts,
        )
        self._nightly = None
        self._backup_failed = False
        if settings.backup_dir is not None:
            self._nightly = Nightly(
                settings.database_url, settings.backup_dir, at=settings.backup_time, keep=settings.backup_keep
            )
        self._folder = None
        if settings.orders_dir is not None:
            self._folder = OrderFolder(self.database, self.clock, self.knowledge, settings.orders_dir)
        self._retention = None
        if settings.retention_days is not None:
            self._retention = Retention(
                self.database, self.clock, days=settings.retention_days, files=files, orders=settings.orders_dir
            )
        self.page = Parts(
            database=self.database,
            clock=self.clock,
            knowledge=self.knowledge,
            digests=settings.digests(),
            files=files,
            report=self.health.report,
            secure=settings.web_https,
        )
        self._watching: asyncio.Task[None] | None = None
        self._beat = settings.waits().lease.total_seconds() / 4
        self._web_address = (settings.web_host, settings.web_port)
        self._said = asyncio.Event()  # something may be in the outbox

    # ---- life --------------------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event, *, web: FastAPI | None = None) -> None:
        require_head(self.database.engine)
        await self.database.write(self._note_downtime)
        ticker = Ticker(self.scheduler, self._beats, self._after_tick)
        ticker.start()
        page = web or make_page(self.page)
        page.include_router(health_routes(self.health))
        server = Server(page, *self._web_address)
        tasks = [
            asyncio.create_task(self._for_ever("listen", self._listen)),
            asyncio.create_task(self._for_ever("understand", self._understand)),
            asyncio.create_task(self._for_ever("send", self._send)),
            asyncio.create_task(self._for_ever("hold", self._hold)),
            asyncio.create_task(self._for_ever("back up", self._back_up)),
        ]
        if self._folder is not None:
            tasks.append(asyncio.create_task(self._for_ever("orders", self._folder.watch)))
        if self._retention is not None:
            tasks.append(asyncio.create_task(self._for_ever("retain", self._retention.watch)))
        if self.doubts is not None:
            tasks.append(asyncio.create_task(self.doubts.warn_of_a_far_address()))
        serving = asyncio.create_task(server.serve())
        await stop.wait()
        ticker.stop()
        server.should_exit = True
        await self._end([*tasks, self._watching] if self._watching else tasks, serving)

    async def _end(self, tasks: list[asyncio.Task[None]], serving: asyncio.Task[None]) -> None:
        """Stop within the time allowed; a call to the gateway that hangs is left, its row stays `sending`."""
        left: set[asyncio.Task[None]] = {*tasks, serving}
        for _ in range(STOP_LOOKS):
            for task in tasks:
                task.cancel()  # again and again: Python 3.11's wait_for loses a cancel that comes with its result
            _, left = await asyncio.wait(left, timeout=(STOP_WITHIN - 1) / STOP_LOOKS)
            if not left:
                break
        if self.doubts is not None:
            await self.doubts.close()
        try:
            await asyncio.wait_for(self.channel.close(), 1)
        except TimeoutError:
            log.warning("channel_close_hangs")
        self.database.write_now(self._let_go)
        self.database.close()

    def _let_go(self, session: Session) -> None:
        meta.put(session, last_tick(self._account), self.clock.now().isoformat())
        self.sender.release(session)

    def _note_downtime(self, session: Session) -> None:
        """The time since the last tick of the process before was an outage, stated in the digest."""
        now = self.clock.now()
        last = meta.get(session, last_tick(self._account))
        if last and now - datetime.fromisoformat(last) > DOWN_AFTER:
            meta.end_outage(session, account=self._account, at=datetime.fromisoformat(last))
            meta.start_outage(session, kind=OutageKind.DOWN, account=self._account, at=datetime.fromisoformat(last))
        else:
            meta.start_outage(session, kind=OutageKind.OFFLINE, account=self._account, at=now)

    async def _for_ever(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Run a loop; whatever ends it is logged, and it begins anew, later each time until it works again."""
        failures = 0
        while True:
            began = self.clock.monotonic()
            try:
                await loop()
            except OperationalError as error:
                log.error("database_failed", extra={"loop": name, "reason": str(error.orig)})
            except Exception:
                log.exception("loop_failed", extra={"loop": name})
            failures = 0 if self.clock.monotonic() - began > 60 else failures + 1
            await self.clock.sleep(delay(failures, lambda: 0.0, most_seconds=BEGIN_AGAIN))

    # ---- the loops ---------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Store what the channel hears, in its order; several waiting messages in one transaction."""
        queue: asyncio.Queue[object] = asyncio.Queue(maxsize=10_000)

        async def read() -> None:
            async for event in self.channel.events():
                await queue.put(event)

        reader = asyncio.create_task(read())
        try:
            held: list[InboundMessage] = []
            while True:
                event = await self._next(queue, reader)
                if not isinstance(event, StateChange):
                    self.health.heard(self.clock.now())
                if isinstance(event, InboundMessage):
                    held.append(event)
                    if not queue.empty() and len(held) < STORE_AT_ONCE:
                        continue
                await self._store(held)
                held = []
                if isinstance(event, StateChange):
                    await self._state(event)
                elif isinstance(event, RoomsChanged):
                    await self._until_kept(partial(self.database.write, partial(self._rooms, event=event)))
        finally:
            reader.cancel()

    async def _next(self, queue: asyncio.Queue[object], reader: asyncio.Task[None]) -> object:
        """The next event; a reader that ended is an error, since a channel never ends by itself."""
        getting = asyncio.create_task(queue.get())
        await asyncio.wait({getting, reader}, return_when=asyncio.FIRST_COMPLETED)
        if getting.done():
            return getting.result()
        getting.cancel()
        reader.result()
        raise RuntimeError("the channel's events ended")

    async def _until_kept(self, writing: Callable[[], Awaitable[T]]) -> T:
        """Try a write until the database takes it: what the channel told once is not told again."""
        failures = 0
        while True:
            try:
                return await writing()
            except OperationalError as error:
                failures += 1
                log.error("database_failed", extra={"loop": "listen", "reason": str(error.orig), "failures": failures})
                await self.clock.sleep(delay(failures, lambda: 0.0, most_seconds=KEEP_AGAIN))

    async def _store(self, held: list[InboundMessage]) -> None:
        if not held:
            return
        new: int = await self._until_kept(partial(self.receiver.store, held))
        if new:
            self.gate.heard(self.clock.now())
            self._came.set()

    async def _state(self, change: StateChange) -> None:
        log.info("channel_state", extra={"state": change.state.value, "detail": change.detail})
        now = self.clock.now()
        if change.state is ConnectionState.ONLINE:
            self.health.heard(now)
            await self._until_kept(partial(self.database.write, partial(self._ended, now=now)))
            self.gate.connect(now)
        elif change.state in (ConnectionState.OFFLINE, ConnectionState.SCAN):
            if change.state is ConnectionState.SCAN:
                self.health.logged_out()
            self.gate.disconnect()
            await self._until_kept(partial(self.database.write, partial(self._began, at=change.at)))
        elif change.state is ConnectionState.HELD_BACK:
            text = await self._until_kept(
                partial(self.database.write, partial(self._held_back, change=change, now=now))
            )
            self.health.pass_on(text)

    def _held_back(self, session: Session, *, change: StateChange, now: datetime) -> str:
        self.sender.hold_back(session, channel_room_id=change.room_id, at=now)
        return tell_of_held_back(session, self.knowledge.context(session), account=self._account, now=now)

    def _ended(self, session: Session, *, now: datetime) -> None:
        meta.end_outage(session, account=self._account, at=now)

    def _began(self, session: Session, *, at: datetime) -> None:
        meta.start_outage(session, kind=OutageKind.OFFLINE, account=self._account, at=at)

    def _rooms(self, session: Session, *, event: RoomsChanged) -> None:
        ctx = self.knowledge.context(session)
        listed = [(room.room_id, room.topic) for room in event.rooms]
        held = rooms_listed(session, ctx, account=self._account, listed=listed, now=self.clock.now())
        log.info("rooms_listed", extra={"rooms": len(listed), "held": len(held)})

    async def _understand(self) -> None:
        while True:
            self._came.clear()
            if await self.worker.take_batch():
                self._said.set()
                continue
            await _wait(self._came, IDLE)

    async def _send(self) -> None:
        while True:
            self._said.clear()
            if await self.sender.step():
                continue
            pause = self.sender.wait_seconds()
            if pause:
                await self.clock.sleep(min(pause, IDLE))
            else:
                await _wait(self._said, IDLE)

    async def _hold(self) -> None:
        while True:
            await self.sender.keep()
            await self.clock.sleep(self._beat)

    async def _back_up(self) -> None:
        """A backup every night, beside everything else; one that failed is told of and tried again."""
        while True:
            now = self.clock.now()
            if self._nightly is not None and self._nightly.is_due(now):
                try:
                    made = await asyncio.to_thread(self._nightly.make, now)
                    self._backup_failed = False
                    log.info("backup_made", extra={"file": str(made.path), "rows": made.rows})
                except (BackupError, OSError, SQLAlchemyError) as error:
                    self._backup_failed = True
                    log.error("backup_failed", extra={"reason": str(error)})
                    await self.database.write(partial(self._tell_of_backup, now=now))
                    await self.clock.sleep(BACKUP_AGAIN)
            await self.clock.sleep(BACKUP_LOOK)

    def _tell_of_refused(self, session: Session, room_id: int) -> None:
        text = tell_of_refused(session, self.knowledge.context(session), room_id=room_id, now=self.clock.now())
        if text is not None:
            self.health.pass_on(text)

    def _tell_of_lost_digest(self, session: Session) -> None:
        tell_of_lost_digest(session, self.knowledge.context(session), now=self.clock.now())

    def _tell_of_backup(self, session: Session, *, now: datetime) -> None:
        tell_of_backup(session, self.knowledge.context(session), now=now)

    def _troubles(self) -> dict[str, bool]:
        """What only this process knows to be wrong."""
        return {
            f"another process sends for the account {self._account}": self.sender.refused_by is not None,
            "WeChat holds back what the account sends": self.sender.holding.seconds > 0,
            "the last backup failed": self._backup_failed,
            "a digest cannot be made": self._digesting.failing,
            "a file of ORDERS_DIR cannot be taken": self._folder is not None and self._folder.trouble,
            "old personal data cannot be blanked": self._retention is not None and self._retention.trouble,
        }

    async def beat(self) -> None:
        """Do at once what is due now, as the ticker does every second; for a clock that is moved by hand."""
        await self.scheduler.tick()
        await self._after_tick()

    async def _after_tick(self) -> None:
        """The alarm's other route may be slow, so it is watched beside the ticks."""
        self._said.set()
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        try:
            await self.health.watch()
        except Exception:
            log.exception("watch_failed")


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
