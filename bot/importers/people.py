"""People, units and places from a folder of CSV files or one workbook: all right, or all problems."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bot.importers import people_cells as cells
from bot.importers.files import DEFAULT_LIMIT_BYTES, FileError, clean
from bot.importers.people_cells import SheetReader
from bot.importers.people_checks import Located, check
from bot.importers.people_columns import SHEETS, SheetSpec
from bot.importers.people_template import write_template
from bot.importers.roster import (
    AliasRow,
    CatalogueRow,
    DutyRow,
    MemberRow,
    Problem,
    Roster,
    RosterError,
    UnitRow,
    VillageRow,
)
from bot.importers.tables import Sheet, read_sheets
from storage.enums import Role, UnitKind

__all__ = [
    "AliasRow",
    "CatalogueRow",
    "DutyRow",
    "MemberRow",
    "Problem",
    "Roster",
    "RosterError",
    "UnitRow",
    "VillageRow",
    "load",
    "write_template",
]

SHEETS_SHOWN = 10  # of a workbook that lacks one
EXAMPLE_MARK = "示例"  # rows of the template whose first cell begins so are not data
T = TypeVar("T")


def load(path: Path, *, limit: int = DEFAULT_LIMIT_BYTES) -> Roster:
    """Read a folder of CSV files or one workbook. Raises RosterError with all problems at once."""
    problems: list[Problem] = []
    sheets = _open(path, limit, problems)
    if problems and not sheets:
        raise RosterError(tuple(problems))

    units = _read(sheets, "units", problems, _unit)
    members = _read(sheets, "members", problems, _member)
    villages = _read(sheets, "villages", problems, _village)
    catalogue = _read(sheets, "catalogue", problems, _category)
    duty = _read(sheets, "duty", problems, cells.duty)
    aliases = _read(sheets, "aliases", problems, _alias)
    problems += check(units=units, members=members, villages=villages, catalogue=catalogue, duty=duty, aliases=aliases)
    if problems:
        order = {sheet.name: index for index, sheet in enumerate(sheets.values())}
        problems.sort(key=lambda p: (order.get(p.sheet, -1), p.row or 0))
        raise RosterError(tuple(dict.fromkeys(problems)))  # a row of several weekdays is wrong once
    return Roster(
        units=units.values,
        members=members.values,
        villages=villages.values,
        catalogue=catalogue.values,
        duty=duty.values,
        aliases=aliases.values,
        units_sheet=units.sheet,
    )


def _open(path: Path, limit: int, problems: list[Problem]) -> dict[str, Sheet]:
    """Find each sheet's rows; a required one that is missing is a problem, an optional one is left out."""
    try:
        if path.is_dir():
            return _open_folder(path, limit, problems)
        if path.suffix.lower() == ".csv":
            raise FileError("这只是一张表", "请给出放着 units.csv、members.csv、villages.csv、catalogue.csv 的文件夹")
        found = {sheet.name.strip().lower(): sheet for sheet in read_sheets(path, limit)}
    except FileError as error:
        problems.append(Problem(clean(path.name) or str(path), None, "", error.what, error.todo))
        return {}
    except (OSError, ValueError) as error:
        problems.append(Problem(clean(str(path)), None, "", f"打不开（{type(error).__name__}）", "请检查路径和权限"))
        return {}
    sheets: dict[str, Sheet] = {}
    for key, spec in SHEETS.items():
        sheet = next((found[name] for name in (spec.title, key) if name in found), None)
        if sheet is not None:
            sheets[key] = sheet
        elif spec.required:
            there = "、".join(sheet.name for sheet in list(found.values())[:SHEETS_SHOWN])
            todo = f"请按模板补上，或把表名改过来（现有：{there}）"
            problems.append(Problem(spec.title, None, "", f"工作簿里没有工作表“{spec.title}”", todo))
    for sheet in sheets.values():
        if sheet.uncalculated:
            what = "有公式还没有算出值，读出来是空的"
            problems.append(Problem(sheet.name, None, "", what, "请用 Excel 或 WPS 打开，保存一次再导入"))
    return sheets


def _open_folder(folder: Path, limit: int, problems: list[Problem]) -> dict[str, Sheet]:
    sheets: dict[str, Sheet] = {}
    for key, spec in SHEETS.items():
        file = next((f for f in (folder / f"{key}.csv", folder / f"{spec.title}.csv") if f.exists()), None)
        if file is None:
            if spec.required:
                todo = f"请放到文件夹 {clean(folder.name)} 里"
                problems.append(Problem(f"{key}.csv", None, "", "文件不存在", todo))
            continue
        try:
            sheets[key] = read_sheets(file, limit)[0]
        except FileError as error:
            problems.append(Problem(file.name, None, "", error.what, error.todo))
    return sheets


def _read(
    sheets: dict[str, Sheet],
    key: str,
    problems: list[Problem],
    row_of: Callable[[SheetReader], list[T]],
) -> Located[T]:
    """Turn the rows of one sheet into values; a row with a problem yields none."""
    spec: SheetSpec = SHEETS[key]
    sheet = sheets.get(key)
    if sheet is None:
        return Located(spec.title, readable=False)
    reader = SheetReader(sheet, spec, problems)
    if not reader.complete:
        return Located(sheet.name, readable=False)
    rows: list[tuple[int, T]] = []
    seen = examples = 0
    broken: set[tuple[str, str]] = set()
    while reader.next_row():
        if cells.first_text(reader).startswith(EXAMPLE_MARK):
            examples += 1
            continue
        seen += 1
        before = len(problems)
        values = row_of(reader)
        if len(problems) == before:
            rows += [(reader.row, value) for value in values]
        else:
            broken.add(cells.group_and_name(reader))
    if spec.needs_rows and not seen:
        what = f"只有 {examples} 行示例，没有自己的数据" if examples else "没有数据行"
        todo = "请在示例下面填写，示例不用删" if examples else "请按模板填写"
        problems.append(Problem(sheet.name, None, "", what, todo))
    return Located(sheet.name, reader.headers, tuple(rows), frozenset(broken))


def _unit(reader: SheetReader) -> list[UnitRow]:
    name = reader.need("name")
    kind = reader.choice("kind", {kind.value: kind for kind in UnitKind})
    aliases = tuple(a for a in reader.split("aliases") if a != name)
    return [UnitRow(name, kind, aliases, reader.text("room") or None)] if name and kind else []


def _member(reader: SheetReader) -> list[MemberRow]:
    name, unit = reader.need("name"), reader.need("unit")
    role = reader.choice("role", {role.value: role for role in Role})
    on_duty = reader.yes_no("on_duty")
    if not name or not unit or role is None:
        return []
    contact_id = reader.text("contact_id") or None
    return [MemberRow(name, unit, role, on_duty, reader.split("aliases"), contact_id)]


def _village(reader: SheetReader) -> list[VillageRow]:
    township, name = reader.need("township"), reader.need("name")
    kind = reader.choice("kind", cells.VILLAGE_KINDS)
    return [VillageRow(township, name, kind, reader.split("aliases"))] if township and name and kind else []


def _category(reader: SheetReader) -> list[CatalogueRow]:
    category = reader.need("category")
    lead = reader.text("lead_agency") if category == cells.NOBODY_LEADS else reader.need("lead_agency")
    return [CatalogueRow(category, lead, reader.split("examples"))]


def _alias(reader: SheetReader) -> list[AliasRow]:
    alias, township = reader.need("alias"), reader.need("township")
    return [AliasRow(alias, township, reader.text("village") or None)]
