"""What every channel keeps, in tests that run over each: subclass `ChannelContract` and give it a `rig` fixture."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from bot.channels.base import Channel, InboundMessage, Mention, PermanentError, RoomsChanged
from storage.enums import MessageType


class Rig(Protocol):
    """A channel connected to something that can be driven. Messages and rooms by what people see."""

    channel: Channel
    room_id: str
    topic: str

    async def say(self, text: str) -> str:
        """A member says `text` in the room; the message's id."""

    async def arrived(self, text: str) -> InboundMessage:
        """That message as the channel yielded it; AssertionError if it does not come."""

    async def online(self) -> None: ...

    async def rooms(self) -> RoomsChanged: ...

    async def texts_sent(self) -> list[str]: ...

    async def close_twice(self) -> None: ...


class ChannelContract:
    async def test_goes_online_and_lists_the_room(self, rig: Rig) -> None:
        await rig.online()
        listed = await rig.rooms()
        assert (rig.room_id, rig.topic) in [(room.room_id, room.topic) for room in listed.rooms]

    async def test_a_message_has_aware_times_an_id_and_a_sender(self, rig: Rig) -> None:
        message_id = await rig.say("迎宾路有垃圾")
        got = await rig.arrived("迎宾路有垃圾")
        assert (got.message_id, got.room_id, got.type) == (message_id, rig.room_id, MessageType.TEXT)
        assert got.sender_id and got.sender_name and not got.is_self
        assert got.sent_at.utcoffset() is not None and got.received_at.utcoffset() is not None

    async def test_messages_keep_their_order(self, rig: Rig) -> None:
        ids = [await rig.say(f"第{i}句") for i in range(10)]
        assert [(await rig.arrived(f"第{i}句")).message_id for i in range(10)] == ids

    async def test_what_is_sent_names_whom_it_is_for_and_comes_back_marked(self, rig: Rig) -> None:
        await rig.online()
        await rig.channel.send_text(rig.room_id, "请领办", [Mention("李四", None)])
        [text] = await rig.texts_sent()
        assert "@李四" in text and "请领办" in text
        assert (await rig.arrived(text)).is_self

    async def test_an_empty_text_is_refused_for_good(self, rig: Rig) -> None:
        await rig.online()
        with pytest.raises(PermanentError):
            await rig.channel.send_text(rig.room_id, "")
        assert await rig.texts_sent() == []

    async def test_a_file_that_is_not_there_is_refused_for_good(self, rig: Rig, tmp_path: Path) -> None:
        await rig.online()
        with pytest.raises(PermanentError):
            await rig.channel.send_file(rig.room_id, tmp_path / "none.png")

    async def test_closing_twice_is_no_error(self, rig: Rig) -> None:
        await rig.online()
        await rig.close_twice()

    async def test_the_channel_has_a_name(self, rig: Rig) -> None:
        assert rig.channel.name
