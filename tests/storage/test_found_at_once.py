"""What is asked of the inbox for every message or every send is found by an index, not by reading the whole history."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from storage import inbox, room_tickets
from storage.sessions import reading
from storage.tables import InboxMessage
from tests.process import LAMP, NINE, prepare

ASKED = {
    "the same text lately": lambda session: inbox.same_text(
        session, room_id=1, text=LAMP, since=NINE, until=NINE, before_id=9
    ),
    "a sender lately": lambda session: inbox.recent_of_sender(
        session, room_id=1, sender_name="甄丙", since=NINE, until=NINE, before_id=9
    ),
    "the same of another account": lambda session: inbox.twin(
        session, InboxMessage(channel="one", sender_name="甄丙", sent_at=NINE, text=LAMP, type="text"), 1
    ),
    "a message by its id": lambda session: inbox.find(
        session, channel="one", channel_room_id="one:东山镇", message_id="m1"
    ),
    "our own echo": lambda session: inbox.own_echo(session, channel_room_id="one:东山镇", text=LAMP, since=NINE),
}


@pytest.mark.parametrize("what", ASKED)
def test_it_is_found_by_an_index_of_more_than_the_room(engine: Engine, what: str) -> None:
    """Before: a quote or a recall read the whole inbox, a complaint all that was ever said in its room."""
    prepare(engine)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def seen(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        if "FROM inbox" in statement and not statement.startswith("EXPLAIN"):
            asked.append((statement, values))

    with reading(engine) as session:
        ASKED[what](session)
        statement, values = asked[0]
        postgres = engine.dialect.name == "postgresql"
        if postgres:
            session.execute(text("SET LOCAL enable_seqscan = off"))  # of an empty table it is cheaper to read all
        explain = "EXPLAIN " if postgres else "EXPLAIN QUERY PLAN "
        plan = "\n".join(str(row[-1]) for row in session.connection().exec_driver_sql(explain + statement, values))
    conditions = [line for line in plan.split("\n") if "Index Cond" in line or "USING INDEX" in line]
    assert conditions and (conditions[0].count("=") + conditions[0].count("<") + conditions[0].count(">")) > 1, plan


def test_what_a_room_knows_by_number_is_found_without_reading_all_it_ever_numbered(engine: Engine) -> None:
    """Before: every message read every number that its room had given out in years."""
    prepare(engine)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def seen(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        if "FROM room_number" in statement and not statement.startswith("EXPLAIN"):
            asked.append((statement, values))

    with reading(engine) as session:
        room_tickets.numbered_in_room(session, 1, NINE.date())
        statement, values = asked[0]
        postgres = engine.dialect.name == "postgresql"
        if postgres:
            session.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN " if postgres else "EXPLAIN QUERY PLAN "
        plan = "\n".join(str(row[-1]) for row in session.connection().exec_driver_sql(explain + statement, values))
    assert "Seq Scan" not in plan and "SCAN room_number" not in plan and "SCAN ticket" not in plan, plan
    assert "uq_room_number" in plan or "sqlite_autoindex_room_number" in plan, plan
    assert "ix_ticket_status" in plan, plan
