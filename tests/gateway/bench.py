"""The test bench: the real Node gateway over a mock puppet, its world of rooms and people, and what it was asked to do.

One `GatewayBench` is one account. The world (rooms, members, group nicknames) is kept here and handed to each new
process, so that it survives `kill` and `start`; messages do not, as in life. What the bot asked to send and every
RPC is read from the gateway's journal file, which works while the process is frozen or dead.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.log_watch import secret

HERE = Path(__file__).parent
TOKEN = secret("bench_5b0c7e61-0000-4000-8000-00000000feed")  # of this bench only
POLL_SECONDS = 0.02
REPLY_LIMIT_BYTES = 16 * 2**20

# wechaty-puppet's own numbers, which are what travels in `type`
TYPES = {
    "unknown": 0, "file": 1, "audio": 2, "contact": 3, "chat_history": 4, "emoticon": 5, "image": 6, "text": 7,
    "location": 8, "mini_program": 9, "note": 10, "transfer": 11, "red_envelope": 12, "recall": 13, "url": 14,
    "video": 15, "post": 16,
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """`alias` is the group nickname, "" where none is set."""

    id: str
    name: str
    alias: str = ""


@dataclass(frozen=True)
class Room:
    id: str
    topic: str
    members: tuple[Person, ...] = ()


@dataclass(frozen=True)
class Sent:
    """One thing the bot asked the gateway to send; `room` is the topic, or the id of an unknown room."""

    to: str
    room: str
    text: str = ""
    mentions: tuple[str, ...] = ()
    file: str | None = None
    size: int = 0
    at_ms: int = 0


@dataclass
class Tls:
    """PEM texts for the gateway, and where the client finds the CA."""

    cert: str
    key: str
    ca: Path


BOT = Person("bot", "派单助手")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def pause(seconds: float) -> None:
    """Let the loop run; only for `until`, which has a deadline."""
    loop = asyncio.get_running_loop()
    woken = loop.create_future()
    timer = loop.call_later(seconds, woken.cancel)
    try:
        await asyncio.wait({woken})
    finally:
        timer.cancel()


async def until(what: Callable[[], Any | Awaitable[Any]], seconds: float = 10, why: str = "") -> Any:
    """The first true result of `what`, asked every 20 ms; AssertionError after `seconds`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        result = what()
        if asyncio.iscoroutine(result):
            result = await result
        if result:
            return result
        if loop.time() > end:
            raise AssertionError(f"not within {seconds} s: {why or what}")
        await pause(POLL_SECONDS)


@dataclass
class GatewayBench:
    """Start it, add rooms, emit messages, look at what was sent.

    Rooms and people are named by topic or id, and by nickname, name or id; each unknown one is a KeyError.
    """

    home: Path
    tls: Tls | None = None
    token: str = TOKEN
    auto_login: bool = True
    bot: Person = BOT
    rooms: list[Room] = field(default_factory=list)
    grpc_port: int = field(default_factory=free_port)
    control_port: int = field(default_factory=free_port)
    pid: int | None = None

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self._journal = self.home / "journal.jsonl"
        self._journal.touch()
        self._from = 0  # where this test's part of the journal begins
        self._ids = itertools.count(1)
        # not asyncio's: the process outlives the event loop of one test
        self._process: subprocess.Popen[bytes] | None = None
        self.generation = 0

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    # -- the process

    async def start(self, seconds: float = 30) -> None:
        """Start the gateway on the same ports as before and wait until it answers."""
        config = self.home / "config.json"
        config.write_text(json.dumps(self._config()), encoding="utf-8")
        (self.home / "tmp").mkdir(exist_ok=True)  # file-box leaves a directory per process behind
        with (self.home / "gateway.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["env", f"TMPDIR={self.home / 'tmp'}", "WECHATY_LOG=error", "node", "gateway.mjs", str(config)],
                cwd=HERE, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.pid = self._process.pid
        await until(self._answers, seconds, f"gateway up; see {self.home / 'gateway.log'}")

    def _config(self) -> dict[str, Any]:
        return {
            "grpcPort": self.grpc_port,
            "controlPort": self.control_port,
            "token": self.token,
            "journal": str(self._journal),
            "tls": {"cert": self.tls.cert, "key": self.tls.key} if self.tls else None,
            "autoLogin": self.auto_login,
            "world": self._world(),
        }

    def _world(self) -> dict[str, Any]:
        return {"bot": asdict(self.bot), "rooms": [asdict(room) for room in self.rooms]}

    async def _answers(self) -> bool:
        process = self._process
        if process is None or process.poll() is not None:
            raise AssertionError(f"the gateway ended: {(self.home / 'gateway.log').read_text()[-2000:]}")
        try:
            return bool(await self.control("ping") == self.pid)
        except OSError:
            return False

    def kill(self) -> None:
        """kill -9 of the process this bench started; a second call does nothing."""
        process, self._process, self.pid = self._process, None, None
        if process is not None:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, which: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(which)

    async def control(self, op: str, *, seconds: float = 10, **args: Any) -> Any:
        """Ask the control port; OSError when the process is away, TimeoutError when it is frozen."""
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.control_port, limit=REPLY_LIMIT_BYTES)
            try:
                writer.write(json.dumps({"op": op, **args}).encode() + b"\n")
                await writer.drain()
                line = await reader.readline()
            finally:
                writer.close()
                await writer.wait_closed()
        if not line:
            raise ConnectionResetError("the gateway closed its control port")
        reply = json.loads(line)
        if "error" in reply:
            raise AssertionError(reply["error"])
        return reply["ok"]

    async def reset(self) -> None:
        """A clean world for the next test, without rooms and messages; starts the process if it is away."""
        self.rooms.clear()
        self.bot, self.auto_login = BOT, True
        self.generation += 1
        if self._process is None or self._process.poll() is not None:
            await self.start()
        else:
            await self.control("reset", world=self._world())
        self._from = self._journal.stat().st_size

    # -- the world

    async def add_rooms(self, topics: Iterable[str], members: Iterable[Person] = ()) -> list[Room]:
        """One room per topic, all with these members (and the bot)."""
        people = tuple(members)
        made = [
            Room(f"{self.generation}-{len(self.rooms) + i:03d}@chatroom", topic, people)
            for i, topic in enumerate(topics, 1)
        ]
        self.rooms.extend(made)
        if self._process is not None:
            await self.control("rooms", rooms=[asdict(room) for room in made])
        return made

    async def add_room(self, topic: str, members: Iterable[Person] = ()) -> Room:
        return (await self.add_rooms([topic], members))[0]

    async def rename(self, room: str, topic: str, *, silent: bool = False) -> None:
        """`silent`: the gateway sends no room-topic event."""
        known = self._room(room)
        self.rooms[self.rooms.index(known)] = Room(known.id, topic, known.members)
        await self.control("topic", id=known.id, topic=topic, silent=silent)

    def _room(self, room: str) -> Room:
        for known in self.rooms:
            if room in (known.id, known.topic):
                return known
        raise KeyError(room)

    def _person(self, room: Room | None, sender: str) -> str:
        people = [*(room.members if room else [m for r in self.rooms for m in r.members]), self.bot]
        for person in people:
            if sender in (person.id, person.name, person.alias):
                return person.id
        raise KeyError(sender)

    # -- what happens in the groups

    async def emit(
        self,
        *,
        room: str = "",
        sender: str = "",
        text: str = "",
        type: str | int = "text",
        id: str | None = None,
        at: datetime | None = None,
        mentions: Iterable[str] = (),
        times: int = 1,
        **extra: Any,
    ) -> str:
        """A message, its id given back. `sender` "" is WeChat itself; `times` repeats the event, not the message."""
        message = self.message(
            room=room, sender=sender, text=text, type=type, id=id, at=at, mentions=mentions, times=times, **extra
        )
        await self.control("emit", messages=[message])
        return str(message["id"])

    async def emit_many(self, messages: list[dict[str, Any]]) -> None:
        """Messages made by `message`, in one go."""
        await self.control("emit", messages=messages)

    def message(
        self,
        *,
        room: str = "",
        sender: str = "",
        text: str = "",
        type: str | int = "text",
        id: str | None = None,
        at: datetime | None = None,
        mentions: Iterable[str] = (),
        times: int = 1,
        **extra: Any,
    ) -> dict[str, Any]:
        place = self._room(room) if room else None
        message = {
            "id": id or f"m{self.generation}-{next(self._ids)}",
            "roomId": place.id if place else "",
            "talkerId": self._person(place, sender) if sender else "",
            "text": text,
            "type": TYPES[type] if isinstance(type, str) else type,
            "mentionIdList": [self._person(place, who) for who in mentions],
            "times": times,
            **extra,
        }
        if at is not None:
            message["timestamp"] = int(at.timestamp() * 1000)
        return message

    async def picture(
        self,
        *,
        room: str,
        sender: str,
        name: str = "现场.jpg",
        content: bytes | None = None,
        size: int = 1024,
        kind: str = "buffer",
        type: str = "image",
        **extra: Any,
    ) -> str:
        """A picture or a file. `kind`: buffer, stream, missing (the CDN refuses), stalled (no byte ever comes)."""
        file = {"name": name, "kind": kind, "size": size}
        if content is not None:
            file["base64"] = base64.b64encode(content).decode()
        return await self.emit(
            room=room, sender=sender, type=type, text='<msg><img length="1"/></msg>', filename=name, file=file, **extra
        )

    async def recall(self, message_id: str, *, room: str, sender: str) -> str:
        """The sender withdraws a message, in the XML of wechat4u and padlocal."""
        text = (
            '<sysmsg type="revokemsg"><revokemsg><session>s</session>'
            f"<msgid>{message_id}</msgid><newmsgid>{message_id}</newmsgid>"
            '<replacemsg><![CDATA["张三" 撤回了一条消息]]></replacemsg></revokemsg></sysmsg>'
        )
        return await self.emit(room=room, sender=sender, type="recall", text=text)

    async def event(self, name: str, payload: Any) -> None:
        """Any puppet event: error, heartbeat, scan, room-join, dong..."""
        await self.control("event", name=name, payload=payload)

    async def login(self) -> None:
        await self.control("login")

    async def logout(self) -> None:
        await self.control("logout")

    async def lose(self, message_id: str, times: int = 1_000) -> None:
        """The next `times` payload calls for this id fail."""
        await self.control("lose", id=message_id, times=times)

    async def payload_latency(self, most_ms: int) -> None:
        await self.control("knobs", payloadMs=most_ms)

    async def sending(self, mode: str, *, error: str | None = None, times: int | None = None) -> None:
        """How the next `times` sends go: ok, no_id, fail (with `error`, nothing sent), swallow (not sent, no answer),
        late (sent, no answer)."""
        values = {"mode": mode, "error": error, "times": times}
        await self.control("knobs", sending={k: v for k, v in values.items() if v is not None})

    # -- what the bot did

    def _entries(self) -> list[dict[str, Any]]:
        with self._journal.open("rb") as lines:
            lines.seek(self._from)
            return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def journal(self) -> list[dict[str, Any]]:
        """All that was written down of this test: `at` in milliseconds, and one of `rpc`, `came`, `handed`, `sent`."""
        return self._entries()

    def counts(self) -> Counter[str]:
        """RPCs of this test by name, such as `start`, `messagePayload`."""
        return Counter(entry["rpc"] for entry in self._entries() if "rpc" in entry)

    def sent(self) -> list[Sent]:
        """What the bot asked to send in this test, in order; whether or not it was told that it worked."""
        topics = {room.id: room.topic for room in self.rooms}
        return [
            Sent(
                to=s["to"], room=topics.get(s["to"], s["to"]), text=s.get("text", ""), file=s.get("file"),
                mentions=tuple(s.get("mentions", ())), size=s.get("size", 0), at_ms=entry["at"],
            )
            for entry in self._entries() if (s := entry.get("sent"))
        ]  # fmt: skip

    async def wait_sent(self, predicate: Callable[[Sent], bool], seconds: float = 10) -> Sent:
        """The first thing sent for which `predicate` holds; AssertionError after `seconds`."""

        def found() -> Sent | None:
            return next((one for one in self.sent() if predicate(one)), None)

        try:
            return await until(found, seconds)  # type: ignore[no-any-return]
        except AssertionError:
            raise AssertionError(f"not sent within {seconds} s; sent were {self.sent()}") from None
