"""What the pages of roster, catalogue and room bindings show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from bot.proposals import in_words, proposals, unit_topics
from handlers.context import Context
from handlers.policy import BEIJING
from handlers.roster_edits import HOLIDAY, LINES, WEEKDAYS
from storage import people
from storage.enums import Role
from storage.tables import Duty, Member, RoomBinding, SeenRoom

UNKNOWN_TOPIC = "no unit has this topic"
_WHY = {
    UNKNOWN_TOPIC: "没有单位用这个群名",
    "several rooms have this topic": "几个群同名，请管理员绑定",
}


def roster_page(session: Session, ctx: Context, *, now: datetime) -> dict[str, Any]:
    """Every active unit with its people, its group and its binding; groups and units that lack the other."""
    district = ctx.district
    rooms = {room.unit_id: room for room in people.rooms(session)}
    bindings = people.group_bindings(session)
    bound = {binding.room_id for binding in bindings}
    topics = unit_topics(session)
    units, unbound = [], []
    for unit in district.units:
        if not unit.active:
            continue
        room = rooms.get(unit.id)
        units.append(
            {
                "id": unit.id,
                "name": unit.name,
                "kind": unit.kind.value,
                "people": len(district.members_of.get(unit.id, ())),
                "on_duty": "、".join(member.name for member in district.on_duty(unit.id, now)),
                "topic": room.topic if room else None,
                "bound": room is not None and room.id in bound,
            }
        )
        if room is None or room.id not in bound:
            why = "还没有群名" if room is None else f"没有找到群“{room.topic}”"
            unbound.append({"id": unit.id, "name": unit.name, "why": why})
    return {
        "units": units,
        "people": sum(unit["people"] for unit in units),
        "unbound_units": unbound,
        "loose_rooms": [_seen(room, topics) for room in _loose(session, bindings)],
    }


def _loose(session: Session, bindings: Sequence[RoomBinding]) -> list[SeenRoom]:
    known = {(binding.account, binding.channel_room_id) for binding in bindings}
    return [room for room in people.last_listed(session) if (room.account, room.channel_room_id) not in known]


def why_loose(room: SeenRoom) -> str:
    """Why a group that the gateway listed is bound to no unit."""
    return _WHY.get(room.held_because or UNKNOWN_TOPIC, "群名对应的单位已绑定别的群")


def _seen(room: SeenRoom, topics: Mapping[str, str]) -> dict[str, str]:
    return {
        "topic": room.topic,
        "account": room.account,
        "seen": clock(room.seen_at),
        "near": in_words(proposals(room.topic, topics)),
        "why": why_loose(room),
    }


def unit_roster_page(session: Session, ctx: Context, unit_id: int) -> dict[str, Any]:
    """One unit: people (those who left too), rota, names, group; and what the forms may choose from."""
    unit = ctx.district.unit_by_id[unit_id]
    members = [member for member in people.members(session) if member.unit_id == unit_id]
    names = {member.id: member.name for member in members}
    contacts = defaultdict(list)
    for contact in people.contacts(session):
        contacts[contact.member_id].append(contact)
    bindings = people.group_bindings(session)
    room = next((room for room in people.rooms(session) if room.unit_id == unit_id), None)
    return {
        "unit": unit,
        "members": [_member(m, bool(contacts[m.id or 0]), any(c.clash for c in contacts[m.id or 0])) for m in members],
        "duties": [_duty(d, names.get(d.member_id, "")) for d in people.duties(session) if d.unit_id == unit_id],
        "aliases": "、".join(unit.aliases),
        "topic": room.topic if room else None,
        "bound": [
            {"account": b.account, "by": "按群名" if b.bound_by == "topic" else b.bound_by, "at": clock(b.bound_at)}
            for b in bindings
            if room is not None and b.room_id == room.id
        ],
        "roles": [(role.value, role.value) for role in Role],
        "active": [(member.id, member.name) for member in members if member.active],
        "weekdays": [("", "—"), *((str(number), f"周{day}") for number, day in enumerate(WEEKDAYS))],
        "lines": [(line, line or "—") for line in LINES],
        "seen": [
            (f"{seen.account}/{seen.channel_room_id}", f"{seen.topic}（{seen.account}）")
            for seen in _loose(session, bindings)
        ]
        if room is not None
        else [],
    }


def _member(member: Member, known: bool, clash: bool) -> dict[str, Any]:
    return {
        "id": member.id,
        "name": member.name,
        "role": member.role.value,
        "aliases": "、".join(member.aliases),
        "on_duty": member.on_duty,
        "active": member.active,
        "contacts": known,
        "clash": clash,
    }


def _duty(duty: Duty, name: str) -> dict[str, Any]:
    when = duty.day.isoformat() if duty.day else f"周{WEEKDAYS[duty.weekday]}" if duty.weekday is not None else HOLIDAY
    over = "次日" if duty.ends <= duty.starts else ""
    source = {"roster": "花名册文件", "page": "页面"}.get(duty.source, duty.source.replace("group: ", "群里 "))
    hours = f"{duty.starts:%H:%M}—{over}{duty.ends:%H:%M}"
    return {"id": duty.id, "when": when, "hours": hours, "member": name, "line": duty.line, "source": source}


def catalogue_page(session: Session, ctx: Context) -> dict[str, Any]:
    return {
        "rows": [
            {
                "id": row.id,
                "category": row.category,
                "lead_agency": row.lead_agency,
                "examples": "、".join(row.examples),
            }
            for row in people.catalogue(session)
        ],
        "agencies": [unit.name for unit in ctx.district.units if unit.active],
    }


def clock(at: datetime) -> str:
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"
