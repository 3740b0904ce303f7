"""Which process sends for an account: one at a time, however the clocks of their hosts go.

The holder writes a new time into the lease again and again. Another process takes the account when what it reads there has
not changed for a while of its own steady clock; nobody compares a time with the time of another host.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from bot.clock import Clock
from storage import meta

LOOKS = 3  # looks at an unchanged lease before it counts as dead: a process that could not look saw nothing


class AccountLease:
    """`hold` belongs into a writing transaction; only one of them runs at a time, on both databases."""

    def __init__(self, account: str, holder: str, clock: Clock, ttl: timedelta) -> None:
        """`holder` names this process and no other, ever."""
        self._name = f"account:{account}"
        self.holder = holder
        self._clock = clock
        self._ttl = ttl
        self._seen: tuple[str, datetime] | None = None
        self._seen_first, self._looks = 0.0, 0
        self._renewed = float("-inf")
        self.taken_by: str | None = None  # the other process that holds it, as last seen
        self.is_new = False  # whether the last `hold` took it from nobody or from a process that is gone

    @property
    def is_fresh(self) -> bool:
        """Whether it was renewed so lately that nobody can have taken it."""
        return self._clock.monotonic() - self._renewed < self._ttl.total_seconds() / 2

    def hold(self, session: Session) -> bool:
        """Take or renew it; False while another process lives."""
        began, row = self._clock.monotonic(), meta.lease(session, self._name)
        mine = row is not None and row.holder == self.holder
        if row is not None and row.holder and not mine and not self._is_dead((row.holder, row.until)):
            self.taken_by, self.is_new = row.holder, False
            return False
        meta.write_lease(session, name=self._name, holder=self.holder, until=self._clock.now() + self._ttl)
        self.taken_by, self.is_new, self._renewed, self._seen = None, not mine, began, None
        return True

    def _is_dead(self, seen: tuple[str, datetime]) -> bool:
        now = self._clock.monotonic()
        if seen != self._seen:
            self._seen, self._seen_first, self._looks = seen, now, 0
        self._looks += 1
        return self._looks >= LOOKS and now - self._seen_first >= self._ttl.total_seconds()

    def release(self, session: Session) -> None:
        """Give it back, so that a restart need not wait."""
        row = meta.lease(session, self._name)
        if row is not None and row.holder == self.holder:
            meta.write_lease(session, name=self._name, holder="", until=self._clock.now())
