"""A roster read from files becomes rows: added, updated, or retired; history is never lost, no clock is touched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from bot.importers.roster import Roster
from storage import people
from storage.tables import Catalogue, Duty, Member, MemberContact, PlaceAlias, Room, Unit, Village


@dataclass(frozen=True, slots=True)
class Loaded:
    units: int
    members: int
    villages: int
    categories: int
    retired_units: int
    retired_members: int


def load_into(session: Session, roster: Roster, *, now: datetime) -> Loaded:
    """Make the database say what the roster says. Running it again changes nothing.

    Units and members that are gone from the roster are retired, not deleted: tickets point at them. Contact ids and
    duty lines that the bot learned in the groups stay.
    """
    units, retired_units = _units(session, roster)
    members, retired_members = _members(session, roster, units)
    _contacts(session, roster, members, units, now)
    _duties(session, roster, members, units)
    _places(session, roster)
    people.touch_roster(session)
    return Loaded(
        len(roster.units), len(roster.members), len(roster.villages), len(roster.catalogue), retired_units,
        retired_members,
    )  # fmt: skip


def _units(session: Session, roster: Roster) -> tuple[dict[str, Unit], int]:
    known = {unit.name: unit for unit in session.exec(select(Unit)).all()}
    for position, row in enumerate(roster.units):
        unit = known.get(row.name) or Unit(name=row.name, kind=row.kind, position=position)
        unit.kind, unit.aliases, unit.position, unit.active = row.kind, list(row.aliases), position, True
        known[row.name] = unit
        session.add(unit)
    session.flush()
    names = {row.name for row in roster.units}
    retired = 0
    for name, unit in known.items():
        if name not in names and unit.active:
            unit.active, retired = False, retired + 1
            session.add(unit)
    rooms = {room.unit_id: room for room in session.exec(select(Room)).all()}
    for row in roster.units:
        room = rooms.get(known[row.name].id or 0)
        if row.room and room is None:
            session.add(Room(unit_id=known[row.name].id or 0, topic=row.room))
        elif row.room and room is not None and room.topic != row.room:
            room.topic = row.room
            session.add(room)
    session.flush()
    return known, retired


def _members(session: Session, roster: Roster, units: dict[str, Unit]) -> tuple[dict[tuple[str, str], Member], int]:
    by_id = {unit.id: unit.name for unit in units.values()}
    known = {(by_id[m.unit_id], m.name): m for m in session.exec(select(Member)).all()}
    for position, row in enumerate(roster.members):
        key = (row.unit, row.name)
        member = known.get(key) or Member(
            unit_id=units[row.unit].id or 0, name=row.name, role=row.role, position=position
        )
        member.role, member.on_duty, member.aliases = row.role, row.on_duty, list(row.aliases)
        member.position, member.active = position, True
        known[key] = member
        session.add(member)
    session.flush()
    wanted = {(row.unit, row.name) for row in roster.members}
    retired = 0
    for key, member in known.items():
        if key not in wanted and member.active:
            member.active, retired = False, retired + 1
            session.add(member)
    return known, retired


def _contacts(
    session: Session,
    roster: Roster,
    members: dict[tuple[str, str], Member],
    units: dict[str, Unit],
    now: datetime,
) -> None:
    """The roster's word on a contact id ends a clash about it."""
    known = {contact.contact_id: contact for contact in session.exec(select(MemberContact)).all()}
    for row in roster.members:
        if not row.contact_id:
            continue
        member = members[(row.unit, row.name)]
        contact = known.get(row.contact_id) or MemberContact(
            member_id=member.id or 0, contact_id=row.contact_id, learned_at=now, source="roster"
        )
        contact.member_id, contact.clash = member.id or 0, None
        session.add(contact)


def _duties(session: Session, roster: Roster, members: dict[tuple[str, str], Member], units: dict[str, Unit]) -> None:
    for old in session.exec(select(Duty).where(Duty.source == "roster")).all():
        session.delete(old)
    session.flush()
    for row in roster.duty:
        member = members[(row.unit, row.member)]
        session.add(
            Duty(
                unit_id=units[row.unit].id or 0, member_id=member.id or 0, weekday=row.weekday, day=row.day,
                starts=row.starts, ends=row.ends, line=row.line, source="roster",
            )
        )  # fmt: skip


def _places(session: Session, roster: Roster) -> None:
    """Places and catalogue carry no history: what the files say replaces what was there."""
    for table in (Village, PlaceAlias, Catalogue):
        for row in session.exec(select(table).order_by(col(table.id))).all():
            session.delete(row)
    session.flush()
    session.add_all(
        Village(township=v.township, name=v.name, kind=v.kind, aliases=list(v.aliases)) for v in roster.villages
    )
    session.add_all(PlaceAlias(alias=a.alias, township=a.township, village=a.village) for a in roster.aliases)
    session.add_all(
        Catalogue(category=c.category, lead_agency=c.lead_agency, examples=list(c.examples), position=position)
        for position, c in enumerate(roster.catalogue)
    )
    session.flush()
