"""A workbook as a real office makes it: titles, merged cells, numbers instead of times, blanks that align, hidden sheets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.importers import people
from bot.importers.roster import Roster
from storage.enums import Role

DATA = Path(__file__).parent / "data"


def office_book() -> openpyxl.Workbook:
    """Written by openpyxl; `data/district_libreoffice.xlsx` is the same, opened and saved by LibreOffice."""
    book = openpyxl.Workbook()
    units = book.active
    units.title = "单位 "
    for row in (
        ["演练区见诉领办单位表（2026年3月）"], [], ["序号", "单位名称", "单位类型", "简称", "微信群", "备注"],
        [1, "东山镇 ", "街乡镇", "东山；东山办", "东山镇工作群", "x"], [2, " 西河镇", "街乡镇", None, "西河镇 工作群"], [],
        [3, "区水务局", "区政府机构", "水务局", None], [4, "派单中心", "派单中心", None, "派单群"],
        [5, "督查室", "督查", None, "督查群"],
    ):  # fmt: skip
        units.append(row)
    units.merge_cells("A1:E1")
    members = book.create_sheet("花名册")
    for row in (
        ["序号", "单位", "姓名", "职务", "值班", "昵称", "微信号", "电话"],
        [1, "东山镇", "甄甲", "主要领导", None, "甄甲", None, 1.3912345678e10],
        [2, None, "甄　乙", "分管领导", None, None, None, "１３９１２３４５６７８"],
        [3, None, "甄 丙\u200b", "诉求办理员", "是", None, 13912345678, 13912345678], [],
        [4, "西河镇", "贾丙", "诉求办理员", "√"], [5, "区水务局", "尤丙", "诉求办理员", "是"],
        [6, "派单中心", "安丙", "派单员", "是"], [7, "督查室", "鲁丙", "督查员", "是"],
    ):  # fmt: skip
        members.append(row)
    members.merge_cells("B2:B4")
    duty = book.create_sheet("值班")
    for row in (
        ["单位", "值班人", "星期", "日期", "开始", "结束", "班次"],
        ["东山镇", "甄丙", None, date(2026, 3, 9), time(8, 30), time(17, 30), "白班"],
        ["东山镇", "甄丙", "周六、周日", None, "８：３０", "17:30", None],
        ["西河镇", "贾丙", 1, None, 0.354166667, 0.729166667, None],
        ["西河镇", "贾丙", None, 46090, "8:30", "17:30", None],
    ):
        duty.append(row)
    for title, rows in (
        ("村居", [["街乡镇", "村居", "类型"], ["东山镇", "柳林村", "村"], ["西河镇", "梁家庄", "行政村"]]),
        ("派单目录", [["类别", "主办单位", "举例"], ["供水", "区水务局", "停水、漏水"], ["其他", None, None]]),
        ("旧花名册", [["姓名", "单位", "角色"], ["某某", "没有的单位", "x"]]),
    ):
        sheet = book.create_sheet(title)
        for each in rows:
            sheet.append(each)
    book["旧花名册"].sheet_state = "hidden"
    return book


def written(folder: Path, change: Callable[[openpyxl.Workbook], None] = lambda book: None) -> Path:
    book = office_book()
    change(book)
    book.save(folder / "district.xlsx")
    return folder / "district.xlsx"


def refused(path: Path) -> list[str]:
    with pytest.raises(people.RosterError) as error:
        people.load(path)
    return str(error.value).split("\n")


def assert_whole(roster: Roster) -> None:
    assert [unit.name for unit in roster.units] == ["东山镇", "西河镇", "区水务局", "派单中心", "督查室"]
    assert [unit.room for unit in roster.units] == ["东山镇工作群", "西河镇 工作群", None, "派单群", "督查群"]
    assert roster.units[0].aliases == ("东山", "东山办")
    assert [(m.unit, m.name) for m in roster.members[:4]] == [
        ("东山镇", "甄甲"), ("东山镇", "甄乙"), ("东山镇", "甄丙"), ("西河镇", "贾丙"),
    ]  # fmt: skip
    assert (roster.members[2].role, roster.members[2].contact_id) == (Role.HANDLER, "13912345678")
    assert {(line.starts, line.ends) for line in roster.duty} == {(time(8, 30), time(17, 30))}
    assert [(line.weekday, line.day) for line in roster.duty] == [
        (None, date(2026, 3, 9)), (5, None), (6, None), (0, None), (None, date(2026, 3, 9)),
    ]  # fmt: skip
    assert (len(roster.villages), len(roster.catalogue)) == (2, 2)


def test_as_openpyxl_writes_it(tmp_path: Path) -> None:
    assert_whole(people.load(written(tmp_path)))


def test_as_libreoffice_writes_it() -> None:
    assert_whole(people.load(DATA / "district_libreoffice.xlsx"))


def test_everything_wrong_is_told_at_once_by_sheet_row_and_column(tmp_path: Path) -> None:
    def spoil(book: openpyxl.Workbook) -> None:
        book["花名册"]["C2"] = "#REF!"
        book["花名册"]["D3"] = "副镇长"
        book["花名册"]["B6"] = "西河乡"
        book["值班"]["B3"] = "没有的人"
        book["值班"]["E5"] = "早上八点半"
        book["村居"]["C2"] = "自然村"
        book["单位 "]["C9"] = None
        del book["派单目录"]

    assert refused(written(tmp_path, spoil)) == [
        "派单目录：工作簿里没有工作表“派单目录”，请按模板补上，或把表名改过来（现有：单位、花名册、值班、村居、旧花名册）",
        "单位 第 9 行 单位类型：是空的，请填写",
        "花名册 第 2 行 姓名：是公式错误 #REF!，请改成文字",
        "花名册 第 3 行 职务：不认识“副镇长”，请填：主要领导、分管领导、诉求办理员、派单员、督查员、管理员",
        "花名册 第 6 行 单位：没有叫“西河乡”的单位，是不是“西河镇”？请改成单位表里的全名",
        "值班 第 3 行 值班人：东山镇的花名册里没有“没有的人”，请改正，或先把人加进“花名册”",  # once, though of two days
        "值班 第 5 行 开始：“早上八点半”不是时间，请写成 08:30 这样",
        "村居 第 2 行 类型：不认识“自然村”，请填：村、村委会、行政村、社区、居委会、居",
    ]


def test_a_formula_that_no_office_program_ever_calculated_read_as_an_empty_cell(tmp_path: Path) -> None:
    def formulas(book: openpyxl.Workbook) -> None:
        book["花名册"]["C6"] = '="贾"&"丙"'

    told = refused(written(tmp_path, formulas))
    assert told[0] == "花名册：有公式还没有算出值，读出来是空的，请用 Excel 或 WPS 打开，保存一次再导入"


def test_the_template_that_a_clerk_had_filled_in_was_written_over(tmp_path: Path) -> None:
    run, path = CliRunner(), written(tmp_path)
    before = path.read_bytes()
    done = run.invoke(app, ["template", str(path)])
    assert done.exit_code == 2 and "is there already and was left as it is" in done.output
    assert path.read_bytes() == before
    assert run.invoke(app, ["template", str(tmp_path / "名册.csv")]).exit_code == 2
    done = run.invoke(app, ["template", str(tmp_path / "no" / "x.xlsx")])
    assert done.exit_code == 2 and "cannot be written" in done.output
    assert run.invoke(app, ["template", str(tmp_path / "new.xlsx")]).exit_code == 0
