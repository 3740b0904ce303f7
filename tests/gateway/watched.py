"""A channel under test, read in the background, with waits that have a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.channels.base import ChannelEvent, ConnectionState, InboundMessage, RoomsChanged, StateChange
from bot.channels.wechaty import Timing, TlsConfig, WechatyChannel
from tests.gateway.bench import GatewayBench, pause, until

# A frozen gateway is noticed in about two seconds instead of fifteen.
FAST = Timing(ping_every=1.0, ping_answer=1.0, greeting=1.0, send=3.0, payload=3.0, file=4.0, ding=5.0)


class HostClock:
    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the gateway's stamps are of the host's clock

    async def sleep(self, seconds: float) -> None:
        await pause(seconds)


@dataclass
class Watched:
    channel: WechatyChannel
    events: list[ChannelEvent] = field(default_factory=list)
    closing: bool = False

    async def close(self) -> None:
        self.closing = True
        await self.channel.close()

    @property
    def messages(self) -> list[InboundMessage]:
        return [event for event in self.events if isinstance(event, InboundMessage)]

    @property
    def states(self) -> list[StateChange]:
        return [event for event in self.events if isinstance(event, StateChange)]

    @property
    def rooms(self) -> list[RoomsChanged]:
        return [event for event in self.events if isinstance(event, RoomsChanged)]

    async def message(self, message_id: str, seconds: float = 10) -> InboundMessage:
        def found() -> InboundMessage | None:
            return next((m for m in self.messages if m.message_id == message_id), None)

        return await until(found, seconds, f"message {message_id}")  # type: ignore[no-any-return]

    async def text(self, text: str, seconds: float = 10) -> InboundMessage:
        def found() -> InboundMessage | None:
            return next((m for m in self.messages if m.text == text), None)

        return await until(found, seconds, f"text {text}")  # type: ignore[no-any-return]

    async def state(self, state: ConnectionState, *, times: int = 1, seconds: float = 10) -> StateChange:
        """The `times`-th change to this state."""

        def found() -> StateChange | None:
            matching = [s for s in self.states if s.state is state]
            return matching[times - 1] if len(matching) >= times else None

        return await until(found, seconds, f"{state} x{times}; states {self.states}")  # type: ignore[no-any-return]

    async def topics(self, predicate: Callable[[set[str]], bool], seconds: float = 10) -> set[str]:
        def found() -> set[str] | None:
            last = {room.topic for room in self.rooms[-1].rooms} if self.rooms else set()
            return last if self.rooms and predicate(last) else None

        return await until(found, seconds, "topics")  # type: ignore[no-any-return]


@asynccontextmanager
async def watching(gateway: GatewayBench, folder: Path, *, online: bool = True, **other: Any) -> AsyncIterator[Watched]:
    """A channel connected to `gateway` and being read; by default the block begins once it is online."""
    values: dict[str, Any] = {
        "name": "test",
        "endpoint": gateway.endpoint,
        "token": gateway.token,
        "files_dir": folder / "files",
        "clock": HostClock(),
        "bot_names": ("派单助手",),
        "tls": TlsConfig(gateway.tls.ca, "gateway.test") if gateway.tls else None,
        "timing": FAST,
    }
    timing = other.pop("timing_changes", {})
    values.update(other)
    values["timing"] = replace(values["timing"], **timing)
    watched = Watched(WechatyChannel(**values))

    async def read() -> None:
        async for event in watched.channel.events():
            watched.events.append(event)
        assert watched.closing, "events() ended by itself"

    reading = asyncio.create_task(read())
    try:
        if online:
            await watched.state(ConnectionState.ONLINE)
        yield watched
        assert watched.closing or not reading.done(), reading
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await watched.channel.close()
