"""What the database itself refuses, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, StatementError

from storage import inbox, room_tickets, tickets
from storage.enums import (
    AssignmentRole,
    AssignmentStatus,
    MessageType,
    Source,
    TicketStatus,
    UnitKind,
    Urgency,
)
from storage.sessions import transaction
from storage.tables import Assignment, Room, Ticket, Unit

NINE = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)


def a_room(engine: Engine) -> int:
    with transaction(engine) as session:
        unit = Unit(name="东山镇", kind=UnitKind.TOWN, position=0)
        session.add(unit)
        session.flush()
        room = Room(unit_id=unit.id or 0, topic="东山镇工作群")
        session.add(room)
        session.flush()
        return room.id or 0


def a_ticket(no: str, room: int, **more: object) -> Ticket:
    values = {"source": Source.CITIZEN, "category": "其他", "urgency": Urgency.NORMAL, "text": "路灯坏了", "gist": "路灯坏了"}
    return Ticket(no=no, room_id=room, status=TicketStatus.WAITING, created_at=NINE, **{**values, **more})


def a_duty(ticket: int, **more: object) -> Assignment:
    values = {"unit_id": 1, "short": 1, "role": AssignmentRole.LEAD, "urgency": Urgency.NORMAL}
    return Assignment(ticket_id=ticket, dispatched_at=NINE, due_at=NINE, **{**values, **more})


def test_times_come_back_as_the_same_instant_and_aware(engine: Engine) -> None:
    """faults: mcp-context-forge#3531."""
    room = a_room(engine)
    with transaction(engine) as session:
        session.add(a_ticket("20260303-0001", room, limit_at=datetime.fromisoformat("2026-03-03T18:00:00+08:00")))
    with transaction(engine) as session:
        ticket = tickets.by_no(session, "20260303-0001")
        assert ticket and ticket.limit_at == datetime(2026, 3, 3, 10, 0, tzinfo=UTC)


def test_a_naive_time_is_refused(engine: Engine) -> None:
    room = a_room(engine)
    with pytest.raises(StatementError, match="naive datetime refused"), transaction(engine) as session:
        session.add(a_ticket("20260303-0001", room, limit_at=datetime(2026, 3, 3, 18, 0)))  # noqa: DTZ001


def test_a_word_that_is_no_status_is_refused_by_the_database_itself(engine: Engine) -> None:
    room = a_room(engine)
    with transaction(engine) as session:
        session.add(a_ticket("20260303-0001", room))
    with pytest.raises(IntegrityError), transaction(engine) as session:
        session.execute(text("UPDATE ticket SET status = '也许'"))


def test_a_ticket_has_at_most_one_living_lead_duty(engine: Engine) -> None:
    room = a_room(engine)
    with transaction(engine) as session:
        ticket = a_ticket("20260303-0001", room)
        session.add(ticket)
        session.flush()
        session.add_all([a_duty(ticket.id or 0, status=AssignmentStatus.DECLINED), a_duty(ticket.id or 0)])
        session.add(a_duty(ticket.id or 0, role=AssignmentRole.HELPER))
    with pytest.raises(IntegrityError), transaction(engine) as session:
        session.add(a_duty(1))


def test_an_order_has_one_living_ticket_and_may_come_again_after_a_recall(engine: Engine) -> None:
    room = a_room(engine)
    with transaction(engine) as session:
        gone = a_ticket("20260303-0001", room, order_no="热线-1")
        gone.status = TicketStatus.WITHDRAWN
        session.add_all([gone, a_ticket("20260303-0002", room, order_no="热线-1")])
    with pytest.raises(IntegrityError), transaction(engine) as session:
        session.add(a_ticket("20260303-0003", room, order_no="热线-1"))


def test_a_message_is_stored_once_in_its_room_and_again_in_another(engine: Engine) -> None:
    def message(room: str) -> dict[str, object]:
        return {
            "channel": "a", "channel_room_id": room, "message_id": "m1", "sender_id": "", "sender_name": "甄丙",
            "type": MessageType.TEXT, "text": "领1", "mentions": [], "mentions_bot": False, "is_self": False,
            "sent_at": NINE, "received_at": NINE,
        }  # fmt: skip

    with transaction(engine) as session:
        assert inbox.add_once(session, [message("r1")]) == {("r1", "m1")}
        assert inbox.add_once(session, [message("r1")]) == set()
        assert inbox.add_once(session, [message("r2")]) == {("r2", "m1")}


def test_numbers_go_up_within_a_day_and_start_anew_on_the_next(engine: Engine) -> None:
    room = a_room(engine)
    today, tomorrow = date(2026, 3, 3), date(2026, 3, 4)
    with transaction(engine) as session:
        for n in range(1, 5):
            session.add(a_ticket(f"20260303-000{n}", room))
        session.flush()
        assert [room_tickets.number_in_room(session, room_id=room, ticket_id=n, today=today) for n in (1, 2, 1)] == [1, 2, 1]
        first = session.get_one(Ticket, 1)
        first.status = TicketStatus.RESOLVED
        session.add(first)
        session.flush()
        assert room_tickets.number_in_room(session, room_id=room, ticket_id=3, today=today) == 3  # 1 was used today
        assert room_tickets.number_in_room(session, room_id=room, ticket_id=4, today=tomorrow) == 1  # 2 and 3 are open
        assert tickets.next_no(session, today) == "20260303-0005"
        assert tickets.next_no(session, tomorrow) == "20260304-0001"
