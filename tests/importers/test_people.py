"""People, units and places that are all right, from every kind of file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, time
from pathlib import Path

import pytest

from bot.importers import people
from bot.importers.people import AliasRow, CatalogueRow, DutyRow, MemberRow, Roster, UnitRow, VillageRow
from storage.enums import Role, UnitKind
from tests.importers import builders
from tests.importers.builders import Rows

EXPECTED = Roster(
    units=(
        UnitRow("演练镇", UnitKind.TOWN, ("演练地区", "演练办"), "演练镇工作群"),
        UnitRow("排演街道", UnitKind.TOWN, (), "排演街道工作群"),
        UnitRow("区演练局", UnitKind.AGENCY, ("演练局", "演练委"), "区演练局工作群"),
        UnitRow("区派单所", UnitKind.DISPATCH, (), "派单群"),
    ),
    members=(
        MemberRow("虚甲", "演练镇", Role.HEAD, False, ("演练镇-虚甲",), "wx_a"),
        MemberRow("虚乙", "演练镇", Role.HANDLER, True, ("演练镇-虚乙", "虚乙（网格）"), None),
        MemberRow("虚丙", "区派单所", Role.DISPATCHER, False, (), None),
    ),
    villages=(
        VillageRow("演练镇", "甲一村", "村", ("东沟", "西沟")),
        VillageRow("排演街道", "乙一社区", "社区", ()),
    ),
    catalogue=(CatalogueRow("市容环卫", "区演练局", ("垃圾清运", "公厕")), CatalogueRow("其他", "", ())),
    duty=(
        DutyRow("演练镇", "虚乙", 5, None, time(8, 30), time(17, 30), "白班"),
        DutyRow("演练镇", "虚乙", 6, None, time(8, 30), time(17, 30), "白班"),
        DutyRow("演练镇", "虚甲", None, date(2026, 10, 1), time(17, 30), time(8, 30), "夜班"),
        DutyRow("演练镇", "虚乙", None, None, time(0), time(0), "节假日"),
    ),
    aliases=(AliasRow("演练花园", "排演街道", "乙一社区"), AliasRow("大水塔", "演练镇", None)),
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_folder_of_csv_in_every_encoding_of_an_office(tmp_path: Path, encoding: str) -> None:
    assert people.load(builders.folder(tmp_path, encoding=encoding)) == EXPECTED


@pytest.mark.parametrize("write", builders.WRITERS)
def test_a_workbook_of_either_library(tmp_path: Path, write: Callable[[Path, Mapping[str, Rows]], None]) -> None:
    write(tmp_path / "区.xlsx", builders.SHEETS)
    assert people.load(tmp_path / "区.xlsx") == EXPECTED


def test_english_sheets_and_headers_mean_the_same(tmp_path: Path) -> None:
    english = {
        "units": ("unit", "kind", "aliases", "room"),
        "members": ("name", "unit", "role", "on_duty", "aliases", "contact_id"),
        "duty": ("unit", "member", "weekday", "day", "starts", "ends", "line"),
        "villages": ("township", "village", "kind", "aliases"),
        "catalogue": ("category", "lead_agency", "examples"),
        "aliases": ("alias", "township", "village"),
    }
    files = {name: (english[name], *rows[1:]) for name, rows in builders.FILES.items()}
    assert people.load(builders.folder(tmp_path / "csv", files)) == EXPECTED
    builders.by_openpyxl(tmp_path / "a.xlsx", {name.title(): rows for name, rows in files.items()})
    assert people.load(tmp_path / "a.xlsx") == EXPECTED


def test_rota_and_aliases_may_be_missing(tmp_path: Path) -> None:
    files = {name: rows for name, rows in builders.FILES.items() if name not in ("duty", "aliases")}
    roster = people.load(builders.folder(tmp_path, files))
    assert (roster.duty, roster.aliases, len(roster.members)) == ((), (), 3)


def test_real_cells_of_excel_are_read_as_what_they_show(tmp_path: Path) -> None:
    """A clerk types 8:30, a date and a long number, and Excel makes them a time, a date and a float."""
    duty = (
        builders.DUTY[0],
        ("演练镇", "虚乙", None, date(2026, 10, 1), time(8, 30), time(17, 30, 1), None),
        ("演练镇", "虚甲", 1, None, time(8, 30), "17时30分", None),
    )
    members = builders.with_row(builders.MEMBERS, 3, 值班=True, 微信号=12345678.0)
    builders.by_openpyxl(tmp_path / "a.xlsx", {**builders.SHEETS, "值班": duty, "花名册": members})
    roster = people.load(tmp_path / "a.xlsx")
    assert roster.duty == (
        DutyRow("演练镇", "虚乙", None, date(2026, 10, 1), time(8, 30), time(17, 30), ""),
        DutyRow("演练镇", "虚甲", 0, None, time(8, 30), time(17, 30), ""),
    )
    assert roster.members[1].on_duty and roster.members[1].contact_id == "12345678"


def test_title_lines_empty_rows_and_blanks_around_words_do_no_harm(tmp_path: Path) -> None:
    units = (("演练区单位名录", "", "", ""), *builders.UNITS[:2], ("", "", "", ""), *builders.UNITS[2:])
    spaced = [[f" {cell} " for cell in row] for row in units]
    assert people.load(builders.folder(tmp_path, {**builders.FILES, "units": spaced})).units == EXPECTED.units


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("周一", [0]),
        ("星期日", [6]),
        ("7", [6]),
        ("0", [6]),
        ("wed", [2]),
        ("Friday", [4]),
        ("周一至周三", [0, 1, 2]),
        ("周六~周一", [5, 6, 0]),
        ("周二，周四", [1, 3]),
        ("工作日", [0, 1, 2, 3, 4]),
        ("每天", [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_weekdays_as_people_write_them(tmp_path: Path, written: str, days: list[int]) -> None:
    duty = builders.with_row(builders.DUTY[:2], 2, 星期=written)
    roster = people.load(builders.folder(tmp_path, {**builders.FILES, "duty": duty}))
    assert [row.weekday for row in roster.duty] == days
