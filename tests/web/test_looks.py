"""The pages in a real Chromium: at desk and phone size, without serious findings of axe-core, and live."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests import district
from tests.web.conftest import DESK, PHONE, WALL, Opens, findings
from tests.web.site import RUBBISH, Site


@pytest.mark.parametrize("size", [DESK, PHONE, WALL], ids=["desk", "phone", "wall"])
def test_every_page_reads_well_at_this_size(opens: Opens, quick_site: Site, size: tuple[int, int]) -> None:
    quick_site.fill()
    quick_site.wait(minutes=16)
    for path in ("/", "/tickets", "/tickets/20260303-0002", "/tickets?q=nothing"):
        page = opens(path, size=size)
        assert findings(page) == [], path
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size[0], (path, wide)
    page = opens("/", name=None, size=size)
    assert findings(page) == []


def test_the_board_follows_what_happens_in_the_groups_within_a_second(opens: Opens, quick_site: Site) -> None:
    page = opens("/")
    tile = page.locator('[data-unit="东山镇"]')
    expect(tile.locator("dd").first).to_have_text("0")
    page.wait_for_timeout(1500)  # the stream has told its first state; the browser's own clock, not the bot's
    quick_site.say("东山镇", district.DISPATCHER, RUBBISH)
    expect(tile.locator("dd").first).to_have_text("1", timeout=1000)
    left = page.locator(".wait .left")
    expect(left).to_have_count(1)
    quick_site.wait(seconds=7)
    expect(left).to_have_text("14:52", timeout=2500)  # it counts down by the server's clock
    quick_site.say("东山镇", district.nick("东山镇", 3), "领1")
    expect(tile.locator("dd").first).to_have_text("0", timeout=1000)
    expect(left).to_have_count(0)


def test_a_ticket_is_found_with_the_keyboard_alone(opens: Opens, quick_site: Site) -> None:
    quick_site.fill()
    page = opens("/tickets")
    page.focus("#q")
    page.keyboard.type("石桥村")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tickets?q=*")
    page.get_by_role("link", name="20260303-0002").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="工单 20260303-0002")).to_be_visible()


def test_a_cut_connection_is_told(opens: Opens) -> None:
    """The clocks went on over old numbers, and nothing said that they were old."""
    page = opens("/")
    expect(page.locator("#cut")).to_be_hidden()
    page.route("**/live", lambda route: route.fulfill(status=200, content_type="text/event-stream", body=""))
    page.reload()
    expect(page.locator("#cut")).to_be_visible()
