"""Names of people and topics of rooms, asked from the gateway and remembered for a while.

Neither is ever needed to take a message in: a name that cannot be had is replaced, a topic stays as it was known.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from bot.channels.base import RoomInfo
from bot.channels.wechaty_link import CALL_ERRORS
from bot.channels.wechaty_text import storable

log = logging.getLogger(__name__)

FAILED_LIVES_SECONDS = 60.0  # before a name that could not be had is asked for again
SIDE_BY_SIDE = 16

GetStub = Callable[[float], Any | None]  # calls with a deadline in seconds; None while disconnected


class Names:
    """Group nickname, else the contact's name, else the id; at most one call per person, room and lifetime."""

    def __init__(self, stub: GetStub, *, deadline: float, live: float) -> None:
        self._stub = stub
        self._deadline = deadline
        self._live = live
        self._asked: dict[tuple[str, str], tuple[asyncio.Task[str], float]] = {}
        self._last: dict[tuple[str, str], str] = {}  # outlives its time, for when the gateway does not answer

    async def of(self, room_id: str, contact_id: str) -> str:
        """`room_id` "" in a private chat."""
        key = (room_id, contact_id)
        now = asyncio.get_running_loop().time()
        task, until = self._asked.get(key, (None, 0.0))
        if task is None or (task.done() and now >= until):
            task = asyncio.create_task(self._ask(key))
            self._asked[key] = (task, now + self._live)
        return await asyncio.shield(task)  # others wait for the same answer

    async def _ask(self, key: tuple[str, str]) -> str:
        room_id, contact_id = key
        stub = self._stub(self._deadline)
        name = ""
        if stub is not None:
            if room_id:
                name = await self._member(stub, room_id, contact_id)
            name = name or await self._contact(stub, contact_id)
        if name:
            self._last[key] = name
            return name
        task = asyncio.current_task()
        if task is not None:
            self._asked[key] = (task, asyncio.get_running_loop().time() + FAILED_LIVES_SECONDS)
        return self._last.get(key, contact_id)

    async def _member(self, stub: Any, room_id: str, contact_id: str) -> str:
        try:
            member = await stub.room_member_payload(id=room_id, member_id=contact_id)
        except CALL_ERRORS:
            log.debug("wechaty.no_member_name", extra={"room_id": room_id, "contact_id": contact_id})
            return ""
        return _one_line(member.room_alias) or _one_line(member.name)

    async def _contact(self, stub: Any, contact_id: str) -> str:
        try:
            contact = await stub.contact_payload(id=contact_id)
        except CALL_ERRORS:
            return ""
        return _one_line(contact.name)

    def forget(self, dirty_id: str) -> None:
        """Ask anew at the next message; `dirty_id` is of a contact, of a room, or of both run together."""
        for key in [key for key in self._asked if any(part and part in dirty_id for part in key)]:
            if self._asked[key][0].done():
                del self._asked[key]

    async def close(self) -> None:
        tasks = [task for task, _ in self._asked.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Rooms:
    """Topics by room id, as last told."""

    def __init__(self, stub: GetStub, *, deadline: float) -> None:
        self._stub = stub
        self._deadline = deadline
        self._topics: dict[str, str] = {}

    def all(self) -> tuple[RoomInfo, ...]:
        return tuple(RoomInfo(room_id, topic) for room_id, topic in self._topics.items())

    def __contains__(self, room_id: str) -> bool:
        return room_id in self._topics

    def renamed(self, room_id: str, topic: str) -> None:
        self._topics[room_id] = storable(topic)

    async def read_all(self) -> bool:
        """Ask for every room's topic, at most `deadline` seconds in all; False if not even the list came.

        A room that the list no longer holds is gone; one whose topic did not come keeps the last known one, or "".
        """
        stub = self._stub(self._deadline)
        if stub is None:
            return False
        try:
            ids = [storable(i) for i in (await stub.room_list()).ids]
        except CALL_ERRORS:
            log.warning("wechaty.no_room_list")
            return False
        topics = {room_id: self._topics.get(room_id, "") for room_id in dict.fromkeys(ids)}
        gate = asyncio.Semaphore(SIDE_BY_SIDE)

        async def one(room_id: str) -> None:
            async with gate:
                topic = await self._topic(stub, room_id)
            if topic is not None:
                topics[room_id] = topic

        tasks = [asyncio.create_task(one(room_id)) for room_id in topics]
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=self._deadline)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._topics = topics  # at once: nobody sees half a list
        return True

    async def read(self, room_id: str) -> None:
        """Ask for one room's topic; a room that cannot be read is known from now on, as ""."""
        stub = self._stub(self._deadline)
        topic = await self._topic(stub, room_id) if stub is not None else None
        self._topics[room_id] = topic if topic is not None else self._topics.get(room_id, "")

    async def _topic(self, stub: Any, room_id: str) -> str | None:
        try:
            payload = await stub.room_payload(id=room_id)
        except CALL_ERRORS:
            log.warning("wechaty.no_topic", extra={"room_id": room_id})
            return None
        return storable(payload.topic)


def _one_line(name: str) -> str:
    return " ".join(storable(name).split())
