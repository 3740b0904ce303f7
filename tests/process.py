"""One bot process on a database, its loops stepped by hand: for crashes, races and the state machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, select

from bot.channels.base import InboundMessage, Mention, QuoteRef, UnknownResult
from bot.clock import VirtualClock
from bot.database import Database
from bot.digesting import Digesting
from bot.gate import Gate
from bot.inbox_worker import InboxWorker
from bot.knowledge import Knowledge
from bot.receiver import Receiver
from bot.roster import load_into
from bot.scheduler import Scheduler
from bot.sender import Pace, Sender, Waits
from handlers.digest_windows import DigestSettings
from handlers.policy import BEIJING
from handlers.troubles import tell_of_lost_digest, tell_of_refused
from storage import people
from storage.enums import MessageType, OutboxState
from storage.sessions import reading
from storage.tables import OutboxMessage
from tests import district

NINE = datetime(2026, 3, 3, 9, 0, tzinfo=BEIJING)
LAMP = "市民反映，东山镇柳林村村口路灯坏了三盏，夜里看不见路，请尽快维修。"


class CrashNow(BaseException):
    """The process dies here: nothing may catch it."""


class Groups:
    """WeChat's side: what arrived there stays, whatever happens to the bot."""

    def __init__(self, name: str = "one") -> None:
        self.name = name
        self.arrived: list[tuple[str, str]] = []
        self.before: Callable[[], None] = lambda: None  # a crash or an error before the message goes out
        self.after: Callable[[], None] = lambda: None  # … after it went out

    async def send_text(self, to: str, text: str, mentions: Sequence[Mention] = ()) -> str | None:
        self.before()
        self.arrived.append((to, text))
        self.after()
        return f"{self.name}-{len(self.arrived)}"

    async def send_file(self, to: str, path: Path) -> str | None:
        self.arrived.append((to, path.name))
        return None

    async def close(self) -> None:
        return None

    def said(self, words: str) -> list[str]:
        return [text for _, text in self.arrived if words in text]


def _refused(session: Session, knowledge: Knowledge, clock: VirtualClock, room_id: int) -> None:
    tell_of_refused(session, knowledge.context(session), room_id=room_id, now=clock.now())


class CrashingDatabase(Database):
    """Dies before or after the n-th commit of a writing transaction, once told to."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, inline=True)
        self.before_commit: int | None = None
        self.after_commit: int | None = None

    def write_now(self, work: Callable[[Session], Any]) -> Any:
        if self.before_commit is not None:
            self.before_commit -= 1
        if self.after_commit is not None:
            self.after_commit -= 1

        def dying(session: Session) -> Any:
            done = work(session)
            session.flush()
            if self.before_commit == 0:
                raise CrashNow
            return done

        done = super().write_now(dying)
        if self.after_commit == 0:
            raise CrashNow
        return done


class Process:
    """A bot with memory of its own; a crash is: make another one on the same database."""

    def __init__(self, engine: Engine, groups: Groups, clock: VirtualClock, folder: Path, *, holder: str = "") -> None:
        self.clock, self.groups = clock, groups
        self.database = CrashingDatabase(engine)
        self.gate = Gate(connected=True)
        self.gate.opened_at = clock.now()
        knowledge = Knowledge()
        self.receiver = Receiver(self.database, account=groups.name)
        self.worker = InboxWorker(self.database, clock, knowledge, self.gate)
        digesting = Digesting(self.database, clock, knowledge, DigestSettings(), folder)
        self.scheduler = Scheduler(self.database, clock, knowledge, self.gate, digesting)
        self.sender = Sender(
            self.database, clock, groups, self.gate, holder=holder, pace=Pace(on=False), waits=Waits(),  # type: ignore[arg-type]
            on_lost_digest=lambda session: tell_of_lost_digest(session, knowledge.context(session), now=clock.now()),
            on_refused=lambda session, room_id: _refused(session, knowledge, clock, room_id),
        )  # fmt: skip
        self._count = 0

    def recover(self) -> None:
        asyncio.run(self.sender.recover())

    def hear(self, unit: str, sender: str, text: str, *, id: str | None = None, **more: Any) -> str:
        """A message arrives and is stored."""
        self._count += 1
        message_id = id or f"{self.groups.name}-m{self.clock.now():%H%M%S}-{self._count}"
        room = {"派单": district.DISPATCH, "督查": district.SUPERVISION}.get(unit) or district.room(unit)
        values = {"type": MessageType.TEXT, "sender_id": "", "sent_at": self.clock.now(), **more}
        message = InboundMessage(
            room_id=f"{self.groups.name}:{room}", message_id=message_id, sender_name=sender, text=text,
            received_at=self.clock.now(), **values,
        )  # fmt: skip
        self.database.write_now(lambda session: self.receiver.store_in(session, [message]))
        return message_id

    def step(self) -> None:
        """Understand what waits, take what is due, send what is to be said."""
        asyncio.run(self.worker.drain())
        asyncio.run(self.scheduler.tick())
        asyncio.run(self.sender.drain())

    def wait(self, **length: float) -> None:
        self.clock.move_to(self.clock.now() + timedelta(**length))

    def rows(self, table: type) -> list[Any]:
        with reading(self.database.engine) as session:
            return list(session.exec(select(table)).all())

    def unsettled(self) -> list[OutboxMessage]:
        done = (OutboxState.SENT, OutboxState.DROPPED)
        return [row for row in self.rows(OutboxMessage) if row.state not in done]


def prepare(engine: Engine, *accounts: str) -> None:
    """Load the district and put each account into every room."""
    with Session(engine) as session, session.begin():
        load_into(session, district.roster(), now=NINE)
        for room in people.rooms(session):
            for account in accounts or ("one",):
                people.bind_room(
                    session, account=account, channel_room_id=f"{account}:{room.topic}", room_id=room.id or 0, now=NINE,
                    by="test",
                )  # fmt: skip


def quote(message_id: str) -> QuoteRef:
    return QuoteRef(message_id, "派单助手", "")


def lost_answer() -> None:
    raise UnknownResult("no answer within 15 s")
