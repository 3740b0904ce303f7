"""Whether the ladder may speak: connected, and what was missed has been taken.

After a break the backlog goes first; the steps that fell due wait until the gate opens (spec: behaviour 5).
"""

from __future__ import annotations

from datetime import datetime, timedelta

MOST_SETTLING = 6  # settling times after which the gate opens though people go on talking: they always do in 43 groups


class Gate:
    def __init__(self, *, settle: timedelta = timedelta(0), connected: bool = False) -> None:
        self._settle = settle
        self._connected = connected
        self._last_message: datetime | None = None
        self._since: datetime | None = None
        self._open = connected
        self.opened_at: datetime | None = None

    @property
    def connected(self) -> bool:
        return self._connected

    @property
    def is_open(self) -> bool:
        return self._open

    def connect(self, now: datetime) -> None:
        if not self._connected:
            self._connected, self._since = True, now

    def disconnect(self) -> None:
        self._connected = self._open = False

    def heard(self, now: datetime) -> None:
        """A message came in; while the gate is shut it puts the opening off."""
        self._last_message = now

    def try_open(self, now: datetime, *, backlog: int) -> bool:
        """Open when connected, nothing waits in the inbox, and no more came for the settling time, or not for long."""
        if self._open:
            return True
        if not self._connected or backlog:
            return False
        since = self._since or now
        quiet_since = max(since, self._last_message or since)
        long_ago = now - since >= MOST_SETTLING * self._settle
        lately = timedelta(0) <= now - quiet_since < self._settle  # less than nothing: the clock was set back
        if lately and not long_ago:
            return False
        self._open, self.opened_at = True, now
        return True
