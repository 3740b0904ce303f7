"""A roster read from files becomes rows: added, updated, or retired; history is never lost, no clock is touched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from bot.importers.roster import Problem, Roster, RosterError
from bot.roster_rooms import settle_rooms
from storage import people
from storage.open_duties import count_open, count_owned, open_duties
from storage.tables import Catalogue, Duty, Member, MemberContact, PlaceAlias, Unit, Village

NUMBERS_SHOWN = 5  # tickets that keep a unit from leaving


@dataclass(frozen=True, slots=True)
class Loaded:
    units: int
    members: int
    villages: int
    categories: int
    retired_units: int
    retired_members: int
    notes: tuple[str, ...] = ()  # what a clerk should look at, in Chinese; nothing of it is wrong


def load_into(session: Session, roster: Roster, *, now: datetime) -> Loaded:
    """Make the database say what the roster says. Running it again changes nothing.

    Units and members that are gone from the roster are retired, not deleted: tickets point at them. Contact ids and
    duty lines that the bot learned in the groups stay. Raises RosterError, before anything is written, if a unit that
    has open duties would be retired.
    """
    known = {unit.name: unit for unit in people.units(session)}
    renamed = _renamed(known, roster)
    _refuse_to_leave(session, roster, known, kept=set(renamed.values()))
    notes = _rename(known, renamed)
    units, retired_units = _units(session, roster, known)
    members, gone = _members(session, roster, units)
    _contacts(session, roster, members, now)
    _duties(session, roster, members, units)
    _places(session, roster)
    people.touch_roster(session)
    notes += settle_rooms(session, roster.units, units, now=now)
    notes += _left_behind(session, gone)
    return Loaded(
        len(roster.units), len(roster.members), len(roster.villages), len(roster.catalogue), retired_units,
        len(gone), tuple(notes),
    )  # fmt: skip


def _renamed(known: dict[str, Unit], roster: Roster) -> dict[str, str]:
    """New names with the old: a unit of the roster that is new here and has one that would leave among its aliases."""
    listed = {row.name for row in roster.units}
    found: dict[str, str] = {}
    for row in roster.units:
        olds = [alias for alias in row.aliases if alias in known and alias not in listed]
        if row.name not in known and len(olds) == 1 and known[olds[0]].kind is row.kind and known[olds[0]].active:
            found[row.name] = olds[0]
    return found


def _rename(known: dict[str, Unit], renamed: dict[str, str]) -> list[str]:
    for new, old in renamed.items():
        known[new] = known.pop(old)
        known[new].name = new
    return [f"{old}改名为{new}，工单、群和人员都跟着走" for new, old in renamed.items()]


def _refuse_to_leave(session: Session, roster: Roster, known: dict[str, Unit], *, kept: set[str]) -> None:
    """A unit that still has something to do cannot leave: nobody could take it, hand it on or finish it."""
    stays = {row.name for row in roster.units} | kept
    problems = []
    for name, unit in known.items():
        count = sum(count_open(session, unit.id or 0).values()) if unit.active and name not in stays else 0
        if not count:
            continue
        shown = [duty.no for duty in open_duties(session, unit.id or 0, limit=NUMBERS_SHOWN)]
        numbers = "、".join(shown) + (" 等" if count > len(shown) else "")
        what = f"“{name}”不在表里了，可它还有 {count} 件没有办结（{numbers}）"
        todo = "请先把这些工单办结、撤销或转给别的单位，或者把这一行留着；只是改名的，在新名称那一行的“别名”里写上旧名"
        problems.append(Problem(roster.units_sheet, None, "", what, todo))
    if problems:
        raise RosterError(tuple(problems))


def _left_behind(session: Session, gone: list[Member]) -> list[str]:
    """What people who left still own. It goes on; somebody must be named."""
    owned = count_owned(session, [member.id or 0 for member in gone])
    return [
        f"{member.name}不在花名册里了，名下还有 {owned[member.id]} 件没有办结：请单位领导在群里另行指派"
        for member in gone
        if member.id in owned
    ]


def _units(session: Session, roster: Roster, known: dict[str, Unit]) -> tuple[dict[str, Unit], int]:
    for position, row in enumerate(roster.units):
        unit = known.get(row.name) or Unit(name=row.name, kind=row.kind, position=position)
        unit.kind, unit.aliases, unit.position, unit.active = row.kind, list(row.aliases), position, True
        known[row.name] = unit
        session.add(unit)
    session.flush()
    names = {row.name for row in roster.units}
    leaving = [unit for name, unit in known.items() if name not in names and unit.active]
    for unit in leaving:
        unit.active = False
        session.add(unit)
    session.flush()
    return known, len(leaving)


def _members(
    session: Session, roster: Roster, units: dict[str, Unit]
) -> tuple[dict[tuple[str, str], Member], list[Member]]:
    """Everybody by unit and name, and who is gone from the roster since it was last loaded."""
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
    gone = [member for key, member in known.items() if key not in wanted and member.active]
    for member in gone:
        member.active = False
        session.add(member)
    return known, gone


def _contacts(session: Session, roster: Roster, members: dict[tuple[str, str], Member], now: datetime) -> None:
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
