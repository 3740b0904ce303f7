"""The contract of channels over the real gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.channels.base import Channel, ConnectionState, InboundMessage, RoomsChanged
from tests.channels.contract import ChannelContract
from tests.gateway.bench import GatewayBench, Person, Room, until
from tests.gateway.watched import Watched, watching


class GatewayRig:
    def __init__(self, gateway: GatewayBench, seen: Watched, room: Room) -> None:
        self._gateway, self._seen = gateway, seen
        self.channel: Channel = seen.channel
        self.room_id, self.topic = room.id, room.topic

    async def say(self, text: str) -> str:
        return await self._gateway.emit(room=self.room_id, sender="张三", text=text)

    async def arrived(self, text: str) -> InboundMessage:
        return await self._seen.text(text)

    async def online(self) -> None:
        await self._seen.state(ConnectionState.ONLINE)

    async def rooms(self) -> RoomsChanged:
        rooms: RoomsChanged = await until(lambda: self._seen.rooms and self._seen.rooms[-1])
        return rooms

    async def texts_sent(self) -> list[str]:
        return [sent.text for sent in self._gateway.sent()]

    async def close_twice(self) -> None:
        await self._seen.close()
        await self.channel.close()


class TestOverTheGateway(ChannelContract):
    @pytest.fixture
    async def rig(self, gateway: GatewayBench, tmp_path: Path) -> AsyncIterator[GatewayRig]:
        room = await gateway.add_room("怀柔镇见诉领办群", [Person("zhang", "张三")])
        async with watching(gateway, tmp_path) as seen:
            yield GatewayRig(gateway, seen, room)
