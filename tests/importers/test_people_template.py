"""The workbook that a clerk fills in."""

from __future__ import annotations

from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest

from bot.importers import people
from storage.enums import Role
from tests.importers import builders


def test_it_has_the_five_sheets_with_drop_downs_comments_and_a_frozen_header(tmp_path: Path) -> None:
    people.write_template(tmp_path / "模板.xlsx")
    book = openpyxl.load_workbook(tmp_path / "模板.xlsx")
    assert book.sheetnames == ["单位", "花名册", "值班", "村居", "派单目录"]
    members = book["花名册"]
    assert [cell.value for cell in members[1]] == ["姓名", "单位", "角色", "值班", "别名", "微信号"]
    rules = {str(rule.sqref): rule.formula1 for rule in members.data_validations.dataValidation}
    assert rules["C2:C2000"] == '"' + ",".join(role.value for role in Role) + '"'
    assert rules["B2:B2000"] == "单位!$A$2:$A$2000"
    assert rules["D2:D2000"] == '"是,否"'
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert sheet["A1"].comment is not None and sheet["A1"].font.bold
        assert sheet.column_dimensions["A"].width >= 16
        assert str(sheet["A2"].value).startswith("示例")


def test_untouched_it_is_refused_and_its_examples_are_never_data(tmp_path: Path) -> None:
    people.write_template(tmp_path / "a.xlsx")
    with pytest.raises(people.RosterError) as error:
        people.load(tmp_path / "a.xlsx")
    assert str(error.value).split("\n") == [
        "单位：只有 2 行示例，没有自己的数据，请在示例下面填写，示例不用删",
        "花名册：只有 2 行示例，没有自己的数据，请在示例下面填写，示例不用删",
    ]


def test_filled_in_below_its_examples_it_loads(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    people.write_template(path)
    book = openpyxl.load_workbook(path)
    for name in book.sheetnames:
        headers = [cell.value for cell in book[name][1]]
        rows = builders.SHEETS[name]
        places = [headers.index(title if title != "村/社区" else "村居") for title in rows[0]]
        for row in rows[1:]:
            values = [""] * len(headers)
            for place, value in zip(places, row, strict=True):
                values[place] = str(value)
            book[name].append(values)
    book.save(path)
    roster = people.load(path)
    assert [len(rows) for rows in (roster.units, roster.members, roster.duty, roster.villages, roster.catalogue)] == [
        4,
        3,
        4,
        2,
        2,
    ]
    assert not any("示例" in unit.name for unit in roster.units)
