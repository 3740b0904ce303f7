"""What every rule may look at: the district as it is now (people, rooms, places) and the policy. Read-only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property

import chinese_calendar
from sqlmodel import Session

from handlers.policy import BEIJING, Policy
from handlers.reading.views import (
    CategoryEntry,
    Gazetteer,
    MemberEntry,
    PlaceAlias,
    UnitEntry,
    VillageEntry,
)
from handlers.vault import Vault
from storage import people
from storage.enums import Role, UnitKind

LEADERS = (Role.HEAD, Role.DEPUTY)
NO_LEAD = "其他"  # the category that no agency leads by subject (spec: behaviour 1)
BOT_NAME = "派单助手"  # unless the settings name it otherwise


@dataclass(frozen=True, slots=True)
class UnitInfo:
    id: int
    name: str
    kind: UnitKind
    aliases: tuple[str, ...]
    position: int
    active: bool = True


@dataclass(frozen=True, slots=True)
class RoomInfo:
    id: int
    unit_id: int
    topic: str


@dataclass(frozen=True, slots=True)
class MemberInfo:
    id: int
    name: str
    unit_id: int
    role: Role
    on_duty: bool
    aliases: tuple[str, ...]
    position: int


@dataclass(frozen=True, slots=True)
class DutyLine:
    """A line of the rota: dated by `day`, weekly by `weekday`, of public holidays by neither."""

    unit_id: int
    member_id: int
    weekday: int | None
    day: date | None
    starts: time
    ends: time
    line: str

    @property
    def rank(self) -> int:
        """Dated lines go before those of holidays, those before weekly ones."""
        return 0 if self.day is not None else 1 if self.weekday is None else 2

    def covers(self, now: datetime) -> bool:
        """Whether this line holds at an instant; a line that ends at or before its start runs into the next day."""
        local = now.astimezone(BEIJING)
        for days_back in (0, 1):
            start_day = (local - timedelta(days=days_back)).date()
            if not self._is_of(start_day):
                continue
            begin = datetime.combine(start_day, self.starts, BEIJING)
            end = datetime.combine(start_day, self.ends, BEIJING)
            if end <= begin:
                end += timedelta(days=1)
            if begin <= local < end:
                return True
        return False

    def _is_of(self, day: date) -> bool:
        if self.day is not None:
            return day == self.day
        if self.weekday is not None:
            return day.weekday() == self.weekday
        return is_holiday(day)


def is_holiday(day: date) -> bool:
    """A public holiday or weekend, make-up workdays taken out; beyond the calendar's years just the weekend."""
    try:
        return bool(chinese_calendar.is_holiday(day))
    except NotImplementedError:
        return day.weekday() >= 5


@dataclass(frozen=True)
class District:
    """A snapshot of the district's data, made once per roster version."""

    version: int
    units: tuple[UnitInfo, ...]
    rooms: tuple[RoomInfo, ...]
    members: tuple[MemberInfo, ...]
    duties: tuple[DutyLine, ...]
    gazetteer: Gazetteer
    bound: dict[tuple[str, str], int] = field(default_factory=dict)  # (account, channel room id) -> room id
    contacts: dict[str, int] = field(default_factory=dict)  # contact id -> member id
    clashes: frozenset[str] = frozenset()  # contact ids held for an administrator

    @cached_property
    def unit_by_id(self) -> dict[int, UnitInfo]:
        return {unit.id: unit for unit in self.units}

    @cached_property
    def unit_by_name(self) -> dict[str, UnitInfo]:
        return {unit.name: unit for unit in self.units if unit.active}

    @cached_property
    def room_by_id(self) -> dict[int, RoomInfo]:
        return {room.id: room for room in self.rooms}

    @cached_property
    def room_of_unit(self) -> dict[int, RoomInfo]:
        return {room.unit_id: room for room in self.rooms}

    @cached_property
    def member_by_id(self) -> dict[int, MemberInfo]:
        return {member.id: member for member in self.members}

    @cached_property
    def members_of(self) -> dict[int, tuple[MemberInfo, ...]]:
        found: dict[int, list[MemberInfo]] = {}
        for member in self.members:
            found.setdefault(member.unit_id, []).append(member)
        return {unit_id: tuple(rows) for unit_id, rows in found.items()}

    @cached_property
    def entries_of(self) -> dict[int, tuple[MemberEntry, ...]]:
        """The members of each unit as the readers see them."""
        return {
            unit_id: tuple(MemberEntry(m.name, self.unit_by_id[unit_id].name, m.role, m.aliases) for m in rows)
            for unit_id, rows in self.members_of.items()
        }

    @cached_property
    def member_names(self) -> frozenset[str]:
        return frozenset(member.name for member in self.members)

    @cached_property
    def bound_rooms(self) -> dict[str, frozenset[int]]:
        """The rooms that each WeChat account is in."""
        found: dict[str, set[int]] = {}
        for (account, _), room_id in self.bound.items():
            if account == people.IMPORT_ACCOUNT:
                continue
            found.setdefault(account, set()).add(room_id)
        return {account: frozenset(ids) for account, ids in found.items()}

    def heard_twice(self, room_id: int) -> bool:
        """Whether more than one account is in a room."""
        return sum(room_id in rooms for rooms in self.bound_rooms.values()) > 1

    def room_kind(self, room: RoomInfo) -> UnitKind:
        return self.unit_by_id[room.unit_id].kind

    def room_of_kind(self, kind: UnitKind) -> RoomInfo | None:
        """The dispatch or the supervision room."""
        for unit in self.units:
            if unit.kind is kind and unit.active and unit.id in self.room_of_unit:
                return self.room_of_unit[unit.id]
        return None

    @property
    def supervision_room(self) -> RoomInfo | None:
        return self.room_of_kind(UnitKind.SUPERVISION)

    @property
    def dispatch_room(self) -> RoomInfo | None:
        """Without one, supervision does its work (spec: behaviour 6)."""
        return self.room_of_kind(UnitKind.DISPATCH) or self.supervision_room

    def leaders(self, unit_id: int) -> list[MemberInfo]:
        return [m for m in self.members_of.get(unit_id, ()) if m.role in LEADERS]

    def heads(self, unit_id: int) -> list[MemberInfo]:
        return [m for m in self.members_of.get(unit_id, ()) if m.role is Role.HEAD]

    def handlers(self, unit_id: int) -> list[MemberInfo]:
        return [m for m in self.members_of.get(unit_id, ()) if m.role is Role.HANDLER]

    def on_duty(self, unit_id: int, now: datetime) -> list[MemberInfo]:
        """Who is on duty: by the rota (dated, holiday, weekly), else by the roster's mark; may be nobody."""
        lines = [line for line in self.duties if line.unit_id == unit_id and line.covers(now)]
        first = min((line.rank for line in lines), default=0)
        ids = {line.member_id for line in lines if line.rank == first}
        people_ = self.members_of.get(unit_id, ())
        if ids:
            return [m for m in people_ if m.id in ids]
        return [m for m in people_ if m.on_duty]

    def called(self, unit_id: int, now: datetime) -> list[MemberInfo]:
        """Whom a prompt @-s: those on duty, else all handlers, else the leaders."""
        return self.on_duty(unit_id, now) or self.handlers(unit_id) or self.leaders(unit_id)

    def dispatchers(self, now: datetime) -> list[MemberInfo]:
        """Whom a hand-back @-s: dispatchers on duty, else all; without a dispatch centre the supervisors."""
        for unit in self.units:
            if unit.kind is UnitKind.DISPATCH and unit.active:
                everyone = [m for m in self.members_of.get(unit.id, ()) if m.role is Role.DISPATCHER]
                ready = [m for m in self.on_duty(unit.id, now) if m.role is Role.DISPATCHER]
                if everyone:
                    return ready or everyone
        return self.supervisors(now)

    def supervisors(self, now: datetime) -> list[MemberInfo]:
        everyone = [m for m in self.members if m.role is Role.SUPERVISOR]
        return [m for m in everyone if m.on_duty] or everyone


@dataclass(frozen=True)
class Context:
    """What a handler gets besides the session and the time."""

    district: District
    policy: Policy
    hash_key: bytes = b"lingban-development-key"  # repeat callers are matched by a keyed hash
    vault: Vault = field(default_factory=Vault)
    account: str = ""
    bot_name: str = BOT_NAME  # as the groups show it
    page_url: str = ""  # where more can be read; shown when an answer had to be cut

    def names(self, members: Iterable[MemberInfo]) -> list[str]:
        """Member names in order, each once: one person in two roles is @-ed once."""
        return list(dict.fromkeys(member.name for member in members))


def load_district(session: Session) -> District:
    """Read the district's data; people and units that left are kept for history but lead and answer nothing."""
    units = tuple(
        UnitInfo(u.id or 0, u.name, u.kind, tuple(u.aliases), u.position, u.active) for u in people.units(session)
    )
    by_id = {unit.id: unit for unit in units}
    members = tuple(
        MemberInfo(m.id or 0, m.name, m.unit_id, m.role, m.on_duty, tuple(m.aliases), m.position)
        for m in people.members(session)
        if m.active and by_id[m.unit_id].active
    )
    present = {member.id for member in members}
    contacts = people.contacts(session)
    gazetteer = Gazetteer(
        units=tuple(UnitEntry(u.name, u.kind, u.aliases) for u in units if u.active),
        villages=tuple(VillageEntry(v.township, v.name, v.kind, tuple(v.aliases)) for v in people.villages(session)),
        categories=tuple(
            CategoryEntry(c.category, None if c.category == NO_LEAD else c.lead_agency, tuple(c.examples))
            for c in people.catalogue(session)
        ),
        members=tuple(MemberEntry(m.name, by_id[m.unit_id].name, m.role, m.aliases) for m in members),
        place_aliases=tuple(PlaceAlias(a.alias, a.township, a.village) for a in people.place_aliases(session)),
    )
    return District(
        version=people.roster_version(session),
        units=units,
        rooms=tuple(RoomInfo(r.id or 0, r.unit_id, r.topic) for r in people.rooms(session) if by_id[r.unit_id].active),
        members=members,
        duties=tuple(
            DutyLine(d.unit_id, d.member_id, d.weekday, d.day, d.starts, d.ends, d.line)
            for d in people.duties(session)
            if d.member_id in present  # a line of somebody who left says nothing of who is on duty
        ),
        gazetteer=gazetteer,
        bound={(b.account, b.channel_room_id): b.room_id for b in people.bindings(session)},
        contacts={c.contact_id: c.member_id for c in contacts},
        clashes=frozenset(c.contact_id for c in contacts if c.clash),
    )
