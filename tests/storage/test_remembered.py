"""What a transaction remembers is what the database would tell it now."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, func, update
from sqlmodel import Session, col, select

from storage import remembered, tickets
from storage.enums import TicketStatus
from storage.sessions import reading, transaction
from storage.tables import Ticket, Village
from tests.storage.test_constraints import a_room, a_ticket

OPEN = (
    select(func.count()).select_from(Ticket).where(col(Ticket.status).in_((TicketStatus.WAITING, TicketStatus.ACCEPTED)))
)


def how_many_open(session: Session) -> int:
    return remembered.once(session, "open", lambda: session.connection().execute(OPEN).scalar_one(), of=(Ticket,))


def one_ticket(session: Session, room: int, no: str = "20260303-0001") -> Ticket:
    ticket = a_ticket(no, room)
    session.add(ticket)
    session.flush()
    return ticket


def resolve_in_place(session: Session, ticket: Ticket) -> None:
    ticket.status = TicketStatus.RESOLVED  # not flushed: what is asked next must see it all the same


def resolve_by_statement(session: Session, ticket: Ticket) -> None:
    session.execute(update(Ticket).where(col(Ticket.id) == ticket.id).values(status=TicketStatus.RESOLVED))


def resolve_by_move(session: Session, ticket: Ticket) -> None:
    assert tickets.change(session, ticket, expected=TicketStatus.WAITING, to=TicketStatus.RESOLVED)


def remove(session: Session, ticket: Ticket) -> None:
    session.delete(ticket)


@pytest.mark.parametrize("write", [resolve_in_place, resolve_by_statement, resolve_by_move, remove])
def test_what_was_read_is_forgotten_when_its_table_is_written_in_whatever_way(
    engine: Engine, write: Callable[[Session, Ticket], None]
) -> None:
    room = a_room(engine)
    with transaction(engine) as session:
        ticket = one_ticket(session, room)
        assert how_many_open(session) == 1
        write(session, ticket)
        assert how_many_open(session) == 0
        session.rollback()


def test_what_another_table_gets_forgets_nothing(engine: Engine) -> None:
    room = a_room(engine)
    with transaction(engine) as session:
        one_ticket(session, room)
        assert how_many_open(session) == 1
        session.add(Village(township="东山镇", name="上河", kind="村"))
        session.flush()
        assert remembered.peek(session, "open") == 1


def test_a_savepoint_that_is_undone_takes_what_was_read_in_it_along(engine: Engine) -> None:
    room = a_room(engine)
    with transaction(engine) as session:
        one_ticket(session, room)
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            one_ticket(session, room, "20260303-0002")
            assert how_many_open(session) == 2
            raise ZeroDivisionError
        assert how_many_open(session) == 1


def test_a_session_that_only_reads_remembers_nothing(engine: Engine) -> None:
    room = a_room(engine)
    with reading(engine) as session:
        assert how_many_open(session) == 0
        session.rollback()
        with transaction(engine) as other:
            one_ticket(other, room)
        assert how_many_open(session) == 1
