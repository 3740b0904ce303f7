"""Every way a roster can be wrong: named by sheet, row and column, with what to do, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.importers import people
from bot.importers.people import RosterError
from tests.importers import builders
from tests.importers.builders import Rows


def problems(path: Path) -> list[str]:
    with pytest.raises(RosterError) as error:
        people.load(path)
    assert str(error.value) == "\n".join(str(problem) for problem in error.value.problems)
    return str(error.value).split("\n")


@pytest.mark.parametrize(
    ("file", "row", "cells", "expected"),
    [
        ("units", 2, {"单位": ""}, "units.csv 第 2 行 单位：是空的，请填写"),
        (
            "units",
            4,
            {"类型": "委办局"},
            "units.csv 第 4 行 类型：不认识“委办局”，请填：街乡镇、区政府机构、派单中心、督查",
        ),
        ("units", 5, {"群名": "演练镇工作群"}, "units.csv 第 5 行 群名：群名“演练镇工作群”和第 2 行重复，请只保留一行"),
        ("units", 5, {"别名": "演练镇"}, "units.csv 第 5 行 别名：别名“演练镇”是第 2 行单位的名称，请删去这个别名"),
        (
            "units",
            5,
            {"别名": "演练办"},
            "units.csv 第 5 行 别名：别名“演练办”第 2 行的演练镇已经用了，请只留给一个单位",
        ),
        (
            "members",
            3,
            {"单位": "演练局"},
            "members.csv 第 3 行 单位：没有叫“演练局”的单位，是不是“区演练局”？请改成单位表里的全名",
        ),
        (
            "members",
            3,
            {"单位": "阿"},
            "members.csv 第 3 行 单位：没有叫“阿”的单位，请改正，或先把它加进“units.csv”",
        ),
        (
            "members",
            2,
            {"角色": "书记"},
            "members.csv 第 2 行 角色：不认识“书记”，请填：主要领导、分管领导、诉求办理员、派单员、督查员、管理员",
        ),
        ("members", 2, {"值班": "也许"}, "members.csv 第 2 行 值班：不认识“也许”，请填：是、否"),
        ("members", 4, {"微信号": "wx_a"}, "members.csv 第 4 行 微信号：微信号“wx_a”和第 2 行重复，请只保留一行"),
        (
            "villages",
            2,
            {"街乡镇": "区演练局"},
            "villages.csv 第 2 行 街乡镇：没有叫“区演练局”的街乡镇，请改正，或先把它加进“units.csv”",
        ),
        (
            "villages",
            2,
            {"类型": "镇"},
            "villages.csv 第 2 行 类型：不认识“镇”，请填：村、村委会、行政村、社区、居委会、居",
        ),
        (
            "catalogue",
            2,
            {"主办单位": "区演练句"},
            "catalogue.csv 第 2 行 主办单位：没有叫“区演练句”的单位，是不是“区演练局”？请改成单位表里的全名",
        ),
        ("catalogue", 2, {"主办单位": ""}, "catalogue.csv 第 2 行 主办单位：是空的，请填写"),
        ("duty", 2, {"开始": "八点"}, "duty.csv 第 2 行 开始：“八点”不是时间，请写成 08:30 这样"),
        ("duty", 2, {"结束": "25:00"}, "duty.csv 第 2 行 结束：“25:00”不是时间，请写成 08:30 这样"),
        ("duty", 3, {"日期": "2026-02-30"}, "duty.csv 第 3 行 日期：“2026-02-30”不是日期，请写成 2026-03-09 这样"),
        ("duty", 2, {"星期": "周八"}, "duty.csv 第 2 行 星期：“周八”不是星期，请填：周一 至 周日、工作日、每天"),
        (
            "duty",
            2,
            {"日期": "2026-10-01"},
            "duty.csv 第 2 行 日期：星期和日期都填了，请只填一个：固定排班填星期，某一天填日期",
        ),
        (
            "duty",
            3,
            {"日期": ""},
            "duty.csv 第 3 行 星期：星期和日期都是空的，请填一个；只在节假日值班的，班次填 节假日",
        ),
        ("duty", 2, {"班次": "中班"}, "duty.csv 第 2 行 班次：不认识“中班”，请填：白班、夜班、节假日，或留空"),
        (
            "duty",
            2,
            {"值班人": "虚丁"},
            "duty.csv 第 2 行 值班人：演练镇的花名册里没有“虚丁”，请改正，或先把人加进“members.csv”",
        ),
        (
            "aliases",
            2,
            {"村居": "丙社区"},
            "aliases.csv 第 2 行 村居：排演街道没有叫“丙社区”的村或社区，请改正，或先把它加进“villages.csv”",
        ),
    ],
)
def test_a_wrong_cell_is_named(tmp_path: Path, file: str, row: int, cells: dict[str, object], expected: str) -> None:
    changed = builders.with_row(builders.FILES[file], row, **cells)
    assert expected in problems(builders.folder(tmp_path, {**builders.FILES, file: changed}))


@pytest.mark.parametrize(
    ("file", "again", "expected"),
    [
        ("units", ("演练镇", "街乡镇", "", ""), "units.csv 第 6 行 单位：单位“演练镇”和第 2 行重复，请只保留一行"),
        (
            "members",
            ("虚乙", "演练镇", "诉求办理员", "", "", ""),
            "members.csv 第 5 行 姓名：演练镇的“虚乙”和第 3 行重复，请删去重复的一行；确是两个人的，请在姓名后加字区分",
        ),
        (
            "villages",
            ("演练镇", "甲一村", "村", ""),
            "villages.csv 第 4 行 村/社区：演练镇甲一村和第 2 行重复，请只保留一行",
        ),
        ("catalogue", ("其他", "", ""), "catalogue.csv 第 4 行 类别：类别“其他”和第 3 行重复，请只保留一行"),
        ("aliases", ("大水塔", "演练镇", ""), "aliases.csv 第 4 行 别名：别名“大水塔”和第 3 行重复，请只保留一行"),
    ],
)
def test_a_row_that_is_there_twice(tmp_path: Path, file: str, again: tuple[str, ...], expected: str) -> None:
    rows = (*builders.FILES[file], again)
    assert problems(builders.folder(tmp_path, {**builders.FILES, file: rows})) == [expected]


def test_all_problems_of_all_files_come_at_once_in_order(tmp_path: Path) -> None:
    files: dict[str, Rows] = {
        "units": builders.with_row(builders.UNITS, 3, 类型="乡"),
        "members": builders.with_row(builders.MEMBERS, 2, 角色="", 姓名=""),
        "catalogue": [row[:1] for row in builders.CATALOGUE],
    }
    assert problems(builders.folder(tmp_path, files)) == [
        "villages.csv：文件不存在，请放到文件夹 " + tmp_path.name + " 里",
        "units.csv 第 3 行 类型：不认识“乡”，请填：街乡镇、区政府机构、派单中心、督查",
        "members.csv 第 2 行 姓名：是空的，请填写",
        "members.csv 第 2 行 角色：是空的，请填写",
        "catalogue.csv 第 1 行：缺少列“主办单位”（lead_agency），请按模板补上这一列",
    ]


def test_a_broken_unit_row_does_not_make_its_members_strangers(tmp_path: Path) -> None:
    units = builders.with_row(builders.UNITS, 2, 类型="镇")
    assert problems(builders.folder(tmp_path, {**builders.FILES, "units": units})) == [
        "units.csv 第 2 行 类型：不认识“镇”，请填：街乡镇、区政府机构、派单中心、督查"
    ]


def test_a_workbook_names_its_own_sheets(tmp_path: Path) -> None:
    sheets = {name: rows for name, rows in builders.SHEETS.items() if name != "派单目录"}
    sheets["花名册"] = builders.with_row(builders.MEMBERS, 3, 角色="网格员")
    builders.by_openpyxl(tmp_path / "a.xlsx", sheets)
    assert problems(tmp_path / "a.xlsx") == [
        "派单目录：工作簿里没有工作表“派单目录”，请按模板补上，或把表名改过来（现有：单位、花名册、值班、村居、别名）",
        "花名册 第 3 行 角色：不认识“网格员”，请填：主要领导、分管领导、诉求办理员、派单员、督查员、管理员",
    ]


def test_sheets_without_rows_or_header(tmp_path: Path) -> None:
    files = {**builders.FILES, "members": builders.MEMBERS[:1], "villages": (("甲", "乙"),)}
    assert problems(builders.folder(tmp_path, {k: v for k, v in files.items() if k not in ("duty", "aliases")})) == [
        "members.csv：没有数据行，请按模板填写",
        "villages.csv：找不到表头，请在第一行写上列名：街乡镇、村居、类型",
    ]


def test_a_column_that_is_there_twice(tmp_path: Path) -> None:
    units = [(*row, "x") for row in builders.UNITS]
    units[0] = (*builders.UNITS[0], "工作群")
    assert problems(builders.folder(tmp_path, {**builders.FILES, "units": units})) == [
        "units.csv 第 1 行 群名：这一列出现了两次，请只保留一列"
    ]


def test_what_is_no_roster_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x", encoding="utf-8")
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04 broken")
    (tmp_path / "c.docx").write_bytes(b"PK\x03\x04")
    (tmp_path / "d.xlsx").write_bytes(b"")
    (tmp_path / "e.xlsx").write_text("单位,类型\n", encoding="utf-8")
    assert problems(tmp_path / "a.csv")[0].startswith("a.csv：这只是一张表，请给出放着 units.csv")
    assert problems(tmp_path / "b.xlsx") == ["b.xlsx：工作簿已损坏，请用 Excel 或 WPS 打开并另存一份"]
    assert problems(tmp_path / "c.docx") == ["c.docx：不支持扩展名“.docx”，请另存为 .xlsx、.xls 或 .csv"]
    assert problems(tmp_path / "d.xlsx") == ["d.xlsx：文件是空的，请重新导出"]
    assert problems(tmp_path / "e.xlsx")[0].startswith("e.xlsx：扩展名是 .xlsx，内容却是文本文件")
    assert problems(tmp_path / "none.xlsx") == ["none.xlsx：文件不存在或不是普通文件，请检查路径"]
    assert problems(tmp_path)[0] == f"units.csv：文件不存在，请放到文件夹 {tmp_path.name} 里"
