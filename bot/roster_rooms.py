"""Which unit has which group, as the roster says it: topics change hands in any order, and the bindings follow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from bot.importers.roster import UnitRow
from handlers.binding import topics_changed
from handlers.context import load_district
from storage import people
from storage.tables import Room, Unit


def settle_rooms(session: Session, rows: Sequence[UnitRow], units: dict[str, Unit], *, now: datetime) -> list[str]:
    """Give each room the topic that its row says, then look at the bindings again. What a clerk should know, in words.

    A row without a topic takes nothing away: the unit's group stays, unless another row names the same group.
    """
    wanted = {units[row.name].id or 0: row.room for row in rows if row.room}
    notes = _handed_over(session, wanted)
    before = {room.id or 0: room.topic for room in people.rooms(session)}
    notes += _set_topics(session, wanted, {unit.id: unit.name for unit in units.values()})
    rooms = people.rooms(session)
    changed = {room.id or 0 for room in rooms if before.get(room.id or 0) != room.topic}
    notes += topics_changed(session, load_district(session), changed=changed, now=now)
    blank = {units[row.name].id: row.name for row in rows if not row.room}
    notes += [f"{blank[room.unit_id]}的“群名”是空的：仍按“{room.topic}”" for room in rooms if room.unit_id in blank]
    return notes


def _handed_over(session: Session, wanted: dict[int, str]) -> list[str]:
    """A group whose unit names it no more goes, with its bindings and numbers, to the unit that names it now."""
    rooms = people.rooms(session)
    having = {room.unit_id for room in rooms}
    free = {room.topic: room for room in rooms if room.unit_id not in wanted}
    notes = []
    for unit_id, topic in wanted.items():
        if unit_id not in having and topic in free:
            free[topic].unit_id = unit_id
            session.add(free[topic])
            notes.append(f"群“{topic}”换了单位")
    session.flush()
    return notes


def _set_topics(session: Session, wanted: dict[int, str], names: dict[int | None, str]) -> list[str]:
    """First every topic that changes is put aside: two units may exchange theirs, and a topic is unique."""
    rooms = people.rooms(session)
    taken = set(wanted.values())
    changing = [
        room for room in rooms if wanted.get(room.unit_id, "" if room.topic in taken else room.topic) != room.topic
    ]
    old = {room.id: room.topic for room in changing}
    for room in changing:
        room.topic = f"\n{room.id}"  # no topic of a group has a line end
        session.add(room)
    session.flush()
    notes = []
    for room in changing:
        topic = wanted.get(room.unit_id)
        room.topic = topic or f"{old[room.id]}（{names[room.unit_id]}原来的群 {room.id}）"
        session.add(room)
        if topic is None:
            notes.append(f"群“{old[room.id]}”现在是别的单位的；{names[room.unit_id]}没有群了")
    having = {room.unit_id for room in rooms}
    session.add_all(Room(unit_id=unit_id, topic=topic) for unit_id, topic in wanted.items() if unit_id not in having)
    session.flush()
    return notes
