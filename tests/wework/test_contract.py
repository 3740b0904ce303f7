"""What every channel keeps, over 企业微信; its one exception is that nothing which is sent comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.channels.base import Channel, ConnectionState, InboundMessage, Mention, RoomsChanged
from bot.clock import SystemClock
from tests.channels.contract import ChannelContract
from tests.wework.rig import KEY, OTHER, ROOMS, Heard, Robot, StateChange, listening, make_channel
from tests.wework.service import Service


class WeworkRig:
    def __init__(self, heard: Heard, service: Service, robot: Robot) -> None:
        self._heard, self._service, self._robot = heard, service, robot
        self.channel: Channel = heard.channel
        self.room_id, self.topic = ROOMS[0].room_id, ROOMS[0].topic

    async def say(self, text: str) -> str:
        assert (await self._robot.say(self.room_id, "zhou3", f"@派单助手 {text}")).status_code == 200
        return self._heard.messages[-1].message_id

    async def arrived(self, text: str) -> InboundMessage:
        await self._heard.until(lambda: any(message.text == text for message in self._heard.messages))
        return next(message for message in self._heard.messages if message.text == text)

    async def online(self) -> None:
        await self._heard.until(lambda: self._heard.of(StateChange))
        assert self._heard.of(StateChange)[-1].state is ConnectionState.ONLINE

    async def rooms(self) -> RoomsChanged:
        return self._heard.of(RoomsChanged)[-1]  # type: ignore[no-any-return]

    async def texts_sent(self) -> list[str]:
        return self._service.texts(KEY)

    async def close_twice(self) -> None:
        await self.channel.close()
        await self.channel.close()


class TestOverWework(ChannelContract):
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[WeworkRig]:
        clock = SystemClock()
        service = Service({KEY, OTHER}, clock.monotonic)
        channel = make_channel(service, clock, tmp_path)
        async with listening(channel) as heard:
            yield WeworkRig(heard, service, Robot(channel._door.app, lambda: clock.now().timestamp()))

    async def test_what_is_sent_names_whom_it_is_for_and_comes_back_marked(self, rig: WeworkRig) -> None:  # type: ignore[override]
        """It names them; it does not come back."""
        await rig.online()
        await rig.channel.send_text(rig.room_id, "请领办", [Mention("李四", None)])
        assert await rig.texts_sent() == ["请领办\n@李四"]
        assert not rig._heard.messages
