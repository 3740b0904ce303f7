"""When was the bot up, what did its clock show, and which fault fell when. For the checker; knows nothing of the bot."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

KILLS = ("kill bot", "kill gateway")
POLL = 6.0  # seconds between two looks, at most; a longer gap counts as down


class Times:
    """`faults`: kind, start, end; one of kind `kill …` strikes at its start. All in seconds since 1970."""

    def __init__(
        self,
        faults: Sequence[Mapping[str, Any]],
        clock: Sequence[Mapping[str, Any]],
        watch: Sequence[Mapping[str, Any]],
    ) -> None:
        self._faults = [(f["kind"], f["start"], f["end"]) for f in faults if f["kind"] != "step clock"]
        self._kills = sorted(start for kind, start, _ in self._faults if kind in KILLS)
        self._clock = sorted((step["at"], step["offset"]) for step in clock)
        self._up = self._intervals(watch)

    def _intervals(self, watch: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
        """Between two looks that both found it up, without a fault in between."""
        found: list[tuple[float, float]] = []
        faults = sorted((start, end) for _, start, end in self._faults)
        for before, after in zip(watch, watch[1:], strict=False):
            begin, end = before["at"], after["at"]
            if not (before["up"] and after["up"]) or end - begin > POLL:
                continue
            if any(start < end and begin < stop for start, stop in faults):
                continue
            if found and found[-1][1] == begin:
                found[-1] = (found[-1][0], end)
            else:
                found.append((begin, end))
        return found

    @property
    def up_seconds(self) -> float:
        return sum(end - begin for begin, end in self._up)

    def up(self, begin: float, end: float) -> float:
        """Seconds between two times in which the bot was up."""
        return sum(max(0.0, min(end, stop) - max(begin, start)) for start, stop in self._up)

    def killed_within(self, at: float, air: float) -> bool:
        """Whether a process was killed soon after a time; what stood still or could not be written meanwhile is added."""
        until = at + air
        for kind, start, end in sorted(self._faults, key=lambda fault: fault[1]):
            if kind not in KILLS and start < until and end > at:
                until = max(until, end + air)
        return any(at <= kill <= until for kill in self._kills)

    def hidden(self, begin: float, end: float, back: float) -> bool:
        """Whether a fault may have hidden from the bot how a sending within that time went."""
        return any(start <= end and begin <= stop + back for _, start, stop in self._faults)

    def first_up(self, shown: float, not_before: float) -> float | None:
        """When the bot, being up, first saw its clock show at least that time; None if it never did."""
        for start, stop in self._up:
            for begin, end, offset in self._shown(max(start, not_before), stop):
                at = max(begin, shown - offset)
                if at < end:
                    return at
        return None

    def _shown(self, start: float, stop: float) -> list[tuple[float, float, float]]:
        """The parts of an interval with the offset of the clock in each."""
        parts: list[tuple[float, float, float]] = []
        at = bisect_right(self._clock, (start, float("inf"))) - 1
        while start < stop:
            offset = self._clock[at][1] if at >= 0 else 0.0
            until = self._clock[at + 1][0] if at + 1 < len(self._clock) else stop
            parts.append((start, min(until, stop), offset))
            start, at = min(until, stop), at + 1
        return parts
