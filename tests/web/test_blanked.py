"""What the page shows of a ticket whose personal data was blanked for age."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.retention import Retention
from handlers.texts import BLANKED
from tests import district
from tests.process import NINE
from tests.web.site import Site


def test_a_blanked_ticket_is_shown_with_its_mark_and_without_a_hole(quick_site: Site) -> None:
    site = quick_site
    site.fill()
    site.say("东山镇", district.nick("东山镇", 3), "2已办结，已清走")
    keeper = Retention(site.database, site.clock, days=30, files=site.folder, orders=None)
    site.clock.move_to(NINE + timedelta(days=40))
    asyncio.run(keeper.run(by="测试"))
    no = "20260303-0002"
    page = site.client("督查甲").get(f"/tickets/{no}").text
    assert page.count(BLANKED) >= 6 and "<dd>—</dd>" not in page and "13800001234" not in page
    assert "已按期清除；时间和数字都在" in page and "/files/" not in page
    assert BLANKED in site.client("督查甲").get("/tickets").text
    exported = site.client("派单甲").get("/tickets/export.csv?personal=1").content.decode("utf-8-sig")
    assert f"{BLANKED},{BLANKED},{BLANKED}" in exported
    for path in ("/", "/tickets?q=清除", "/unit/东山镇", "/reports", f"/tickets/{no}/files/2"):
        assert site.client("督查甲").get(path).status_code in (200, 303, 404), path
