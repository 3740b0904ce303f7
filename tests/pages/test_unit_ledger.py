"""A unit's own workbook: its rows alone, masked, none of what was withdrawn."""

from __future__ import annotations

from pathlib import Path

import openpyxl

from bot.reports.unit_ledger import write_unit
from handlers.digests import ledger_rows
from handlers.privacy import mask
from storage.enums import Urgency
from tests.digests.build import DECLINED, WITHDRAWN, District, at, unit_id


def test_one_unit_has_its_own_rows_masked(district: District, tmp_path: Path) -> None:
    district.duty("怀柔镇", "2026-03-02 12:00:00", 125)
    district.duty("怀柔镇", "2026-03-02 13:00:00", status=DECLINED, ended="2026-03-02 13:05", reason="找13800001234")
    district.duty("怀柔镇", "2026-03-02 14:00:00", status=WITHDRAWN, ended="2026-03-02 14:01")
    hot = district.ticket(at("2026-03-02 15:00"), urgency=Urgency.SENSITIVE, gist="扬言", unit_id=3)
    district.duty("怀柔镇", "2026-03-02 15:00:00", ticket=hot, urgency=Urgency.SENSITIVE)
    district.duty("雁栖镇", "2026-03-02 16:00:00", 60)
    start, end = at("2026-03-02 12:00"), at("2026-03-03 12:00")
    rows = ledger_rows(district.session, start=start, end=end, mask=mask, unit_id=unit_id("怀柔镇"))
    write_unit("怀柔镇", start, end, rows, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["怀柔镇"]
    sheet = book["怀柔镇"]
    assert sheet["A1"].value == "怀柔镇｜2026年3月2日12:00 至 3月3日12:00"
    header = [cell.value for cell in sheet[3]]
    told = [dict(zip(header, [cell.value for cell in row], strict=True)) for row in sheet.iter_rows(min_row=4)]
    assert [(row["状态"], row["按时"], row["原因或结果（已脱敏）"]) for row in told] == [
        ("已领办", "是", None), ("已退单", None, "找138****1234"), ("待领办", None, None),
    ]  # fmt: skip
    assert told[0]["领办用时"].total_seconds() == 125
    assert told[2]["事项（已脱敏）"] == "（敏感，不载内容）"
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B4", "A3:S6")
