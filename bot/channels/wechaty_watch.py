"""Is the event stream still alive? Judged by its heartbeats, once it has shown that it sends any."""

from __future__ import annotations

INTERVALS_OF_SILENCE = 3
MOST_INTERVAL_SECONDS = 120.0  # a pause of our own must not make the watchdog blind
CONNECT_GREETING = "Wechaty Puppet gRPC stream connect successfully"


class HeartbeatWatch:
    """Learns the puppet's heartbeat interval and says how long a silence may last.

    Some puppets send no heartbeat at all; a watchdog armed from the start would reconnect for ever (wechaty#2129).
    So it stays unarmed until two heartbeats came on this stream. Times are seconds of any monotonic clock.
    """

    def __init__(self, least_seconds: float) -> None:
        self._least = least_seconds
        self._last: float | None = None
        self._interval: float | None = None

    def heartbeat(self, data: str, at: float) -> None:
        """The gateway's greeting on connect is not the puppet's heartbeat and is not counted."""
        if data == CONNECT_GREETING:
            return
        if self._last is not None:
            gap = min(at - self._last, MOST_INTERVAL_SECONDS)
            self._interval = max(self._interval or 0.0, gap)
        self._last = at

    def silence_seconds(self) -> float | None:
        """How long no event may come before the stream counts as dead; None while unarmed."""
        if self._interval is None:
            return None
        return max(self._least, INTERVALS_OF_SILENCE * self._interval)
