"""The life of a ticket and of a duty: every legal move, and nothing else. Pure.

Each move is carried out by an UPDATE that repeats the expected state (`storage.tickets.move` and `change`), so that of
two people in the same instant one wins.
"""

from __future__ import annotations

from enum import StrEnum

from handlers.errors import IllegalMove
from storage.enums import AssignmentStatus as A
from storage.enums import TicketStatus as T


class Move(StrEnum):
    DISPATCH = "派给单位"  # a unit is found for a ticket without one
    ACCEPT = "领办"
    RESOLVE = "办结"
    DECLINE = "退单"
    TRANSFER = "转派"
    REOPEN = "重办"
    WITHDRAW = "撤销"
    UNDO = "撤回领办"  # the accepting message was recalled


TICKET_MOVES: dict[tuple[T, Move], T] = {
    (T.UNROUTED, Move.DISPATCH): T.WAITING,
    (T.WAITING, Move.ACCEPT): T.ACCEPTED,
    (T.REOPENED, Move.ACCEPT): T.ACCEPTED,
    (T.ACCEPTED, Move.RESOLVE): T.RESOLVED,
    (T.WAITING, Move.DECLINE): T.UNROUTED,
    (T.REOPENED, Move.DECLINE): T.UNROUTED,
    (T.ACCEPTED, Move.DECLINE): T.UNROUTED,
    (T.WAITING, Move.TRANSFER): T.WAITING,
    (T.REOPENED, Move.TRANSFER): T.WAITING,
    (T.ACCEPTED, Move.TRANSFER): T.WAITING,
    (T.RESOLVED, Move.REOPEN): T.REOPENED,
    (T.WAITING, Move.WITHDRAW): T.WITHDRAWN,
    (T.UNROUTED, Move.WITHDRAW): T.WITHDRAWN,
    (T.ACCEPTED, Move.UNDO): T.WAITING,
}

DUTY_MOVES: dict[tuple[A, Move], A] = {
    (A.WAITING, Move.ACCEPT): A.ACCEPTED,
    (A.ACCEPTED, Move.RESOLVE): A.RESOLVED,
    (A.WAITING, Move.DECLINE): A.DECLINED,
    (A.ACCEPTED, Move.DECLINE): A.DECLINED,
    (A.WAITING, Move.TRANSFER): A.TRANSFERRED,
    (A.ACCEPTED, Move.TRANSFER): A.TRANSFERRED,
    (A.WAITING, Move.WITHDRAW): A.WITHDRAWN,
    (A.ACCEPTED, Move.UNDO): A.WAITING,
}


def next_ticket(status: T, move: Move) -> T:
    """Raises IllegalMove when the pair is not in TICKET_MOVES."""
    try:
        return TICKET_MOVES[status, move]
    except KeyError:
        raise IllegalMove(f"{status.value}的工单不能{move.value}") from None


def next_duty(status: A, move: Move) -> A:
    """Raises IllegalMove when the pair is not in DUTY_MOVES."""
    try:
        return DUTY_MOVES[status, move]
    except KeyError:
        raise IllegalMove(f"{status.value}的任务不能{move.value}") from None
