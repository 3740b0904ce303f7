"""Every move of a ticket and of a duty, decided by hand."""

from __future__ import annotations

import pytest

from handlers import lifecycle
from handlers.errors import IllegalMove
from handlers.lifecycle import Move
from storage.enums import AssignmentStatus as A
from storage.enums import TicketStatus as T

NO = None
TICKETS = [
    # from, dispatch, accept, resolve, decline, transfer, reopen, withdraw, undo
    (T.WAITING, NO, T.ACCEPTED, NO, T.UNROUTED, T.WAITING, NO, T.WITHDRAWN, NO),
    (T.ACCEPTED, NO, NO, T.RESOLVED, T.UNROUTED, T.WAITING, NO, NO, T.WAITING),
    (T.RESOLVED, NO, NO, NO, NO, NO, T.REOPENED, NO, NO),
    (T.REOPENED, NO, T.ACCEPTED, NO, T.UNROUTED, T.WAITING, NO, NO, NO),
    (T.WITHDRAWN, NO, NO, NO, NO, NO, NO, NO, NO),
    (T.UNROUTED, T.WAITING, NO, NO, NO, NO, NO, T.WITHDRAWN, NO),
]
DUTIES = [
    (A.WAITING, NO, A.ACCEPTED, NO, A.DECLINED, A.TRANSFERRED, NO, A.WITHDRAWN, NO),
    (A.ACCEPTED, NO, NO, A.RESOLVED, A.DECLINED, A.TRANSFERRED, NO, NO, A.WAITING),
    (A.RESOLVED, NO, NO, NO, NO, NO, NO, NO, NO),
    (A.DECLINED, NO, NO, NO, NO, NO, NO, NO, NO),
    (A.TRANSFERRED, NO, NO, NO, NO, NO, NO, NO, NO),
    (A.WITHDRAWN, NO, NO, NO, NO, NO, NO, NO, NO),
]
ORDER = (
    Move.DISPATCH, Move.ACCEPT, Move.RESOLVE, Move.DECLINE, Move.TRANSFER, Move.REOPEN, Move.WITHDRAW, Move.UNDO,
)  # fmt: skip


def cases(table: list[tuple]) -> list[tuple]:  # type: ignore[type-arg]
    return [(row[0], move, to) for row in table for move, to in zip(ORDER, row[1:], strict=True)]


@pytest.mark.parametrize("status, move, to", cases(TICKETS))
def test_every_move_of_a_ticket_is_decided(status: T, move: Move, to: T | None) -> None:
    if to is None:
        with pytest.raises(IllegalMove, match=status.value):
            lifecycle.next_ticket(status, move)
    else:
        assert lifecycle.next_ticket(status, move) is to


@pytest.mark.parametrize("status, move, to", cases(DUTIES))
def test_every_move_of_a_duty_is_decided(status: A, move: Move, to: A | None) -> None:
    if to is None:
        with pytest.raises(IllegalMove, match=status.value):
            lifecycle.next_duty(status, move)
    else:
        assert lifecycle.next_duty(status, move) is to


def test_the_tables_name_every_state_and_every_move() -> None:
    assert {row[0] for row in TICKETS} == set(T)
    assert {row[0] for row in DUTIES} == set(A)
    assert set(ORDER) == set(Move)
