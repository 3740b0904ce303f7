"""The open tickets that a long run begins with: most of them taken, some still waiting after their window."""

from __future__ import annotations

import random
from collections import deque
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import insert
from sqlmodel import Session, select

from benchmarks.chaos_world import World
from handlers.policy import BEIJING
from storage.enums import AssignedBy, AssignmentRole, AssignmentStatus, Source, Step, TicketStatus, Urgency
from storage.sessions import make_engine, transaction
from storage.tables import Assignment, Deadline, Member, Room, RoomNumber, Ticket

WAITING = 0.1  # share of those that nobody took in time; their repetitions fall due during the run


def open_tickets(
    database: Path, world: World, count: int, *, now: datetime, rng: random.Random
) -> deque[tuple[str, str]]:
    """Write them; which may be resolved, as group and number. `now` is aware."""
    engine = make_engine(f"sqlite:///{database}")
    with transaction(engine) as session:
        made = _fill(session, world, count, now, rng)
    engine.dispose()
    return made


def _fill(session: Session, world: World, count: int, now: datetime, rng: random.Random) -> deque[tuple[str, str]]:
    rooms = {room.topic: room for room in session.exec(select(Room)).all()}
    units = [(group, rooms[group.topic]) for group in world.units]
    owners = {member.unit_id: member.id for member in session.exec(select(Member)).all() if member.name.endswith("三")}
    yesterday = (now - timedelta(days=1)).astimezone(BEIJING).date()
    tickets, duties, deadlines, numbers = [], [], [], []
    resolvable: deque[tuple[str, str]] = deque()
    for n in range(1, count + 1):
        group, room = units[n % len(units)]
        short = (n - 1) // len(units) + 1
        waits = rng.random() < WAITING
        dispatched = now - timedelta(minutes=rng.uniform(20, 45) if waits else rng.uniform(60, 1200))
        due = dispatched + timedelta(minutes=15)
        tickets.append(
            {
                "id": n, "no": f"{yesterday:%Y%m%d}-{n:04}", "room_id": room.id, "unit_id": room.unit_id,
                "source": Source.CITIZEN, "category": "市容环卫", "urgency": Urgency.NORMAL, "urgency_words": [],
                "text": f"第{n}件：垃圾没人清运", "gist": f"第{n}件：垃圾没人清运", "declines": 0, "created_at": dispatched,
                "status": TicketStatus.WAITING if waits else TicketStatus.ACCEPTED,
            }
        )  # fmt: skip
        duties.append(
            {
                "id": n, "ticket_id": n, "unit_id": room.unit_id, "short": short, "role": AssignmentRole.LEAD,
                "status": AssignmentStatus.WAITING if waits else AssignmentStatus.ACCEPTED, "urgency": Urgency.NORMAL,
                "dispatched_at": dispatched, "due_at": due, "owner_id": owners[room.unit_id],
                "assigned_by": AssignedBy.SYSTEM if waits else AssignedBy.SELF, "assigned_at": due,
                "accepted_at": None if waits else due, "on_time": not waits, "overdue_at": due if waits else None,
            }
        )  # fmt: skip
        numbers.append({"room_id": room.id, "day": yesterday, "short": short, "ticket_id": n})
        if waits:
            deadlines.append(
                {"assignment_id": n, "step": Step.AGAIN, "round": 1, "due_at": due + timedelta(minutes=30)}
            )
        else:
            resolvable.append((group.id, str(short)))
    for table, rows in ((Ticket, tickets), (Assignment, duties), (RoomNumber, numbers), (Deadline, deadlines)):
        for at in range(0, len(rows), 1000):
            session.execute(insert(table), rows[at : at + 1000])
    rng.shuffle(resolvable)
    return resolvable
