"""The order of events: fetched side by side, handed on one by one.

Messages leave in the order they came, however long each takes to fetch. One exception: a message that waits for a
file holds up only its own room, not the other 42. News of the connection does not queue behind messages at all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from bot.channels.base import Alive, ChannelEvent, StateChange

MOST_WAITING = 10_000  # events read ahead; then the stream is not read on


class Place:
    """One event's place in the order. `lane` is its room while a file is being fetched, else None."""

    __slots__ = ("events", "lane")

    def __init__(self) -> None:
        self.lane: str | None = None
        self.events: Sequence[ChannelEvent] | None = None


Fetch = Callable[[Place], Awaitable[Sequence[ChannelEvent]]]


class Inflow:
    """Belongs to one event loop and one consumer. `fetch` must not raise but for cancellation."""

    def __init__(self) -> None:
        self._news: deque[StateChange | Alive] = deque()
        self._order: deque[Place] = deque()
        self._ready: deque[ChannelEvent] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._room_for_more = asyncio.Event()
        self._room_for_more.set()
        self._closed = False

    def tell(self, news: StateChange | Alive) -> None:
        """News of the connection: handed on before any message that waits."""
        self._news.append(news)
        self._changed.set()

    async def add(self, fetch: Fetch) -> None:
        """Take a place in the order now and fetch what belongs there; waits while too many are waiting."""
        await self._room_for_more.wait()
        place = Place()
        self._order.append(place)
        if len(self._order) >= MOST_WAITING:
            self._room_for_more.clear()
        task = asyncio.create_task(self._fill(place, fetch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fill(self, place: Place, fetch: Fetch) -> None:
        events: Sequence[ChannelEvent] = ()
        try:
            events = await fetch(place)
        finally:
            place.events = events
            place.lane = None
            self._changed.set()

    async def get(self) -> ChannelEvent | None:
        """The next event in order; None once closed."""
        while True:
            if self._closed:
                return None
            if self._news:
                return self._news.popleft()
            if not self._ready:
                self._collect()
            if self._ready:
                return self._ready.popleft()
            self._changed.clear()
            await self._changed.wait()

    def _collect(self) -> None:
        """Move what may go now: up to the first unfetched place, passing over rooms that wait for a file."""
        waiting_rooms: set[str] = set()
        kept: list[Place] = []
        while self._order:
            place = self._order.popleft()
            if place.events is None and place.lane is None:
                self._order.appendleft(place)
                break
            if place.events is None and place.lane is not None:
                waiting_rooms.add(place.lane)
                kept.append(place)
            elif waiting_rooms and self._rooms(place) & waiting_rooms:
                kept.append(place)
            else:
                self._ready.extend(place.events or ())
        self._order.extendleft(reversed(kept))
        if len(self._order) < MOST_WAITING:
            self._room_for_more.set()

    @staticmethod
    def _rooms(place: Place) -> set[str]:
        return {room for event in place.events or () if (room := getattr(event, "room_id", "")) != ""}

    async def close(self) -> None:
        self._closed = True
        self._changed.set()
        self._room_for_more.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
