"""单位 and 报表: what they show, to whom, and what is downloaded."""

from __future__ import annotations

import io

import openpyxl

from bot.clock import VirtualClock
from tests import district
from tests.web.site import PHONE, Client, Site, csrf
from tests.web.test_board_and_tickets import plain

DISTRICT = ("督查甲", "派单甲", "管理甲")


def unit_id(site: Site, name: str) -> int:
    return site.context().district.unit_by_name[name].id


def make_period(client: Client, **given: str) -> str:
    """Ask for a period; where it is shown then."""
    form = {"start": "2026-03-03T08:00", "end": "2026-03-03T09:30", **given, "csrf": csrf(client.get("/reports").text)}
    answer = client.post("/reports", data=form)
    return answer.headers.get("location", "") if answer.status_code == 303 else plain(answer.text)


def workbook(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def test_a_units_page_counts_its_own_beside_the_district(quick_site: Site) -> None:
    site = quick_site
    site.fill()
    site.wait(minutes=16)
    town = unit_id(site, "东山镇")
    told = plain(site.client("督查甲").get(f"/units/{town}").text)
    for words in ("派单 2 全区3", "领办 1 按时1", "按时率 50.0% 1/2，全区33.3%", "超时未领 1 仍待领办1", "平均用时 2分钟"):
        assert words in told, words
    assert "20260303-0002" in told and "超时" in told
    assert "至今 2 1 50.0% 2分钟" in told  # the trend's numbers stand in a table; so does the day under way
    for query in ("?period=week", "?period=month&back=2", "?period=nonsense"):
        assert site.client("督查甲").get(f"/units/{town}{query}").status_code == 200
    for query in ("?back=-1", "?back=999999", "?page=0", "?page=x"):
        assert site.client("督查甲").get(f"/units/{town}{query}").status_code == 422


def test_a_unit_opens_its_own_page_and_ledger_and_no_other(quick_site: Site) -> None:
    site = quick_site
    site.fill()
    site.wait(minutes=1)
    own, other = unit_id(site, "东山镇"), unit_id(site, "西河镇")
    client = site.client("东山甲")
    assert client.get(f"/units/{own}").status_code == 200
    book = workbook(client.get(f"/units/{own}/ledger.xlsx").content)
    assert book.sheetnames == ["东山镇"]
    assert [row[0].value for row in book["东山镇"].iter_rows(min_row=4)] == ["20260303-0001", "20260303-0002"]
    words = [str(cell.value) for row in book["东山镇"].iter_rows() for cell in row]
    assert [word for word in words if PHONE in word] == []
    for path in (f"/units/{other}", f"/units/{other}/ledger.xlsx", "/units/999", "/reports", "/roster", "/catalogue"):
        assert client.get(path).status_code == 404, path
    for path in ("/units/999", "/units/999/ledger.xlsx", "/reports/999", "/reports/999/picture.png"):
        assert site.client("督查甲").get(path).status_code == 404, path


def test_a_period_of_ones_own_is_counted_stored_and_sent_nowhere(quick_site: Site) -> None:
    site = quick_site
    site.fill()
    site.wait(minutes=40)
    said = len(site.process.groups.arrived)
    client = site.client("派单甲")
    where = make_period(client)
    told = plain(client.get(where).text)
    assert "见诉领办专报｜3月3日08:00至3月3日09:30" in told and "派单3件（诉求3件），领办1件" in told
    assert "没有发到群里" in told
    assert client.get(f"{where}/picture.png").content.startswith(b"\x89PNG")
    book = workbook(client.get(f"{where}/ledger.xlsx").content)
    summary = {row[0].value: row[2].value for row in book["汇总"].iter_rows(min_row=4)}
    assert (summary["东山镇"], summary["西河镇"], summary["合计"]) == (2, 1, 3)
    assert make_period(client) == where  # the same window again is the same report, counted anew
    listed = plain(client.get("/reports?kind=专报").text)
    assert listed.count("3月3日08:00 至 3月3日09:30") == 1 and "只存" in listed
    assert "还没有日报" in plain(client.get("/reports?kind=日报").text)
    assert len(site.process.groups.arrived) == said


def test_a_period_that_cannot_be_counted_is_told_by_field(quick_site: Site) -> None:
    quick_site.wait(minutes=40)
    client = quick_site.client("督查甲")
    for given, said in (
        ({"start": "昨天"}, "“从”看不懂"),
        ({"end": "<script>alert(1)</script>"}, "“到”看不懂"),
        ({"start": "2026-03-03T09:30"}, "“到”要晚于“从”"),
        ({"end": "2026-03-04"}, "“到”还没到"),
        ({"start": "2020-01-01"}, "最长366天"),
        ({"start": "9" * 10_000}, "“从”看不懂"),
    ):
        assert said in make_period(client, **given), given


def test_a_form_without_the_mark_of_our_page_does_nothing(quick_site: Site) -> None:
    client = quick_site.client("督查甲")
    form = {"start": "2026-03-03T08:00", "end": "2026-03-03T08:30"}
    assert client.post("/reports", data=form).status_code == 403
    assert client.post("/reports", data={**form, "csrf": "0" * 64}).status_code == 403


def test_the_posted_digest_shows_the_files_that_were_posted(quick_site: Site) -> None:
    site = quick_site
    site.fill()
    assert isinstance(site.clock, VirtualClock)
    site.wait(hours=3, minutes=6)  # past 12:05
    client = site.client("督查甲")
    listed = client.get("/reports?kind=日报").text
    assert "已发群" in plain(listed)
    where = "/reports/" + listed.split('href="/reports/', 1)[1].split('"', 1)[0]
    assert "见诉领办日报" in plain(client.get(where).text)
    assert client.get(f"{where}/picture.png").content.startswith(b"\x89PNG")
    assert "attachment" in client.get(f"{where}/ledger.xlsx").headers["content-disposition"]


def test_the_page_says_who_is_on_duty_and_called(quick_site: Site) -> None:
    site = quick_site
    town = unit_id(site, "东山镇")
    told = plain(site.client("督查甲").get(f"/units/{town}").text)
    assert district.nick("东山镇", 3).split("-")[-1] in told
