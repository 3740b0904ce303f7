"""The whole bot against a virtual clock and a fresh database; writes down everything that it did (spec: replay.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from sqlmodel import Session

from bot.channels.base import InboundMessage, Mention, QuoteRef
from bot.channels.transcript import TranscriptChannel
from bot.clock import VirtualClock
from bot.database import Database
from bot.digesting import Digesting
from bot.gate import Gate
from bot.inbox_worker import InboxWorker
from bot.knowledge import Knowledge
from bot.receiver import Receiver
from bot.scheduler import Scheduler
from bot.sender import Pace, Sender
from bot.transcript import Line
from handlers import registry
from handlers.closing import call_back
from handlers.context import Context
from handlers.digest_windows import DigestSettings
from storage import inbox, meta, outbox, people, tickets
from storage.enums import MessageType, OutageKind, Satisfaction
from storage.tables import InboxMessage


class Watcher(Protocol):
    """Sees every message as it is heard or said; for the demo."""

    async def heard(self, at: datetime, room: str, sender: str, text: str) -> None: ...

    async def said(self, at: datetime, room: str, text: str, mentions: list[str]) -> None: ...

    async def file(self, at: datetime, room: str, name: str) -> None: ...


AFTER_LAST = timedelta(minutes=60)  # how long the clock runs on after the last line
BREAKS = {"offline": OutageKind.OFFLINE, "crash": OutageKind.DOWN}
RETURNS = ("online", "restart")


@dataclass(frozen=True)
class Arrival:
    """A line at the moment when the bot learns of it."""

    at: datetime
    line: Line


@dataclass(frozen=True)
class ReplaySettings:
    base: Context
    digests: DigestSettings
    pace: Pace
    files: Path  # where pictures, ledgers go


class Replay:
    """One transcript in one database. `run` may be called once."""

    def __init__(
        self,
        database: Database,
        lines: Sequence[Line],
        settings: ReplaySettings,
        folder: Path,
        *,
        watcher: Watcher | None = None,
    ) -> None:
        self._database = database
        self._lines = lines
        self._settings = settings
        self._folder = folder  # the transcript's, for files that it names
        self._clock = VirtualClock(lines[0].at)
        self._watcher = watcher
        self._channel = TranscriptChannel(self._on_text, self._on_file)
        self._gate = Gate(connected=True)
        self._receiver = Receiver(database, account=self._channel.name)
        self._start_process()

    def _start_process(self) -> None:
        """What a process holds in memory; made anew after a crash."""
        knowledge = Knowledge(self._settings.base)
        self._knowledge = knowledge
        digesting = Digesting(self._database, self._clock, knowledge, self._settings.digests, self._settings.files)
        self._worker = InboxWorker(self._database, self._clock, knowledge, self._gate)
        self._scheduler = Scheduler(self._database, self._clock, knowledge, self._gate, digesting)
        self._sender = Sender(self._database, self._clock, self._channel, self._gate, pace=self._settings.pace)

    async def run(self, until: datetime | None) -> None:
        """Play all lines, then let the clock run to `until` (default: an hour after the last line), included."""
        self._database.write_now(self._bind_rooms)
        for arrival in arrivals(self._lines):
            await self._advance(arrival.at, including=False)
            self._clock.move_to(arrival.at)
            await self._take(arrival.line)
        end = until or self._lines[-1].at + AFTER_LAST
        await self._advance(end, including=True)
        self._clock.move_to(end)

    def _bind_rooms(self, session: Session) -> None:
        for room in people.rooms(session):
            people.bind_room(
                session, account=self._channel.name, channel_room_id=room.topic, room_id=room.id or 0,
                now=self._clock.now(), by="replay",
            )  # fmt: skip

    # ---- time --------------------------------------------------------------------------------------------------------

    async def _advance(self, to: datetime, *, including: bool) -> None:
        """Stop at everything that falls due before `to` (at it too, if `including`), in time order."""
        while (due := await self._next_due()) is not None and (due < to or (including and due == to)):
            self._clock.move_to(due)
            await self._scheduler.tick()
            await self._sender.drain()

    async def _next_due(self) -> datetime | None:
        if not self._gate.is_open:
            return None
        due = await self._scheduler.next_wake()
        retry = self._database.read_now(outbox.next_not_before)
        if retry is not None:
            held = self._clock.now() + timedelta(seconds=self._sender.wait_seconds())
            retry = max(retry, held, self._clock.now() + timedelta(milliseconds=1))
        return min(filter(None, [due, retry]), default=None)

    # ---- lines -------------------------------------------------------------------------------------------------------

    async def _take(self, line: Line) -> None:
        if line.kind in BREAKS:
            self._break(line)
        elif line.kind in RETURNS:
            await self._return(line)
        elif line.kind == "callback":
            self._database.write_now(lambda session: self._call_back(session, line))
            await self._settle()
        else:
            message = self._inbound(line)
            if self._watcher and message.type is not MessageType.RECALL:
                await self._watcher.heard(self._clock.now(), message.room_id, message.sender_name, message.text)
            self._database.write_now(lambda session: self._receiver.store_in(session, [message]))
            self._gate.heard(self._clock.now())
            await self._settle()

    async def _on_text(self, room: str, text: str, mentions: Sequence[Mention]) -> None:
        if self._watcher:
            await self._watcher.said(self._clock.now(), room, text, [mention.name for mention in mentions])

    async def _on_file(self, room: str, path: Path) -> None:
        if self._watcher:
            await self._watcher.file(self._clock.now(), room, path.name)

    async def _settle(self) -> None:
        """Understand what came, say what follows from it at once."""
        await self._worker.drain()
        if self._gate.is_open:
            self._database.write_now(self._say_prompts)
        await self._sender.drain()

    def _say_prompts(self, session: Session) -> None:
        registry.say_prompts(session, self._knowledge.context(session), now=self._clock.now())

    def _break(self, line: Line) -> None:
        self._gate.disconnect()
        kind = BREAKS[line.kind]
        self._database.write_now(
            lambda session: meta.start_outage(session, kind=kind, account=self._channel.name, at=line.at)
        )

    async def _return(self, line: Line) -> None:
        """The backlog came with this instant; it is taken first, then the ladder speaks."""
        if line.kind == "restart":
            self._start_process()
            await self._sender.recover()
        self._database.write_now(lambda session: meta.end_outage(session, account=self._channel.name, at=line.at))
        self._gate.connect(self._clock.now())
        backlog = [self._inbound(each) for each in self._backlog_of(line)]
        self._database.write_now(lambda session: self._receiver.store_in(session, backlog))
        await self._worker.drain()
        await self._scheduler.tick()
        await self._sender.drain()

    def _backlog_of(self, back: Line) -> list[Line]:
        return backlogs(self._lines).get(back.number, [])

    def _call_back(self, session: Session, line: Line) -> None:
        told = line.data
        call_back(
            session, self._knowledge.context(session), order_no=told["order_no"], at=line.at,
            contacted=told["contacted"], resolved=told["resolved"],
            satisfaction=Satisfaction(told["satisfaction"]) if told.get("satisfaction") else None, source="transcript",
            now=self._clock.now(),
        )  # fmt: skip

    # ---- messages ----------------------------------------------------------------------------------------------------

    def _inbound(self, line: Line) -> InboundMessage:
        told = line.data
        recall = line.kind == "recall"
        bot_name = self._settings.base.bot_name
        mentions = tuple(told.get("mentions") or ())
        file = told.get("file")
        return InboundMessage(
            room_id=told["room"],
            message_id=f"recall:{told['id']}:{line.number}" if recall else told["id"],
            sender_id=told.get("sender_id") or "",
            sender_name=told.get("sender") or "",
            type=MessageType.RECALL if recall else MessageType(told.get("type", "text")),
            text=told.get("text") or "",
            sent_at=line.at,
            received_at=self._clock.now(),
            mentions=mentions,
            mentions_bot=bot_name in mentions,
            quote=self._quote(told) if told.get("quote") else None,
            file=self._folder / file if file else None,
            file_name=Path(file).name if file else None,
            recalls=told["id"] if recall else None,
            is_self=told.get("sender") == bot_name,
        )

    def _quote(self, told: dict[str, object]) -> QuoteRef:
        quote = told["quote"]
        assert isinstance(quote, dict)
        if "prompt_of" in quote:
            return self._database.read_now(
                lambda session: self._prompt_of(session, str(told["room"]), quote["prompt_of"])
            )
        return QuoteRef(quote.get("id"), quote.get("sender") or "", quote.get("text") or "")

    def _prompt_of(self, session: Session, room: str, message_id: str) -> QuoteRef:
        """The bot's latest message in the room about the ticket that was made of a message."""
        bot_name = self._settings.base.bot_name
        made = tickets.made_of(session, message_id, room)
        room_id = {r.topic: r.id for r in people.rooms(session)}.get(room)
        said = outbox.last_about(session, room_id, made.no) if made and room_id else None
        if said is None:
            source = inbox.find(session, channel=self._channel.name, channel_room_id=room, message_id=message_id)
            text = source.text if isinstance(source, InboxMessage) else ""
            return QuoteRef(message_id if source else None, source.sender_name if source else bot_name, text)
        return QuoteRef(said.message_id, bot_name, said.text)


# ---- when the bot learns of a line -----------------------------------------------------------------------------------


def _intervals(lines: Sequence[Line]) -> list[tuple[Line, Line | None]]:
    """The breaks of a transcript: from offline or crash to the next online or restart."""
    breaks: list[tuple[Line, Line | None]] = []
    opened: Line | None = None
    for line in lines:
        if line.kind in BREAKS and opened is None:
            opened = line
        elif line.kind in RETURNS and opened is not None:
            breaks.append((opened, line))
            opened = None
    if opened is not None:
        breaks.append((opened, None))
    return breaks


def _is_in(line: Line, start: Line, end: Line | None) -> bool:
    """Whether a line reaches the bot only with the end of this break."""
    received = line.received_at
    after_start = received > start.at or (received == start.at and line.number > start.number)
    before_end = end is None or received < end.at or (received == end.at and line.number < end.number)
    return after_start and before_end


def backlogs(lines: Sequence[Line]) -> dict[int, list[Line]]:
    """The messages that arrive with each return, in order of their own times; keyed by the return's line number."""
    found: dict[int, list[Line]] = {}
    for start, end in _intervals(lines):
        if end is None:
            continue
        missed = [line for line in lines if line.kind in ("message", "recall") and _is_in(line, start, end)]
        found[end.number] = sorted(missed, key=lambda line: (line.at, line.number))
    return found


def arrivals(lines: Sequence[Line]) -> list[Arrival]:
    """Every line that the bot learns of by itself, in that order; messages of a break come with its end."""
    breaks = _intervals(lines)
    seen = [
        Arrival(line.at if line.kind in (*BREAKS, *RETURNS) else line.received_at, line)
        for line in lines
        if not (line.kind in ("message", "recall") and any(_is_in(line, start, end) for start, end in breaks))
    ]
    return sorted(seen, key=lambda arrival: (arrival.at, arrival.line.number))
