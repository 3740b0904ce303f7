"""The channel of the simulator: groups that exist in this process only. What is said in them stays to be looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

from bot.channels.base import (
    ChannelEvent,
    ConnectionState,
    InboundMessage,
    Mention,
    PermanentError,
    QuoteRef,
    RoomInfo,
    RoomsChanged,
    StateChange,
)
from bot.clock import Clock
from bot.stage import Said, StageError
from storage.enums import MessageType

RECALL_WITHIN = 120.0  # seconds, as in WeChat


class SimulatorChannel:
    """Rooms are known by their topics. Everything happens in one event loop."""

    name = "simulator"

    def __init__(self, clock: Clock, rooms: Sequence[str], bot_name: str) -> None:
        self._clock = clock
        self._bot = bot_name
        self._said: dict[str, list[Said]] = {room: [] for room in rooms}
        self._events: asyncio.Queue[ChannelEvent] = asyncio.Queue()
        self._count = 0
        self.version = 0  # counts what was said and recalled

    # ---- what the people do ------------------------------------------------------------------------------------------

    def rooms(self) -> list[str]:
        return list(self._said)

    def said_in(self, room: str) -> list[Said]:
        """Everything said in a room, in order. Raises StageError for a room that is not there."""
        if room not in self._said:
            raise StageError(f"没有“{room[:30]}”这个群")
        return self._said[room]

    def say(self, room: str, sender: str, text: str, *, quote: str | None = None, file: Path | None = None) -> Said:
        """Somebody says something, or sends a picture; `quote` is the id of the message replied to."""
        quoted = self._find(room, quote) if quote else None
        said = self._keep(room, sender, text, file=file, quotes=f"{quoted.sender}：{quoted.text}" if quoted else "")
        self._hear(
            said,
            type=MessageType.IMAGE if file else MessageType.TEXT,
            quote=QuoteRef(quoted.id, quoted.sender, quoted.text) if quoted else None,
        )
        return said

    def recall(self, room: str, message_id: str) -> None:
        """The sender takes back what he said. Raises StageError after two minutes, and for the bot's words."""
        said = self._find(room, message_id)
        if said.by_bot or said.recalled:
            raise StageError("这条不能撤回")
        if (self._clock.now() - said.at).total_seconds() > RECALL_WITHIN:
            raise StageError("超过2分钟，不能撤回了")
        lines = self._said[room]
        lines[lines.index(said)] = replace(said, recalled=True)
        self.version += 1
        notice = replace(said, id=self._next_id(), text="", at=self._clock.now(), file=None)
        self._hear(notice, type=MessageType.RECALL, recalls=message_id)

    def _hear(
        self, said: Said, *, type: MessageType, quote: QuoteRef | None = None, recalls: str | None = None
    ) -> None:
        mentioned = tuple(word[1:].rstrip("，,。") for word in said.text.split() if word.startswith("@"))
        self._events.put_nowait(
            InboundMessage(
                room_id=said.room,
                message_id=said.id,
                sender_id=f"sim-{said.sender}",
                sender_name=said.sender,
                type=type,
                text=said.text,
                sent_at=said.at,
                received_at=self._clock.now(),
                mentions=mentioned,
                mentions_bot=self._bot in mentioned,
                quote=quote,
                file=said.file,
                file_name=said.file.name if said.file else None,
                recalls=recalls,
            )
        )

    def _find(self, room: str, message_id: str) -> Said:
        for said in self.said_in(room):
            if said.id == message_id:
                return said
        raise StageError("那条消息已经不在了")

    def _keep(
        self, room: str, sender: str, text: str, *, by_bot: bool = False, file: Path | None = None, quotes: str = ""
    ) -> Said:
        said = Said(self._next_id(), room, sender, text, self._clock.now(), by_bot=by_bot, file=file, quotes=quotes)
        self.said_in(room).append(said)
        self.version += 1
        return said

    def _next_id(self) -> str:
        self._count += 1
        return f"sim-{self._count}"

    def has_unheard(self) -> bool:
        """Whether something was said that the bot did not take yet."""
        return not self._events.empty()

    # ---- the channel -------------------------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[ChannelEvent]:
        yield StateChange(ConnectionState.ONLINE, self._clock.now())
        yield RoomsChanged(tuple(RoomInfo(room, room) for room in self._said))
        while True:
            yield await self._events.get()

    async def send_text(self, to: str, text: str, mentions: Sequence[Mention] = ()) -> str | None:
        called = "".join(f"@{mention.name} " for mention in mentions)
        return self._tell(to, called + text).id

    async def send_file(self, to: str, path: Path) -> str | None:
        return self._tell(to, "", file=path).id

    def _tell(self, to: str, text: str, file: Path | None = None) -> Said:
        if to not in self._said:
            raise PermanentError(f"no room {to}")
        return self._keep(to, self._bot, text, by_bot=True, file=file)

    async def close(self) -> None:
        return None
