"""A room with many open tickets: what is asked of the database for an answer does not grow with their number."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session, select

from bot.clock import VirtualClock
from handlers.policy import BEIJING
from storage import room_tickets
from storage.enums import AssignmentRole, Source, TicketStatus, Urgency
from storage.sessions import transaction
from storage.tables import Assignment, Room, RoomNumber, Ticket
from tests import district
from tests.process import NINE, Groups, Process, prepare

HANDLER = district.nick("东山镇", 3)


def open_tickets(session: Session, first: int, last: int) -> None:
    room = session.exec(select(Room).where(Room.topic == district.room("东山镇"))).one()
    for number in range(first, last + 1):
        ticket = Ticket(
            no=f"20260303-{number:04d}", room_id=room.id, unit_id=room.unit_id, source=Source.CITIZEN, category="市容环卫",
            urgency=Urgency.NORMAL, text=f"第{number}根电线杆旁的路灯坏了", gist="路灯", status=TicketStatus.WAITING,
            created_at=NINE,
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        session.add(RoomNumber(room_id=room.id, day=NINE.astimezone(BEIJING).date(), short=number, ticket_id=ticket.id))
        session.add(
            Assignment(
                ticket_id=ticket.id, unit_id=room.unit_id, short=number, role=AssignmentRole.LEAD, urgency=Urgency.NORMAL,
                dispatched_at=NINE, due_at=NINE.replace(minute=15),
            )  # fmt: skip
        )


@pytest.mark.parametrize("words", ["领{}", "收到", "办结{} 灯换好了", "市民反映，柳林村第{}户门前垃圾没人清运，请处理。"])
def test_an_answer_asks_the_database_no_more_with_two_hundred_open_tickets_than_with_twenty(
    engine: Engine, tmp_path: Path, words: str
) -> None:
    """Before: an unclear 收到 read every open ticket of the room one by one, and each message loaded all of them whole."""
    prepare(engine)
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _cursor, statement, *_more: asked.append(statement))
    counts = []
    process.hear("东山镇", HANDLER, "早上好")
    asyncio.run(process.worker.drain())  # the district is read once
    for first, last in ((1, 20), (51, 230)):
        with transaction(engine) as session:
            open_tickets(session, first, last)
        process.wait(seconds=90)
        process.hear("东山镇", HANDLER, words.format(last))
        asked.clear()
        asyncio.run(process.worker.drain())
        counts.append(len(asked))
    assert 0 < counts[1] <= counts[0]


def test_numbers_go_on_from_todays_highest_and_skip_those_of_older_open_tickets(engine: Engine) -> None:
    prepare(engine)
    with transaction(engine) as session:
        open_tickets(session, 1, 3)
        room = session.exec(select(Room).where(Room.topic == district.room("东山镇"))).one().id or 0
        second = session.exec(select(Ticket).where(Ticket.no == "20260303-0002")).one()
        second.status = TicketStatus.RESOLVED
        session.add(second)
        session.flush()
        ids = [ticket.id or 0 for ticket in session.exec(select(Ticket).order_by(Ticket.no))]  # type: ignore[arg-type]
        tomorrow = NINE.replace(day=4).date()
        assert [known.no[-1] for known in room_tickets.numbered_in_room(session, room, tomorrow).values()] == ["1", "3"]
        # 1 is an older open one's, 2 is free again, 3 is an older open one's
        assert room_tickets.number_in_room(session, room_id=room, ticket_id=ids[1], today=tomorrow) == 2
        assert room_tickets.number_in_room(session, room_id=room, ticket_id=ids[0], today=tomorrow) == 1  # it has one
        assert room_tickets.number_in_room(session, room_id=room, ticket_id=ids[0], today=tomorrow, fresh=True) == 4
        assert list(room_tickets.numbered_in_room(session, room, tomorrow)) == [1, 3, 2, 4]
