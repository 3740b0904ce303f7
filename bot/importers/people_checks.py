"""What must hold between the rows of a roster: no name twice, no reference into the void."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.importers.people_cells import NOBODY_LEADS
from bot.importers.roster import (
    AliasRow,
    CatalogueRow,
    DutyRow,
    MemberRow,
    Problem,
    UnitRow,
    VillageRow,
)
from storage.enums import UnitKind

MAX_SUGGESTIONS = 50  # per column; a wrong file would need thousands, and each takes a while
T = TypeVar("T")


@dataclass(frozen=True)
class Located(Generic[T]):
    """The good rows of one sheet with their numbers. Checks say nothing of what a bad row may mean."""

    sheet: str
    headers: dict[str, str] = field(default_factory=dict)
    rows: tuple[tuple[int, T], ...] = ()
    broken: frozenset[tuple[str, str]] = frozenset()  # (unit or township, name) of rows that are not in `rows`
    readable: bool = True

    @property
    def values(self) -> tuple[T, ...]:
        return tuple(value for _, value in self.rows)

    def problem(self, row: int, column: str, what: str, todo: str) -> Problem:
        return Problem(self.sheet, row, self.headers.get(column, column), what, todo)


def check(
    *,
    units: Located[UnitRow],
    members: Located[MemberRow],
    villages: Located[VillageRow],
    catalogue: Located[CatalogueRow],
    duty: Located[DutyRow],
    aliases: Located[AliasRow],
) -> list[Problem]:
    """Find everything that contradicts itself or points to what is not there."""
    problems = [*_units(units), *_members(members)]
    problems += _twice(villages, "name", lambda v: (v.township, v.name), lambda v: f"{v.township}{v.name}")
    problems += _twice(catalogue, "category", lambda c: c.category, lambda c: f"类别“{c.category}”")
    problems += _twice(aliases, "alias", lambda a: a, lambda a: f"别名“{a.alias}”")
    problems += _twice(duty, "member", lambda d: d, lambda d: f"{d.member}的这一班")
    if units.readable:
        broken = {name for _, name in units.broken}
        known = {unit.name for unit in units.values} | broken
        towns = {unit.name for unit in units.values if unit.kind is UnitKind.TOWN} | broken
        problems += _unknown(members, "unit", lambda m: m.unit, known, "单位", units)
        problems += _unknown(duty, "unit", lambda d: d.unit, known, "单位", units)
        problems += _unknown(
            catalogue,
            "lead_agency",
            lambda c: c.lead_agency if c.lead_agency or c.category != NOBODY_LEADS else None,
            known,
            "单位",
            units,
        )
        problems += _unknown(villages, "township", lambda v: v.township, towns, "街乡镇", units)
        problems += _unknown(aliases, "township", lambda a: a.township, towns, "街乡镇", units)
    if members.readable:
        problems += _duty_members(duty, members, {unit.name for unit in units.values})
    if villages.readable:
        problems += _alias_villages(aliases, villages)
    return problems


def _units(units: Located[UnitRow]) -> Iterator[Problem]:
    yield from _twice(units, "name", lambda u: u.name, lambda u: f"单位“{u.name}”")
    yield from _twice(units, "room", lambda u: u.room, lambda u: f"群名“{u.room}”")
    names = {unit.name: row for row, unit in units.rows}
    owners: dict[str, tuple[int, str]] = {}
    for row, unit in units.rows:
        for alias in unit.aliases:
            if alias in names and alias != unit.name:
                yield units.problem(row, "aliases", f"别名“{alias}”是第 {names[alias]} 行单位的名称", "请删去这个别名")
            first_row, owner = owners.setdefault(alias, (row, unit.name))
            if owner != unit.name:
                yield units.problem(
                    row, "aliases", f"别名“{alias}”第 {first_row} 行的{owner}已经用了", "请只留给一个单位"
                )


def _members(members: Located[MemberRow]) -> Iterator[Problem]:
    yield from _twice(
        members,
        "name",
        lambda m: (m.name, m.unit),
        lambda m: f"{m.unit}的“{m.name}”",
        todo="请删去重复的一行；确是两个人的，请在姓名后加字区分",
    )
    yield from _twice(members, "contact_id", lambda m: m.contact_id, lambda m: f"微信号“{m.contact_id}”")


def _twice(
    located: Located[T],
    field: str,
    key: Callable[[T], object],
    words: Callable[[T], str],
    todo: str = "请只保留一行",
) -> Iterator[Problem]:
    first: dict[object, int] = {}
    for row, value in located.rows:
        k = key(value)
        if k is None:
            continue
        if k in first:
            yield located.problem(row, field, f"{words(value)}和第 {first[k]} 行重复", todo)
        else:
            first[k] = row


def _unknown(
    located: Located[T],
    field: str,
    name_of: Callable[[T], str | None],
    known: set[str],
    what: str,
    units: Located[UnitRow],
) -> Iterator[Problem]:
    wrong = [(row, name) for row, value in located.rows if (name := name_of(value)) is not None and name not in known]
    for place, (row, name) in enumerate(wrong):
        official = _suggest(name, known, units.values) if place < MAX_SUGGESTIONS else None
        fix = f"请改正，或先把它加进“{units.sheet}”"
        todo = f"是不是“{official}”？请改成单位表里的全名" if official else fix
        yield located.problem(row, field, f"没有叫“{name}”的{what}", todo)


def _suggest(name: str, known: set[str], units: Iterable[UnitRow]) -> str | None:
    by_alias = [unit.name for unit in units if name in unit.aliases and unit.name in known]
    return next(iter(by_alias or difflib.get_close_matches(name[:50], sorted(known), n=1, cutoff=0.6)), None)


def _duty_members(duty: Located[DutyRow], members: Located[MemberRow], units: set[str]) -> Iterator[Problem]:
    """Whoever is on the rota is in the roster; one whose unit there is misspelt is told of by that row only."""
    people = {(member.unit, member.name) for member in members.values} | members.broken
    elsewhere = {member.name for member in members.values if member.unit not in units}
    for row, line in duty.rows:
        if (line.unit, line.member) not in people and line.member not in elsewhere:
            what = f"{line.unit}的花名册里没有“{line.member}”"
            yield duty.problem(row, "member", what, f"请改正，或先把人加进“{members.sheet}”")


def _alias_villages(aliases: Located[AliasRow], villages: Located[VillageRow]) -> Iterator[Problem]:
    places = {(village.township, village.name) for village in villages.values} | villages.broken
    for row, alias in aliases.rows:
        if alias.village is not None and (alias.township, alias.village) not in places:
            what = f"{alias.township}没有叫“{alias.village}”的村或社区"
            yield aliases.problem(row, "village", what, f"请改正，或先把它加进“{villages.sheet}”")
