"""The channel between both doubles, in this process: nothing listens on a port, nobody sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from bot.channels.base import Alive, ChannelEvent, InboundMessage, RoomsChanged, StateChange
from bot.channels.wework import WeworkChannel, WeworkRoom
from bot.channels.wework_crypto import Seal
from bot.clock import Clock
from tests.wework.robot import AES_KEY, TOKEN, Robot
from tests.wework.service import Service

KEY, OTHER = "3f1c2d7a-0000-4000-8000-00000000000a", "3f1c2d7a-0000-4000-8000-00000000000b"
ROOMS = (WeworkRoom("庙城镇见诉领办工作群", "wr-town", KEY), WeworkRoom("区接诉即办督查群", "", OTHER))


def hint(chat_id: str) -> str:
    return f"本群编号 {chat_id}"


async def never(app: Starlette, ready: Callable[[], None]) -> None:
    """In place of a listening port: the tests reach the app itself."""
    del app
    ready()
    await asyncio.Event().wait()


def make_channel(service: Service, clock: Clock, folder: Path, **more: Any) -> WeworkChannel:
    values: dict[str, Any] = {
        "name": "lingban", "seal": Seal(TOKEN, AES_KEY), "rooms": ROOMS, "bot_name": "派单助手", "files_dir": folder,
        "clock": clock, "host": "127.0.0.1", "port": 1, "path": "/wework", "public_url": "", "unknown_chat": hint,
        "http": service.client(), "serve": never,
    }  # fmt: skip
    return WeworkChannel(**{**values, **more})


@dataclass
class Heard:
    """What the channel told, in order; what is heard is stored at once, unless `keeps` is False."""

    channel: WeworkChannel
    events: list[ChannelEvent] = field(default_factory=list)
    keeps: bool = True
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        async for event in self.channel.events():
            self.events.append(event)
            if isinstance(event, InboundMessage) and event.kept and self.keeps:
                event.kept()
            self.changed.set()

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def messages(self) -> Sequence[InboundMessage]:
        return self.of(InboundMessage)

    async def until(self, ready: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not ready():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def listening(channel: WeworkChannel) -> AsyncIterator[Heard]:
    heard = Heard(channel)
    task = asyncio.create_task(heard.read())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await channel.close()


__all__ = ["KEY", "OTHER", "ROOMS", "Alive", "Heard", "Robot", "RoomsChanged", "StateChange", "listening", "make_channel"]
