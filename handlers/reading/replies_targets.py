"""Which ticket: by number, by quote, by place in the row, by what the sentence names, else those that it can mean."""

from __future__ import annotations

from datetime import date

from handlers.reading import numbers, replies_match
from handlers.reading.replies_answer import Answer
from handlers.reading.views import Act, Intent, MemberEntry
from storage.enums import TicketStatus


def aim(
    answer: Answer,
    act: Act,
    *,
    waiting: bool | None,
    reason: str = "",
    units: tuple[str, ...] = (),
    until: date | None = None,
    member: MemberEntry | None = None,
    explicit: bool = True,
    words: tuple[str, ...] = (),
) -> Intent | None:
    """An intent with its targets. `waiting`: which tickets it can mean if it names none (None: either kind).

    None if a command without a number can mean no ticket at all.
    """
    targets, unknown = _targets(answer, act, waiting, reason)
    if not targets and unknown is None:
        return None
    return Intent(
        act,
        targets=targets,
        explicit=explicit,
        unknown_number=unknown,
        reason=reason,
        member=member.name if member else None,
        units=units,
        until=until,
        words=words,
        every=len(targets) > 1 and targets == answer.known,
    )


def _targets(answer: Answer, act: Act, waiting: bool | None, reason: str) -> tuple[tuple[int, ...], int | None]:
    if answer.known:
        return answer.known, None
    if answer.unknown is not None:
        return (), answer.unknown
    if answer.quoted is not None:
        return (answer.quoted,), None
    pool = _pool(answer, act, waiting)
    spot = position(answer, pool)
    if spot is not None:
        return (spot,), None
    if len(pool) > 1:
        named = replies_match.named(answer.plain, answer.room.tickets, pool)
        if named.index is not None:
            return (named.index,), None
    return pool, None


def _pool(answer: Answer, act: Act, waiting: bool | None) -> tuple[int, ...]:
    tickets = answer.room.tickets
    if act in (Act.REOPEN, Act.CALL_BACK):
        return tuple(i for i, t in enumerate(tickets) if t.status is TicketStatus.RESOLVED)
    if act in (Act.TRANSFER, Act.KEEP, Act.AGREE):
        unrouted = tuple(i for i, t in enumerate(tickets) if t.status is TicketStatus.UNROUTED)
        if unrouted:
            return unrouted
    if waiting is None:
        return answer.pool(waiting=True) or answer.pool(waiting=False)
    return answer.pool(waiting=waiting) or answer.pool(waiting=not waiting)


def position(answer: Answer, pool: tuple[int, ...]) -> int | None:
    """上面那个, 最后一个: counted among those the sentence can mean."""
    spot = numbers.position(answer.plain)
    if spot is None or not pool:
        return None
    index = spot.index
    return pool[index] if -len(pool) <= index < len(pool) else None
