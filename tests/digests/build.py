"""Rows of a small district, built by hand. Times are Beijing wall times unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from handlers.digests import DigestSettings, compute
from handlers.policy import BEIJING
from storage.enums import (
    AssignmentRole,
    AssignmentStatus,
    DigestKind,
    Source,
    TicketStatus,
    UnitKind,
    Urgency,
)
from storage.tables import Assignment, Catalogue, Room, Ticket, Unit
from tests.databases import fresh, ids_go_on

UNITS = ("泉河街道", "龙山街道", "怀柔镇", "雁栖镇", "庙城镇", "北房镇", "杨宋镇", "桥梓镇", "渤海镇")
AGENCIES = ("区生态环境局", "区城市管理委", "区水务局")
DONE, DECLINED, TRANSFERRED, WITHDRAWN = (
    AssignmentStatus.RESOLVED,
    AssignmentStatus.DECLINED,
    AssignmentStatus.TRANSFERRED,
    AssignmentStatus.WITHDRAWN,
)
CATEGORIES = (
    "市容环卫",
    "违法建设",
    "街面秩序",
    "生态环境",
    "道路市政",
    "交通停车",
    "供水排水",
    "供暖供气供电",
    "其他",
)


def at(text: str) -> datetime:
    """An aware time of Beijing's wall clock: `at("2026-03-03 11:59:59")`."""
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@contextmanager
def database(engine: Engine | None = None) -> Iterator[Session]:
    """A session on a fresh database with the units and the catalogue."""
    engine = engine or fresh(None)
    with Session(engine) as session:
        add_district(session)
        yield session
    engine.dispose()


def add_district(session: Session) -> None:
    kinds = [(name, UnitKind.TOWN) for name in UNITS] + [(name, UnitKind.AGENCY) for name in AGENCIES]
    kinds += [("区城指中心", UnitKind.DISPATCH), ("区政府督查室", UnitKind.SUPERVISION)]
    for position, (name, kind) in enumerate(kinds, 1):
        session.add(Unit(id=position, name=name, kind=kind, position=position))
    session.flush()
    for position, (name, _) in enumerate(kinds, 1):
        session.add(Room(id=position, unit_id=position, topic=f"{name}见诉领办工作群"))
    for position, category in enumerate(CATEGORIES):
        session.add(Catalogue(category=category, lead_agency="区城市管理委", position=position))
    ids_go_on(session, Unit, Room)
    session.flush()


def unit_id(name: str) -> int:
    return (*UNITS, *AGENCIES, "区城指中心", "区政府督查室").index(name) + 1


class District:
    """Adds tickets and duties; `duty` without a ticket makes one."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tickets = 0

    def ticket(self, when: datetime, **given: Any) -> Ticket:
        self.tickets += 1
        day = when.astimezone(BEIJING).strftime("%Y%m%d")
        defaults: dict[str, Any] = {
            "no": f"{day}-{self.tickets:04}",
            "room_id": 1,
            "source": Source.HOTLINE,
            "category": "市容环卫",
            "urgency": Urgency.NORMAL,
            "text": "市民反映，村口垃圾多日没人清理，电话13800001234",
            "gist": "村口垃圾多日没人清理",
            "status": TicketStatus.WAITING,
            "created_at": when,
        }
        ticket = Ticket(**{**defaults, **given})
        self.session.add(ticket)
        self.session.flush()
        return ticket

    def duty(
        self,
        unit: str,
        dispatched: datetime | str,
        accepted: int | None = None,
        *,
        ticket: Ticket | None = None,
        status: AssignmentStatus | None = None,
        ended: datetime | str | None = None,
        role: AssignmentRole = AssignmentRole.LEAD,
        urgency: Urgency = Urgency.NORMAL,
        category: str = "市容环卫",
        **given: Any,
    ) -> Assignment:
        """A duty accepted `accepted` seconds after dispatch (None: never), its window 15 minutes."""
        when = at(dispatched) if isinstance(dispatched, str) else dispatched
        over = at(ended) if isinstance(ended, str) else ended
        ticket = ticket or self.ticket(when, urgency=urgency, category=category, unit_id=unit_id(unit))
        due = when + timedelta(minutes=15)
        took = None if accepted is None else when + timedelta(seconds=accepted)
        row = Assignment(
            ticket_id=ticket.id,
            unit_id=unit_id(unit),
            short=1,
            role=role,
            status=status or (AssignmentStatus.ACCEPTED if took else AssignmentStatus.WAITING),
            urgency=urgency,
            dispatched_at=when,
            due_at=due,
            accepted_at=took,
            on_time=None if took is None else took <= due,
            ended_at=over,
            **given,
        )
        self.session.add(row)
        self.session.flush()
        return row


def daily(district: District, end: datetime | None = None, **settings: Any) -> dict[str, Any]:
    end = end or at("2026-03-03 12:00:00")
    return compute(
        district.session,
        kind=DigestKind.DAILY,
        start=end - timedelta(days=1),
        end=end,
        now=end + timedelta(minutes=5),
        settings=DigestSettings(**settings),
    )


def row(numbers: dict[str, Any], unit: str) -> dict[str, Any]:
    (found,) = [entry for entry in numbers["units"] if entry["unit"] == unit]
    return found


def has(entry: dict[str, Any], **expected: Any) -> None:
    for key, value in expected.items():
        if isinstance(value, float):
            assert entry[key] == pytest.approx(value, abs=1e-4), key
        else:
            assert entry[key] == value, key
