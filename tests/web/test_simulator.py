"""The simulator: its clock, its groups, and a newcomer who plays with them in a real Chromium."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from bot.channels.simulator import SimulatorChannel
from bot.clock import SpeedClock
from bot.settings import Settings
from bot.simulation import Simulation
from bot.stage import StageError
from storage.enums import MessageType
from tests.web.conftest import DESK, PHONE, findings
from tests.web.site import PNG, Site

START = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)
ROOM = "泉河街道见诉领办工作群"
LAMPS = "市民反映，滨湖社区东门外路灯坏了三盏，晚上看不见路，请尽快维修。"


class Real:
    """Real seconds, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


# ---- the clock -------------------------------------------------------------------------------------------------------


def test_the_clock_runs_as_fast_as_it_is_told_and_never_back() -> None:
    real = Real()
    clock = SpeedClock(START, real=real)
    real.seconds += 2
    assert clock.now() == START + timedelta(seconds=2)
    clock.set_speed(60)
    real.seconds += 2
    assert clock.now() == START + timedelta(seconds=122)
    clock.jump_to(START + timedelta(minutes=10))
    assert clock.now() == START + timedelta(minutes=10)
    clock.jump_to(START)
    assert clock.now() == START + timedelta(minutes=10)


def test_the_clock_waits_at_a_moment_until_it_may_go_on() -> None:
    real = Real()
    clock = SpeedClock(START, speed=60, real=real)
    clock.stop_at(START + timedelta(seconds=30))
    real.seconds += 10
    assert clock.now() == START + timedelta(seconds=30)
    clock.stop_at(None)
    assert clock.now() == START + timedelta(seconds=30)  # the time it stood is not made up
    real.seconds += 1
    assert clock.now() == START + timedelta(seconds=90)


async def test_a_sleeper_wakes_when_the_clock_jumps_over_its_time() -> None:
    clock = SpeedClock(START)
    sleeping = asyncio.create_task(clock.sleep(3600))
    await asyncio.wait([sleeping], timeout=0.05)
    assert not sleeping.done()
    clock.jump_to(START + timedelta(hours=2))
    await asyncio.wait_for(sleeping, 2)


# ---- the groups ------------------------------------------------------------------------------------------------------


def channel() -> tuple[SimulatorChannel, SpeedClock, Real]:
    real = Real()
    clock = SpeedClock(START, real=real)
    return SimulatorChannel(clock, ["甲群", "乙群"], "派单助手"), clock, real


async def heard(groups: SimulatorChannel, count: int) -> list[object]:
    events = groups.events()
    return [await anext(events) for _ in range(count)]


async def test_what_is_said_reaches_the_bot_with_quote_and_mention() -> None:
    groups, _, _ = channel()
    first = groups.say("甲群", "甲-某", "路灯坏了")
    groups.say("甲群", "甲-某二", "@派单助手 收到", quote=first.id)
    *_, one, two = await heard(groups, 4)
    assert (one.room_id, one.text, one.type) == ("甲群", "路灯坏了", MessageType.TEXT)  # type: ignore[attr-defined]
    assert two.mentions_bot and (two.quote.message_id, two.quote.text) == (first.id, "路灯坏了")  # type: ignore[attr-defined]


async def test_two_minutes_later_nothing_is_recalled_and_the_bot_s_words_never() -> None:
    groups, _, real = channel()
    said = groups.say("甲群", "甲-某", "发错了")
    told = await groups.send_text("甲群", "1号 …")
    with pytest.raises(StageError, match="这条不能撤回"):
        groups.recall("甲群", told or "")
    real.seconds += 121
    with pytest.raises(StageError, match="超过2分钟"):
        groups.recall("甲群", said.id)
    with pytest.raises(StageError, match="没有“丙群”这个群"):
        groups.say("丙群", "甲-某", "?")


# ---- a newcomer ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The whole demo, running; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder: Path = tmp_path_factory.mktemp("demo")
    ready = threading.Event()
    ends: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def run() -> None:
        async def play() -> None:
            stop = asyncio.Event()
            ends.append((asyncio.get_running_loop(), stop))
            ready.set()
            await Simulation(Settings(_env_file=None), folder, port=port).run(stop)

        asyncio.run(play())

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait(10)
    address = f"http://127.0.0.1:{port}"
    pause = threading.Event()
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{address}/simulator").close()  # answers when the opening has been played
            break
        except OSError:
            pause.wait(0.1)
    yield address
    loop, stop = ends[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    assert not thread.is_alive()


@pytest.fixture
def desk(chromium: BrowserContext, played: str) -> Iterator[Page]:
    errors: list[str] = []
    page = chromium.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    page.goto(f"{played}/simulator")
    yield page
    page.close()
    assert [error for error in errors if "status of 400" not in error] == []


def test_a_newcomer_reports_sees_the_tile_change_accepts_and_sees_the_clock_stop(desk: Page) -> None:
    tile = desk.locator('[data-unit="泉河街道"] dd').first
    expect(tile).to_have_text("0")
    desk.get_by_role("button", name="报一件诉求").click()
    assert desk.locator("#text").input_value() == LAMPS
    desk.locator("#text").press("Enter")
    expect(tile).to_have_text("1", timeout=1000)
    expect(desk.locator("#chat")).to_contain_text("2号 道路市政")
    expect(desk.locator(".wait .left")).to_have_text(re.compile("14:5\\d"))
    desk.get_by_role("button", name="×60").click()
    expect(desk.locator("#chat")).to_contain_text("已等5分钟，还没人领办", timeout=12_000)
    desk.get_by_role("button", name="×1", exact=True).click()
    desk.get_by_role("button", name="到下一步").click()  # to the minute, however long the hurry took to be stopped
    expect(desk.locator("#chat")).to_contain_text("已等10分钟无人领办")
    desk.select_option("#sender", label="泉河街道-赵样三（诉求办理员）")
    said = desk.locator("article.bot", has_text="道路市政").last
    said.hover()
    said.get_by_role("button", name="引用").click()
    desk.locator("#text").fill("收到")
    desk.get_by_role("button", name="发送").click()
    expect(desk.locator("#chat")).to_contain_text("2号由赵样三领办，用时10分")
    expect(tile).to_have_text("0", timeout=1000)
    expect(desk.locator(".wait")).to_have_count(0)


def test_a_picture_and_a_recall(desk: Page, tmp_path: Path) -> None:
    desk.get_by_role("button", name="怀柔镇见诉领办工作群").click()
    expect(desk.locator("#topic")).to_have_text("怀柔镇见诉领办工作群")
    picture = tmp_path / "现场.png"
    picture.write_bytes(PNG)
    desk.set_input_files("#picture", picture)
    expect(desk.locator("#chat img")).to_have_count(1)
    (tmp_path / "a.png").write_text("<script>alert(1)</script>")
    desk.set_input_files("#picture", tmp_path / "a.png")
    expect(desk.locator("#refused")).to_have_text("只能发图片（JPG、PNG、GIF）")
    desk.locator("#text").fill("<b>红螺家园社区</b>\u202e楼道灯坏了好几天，晚上摸黑，请尽快维修")
    desk.locator("#text").press("Enter")
    expect(desk.locator("#chat")).to_contain_text("1号 ")
    mine = desk.locator("article:not(.bot)", has_text="<b>红螺家园社区</b>").last
    mine.hover()
    mine.get_by_role("button", name="撤回").click()
    expect(desk.locator("#chat")).to_contain_text("撤回了一条消息")
    expect(desk.locator("#chat")).to_contain_text("发布人已撤回，无需领办")


def test_enter_while_words_are_being_composed_sends_nothing(desk: Page) -> None:
    desk.locator("#text").fill("shou dao")
    desk.evaluate(
        "document.getElementById('text').dispatchEvent(new KeyboardEvent('keydown', "
        "{key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    expect(desk.locator("#text")).to_have_value("shou dao")
    desk.locator("#text").press("Shift+Enter")
    expect(desk.locator("#text")).to_have_value("shou dao\n")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_reads_well_at_this_size(desk: Page, size: tuple[int, int]) -> None:
    desk.set_viewport_size({"width": size[0], "height": size[1]})
    expect(desk.locator("#chat article").first).to_be_visible()
    assert findings(desk) == []
    assert desk.evaluate("document.documentElement.scrollWidth") <= size[0]
    if size == PHONE:
        desk.get_by_role("tab", name="看板").click()
        expect(desk.locator("#board")).to_be_visible()
        expect(desk.locator("#chat")).to_be_hidden()


def test_nothing_is_said_or_hurried_by_a_strange_page(played: str) -> None:
    for path, data in (
        ("say", {"room": ROOM, "sender": "城指中心-葛样一", "text": LAMPS}),
        ("jump", {}),
        ("speed", {"speed": "60"}),
    ):
        assert httpx.post(f"{played}/simulator/{path}", data=data).status_code == 403, path


def test_outside_the_demo_there_is_no_simulator(quick_site: Site) -> None:
    client = quick_site.client("管理甲")
    for path in ("/simulator", "/simulator/chat?room=x", "/simulator/live"):
        assert client.get(path).status_code == 404, path
    assert "/simulator" not in client.get("/").text
