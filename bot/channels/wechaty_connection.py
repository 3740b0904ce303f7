"""Staying connected: one event stream at a time, opened again for ever, whatever ended it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any, Protocol

from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from bot.backoff import delay
from bot.channels.wechaty_events import EventKind, kind_of
from bot.channels.wechaty_link import CALL_ERRORS, Endpoint, Link, Timing, describe
from bot.channels.wechaty_payloads import read_event
from bot.channels.wechaty_watch import HeartbeatWatch

log = logging.getLogger(__name__)

SLOT_TAKEN = "another client is connected to the gateway"


class Clock(Protocol):
    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


class StreamSilent(Exception):
    """The heartbeats that used to come have stopped."""


class Connection:
    """Gives calls while connected. Belongs to one event loop; `keep` is run once."""

    def __init__(self, endpoint: Endpoint, timing: Timing, clock: Clock, jitter: Callable[[], float]) -> None:
        self.endpoint = endpoint
        self._timing = timing
        self._clock = clock
        self._jitter = jitter
        self._link: Link | None = None  # only while the gateway is known to answer
        self._linked = asyncio.Event()
        self._closing = False

    def close(self) -> None:
        """Say that `keep` is about to be cancelled for good."""
        self._closing = True

    @property
    def is_up(self) -> bool:
        return self._link is not None and self._link.is_open

    def stub(self, seconds: float) -> Any | None:
        """Calls with a deadline; None while disconnected."""
        link = self._link
        return link.stub(seconds) if link is not None and link.is_open else None

    async def stub_when_up(self, seconds: float) -> Any | None:
        """The same, waiting out a reconnect; None if it takes longer than `Timing.reconnect_wait`."""
        try:
            await asyncio.wait_for(self._linked.wait(), self._timing.reconnect_wait)
        except TimeoutError:
            return None
        return self.stub(seconds)

    async def keep(
        self,
        on_event: Callable[[Any], Awaitable[None]],
        on_lost: Callable[[str], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        """Connect, hand on events until the stream ends for whatever reason, wait a little, again; never returns.

        `on_lost` is told why, at every failed try; `on_trouble` when another client has held the stream for long.
        """
        failures = 0
        taken_since: float | None = None
        loop = asyncio.get_running_loop()
        while True:
            heard, reason = await self._once(on_event)
            if heard:
                failures = 0
            on_lost(reason)
            if reason != SLOT_TAKEN:
                taken_since = None
            elif taken_since is None:
                taken_since = loop.time()
            elif loop.time() - taken_since > self._timing.taken_slot:
                on_trouble(f"{reason}; is a second bot running with this token?")
                taken_since = loop.time()
            await self._clock.sleep(delay(failures, self._jitter))
            failures += 1

    async def _once(self, on_event: Callable[[Any], Awaitable[None]]) -> tuple[bool, str]:
        """One connection from opening to its end: whether any event came, and why it ended."""
        heard, reason = False, "the gateway ended the event stream"
        link = Link(self.endpoint, self._timing)
        try:
            await link.connect()
            async with aclosing(self._stream(link)) as events:
                async for event in events:
                    heard = True
                    await on_event(event)
        except CALL_ERRORS as error:
            reason = describe(error, self.endpoint.token)
            if isinstance(error, GRPCError) and error.status is Status.ALREADY_EXISTS:
                reason = SLOT_TAKEN
        except StreamSilent as error:
            reason = str(error)
        except asyncio.CancelledError:
            if self._closing:
                raise
            reason = "the connection was cut off"  # a stray cancellation by grpclib must not end `keep`
        except Exception:
            log.exception("wechaty.connection_failed")
            reason = "unexpected error, see the log"
        finally:
            self._down(link)
        return heard, reason

    async def _stream(self, link: Link) -> AsyncGenerator[Any, None]:
        """Listen first, then start the puppet: padlocal replays missed messages as soon as it is started.

        Raises what ends the stream; ends by itself where the gateway ended it cleanly. The link counts as up from
        the first answer on: a frozen gateway accepts connections and answers nothing.
        """
        stream = link.events()
        watch = HeartbeatWatch(self._timing.least_silence)
        loop = asyncio.get_running_loop()

        async def next_event() -> Any:
            return await anext(stream, None)

        coming = asyncio.create_task(next_event())
        starting: asyncio.Task[Any] | None = None
        try:
            await asyncio.wait({coming}, timeout=self._timing.greeting)
            if coming.done():
                _result(coming)  # a refused stream is not followed by a Start
                self._up(link)
            starting = asyncio.create_task(link.stub(self._timing.start).start())
            while True:
                waits = {coming, starting} if starting is not None else {coming}
                silence = watch.silence_seconds()
                done, _ = await asyncio.wait(waits, timeout=silence, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    raise StreamSilent(f"no heartbeat for {silence:.0f} s")
                if starting is not None and starting.done():
                    _result(starting)
                    starting = None
                    self._up(link)
                if not coming.done():
                    continue
                event = _result(coming)
                if event is None:
                    return
                self._up(link)
                if kind_of(event) is EventKind.HEARTBEAT:
                    watch.heartbeat(read_event(event.payload).words, loop.time())
                coming = asyncio.create_task(next_event())
                yield event
        finally:
            tasks = [task for task in (coming, starting) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await stream.aclose()

    def _up(self, link: Link) -> None:
        if self._link is not link:
            self._link = link
            self._linked.set()
            log.info("wechaty.connected")

    def _down(self, link: Link) -> None:
        self._link = None
        self._linked.clear()
        link.close()


def _result(task: asyncio.Task[Any]) -> Any:
    """grpclib's own cancelling of a reader is a lost connection, not a wish to end `keep`."""
    if task.cancelled():
        raise StreamTerminatedError("the event stream was cut off")
    return task.result()
