"""The only reader of time and the only sleeper. Everything else takes `now` or a Clock as an argument."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for measuring lengths."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class VirtualClock:
    """Stands still until it is told to move; for replays."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    def move_to(self, at: datetime) -> None:
        """Never goes back."""
        self._now = max(self._now, at)

    async def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class SpeedClock:
    """Runs from a given time on, as fast as it is told, for the simulator. It never goes back, and never past `stop_at`."""

    def __init__(self, start: datetime, *, speed: float = 1.0, real: Callable[[], float] = time.monotonic) -> None:
        """`real` gives real seconds; `start` is aware."""
        self._real = real
        self._start = start
        self._passed = 0.0  # simulated seconds up to `_since`
        self._since = real()
        self._speed = speed
        self._stop_at = math.inf
        self._changed = asyncio.Event()

    @property
    def speed(self) -> float:
        return self._speed

    def monotonic(self) -> float:
        """Simulated seconds since the start."""
        ran = self._passed + (self._real() - self._since) * self._speed
        return max(self._passed, min(ran, self._stop_at))

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def set_speed(self, speed: float) -> None:
        self._settle()
        self._speed = speed

    def jump_to(self, at: datetime) -> None:
        """Go on from a later time; an earlier one changes nothing."""
        self._settle()
        self._passed = max(self._passed, (at - self._start).total_seconds())

    def stop_at(self, at: datetime | None) -> None:
        """Stand still when that time is reached, until another one is given: what is due then is done exactly then."""
        self._settle()
        self._stop_at = math.inf if at is None else (at - self._start).total_seconds()

    def _settle(self) -> None:
        self._passed, self._since = self.monotonic(), self._real()
        self._changed.set()

    async def sleep(self, seconds: float) -> None:
        """Simulated seconds; a change of speed or a jump counts at once."""
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > 0:
            self._changed = asyncio.Event() if self._changed.is_set() else self._changed
            try:
                await asyncio.wait_for(self._changed.wait(), max(left / self._speed, 0.001))
            except TimeoutError:
                continue
