"""The rows of a district's people, units and places, and the problems found in them. Plain values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time

from storage.enums import Role, UnitKind


@dataclass(frozen=True, slots=True)
class UnitRow:
    name: str
    kind: UnitKind
    aliases: tuple[str, ...] = ()
    room: str | None = None  # topic of its group; None: it has none yet


@dataclass(frozen=True, slots=True)
class MemberRow:
    name: str
    unit: str
    role: Role
    on_duty: bool = False
    aliases: tuple[str, ...] = ()
    contact_id: str | None = None


@dataclass(frozen=True, slots=True)
class VillageRow:
    township: str
    name: str
    kind: str  # 村 or 社区
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    category: str
    lead_agency: str  # as written; may be empty for 其他 only
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DutyRow:
    """Weekly by `weekday`, dated by `day`, on public holidays if neither. `ends` <= `starts`: next day."""

    unit: str
    member: str
    weekday: int | None  # 0 is Monday
    day: date | None
    starts: time
    ends: time
    line: str = ""  # 白班, 夜班, 节假日 or empty


@dataclass(frozen=True, slots=True)
class AliasRow:
    alias: str
    township: str
    village: str | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    units: tuple[UnitRow, ...] = ()
    members: tuple[MemberRow, ...] = ()
    villages: tuple[VillageRow, ...] = ()
    catalogue: tuple[CatalogueRow, ...] = ()
    duty: tuple[DutyRow, ...] = ()
    aliases: tuple[AliasRow, ...] = ()
    units_sheet: str = field(default="单位", compare=False)  # the units' sheet or file as the clerk sees it


@dataclass(frozen=True, slots=True)
class Problem:
    sheet: str  # file or sheet name as the clerk sees it
    row: int | None  # as Excel numbers it; None: the whole sheet
    column: str  # header as the clerk sees it; empty: the whole row
    what: str
    todo: str

    def __str__(self) -> str:
        place = self.sheet
        if self.row is not None:
            place += f" 第 {self.row} 行"
        if self.column:
            place += f" {self.column}"
        return f"{place}：{self.what}，{self.todo}"


class RosterError(Exception):
    """Everything that is wrong with the files, at once; str() gives one line per problem."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
