"""An administrator changes the roster or the catalogue on the page: checked, and told as before and after.

Nothing here sends a message or touches a ticket, a duty or a clock; the rules see the change with the next message
(`people.touch_roster`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from handlers.context import NO_LEAD
from handlers.forms import Edit, EditRefused, Form, Reader, found, number
from storage import people
from storage.enums import Role
from storage.tables import Catalogue, Duty, Member, MemberContact, Room, SeenRoom, Unit

HOLIDAY = "节假日"  # the line of the rota that has neither weekday nor date
LINES = ("", "白班", "夜班", HOLIDAY)
WEEKDAYS = "一二三四五六日"


# ---- people ----------------------------------------------------------------------------------------------------------


def add_member(session: Session, form: Form, *, now: datetime) -> Edit:
    """A new member at the end of the roster; fields unit, name, role, aliases, on_duty, contact_id."""
    read = Reader(form)
    unit, name = _unit_named(session, read.text("unit")), read.text("name")
    fields = _fields(session, read, None)
    if unit is None:
        read.wrong("unit", "没有这个单位")
    elif session.exec(select(Member).where(Member.unit_id == unit.id, Member.name == name)).first():
        read.wrong("name", f"{unit.name}已有“{name}”；撤出的可以在那一行恢复")
    read.done()
    assert unit is not None and unit.id is not None
    position = max((member.position for member in people.members(session)), default=0) + 1
    member = Member(unit_id=unit.id, name=name, role=Role.HANDLER, position=position)
    return _save_member(session, member, unit, fields, before=None, now=now)


def change_member(session: Session, member_id: int, form: Form, *, now: datetime) -> Edit:
    """Role, aliases, mark of duty, WeChat id, and whether the member is there at all; the name stays."""
    member = found(session.get(Member, member_id))
    unit = found(session.get(Unit, member.unit_id))
    read = Reader(form)
    fields = _fields(session, read, member_id)
    read.done()
    return _save_member(session, member, unit, fields, before=_member(session, member), now=now)


@dataclass(frozen=True, slots=True)
class _Fields:
    role: str
    aliases: list[str]
    on_duty: bool
    active: bool
    contact: str
    held: MemberContact | None  # the row of that contact, if it is known


def _fields(session: Session, read: Reader, member_id: int | None) -> _Fields:
    """What a form says of a member; what is wrong is noted in the reader."""
    role, contact = read.text("role"), read.text("contact_id", needed=False)
    if role not in list(Role):
        read.wrong("role", "请选一个角色")
    query = select(MemberContact).where(MemberContact.contact_id == contact)
    held = session.exec(query).first() if contact else None
    if held is not None and held.member_id != member_id:
        other = session.get(Member, held.member_id)
        if other is not None and people.is_there(session, other):
            read.wrong("contact_id", "这个微信号已是别人的")
    return _Fields(role, read.many("aliases"), read.yes("on_duty"), read.yes("active"), contact, held)


def _save_member(
    session: Session, member: Member, unit: Unit, fields: _Fields, *, before: dict[str, Any] | None, now: datetime
) -> Edit:
    member.role, member.aliases, member.on_duty = Role(fields.role), fields.aliases, fields.on_duty
    member.active = before is None or fields.active
    session.add(member)
    session.flush()
    assert member.id is not None
    if fields.held is not None:
        fields.held.member_id, fields.held.clash = member.id, None  # the administrator's word ends a clash
        session.add(fields.held)
    elif fields.contact:
        people.learn_contact(session, member_id=member.id, contact_id=fields.contact, now=now, source="admin")
    session.flush()
    return _told(session, f"人员 {unit.name} {member.name}", before, _member(session, member))


def _member(session: Session, member: Member) -> dict[str, Any]:
    contacts = session.exec(select(MemberContact).where(MemberContact.member_id == member.id)).all()
    return {
        "角色": member.role.value,
        "别名": list(member.aliases),
        "值班": member.on_duty,
        "在册": member.active,
        "微信号": sorted(contact.contact_id for contact in contacts),
    }


# ---- the rota --------------------------------------------------------------------------------------------------------


def add_duty(session: Session, unit_id: int, form: Form) -> Edit:
    """A line of the unit's rota; fields member_id, weekday (0 = Monday) or day, starts, ends, line."""
    read = Reader(form)
    member = session.get(Member, number(form.get("member_id", "")))
    if member is None or not member.active or member.unit_id != unit_id:
        read.wrong("member_id", "这个单位没有这个人")
    starts, ends, day = read.clock("starts"), read.clock("ends"), read.day("day")
    weekday = form.get("weekday", "").strip()
    line = form.get("line", "").strip()
    if weekday not in ("", *"0123456"):
        read.wrong("weekday", "请选星期")
    if line not in LINES:
        read.wrong("line", "请选班次")
    if weekday and day:
        read.wrong("day", "星期和日期只填一个")
    elif not weekday and day is None and line != HOLIDAY:
        read.wrong("weekday", f"星期和日期填一个；只在节假日值班的，班次选“{HOLIDAY}”")
    read.done()
    assert member is not None and member.id is not None
    row = Duty(
        unit_id=unit_id, member_id=member.id, weekday=int(weekday) if weekday else None, day=day,
        starts=starts, ends=ends, line=line, source="page",
    )  # fmt: skip
    session.add(row)
    session.flush()
    subject, told = _duty(session, row)
    return _told(session, subject, None, told)


def remove_duty(session: Session, duty_id: int) -> Edit:
    row = found(session.get(Duty, duty_id))
    subject, told = _duty(session, row)
    session.delete(row)
    session.flush()
    return _told(session, subject, told)


def _duty(session: Session, row: Duty) -> tuple[str, dict[str, Any]]:
    unit, member = session.get(Unit, row.unit_id), session.get(Member, row.member_id)
    assert unit is not None and member is not None
    when = row.day.isoformat() if row.day else f"周{WEEKDAYS[row.weekday]}" if row.weekday is not None else HOLIDAY
    told = {"人员": member.name, "何时": when, "起": f"{row.starts:%H:%M}", "止": f"{row.ends:%H:%M}", "班次": row.line}
    return f"值班 {unit.name}", told


# ---- units and their groups ------------------------------------------------------------------------------------------


def change_unit(session: Session, unit_id: int, form: Form) -> Edit:
    """Aliases and the topic of the unit's group; which units there are is the roster file's matter."""
    unit = found(session.get(Unit, unit_id))
    read = Reader(form)
    aliases, topic = read.many("aliases"), read.text("topic", needed=False)
    room = session.exec(select(Room).where(Room.unit_id == unit_id)).first()
    for other in people.units(session):
        taken = {other.name, *other.aliases} & set(aliases) if other.id != unit_id else set()
        if taken:
            read.wrong("aliases", f"“{min(taken)}”已是{other.name}的名称或别名")
    if topic and session.exec(select(Room).where(Room.topic == topic, Room.unit_id != unit_id)).first():
        read.wrong("topic", "别的单位已用这个群名")
    if not topic and room is not None:
        read.wrong("topic", "已有群的单位要有群名")
    read.done()
    before = _unit(unit, room)
    unit.aliases = aliases
    session.add(unit)
    if topic:
        room = room or Room(unit_id=unit_id, topic=topic)
        room.topic = topic
        session.add(room)
    session.flush()
    return _told(session, f"单位 {unit.name}", before, _unit(unit, room))


def _unit(unit: Unit, room: Room | None) -> dict[str, Any]:
    return {"别名": list(unit.aliases), "群名": room.topic if room else None}


def bind_room(session: Session, unit_id: int, form: Form, *, now: datetime, by: str) -> Edit:
    """Say that a group which the gateway listed is this unit's; fields account, channel_room_id."""
    unit = found(session.get(Unit, unit_id))
    room = session.exec(select(Room).where(Room.unit_id == unit_id)).first()
    account, channel = form.get("account", ""), form.get("channel_room_id", "")
    seen = session.exec(
        select(SeenRoom).where(SeenRoom.account == account, SeenRoom.channel_room_id == channel)
    ).first()
    if room is None:
        raise EditRefused({"channel_room_id": "这个单位还没有群名，请先填群名"})
    if seen is None:
        raise EditRefused({"channel_room_id": "机器人没有见过这个群"})
    assert room.id is not None
    before = {
        "群": next(
            (b.channel_room_id for b in people.bindings(session) if b.room_id == room.id and b.account == account), None
        )
    }
    people.bind_room(session, account=account, channel_room_id=channel, room_id=room.id, now=now, by=by)
    seen.held_because = None
    session.add(seen)
    return _told(session, f"绑定 {unit.name}", before, {"群": channel, "群名": seen.topic, "账号": account})


# ---- the catalogue ---------------------------------------------------------------------------------------------------


def save_category(session: Session, category_id: int | None, form: Form) -> Edit:
    """A category with its lead agency and examples; without an id a new one at the end. The name stays."""
    read = Reader(form)
    row = found(session.get(Catalogue, category_id)) if category_id is not None else None
    name = row.category if row else read.text("category")
    agency, examples = read.text("lead_agency", needed=name != NO_LEAD), read.many("examples")
    unit = _unit_named(session, agency) if agency else None
    if agency and unit is None:
        read.wrong("lead_agency", "没有这个单位")
    known = people.catalogue(session)
    if row is None and any(each.category == name for each in known):
        read.wrong("category", "已有这个类别")
    read.done()
    before = _category(row) if row else None
    row = row or Catalogue(
        category=name, lead_agency="", position=max((each.position for each in known), default=-1) + 1
    )
    row.lead_agency, row.examples = agency, examples
    session.add(row)
    session.flush()
    return _told(session, f"类别 {name}", before, _category(row))


def remove_category(session: Session, category_id: int) -> Edit:
    """Take a category out of the catalogue; tickets keep the word."""
    row = found(session.get(Catalogue, category_id))
    if row.category == NO_LEAD:
        raise EditRefused({"category": f"“{NO_LEAD}”要留着：认不出类别的诉求归它"})
    before = _category(row)
    session.delete(row)
    session.flush()
    return _told(session, f"类别 {row.category}", before)


def _category(row: Catalogue) -> dict[str, Any]:
    return {"承办单位": row.lead_agency, "例子": list(row.examples)}


# ---- shared ----------------------------------------------------------------------------------------------------------


def _unit_named(session: Session, name: str) -> Unit | None:
    return session.exec(select(Unit).where(Unit.name == name, col(Unit.active).is_(True))).first()


def _told(session: Session, subject: str, before: dict[str, Any] | None, after: dict[str, Any] | None = None) -> Edit:
    people.touch_roster(session)
    return Edit(subject, before, after)
