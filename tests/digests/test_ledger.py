"""The Excel 台账: what is in it, what is kept out, that it opens, and that it is the same every time."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bot.reports.ledger import write
from bot.reports.sheets import Book, Column, clean
from handlers.digests import ledger_rows
from handlers.privacy import mask
from storage.enums import AssignedBy, Role, Urgency
from storage.tables import Member
from tests.digests.build import AGENCIES, DECLINED, UNITS, WITHDRAWN, District, at, daily
from tests.digests.test_numbers import digest_noon_units

HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(A1)",
    "-2+3",
    "<script>alert(1)</script>",
    "http://example.com/x",
    "a\x00b\x0bc\ud800d\uffff",
    "第一行\r\n第二行",
    "\u202e倒着\u200f读",
    "_x0041_",
    "很长" * 20_000,
    "12345678901234567890",
)


def wall(text: str) -> datetime:
    """Excel knows no time zones: Beijing's wall clock."""
    return datetime.fromisoformat(text)


def make(district: District, path: Path, end: str = "2026-04-22 12:00:00") -> dict[str, Any]:
    numbers = daily(district, at(end))
    rows = ledger_rows(district.session, start=at(end) - timedelta(days=1), end=at(end), mask=mask)
    write(numbers, rows, path)
    return numbers


def read(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(path)


def test_sheets_header_filter_and_totals(district: District, tmp_path: Path) -> None:
    digest_noon_units(district)
    path = tmp_path / "a.xlsx"
    make(district, path)
    book = read(path)
    questions = "待领办 紧急敏感 退单 转派 重办 吹哨 类别 三率 早餐会建议 分布与趋势".split()
    assert book.sheetnames == ["汇总", *questions, *UNITS, *AGENCIES]
    for page in book:
        assert page.freeze_panes == "B4"
        assert page.cell(3, 1).value is not None
    summary = [[cell.value for cell in row] for row in book["汇总"].iter_rows(min_row=4)]
    assert [row[0] for row in summary] == [*UNITS, *AGENCIES, "合计"]
    assert summary[-1][2:7] == [11, 7, 6, 9, pytest.approx(6 / 9)]
    assert summary[-1][7].total_seconds() == pytest.approx(2760 / 7, abs=0.001)
    assert sum(row[2] for row in summary[:-1]) == 11
    assert book["汇总"].auto_filter.ref == f"A3:T{3 + len(UNITS) + len(AGENCIES)}"  # the sums stay below the filter
    assert book["汇总"]["A4"].hyperlink.location == "'泉河街道'!A1"
    assert book["汇总"]["G4"].number_format == "0.0%"
    assert book["龙山街道"].auto_filter.ref == "A3:S5"


def test_a_units_sheet_has_its_assignments_as_at_the_end(district: District, tmp_path: Path) -> None:
    digest_noon_units(district)
    make(district, tmp_path / "a.xlsx")
    book = read(tmp_path / "a.xlsx")
    header = [cell.value for cell in book["北房镇"][3]]
    first, second = (
        dict(zip(header, [cell.value for cell in row], strict=True)) for row in book["北房镇"].iter_rows(min_row=4)
    )
    assert first["派单时间"] == wall("2026-04-22 11:40") and first["领办时限"] == wall("2026-04-22 11:55")
    assert (first["状态"], first["领办时间"]) == ("待领办", None)  # accepted at 12:03, after the end
    assert (second["状态"], second["按时"]) == ("待领办", None)
    assert book["杨宋镇"].max_row == 3  # withdrawn: counts nowhere
    lines = [dict(zip(header, [c.value for c in r], strict=True)) for r in book["龙山街道"].iter_rows(min_row=4)]
    assert [(line["按时"], line["领办用时"]) for line in lines] == [
        ("是", timedelta(minutes=10)),
        ("否", timedelta(minutes=20)),
    ]


def test_declines_carry_their_reason_masked_and_sensitive_ones_nothing(district: District, tmp_path: Path) -> None:
    member = Member(unit_id=3, name="孙样三", role=Role.HANDLER, position=1)
    district.session.add(member)
    district.session.flush()
    reason = {"status": DECLINED, "ended": "2026-04-22 10:05:00", "reason": "请联系13800001234核实"}
    district.duty("怀柔镇", "2026-04-22 10:00:00", **reason)
    hot = district.ticket(at("2026-04-22 11:00:00"), urgency=Urgency.SENSITIVE, gist="扬言", order_no="8", unit_id=3)
    district.duty("怀柔镇", "2026-04-22 11:00:00", ticket=hot, urgency=Urgency.NORMAL, **{**reason, "reason": "扬言"})
    owned = {"owner_id": member.id, "assigned_by": AssignedBy.SELF}
    district.duty("怀柔镇", "2026-04-22 09:00:00", 60, **owned)
    district.duty("怀柔镇", "2026-04-22 09:30:00", status=WITHDRAWN, ended="2026-04-22 09:31:00")
    make(district, tmp_path / "a.xlsx")
    book = read(tmp_path / "a.xlsx")
    words = [str(cell.value) for page in book for row in page.iter_rows() for cell in row if cell.value is not None]
    assert not any("13800001234" in word or "扬言" in word for word in words)
    assert [row[5].value for row in book["退单"].iter_rows(min_row=4)] == ["请联系138****1234核实", None]
    assert [row[13].value for row in book["怀柔镇"].iter_rows(min_row=4)] == ["孙样三", None, None]


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_text_stays_text_osticket_3767(district: District, tmp_path: Path, word: str) -> None:
    ticket = district.ticket(at("2026-04-22 10:00:00"), gist=clean(word) if "\ud800" in word else word, unit_id=3)
    district.duty("怀柔镇", "2026-04-22 10:00:00", 60, ticket=ticket)
    make(district, tmp_path / "a.xlsx")
    cell = read(tmp_path / "a.xlsx")["怀柔镇"]["G4"]
    assert cell.data_type == "s" and cell.hyperlink is None
    assert cell.value.replace("_x005F_x", "_x") == clean(word)  # Excel reads _x005F_ as _
    assert "\n" not in cell.value and "\u202e" not in cell.value and len(cell.value) <= 32_000


def test_the_same_numbers_give_the_same_bytes(district: District, tmp_path: Path) -> None:
    digest_noon_units(district)
    make(district, tmp_path / "a.xlsx")
    make(district, tmp_path / "b.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_sheet_names_that_excel_refuses_are_made_good(tmp_path: Path) -> None:
    with Book(tmp_path / "a.xlsx", created=at("2026-03-03")) as book:
        names = [
            book.name(word) for word in ("区/城:管[委]", "区城管委", "长" * 40, "长" * 40, "", "'", "汇总", "汇总")
        ]
        for name in names:
            book.sheet(name, name, "", [Column("一", 5)]).finish()
    assert names == ["区城管委", "区城管委2", "长" * 28, "长" * 28 + "2", "未命名", "未命名2", "汇总", "汇总2"]
    assert read(tmp_path / "a.xlsx").sheetnames == names


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_it_and_reads_the_same(district: District, tmp_path: Path) -> None:
    digest_noon_units(district)
    for word in HOSTILE[:6]:
        ticket = district.ticket(at("2026-04-22 10:00:00"), gist=word, unit_id=3)
        district.duty("怀柔镇", "2026-04-22 10:00:00", 60, ticket=ticket)
    path = tmp_path / "a.xlsx"
    make(district, path)
    out = tmp_path / "out"
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    command = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(out), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    before, after = read(path), read(out / "a.xlsx")
    assert after.sheetnames == before.sheetnames
    for page in before:
        for mine in page.iter_rows():
            for cell in mine:
                if isinstance(cell.value, str | int):
                    assert after[page.title][cell.coordinate].value == cell.value
