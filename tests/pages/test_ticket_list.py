"""Exports of tickets: what a spreadsheet must not run, and that long ones come in pieces."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import pytest

from bot.reports.sheets import Column
from bot.reports.ticket_list import csv_pieces, write_excel
from tests.digests.build import at

COLUMNS = (Column("编号", 10), Column("事项", 20), Column("派单时间", 20, "at"), Column("用时", 10, "took"))
NOW = at("2026-03-03 12:00")
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "\u202e=1", "=cmd|' /C calc'!A0", "\r\n=1")


def told(rows: list[list[object]]) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(csv_pieces(rows, COLUMNS)).removeprefix("\ufeff"))))


def test_a_csv_tells_times_in_beijing_and_seconds() -> None:
    text = "".join(csv_pieces([["1", "井盖，丢失", NOW, 125], ["2", "路灯", None, None]], COLUMNS))
    assert text.startswith("\ufeff编号,事项,派单时间,用时（秒）\r\n")
    assert told([["1", "井盖，丢失", NOW, 125], ["2", "路灯", None, None]])[1:] == [
        ["1", "井盖，丢失", "2026-03-03 12:00:00", "125"],
        ["2", "路灯", "", ""],
    ]


@pytest.mark.parametrize("word", FORMULAS)
def test_no_cell_of_a_csv_begins_a_formula_or_a_line(word: str) -> None:
    (_, (_, cell, _, _)) = told([["1", word, None, None]])
    assert cell.startswith("'") and "\n" not in cell and "\r" not in cell and "\u202e" not in cell


def test_ten_thousand_rows_come_in_pieces() -> None:
    pieces = list(csv_pieces(([str(n), "事", None, None] for n in range(1_200)), COLUMNS))
    assert len(pieces) == 3
    assert "".join(pieces).count("\r\n") == 1_201


def test_an_excel_holds_text_where_a_formula_was_typed(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    columns = (*COLUMNS, Column("按时", 7))
    write_excel([["1", "=1+1", NOW, 125, "否"], ["2", "路灯", None, None, None]], columns, "查询：全部", path, now=NOW)
    sheet = openpyxl.load_workbook(path)["工单"]
    assert sheet["B4"].value == "=1+1" and sheet["B4"].data_type == "s"
    assert sheet["D4"].number_format == "[h]:mm:ss" and sheet["A2"].value == "查询：全部"
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B4", "A3:E5")
