"""What one assignment counts as, at the end of a window, and the sums over many. Pure.

Rules (spec: behaviour 7). `end` is exclusive: what happens at `end` itself belongs to the next window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from storage.enums import AssignmentRole, AssignmentStatus, Urgency

# (upper bound in seconds, inclusive; label): an acceptance at the due time itself is in time.
SPANS: tuple[tuple[int, str], ...] = (
    (180, "3分内"),
    (300, "3—5分"),
    (600, "5—10分"),
    (900, "10—15分"),
    (1_800, "15—30分"),
    (3_600, "30—60分"),
)
LONGER = "1小时以上"
_PASSED_ON = (AssignmentStatus.DECLINED, AssignmentStatus.TRANSFERRED)
_OPEN = {True: AssignmentStatus.ACCEPTED, False: AssignmentStatus.WAITING}


class Clocked(Protocol):
    """The columns of an assignment that the counting reads."""

    @property
    def role(self) -> AssignmentRole: ...
    @property
    def status(self) -> AssignmentStatus: ...
    @property
    def urgency(self) -> Urgency: ...
    @property
    def dispatched_at(self) -> datetime: ...
    @property
    def due_at(self) -> datetime: ...
    @property
    def accepted_at(self) -> datetime | None: ...
    @property
    def on_time(self) -> bool | None: ...
    @property
    def ended_at(self) -> datetime | None: ...


def accepted_by(duty: Clocked, end: datetime) -> bool:
    return duty.accepted_at is not None and duty.accepted_at < end


def state_at(duty: Clocked, end: datetime) -> AssignmentStatus:
    """The status the assignment had just before `end`."""
    if duty.ended_at is not None and duty.ended_at < end:
        return duty.status
    return AssignmentStatus.ACCEPTED if accepted_by(duty, end) else AssignmentStatus.WAITING


def seconds_to_accept(duty: Clocked) -> int | None:
    """Whole seconds from dispatch to acceptance, cut, not rounded."""
    if duty.accepted_at is None:
        return None
    return int((duty.accepted_at - duty.dispatched_at).total_seconds())


def is_overdue(duty: Clocked, end: datetime) -> bool:
    """Still waiting just before `end`, its due time passed."""
    return state_at(duty, end) is AssignmentStatus.WAITING and duty.due_at < end


@dataclass(slots=True)
class Tally:
    """Counts over the assignments of one unit, or of all."""

    dispatched: int = 0
    accepted: int = 0
    accepted_on_time: int = 0
    answerable: int = 0
    in_time: int = 0  # of the answerable
    overdue_open: int = 0
    waiting: int = 0
    resolved: int = 0
    declined: int = 0
    transferred: int = 0
    helper: int = 0  # 协办, in `dispatched` too
    urgent: int = 0  # 紧急 and 敏感
    seconds: list[int] = field(default_factory=list)

    def add(self, duty: Clocked, end: datetime) -> bool:
        """Count one assignment as at `end`; False when it was withdrawn and counts nowhere."""
        ended, due, taken = duty.ended_at, duty.due_at, duty.accepted_at
        accepted = taken is not None and taken < end
        state = duty.status if ended is not None and ended < end else _OPEN[accepted]  # as `state_at`, once per row
        if state is AssignmentStatus.WITHDRAWN:
            return False

        self.dispatched += 1
        self.helper += duty.role is AssignmentRole.HELPER
        self.urgent += duty.urgency is not Urgency.NORMAL
        if state is AssignmentStatus.WAITING:
            self.waiting += 1
            self.overdue_open += due < end
        elif state is not AssignmentStatus.ACCEPTED:
            self.resolved += state is AssignmentStatus.RESOLVED
            self.declined += state is AssignmentStatus.DECLINED
            self.transferred += state is AssignmentStatus.TRANSFERRED
        on_time = False
        if accepted and taken is not None:
            self.accepted += 1
            self.seconds.append(int((taken - duty.dispatched_at).total_seconds()))
            on_time = duty.on_time is True
            self.accepted_on_time += on_time
        # Answerable: accepted, or its due time has passed; not what was passed on before its due time.
        left_early = state in _PASSED_ON and ended is not None and ended < due
        if not left_early and (accepted or due < end):
            self.answerable += 1
            self.in_time += on_time
        return True

    def numbers(self) -> dict[str, Any]:
        """Return the row of the digest: counts, `on_time_rate` (0 to 1 or null), times in seconds or null."""
        seconds = sorted(self.seconds)
        return {
            "dispatched": self.dispatched,
            "accepted": self.accepted,
            "accepted_on_time": self.accepted_on_time,
            "on_time_rate": self.in_time / self.answerable if self.answerable else None,
            "mean_seconds": sum(seconds) / len(seconds) if seconds else None,
            "median_seconds": percentile(seconds, 50),
            "p90_seconds": percentile(seconds, 90),
            "max_seconds": seconds[-1] if seconds else None,
            "overdue_open": self.overdue_open,
            "resolved": self.resolved,
            "declined": self.declined,
            "transferred": self.transferred,
            "answerable": self.answerable,
            "in_time": self.in_time,
            "waiting": self.waiting,
            "helper": self.helper,
            "urgent": self.urgent,
        }


def percentile(ordered: Sequence[int], percent: int) -> float | None:
    """Linear interpolation between ranks, as Excel's PERCENTILE.INC; `ordered` ascends. None of nothing."""
    if not ordered:
        return None
    below, hundredths = divmod((len(ordered) - 1) * percent, 100)
    if not hundredths:
        return ordered[below]
    return ordered[below] + (ordered[below + 1] - ordered[below]) * hundredths / 100


def distribution(seconds: Sequence[int]) -> list[dict[str, Any]]:
    """Return `[{"span", "count"}]`: how many acceptances took how long."""
    counts = [0] * (len(SPANS) + 1)
    for value in seconds:
        counts[next((i for i, (bound, _) in enumerate(SPANS) if value <= bound), len(SPANS))] += 1
    labels = [label for _, label in SPANS] + [LONGER]
    return [{"span": label, "count": count} for label, count in zip(labels, counts, strict=True)]
