"""The numbers of the rules (spec: behaviour 2 to 6) and the arithmetic of due times. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from storage.enums import Step, Urgency

BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Ladder:
    """When each rung falls due, counted from dispatch; `again` is counted from the due time."""

    reminder: timedelta
    escalation: timedelta
    again: tuple[timedelta, ...]


def _minutes(*values: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=value) for value in values)


@dataclass(frozen=True, slots=True)
class Policy:
    window: timedelta = timedelta(minutes=15)
    grace: timedelta = timedelta(seconds=2)  # a message stamped in time can still arrive
    normal: Ladder = Ladder(timedelta(minutes=5), timedelta(minutes=10), _minutes(30, 60, 90, 120))
    pressing: Ladder = Ladder(timedelta(minutes=3), timedelta(minutes=8), _minutes(*range(10, 121, 10)))
    gather: timedelta = timedelta(minutes=2)  # several messages, one complaint; pictures before and after
    same_text: timedelta = timedelta(minutes=10)
    repeat: timedelta = timedelta(days=7)
    repeat_likeness: float = 80.0  # rapidfuzz ratio of the texts in one village, 0 to 100
    repeat_likeness_without_place: float = 92.0  # the same where no village is known
    equal_messages: timedelta = timedelta(minutes=1)
    declines_to_supervision: int = 3
    limit_reminders: tuple[timedelta, ...] = (timedelta(days=1), timedelta(hours=2))

    def ladder(self, urgency: Urgency) -> Ladder:
        return self.normal if urgency is Urgency.NORMAL else self.pressing

    def step_at(
        self, step: Step, round: int, *, dispatched_at: datetime, due_at: datetime, urgency: Urgency
    ) -> datetime:
        """When a rung falls due. Overdue comes `grace` after the due time; `again` counts from the due time itself."""
        ladder = self.ladder(urgency)
        match step:
            case Step.PROMPT:
                return dispatched_at
            case Step.REMINDER:
                return dispatched_at + ladder.reminder
            case Step.ESCALATION:
                return dispatched_at + ladder.escalation
            case Step.OVERDUE:
                return due_at + self.grace
            case Step.AGAIN:
                return due_at + ladder.again[round - 1]

    def next_step(self, step: Step, round: int, urgency: Urgency) -> tuple[Step, int] | None:
        """The rung after this one; None after the last repetition."""
        order = [Step.PROMPT, Step.REMINDER, Step.ESCALATION, Step.OVERDUE]
        if step in order[:-1]:
            return order[order.index(step) + 1], 0
        following = round + 1 if step is Step.AGAIN else 1
        return (Step.AGAIN, following) if following <= len(self.ladder(urgency).again) else None
