"""WeChat holds an account back (操作过于频繁): what it took without a word and did not show is said again, later.

The gateway reports such a send as done; only a tip in the room, moments later, says that it was not.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from bot.clock import Clock
from storage import outbox, people
from storage.enums import OutboxState, SayKind

FOR = timedelta(minutes=10)  # in which the account says nothing; a second tip begins them anew
TIP_WITHIN = timedelta(seconds=60)  # of the send that it is about


class Holding:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: float | None = None

    def begin(self) -> None:
        self._until = self._clock.monotonic() + FOR.total_seconds()

    @property
    def seconds(self) -> float:
        """How long the account must still be quiet."""
        return 0.0 if self._until is None else max(0.0, self._until - self._clock.monotonic())


def unsay(session: Session, *, account: str, channel_room_id: str, at: datetime, mark: str) -> int:
    """Put back what the account last sent into a room before a tip; how many rows.

    A digest is not repeated by itself: its outcome counts as unknown, which its echo settles or supervision is told.
    """
    room = next(
        (b.room_id for b in people.bindings(session) if (b.account, b.channel_room_id) == (account, channel_room_id)),
        None,
    )
    rows = outbox.last_sent_into(session, room_id=room, account=account, since=at - TIP_WITHIN) if room else []
    for row in rows:
        row.error, row.sent_at = "held back by WeChat", None
        if row.kind is SayKind.DIGEST:
            row.state, row.parts_sent = OutboxState.UNKNOWN, max(0, row.parts_sent - 1)
        else:
            row.state, row.parts_sent, row.not_before = OutboxState.PENDING, 0, at
            row.text = row.text if row.text.startswith(mark) else mark + row.text
        session.add(row)
    return len(rows)
