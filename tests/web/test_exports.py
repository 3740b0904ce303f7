"""Exports of what is filtered: who gets what, what is masked, what is logged, what a spreadsheet must not run."""

from __future__ import annotations

import csv
import io

from tests import district
from tests.web.site import PHONE, Client, Site
from tests.web.test_board_and_tickets import accesses
from tests.web.test_unit_and_report_pages import workbook


def rows(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/tickets/export.csv?{query}")
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_a_csv_has_what_is_filtered_newest_first_and_masked(site: Site) -> None:
    site.fill()
    client = site.client("督查甲")
    found = rows(client)
    assert [row["工单编号"][-1] for row in found] == ["3", "2", "1"]
    first = found[-1]
    assert (first["主办单位"], first["状态"], first["领办用时（秒）"], first["按时"]) == ("东山镇", "已领办", "120", "是")
    assert first["派单时间"] == "2026-03-03 09:00:00" and first["责任人"] == district.person("东山镇", 3)
    assert "原文" not in first and not any(PHONE in value for row in found for value in row.values())
    assert [row["工单编号"][-1] for row in rows(client, "unit=西河镇")] == ["3"]
    assert rows(client, "status=已办结") == [] and rows(client, "unit=没有的镇") == []
    assert accesses(site) == []


def test_personal_data_is_exported_by_those_who_may_and_logged(site: Site) -> None:
    site.fill()
    (row,) = rows(site.client("派单甲"), "q=垃圾&personal=1")
    assert PHONE in row["原文"]
    assert accesses(site) == [("派单甲", "导出 CSV，含原文和电话；找“垃圾”")]
    assert site.client("东山甲").get("/tickets/export.csv?personal=1").status_code == 404
    assert site.client("东山甲").get("/tickets/export.xlsx?personal=1").status_code == 404
    assert len(accesses(site)) == 1


def test_a_unit_exports_its_own_only(site: Site) -> None:
    site.fill()
    client = site.client("东山甲")
    assert {row["主办单位"] for row in rows(client)} == {"东山镇"}
    assert rows(client, "unit=西河镇") == []
    book = workbook(client.get("/tickets/export.xlsx").content)
    assert [row[0].value[-1] for row in book["工单"].iter_rows(min_row=4)] == ["2", "1"]


def test_an_excel_says_what_was_searched_and_by_whom(site: Site) -> None:
    site.fill()
    answer = site.client("管理甲").get("/tickets/export.xlsx?q=垃圾&personal=1")
    sheet = workbook(answer.content)["工单"]
    assert "管理甲 2026-03-03 09:02 导出；找“垃圾”" in sheet["A2"].value
    assert PHONE in sheet["S4"].value and sheet["K4"].number_format == "yyyy-mm-dd hh:mm:ss"


def test_a_formula_in_a_complaint_stays_a_text(quick_site: Site) -> None:
    site = quick_site
    site.say("东山镇", district.DISPATCHER, '=HYPERLINK("http://x","点我")市民反映石桥村路灯不亮，请处理。')
    (row,) = rows(site.client("督查甲"), "personal=1")
    assert row["原文"].startswith("'=HYPERLINK")
    sheet = workbook(site.client("督查甲").get("/tickets/export.xlsx?personal=1").content)["工单"]
    assert sheet["S4"].data_type == "s" and sheet["S4"].value.startswith("=HYPERLINK")


def test_without_a_login_nothing_is_exported(quick_site: Site) -> None:
    for path in ("/tickets/export.csv", "/tickets/export.xlsx", "/units/1", "/reports", "/roster", "/changes"):
        answer = quick_site.client().get(path)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/login"), path
