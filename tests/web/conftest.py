"""The page in tests: over both databases for its rules, in a real headless Chromium for its looks."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, sync_playwright
from sqlalchemy import Engine

from tests.databases import fresh
from tests.web.site import PASSWORD, Site, served

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
DESK, PHONE, WALL = (1440, 900), (390, 844), (1920, 1080)


@pytest.fixture
def site(engine: Engine, tmp_path: Path) -> Iterator[Site]:
    made = Site(engine, tmp_path)
    yield made
    made.close()


@pytest.fixture
def quick_site(tmp_path: Path) -> Iterator[Site]:
    """On one database only: for a browser, which is slow enough."""
    engine = fresh(tmp_path / "page.db")
    made = Site(engine, tmp_path)
    yield made
    made.close()
    engine.dispose()


@pytest.fixture(scope="module")  # its driver keeps an event loop in this thread: not longer than needed
def chromium() -> Iterator[BrowserContext]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch_persistent_context(
            folder, executable_path=found, headless=True, args=ARGUMENTS, locale="zh-CN", timezone_id="Asia/Tokyo"
        )
        yield browser
        browser.close()


Opens = Callable[..., Page]


@pytest.fixture
def opens(chromium: BrowserContext, quick_site: Site) -> Iterator[Opens]:
    """Open a path as somebody, at a size. A browser error or a broken rule of the content policy fails the test."""
    errors: list[str] = []
    pages: list[Page] = []
    with served(quick_site) as address:

        def open_(path: str, name: str | None = "督查甲", size: tuple[int, int] = DESK) -> Page:
            chromium.clear_cookies()
            page = chromium.new_page()
            pages.append(page)
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
            page.goto(f"{address}/login?next={path}")
            if name:
                page.fill("#name", name)
                page.fill("#password", PASSWORD)
                page.click("button.primary")
                page.wait_for_url(f"{address}{path}")
            return page

        yield open_
        for page in pages:
            page.close()
    assert errors == []


def findings(page: Page) -> list[str]:
    """What axe-core calls serious or critical on a page."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
