"""Groups of 企业微信: what people tell the 智能机器人 comes in by its callback, what the bot says goes out by webhooks.

There is no connection to lose. "Online" means that the callback listens and the service can be reached; where the public
address of the callback is known, that a question sent there comes back answered. docs/wework.md: why, and what cannot be.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from bot.channels import wework_files, wework_messages
from bot.channels.base import (
    Alive,
    ChannelEvent,
    ConnectionState,
    Mention,
    PermanentError,
    RoomInfo,
    RoomsChanged,
    StateChange,
    TemporaryError,
)
from bot.channels.wechaty_files import FileProblem
from bot.channels.wechaty_text import storable
from bot.channels.wework_callback import Door, NotKept, NotUnderstood
from bot.channels.wework_crypto import Seal
from bot.channels.wework_messages import Callback, Part
from bot.channels.wework_webhook import API, MOST_TEXT_BYTES, Webhooks
from bot.clock import Clock
from bot.serving import Server, listen

log = logging.getLogger(__name__)
KEEP_SECONDS = 4.0  # to store a message, of the five that 企业微信 waits
LOOK_EVERY = 20.0  # seconds
LOOKS_THAT_FAIL = 2  # in a row, before we count as offline
LISTEN_AGAIN = 5.0  # seconds, while the port is taken
ANSWER_FOR = 3500.0  # seconds in which a private message may be answered; the documents say an hour
REMEMBERED = 1000  # callbacks told again are not fetched again; private messages that may be answered
HTTP_SECONDS = 10.0

Serve = Callable[[Starlette, Callable[[], None]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class WeworkRoom:
    """A group. `chat_id` is "" while nobody knows it: then the bot speaks there and hears nothing. `key` is secret."""

    topic: str
    chat_id: str
    key: str

    @property
    def room_id(self) -> str:
        return self.chat_id or f"topic:{self.topic}"


class WeworkChannel:
    """One robot. `events()` may be read once; sends may be made while it is being read.

    `unknown_chat` gives the words for a group that is in no list, from its chatid. `public_url` is the callback's address
    as 企业微信 calls it, "" where it cannot be looked at from here. `serve` and `http` are for tests.
    """

    def __init__(
        self,
        *,
        name: str,
        seal: Seal,
        rooms: Sequence[WeworkRoom],
        bot_name: str,
        files_dir: Path,
        clock: Clock,
        host: str,
        port: int,
        path: str,
        public_url: str,
        unknown_chat: Callable[[str], str],
        http: httpx.AsyncClient | None = None,
        serve: Serve | None = None,
    ) -> None:
        self.name = name
        self._seal = seal
        self._rooms = tuple(rooms)
        self._keys = {room.room_id: room.key for room in rooms}
        self._bot_name = bot_name
        self._files_dir = files_dir
        self._clock = clock
        self._address = (host, port)
        self._public_url = public_url
        self._unknown_chat = unknown_chat
        self._http = http or httpx.AsyncClient(timeout=HTTP_SECONDS)
        self._webhooks = Webhooks(self._http, clock)
        self._door = Door(seal, clock, path, self._take)
        self._serve = serve or self._serve_http
        self._out: asyncio.Queue[ChannelEvent] = asyncio.Queue()
        self._kept: dict[tuple[str, str], asyncio.Future[None]] = {}  # by chat and message id
        self._answers: dict[str, tuple[str, float]] = {}  # by userid: where to answer, until when
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening = asyncio.Event()
        self._reading = self._online = False
        self._told = ""  # why we are offline, as last told

    # -- whether it works

    async def events(self) -> AsyncIterator[ChannelEvent]:
        """Everything that happens, in order, for ever; ends only after `close`."""
        if self._reading:
            raise RuntimeError("events() of a channel can be read once")
        self._reading = True
        self._out.put_nowait(RoomsChanged(tuple(RoomInfo(room.room_id, room.topic) for room in self._rooms)))
        self._start(self._keep_serving())
        self._start(self._keep_looking())
        try:
            while True:
                yield await self._out.get()
        finally:
            await self.close()

    async def close(self) -> None:
        """Stop listening. Safe to call twice."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_serving(self) -> None:
        while True:
            try:
                await self._serve(self._door.app, self._listening.set)
            except OSError as error:
                log.error("wework.cannot_listen", extra={"port": self._address[1], "reason": error.strerror})
                self._offline(f"WEWORK_PORT {self._address[1]}: {error.strerror}")
            self._listening.clear()
            await self._clock.sleep(LISTEN_AGAIN)

    async def _serve_http(self, app: Starlette, ready: Callable[[], None]) -> None:
        opened = listen(*self._address)
        server = Server(app, *self._address)
        serving = asyncio.create_task(server.serve(sockets=[opened]))
        ready()
        try:
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            with contextlib.suppress(Exception):
                await serving
            opened.close()

    async def _keep_looking(self) -> None:
        failures = 0
        while True:
            await self._listening.wait()
            wrong = await self.look()
            failures = failures + 1 if wrong else 0
            if not wrong and self._online:
                self._out.put_nowait(Alive(self._clock.now()))
            elif not wrong:
                self._online, self._told = True, ""
                self._out.put_nowait(StateChange(ConnectionState.ONLINE, self._clock.now(), account=self._bot_name))
            elif not self._online or failures >= LOOKS_THAT_FAIL:
                self._offline(wrong)
            await self._clock.sleep(LOOK_EVERY)

    async def look(self) -> str:
        """What is wrong with the way out, and with the way in where it can be looked at; "" if nothing is."""
        if wrong := await self._webhooks.reachable():
            return wrong
        if not self._public_url:
            return ""
        parameters, wanted = self._door.question()
        try:
            answer = await self._http.get(self._public_url, params=parameters)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"WEWORK_PUBLIC_URL cannot be reached: {type(error).__name__}"
        if answer.status_code == httpx.codes.OK and answer.text == wanted:
            return ""
        return f"WEWORK_PUBLIC_URL does not lead to this bot (HTTP {answer.status_code})"

    def _offline(self, reason: str) -> None:
        """Told once per outage and reason."""
        self._online = False
        if reason != self._told:
            self._told = reason
            log.warning("wework.offline", extra={"channel": self.name, "reason": reason})
            self._out.put_nowait(StateChange(ConnectionState.OFFLINE, self._clock.now(), reason))

    # -- what the people say

    async def _take(self, body: object, timestamp: int) -> str | None:
        """Hand a callback on and wait until it is stored. Its timestamp is the only time that 企业微信 gives."""
        now = self._clock.now()
        told = wework_messages.read(
            body, bot_name=self._bot_name, sent_at=datetime.fromtimestamp(timestamp, UTC), received_at=now
        )
        if told is None:
            raise NotUnderstood
        if not told.parts:
            return None
        if not told.chat_id and told.answer_at.startswith(f"{API}/"):
            self._answers[told.user_id] = (told.answer_at, self._clock.monotonic() + ANSWER_FOR)
            _forget_oldest(self._answers)
        kept = self._kept.get((told.chat_id, told.message_id)) or self._hand_on(told)
        try:
            await asyncio.wait_for(asyncio.shield(kept), KEEP_SECONDS)
        except TimeoutError:
            raise NotKept from None
        unknown = told.chat_id and told.chat_id not in self._keys
        return self._unknown_chat(told.chat_id) if unknown else None

    def _hand_on(self, told: Callback) -> asyncio.Future[None]:
        """The words at once; pictures follow as messages of their own when they are fetched, as people send them."""
        kept = self._kept[told.chat_id, told.message_id] = asyncio.get_running_loop().create_future()
        _forget_oldest(self._kept)

        def done() -> None:
            if not kept.done():
                kept.set_result(None)

        first = replace(told.parts[0], message=replace(told.parts[0].message, kept=done))
        waiting = [first, *told.parts[1:]]
        if first.file_url is None:
            self._out.put_nowait(first.message)
            waiting.pop(0)
        if waiting:
            self._start(self._fetch(waiting))
        return kept

    async def _fetch(self, parts: Sequence[Part]) -> None:
        for part in parts:
            message = part.message
            try:
                got = await wework_files.fetch(self._http, part.file_url or "", self._seal, self._files_dir)
                message = replace(message, file=got.path, file_name=got.name)
            except FileProblem as problem:
                log.warning("wework.no_file", extra={"message_id": message.message_id, "reason": str(problem)})
                message = replace(message, file_problem=str(problem))
            self._out.put_nowait(message)

    # -- what we say

    async def send_text(self, to: str, text: str, mentions: Sequence[Mention] = ()) -> str | None:
        """A push has no id. Whoever has a userid is @-ed by 企业微信; the others are named at the end."""
        text = storable(text)
        if not text.strip():
            raise PermanentError("the text is empty")
        key = self._keys.get(to)
        if key is None:
            await self._answer(to, text)
            return None
        userids = list(dict.fromkeys(mention.contact_id for mention in mentions if mention.contact_id))
        names = [storable(mention.name) for mention in mentions if not mention.contact_id]
        await self._webhooks.text(key, _with_names(text, names), userids)
        return None

    async def _answer(self, to: str, text: str) -> None:
        """A private message can only be answered, once and soon."""
        url, until = self._answers.pop(to, ("", 0.0))
        if not url or self._clock.monotonic() > until:
            raise PermanentError("no webhook for this group in WEWORK_ROOMS_FILE; a private chat can only be answered")
        try:
            await self._webhooks.respond(url, text)
        except TemporaryError:
            self._answers[to] = (url, until)
            raise

    async def send_file(self, to: str, path: Path) -> str | None:
        key = self._keys.get(to)
        if key is None:
            raise PermanentError("no webhook for this group in WEWORK_ROOMS_FILE")
        await self._webhooks.file(key, path)
        return None


def _with_names(text: str, names: Sequence[str]) -> str:
    """The names at the end, so that a quote of this message begins as the message does; as many as 企业微信 takes."""
    for number, name in enumerate(name for name in dict.fromkeys(names) if name and f"@{name}" not in text):
        longer = f"{text}{' ' if number else chr(10)}@{name}"
        if len(longer.encode()) > MOST_TEXT_BYTES:
            break
        text = longer
    return text


def _forget_oldest(known: dict[Any, Any]) -> None:
    while len(known) > REMEMBERED:
        del known[next(iter(known))]
