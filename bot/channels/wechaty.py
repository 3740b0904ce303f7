"""WeChat groups through a Wechaty gateway: one connection kept for ever, its events in order, and sending.

A thin client of our own over the `wechaty_grpc` stubs; docs/adr/0002 says why. It never calls Stop, which logs some
accounts out, and Logout only for an operator.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from bot.channels.base import (
    Alive,
    ChannelEvent,
    ConnectionState,
    Mention,
    PermanentError,
    RoomsChanged,
    StateChange,
    TemporaryError,
)
from bot.channels.wechaty_connection import Clock, Connection
from bot.channels.wechaty_ding import Dings
from bot.channels.wechaty_events import Event, EventKind, kind_of, scan_detail
from bot.channels.wechaty_files import box
from bot.channels.wechaty_inflow import Inflow, Place
from bot.channels.wechaty_link import CALL_ERRORS, Timing, describe, parse_endpoint, probe, redact, send_error
from bot.channels.wechaty_messages import MessageReader
from bot.channels.wechaty_names import Names, Rooms
from bot.channels.wechaty_payloads import read_event
from bot.channels.wechaty_text import storable, with_mentions
from bot.channels.wechaty_tls import TlsConfig, make_context
from bot.channels.wechaty_watch import CONNECT_GREETING

__all__ = ["Timing", "TlsConfig", "WechatyChannel", "probe"]

log = logging.getLogger(__name__)

_ROOMS = RoomsChanged(())  # stands in the order for "the rooms as they are known when this is handed on"


class WechatyChannel:
    """One account. `events()` may be read once; sends may be made while it is being read.

    `bot_names`: names under which people may @ the bot besides its nickname in each group. `files_dir` is created.
    ValueError if endpoint, token or CA cannot be used.
    """

    def __init__(
        self,
        *,
        name: str,
        endpoint: str,
        token: str,
        files_dir: Path,
        clock: Clock,
        tls: TlsConfig | None = None,
        bot_names: Sequence[str] = (),
        timing: Timing | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.account = ""  # the bot's own contact id, once logged in
        if tls is not None:
            make_context(tls)  # a CA that cannot be read is told now, not at each reconnect
        self._clock = clock
        self._timing = timing or Timing()
        self._token = token.strip()
        self._connection = Connection(parse_endpoint(endpoint, token, tls), self._timing, clock, jitter)
        self._logged_out = False
        self._online = False
        self._inflow = Inflow()
        self._reading = False
        self._tasks: list[asyncio.Task[None]] = []
        self._dings = Dings()
        self._heard = 0  # words and signs of life so far
        self._told = ""  # why we are offline, as last told
        self._rooms_told: RoomsChanged | None = None
        self._rooms_known = asyncio.Event()  # after a login: its list of rooms has been read
        self._names = Names(self._connection.stub, deadline=self._timing.name, live=self._timing.names_live)
        self._rooms = Rooms(self._connection.stub, deadline=self._timing.rooms)
        self._reader = MessageReader(
            stub=self._connection.stub_when_up,
            account=lambda: self.account,
            names=self._names,
            bot_names=bot_names,
            files_dir=files_dir,
            token=self._token,
            pause=clock.sleep,
            timing=self._timing,
        )

    # -- the connection

    async def events(self) -> AsyncIterator[ChannelEvent]:
        """Everything that happens, in order, for ever; ends only after `close`."""
        if self._reading:
            raise RuntimeError("events() of a channel can be read once")
        self._reading = True
        trouble = partial(self._tell, ConnectionState.ERROR)
        self._tasks = [
            asyncio.create_task(self._connection.keep(self._on_event, self._lost, trouble)),
            asyncio.create_task(self._keep_rooms_fresh()),
            asyncio.create_task(self._keep_trying()),
        ]
        try:
            while (event := await self._inflow.get()) is not None:
                if event is _ROOMS:
                    event = RoomsChanged(self._rooms.all())
                    if event == self._rooms_told:
                        continue
                    self._rooms_told = event
                yield event
        finally:
            await self.close()

    async def close(self) -> None:
        """Stop reading and drop the connection; the account stays logged in. Safe to call twice."""
        self._connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._inflow.close()
        await self._names.close()

    def _lost(self, reason: str) -> None:
        """Told once per outage and reason, not at each try."""
        self._online = False
        if reason != self._told:
            self._told = reason
            log.warning("wechaty.disconnected", extra={"channel": self.name, "reason": reason})
            self._tell(ConnectionState.OFFLINE, reason)

    def _tell(self, state: ConnectionState, detail: str = "") -> None:
        self._inflow.tell(StateChange(state, self._clock.now(), detail, self.account))

    # -- what the gateway tells

    async def _on_event(self, response: Any) -> None:
        kind, event, now = kind_of(response), read_event(response.payload), self._clock.now()
        match kind:
            case EventKind.MESSAGE:
                message_id = event.text("messageId", "data")
                if not self._online and not self._logged_out:
                    self._now_online()  # a gateway that repeats no login to a new stream
                self._heard += 1
                if message_id:
                    await self._inflow.add(lambda place: self._message(place, message_id, now))
            case EventKind.LOGIN:
                self._logged_in(event)
                await self._inflow.add(self._read_rooms)
            case EventKind.LOGOUT:
                self._logged_out, self._online = True, False
                self._tell(ConnectionState.OFFLINE, self._safe(f"logged out {event.words}"))
            case EventKind.SCAN:
                self._logged_out, self._online = True, False
                self._tell(ConnectionState.SCAN, self._safe(scan_detail(event)))
            case EventKind.ERROR:
                log.warning("wechaty.gateway_error", extra={"channel": self.name})
                self._tell(ConnectionState.ERROR, self._safe(event.words))
            case EventKind.READY if self.account:
                await self._inflow.add(self._read_rooms)  # some puppets know their rooms only now
            case EventKind.ROOM_JOIN | EventKind.ROOM_LEAVE | EventKind.ROOM_TOPIC:
                room_id, topic = event.text("roomId"), event.text("newTopic", "topic")
                if room_id:
                    self._names.forget(room_id)
                    await self._inflow.add(lambda _: self._room_changed(kind, room_id, topic))
            case EventKind.DIRTY:
                self._names.forget(event.text("payloadId", "id"))
            case EventKind.DONG:
                self._dings.answered(event.words)
                self._alive(now)
            case EventKind.HEARTBEAT if event.words != CONNECT_GREETING:
                self._alive(now)

    def _alive(self, now: datetime) -> None:
        """A sign of life of the puppet. While its account is logged out it is none of the way to the groups."""
        self._heard += 1
        if self._online:
            self._inflow.tell(Alive(now))

    async def _keep_trying(self) -> None:
        """Nobody may speak for hours of a night, and some puppets send no heartbeat: then the way is tried."""
        while True:
            heard = self._heard
            await self._clock.sleep(self._timing.try_every)
            if self._online and self._heard == heard:
                try:
                    await self.ding()
                except TemporaryError as error:
                    log.warning("wechaty.no_answer", extra={"channel": self.name, "reason": str(error)})

    def _safe(self, words: str) -> str:
        return redact(words, self._token)

    def _logged_in(self, event: Event) -> None:
        account = event.text("contactId", "id", "data")
        if account != self.account:
            self._rooms_told = None  # another account, or wechat4u's new ids
        self.account, self._logged_out = account, False
        self._rooms_known.clear()
        log.info("wechaty.logged_in", extra={"channel": self.name, "account": account})
        self._now_online()

    def _now_online(self) -> None:
        self._online, self._told = True, ""
        self._tell(ConnectionState.ONLINE)

    async def _message(self, place: Place, message_id: str, received_at: datetime) -> Sequence[ChannelEvent]:
        def hold(room_id: str) -> None:
            place.lane = room_id

        events = await self._reader.read(message_id, received_at, hold)
        room_id = getattr(events[-1], "room_id", "")
        if room_id and self._rooms_known.is_set() and room_id not in self._rooms:
            await self._rooms.read(room_id)  # a room that was silent until now is in no list of some puppets
            return [_ROOMS, *events]
        return events

    async def _read_rooms(self, place: Place) -> Sequence[ChannelEvent]:
        del place
        came = await self._rooms.read_all()
        self._rooms_known.set()
        return [_ROOMS] if came else []

    async def _room_changed(self, kind: EventKind, room_id: str, topic: str) -> Sequence[ChannelEvent]:
        """The event's own topic is newer than the gateway's cache."""
        if kind is EventKind.ROOM_TOPIC and topic:
            self._rooms.renamed(room_id, topic)
        elif kind is EventKind.ROOM_LEAVE:
            await self._rooms.read_all()
        else:
            await self._rooms.read(room_id)
        return [_ROOMS]

    async def _keep_rooms_fresh(self) -> None:
        """For puppets that tell of no rename; an unchanged list is not handed on again."""
        while True:
            await self._clock.sleep(self._timing.rooms_every)
            if self._online and self._rooms_known.is_set():
                await self._inflow.add(self._read_rooms)

    # -- what we say

    async def send_text(self, to: str, text: str, mentions: Sequence[Mention] = ()) -> str | None:
        body = with_mentions(storable(text), [storable(mention.name) for mention in mentions])
        if not body.strip():
            raise PermanentError("the text is empty")
        ids = list(dict.fromkeys(mention.contact_id for mention in mentions if mention.contact_id))
        return await self._send(
            lambda stub: stub.message_send_text(conversation_id=to, text=body, mentonal_ids=ids), to
        )

    async def send_file(self, to: str, path: Path) -> str | None:
        filebox = await asyncio.to_thread(box, path)
        return await self._send(lambda stub: stub.message_send_file(conversation_id=to, filebox=filebox), to)

    async def _send(self, call: Callable[[Any], Awaitable[Any]], to: str) -> str | None:
        stub = self._connection.stub(self._timing.send)
        if stub is None:
            raise TemporaryError("the gateway is not connected")
        if self._logged_out:
            raise TemporaryError("the account is not logged in")
        try:
            response = await call(stub)
        except CALL_ERRORS as error:
            failure = send_error(error, self._token)
            reason = {"room_id": to, "outcome": type(failure).__name__}
            log.warning("wechaty.send_failed", extra=reason)
            raise failure from None  # the cause may hold the token
        return response.id or None

    async def ding(self) -> float:
        """Round trip to the puppet and back through the event stream, in seconds; TemporaryError without an answer."""
        stub = self._connection.stub(self._timing.ding)
        if stub is None:
            raise TemporaryError("the gateway is not connected")
        try:
            return await self._dings.ask(stub, self._timing.ding)
        except CALL_ERRORS as error:
            raise TemporaryError(f"ding: {describe(error, self._token)}") from None

    async def logout(self) -> None:
        """Log the account out of WeChat. Only for an operator's command: coming back needs a scan."""
        stub = self._connection.stub(self._timing.start)
        if stub is None:
            raise TemporaryError("the gateway is not connected")
        try:
            await stub.logout()
        except CALL_ERRORS as error:
            raise TemporaryError(f"logout: {describe(error, self._token)}") from None
