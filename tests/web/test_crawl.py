"""Every link of every page as every role: each leads somewhere, and nothing personal is where it must not be."""

from __future__ import annotations

import html
import re
from collections import deque

import pytest
from sqlmodel import select

from storage.enums import MessageType
from storage.page_tables import AccessLog
from storage.sessions import reading, transaction
from storage.tables import SeenRoom
from tests import district
from tests.web.site import PNG, USERS, Client, Site, csrf
from tests.web.test_unit_and_report_pages import make_period, unit_id, workbook

PHONE, IDENTITY, NAME = "13800005678", "110105199003071238", "王富贵"  # invented
PLANTED = (PHONE, IDENTITY, NAME)
TOLD = f"联系人：{NAME}，电话{PHONE}，身份证{IDENTITY}，市民反映石桥村垃圾五天没人清运，请处理。"
OURS = re.compile(r'(?:href|src|action)="(/[^"#]*)')
MOST = 400  # pages of a crawl; far more than there are


@pytest.fixture
def planted(quick_site: Site) -> Site:
    """Personal data wherever people write: complaint, reason, result, file name; in two units."""
    site = quick_site
    for unit in ("东山镇", "西河镇"):
        site.say(unit, district.DISPATCHER, TOLD.replace("石桥村", "石桥村" if unit == "东山镇" else "梁家庄村"))
        picture = site.folder / f"{unit}.png"
        picture.write_bytes(PNG)
        name = f"{NAME}{PHONE}.png"
        site.say(unit, district.DISPATCHER, "", type=MessageType.IMAGE, file=picture, file_name=name)
        site.say(unit, district.nick(unit, 3), "领1")
        site.say(unit, district.DISPATCHER, f"市民反映，双泉村路灯不亮，电话{PHONE}，请处理。")
        site.say(unit, district.nick(unit, 4), f"退2 已电话{PHONE}问过联系人：{NAME}，不归我们管")
        site.wait(minutes=1)
        site.say(unit, district.nick(unit, 3), f"办结1 已清运，已回复联系人：{NAME}，电话{PHONE}")
    with transaction(site.engine) as session:
        seen = SeenRoom(account="one", channel_room_id="x", topic="某某群", seen_at=site.clock.now())
        session.add(seen)
    site.wait(hours=3, minutes=10)  # the daily digest is there
    make_period(site.client("督查甲"))
    return site


def crawl(client: Client) -> dict[str, tuple[int, str, bytes]]:
    """Status, type and body of everything that can be reached by links from the first page."""
    found: dict[str, tuple[int, str, bytes]] = {}
    waiting = deque(["/"])
    while waiting:
        path = waiting.popleft()
        if path in found or path.startswith("/static/") or path.startswith("/logout") or "back=" in path:
            continue
        answer = client.get(path)
        found[path] = answer.status_code, answer.headers.get("content-type", ""), answer.content
        assert len(found) < MOST, "the links never end"
        if answer.headers.get("content-type", "").startswith("text/html"):
            forms = set(re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', answer.text))
            waiting.extend(link for link in map(html.unescape, OURS.findall(answer.text)) if link not in forms)
    return found


def words(kind: str, body: bytes) -> str:
    """What a person reads of an answer."""
    if "spreadsheet" in kind:
        cells = (str(cell.value) for page in workbook(body) for row in page.iter_rows() for cell in row)
        return " ".join(cells)
    return html.unescape(body.decode("utf-8", "replace")) if kind.startswith("text/") else ""


def may_be_personal(path: str) -> bool:
    """One ticket's page and files, and the exports that ask for it: behind the right, each view logged."""
    return path.startswith("/tickets/2026") or "personal=1" in path


@pytest.mark.parametrize("name", USERS)
def test_every_link_leads_somewhere_and_nothing_personal_leaks(planted: Site, name: str) -> None:
    client = planted.client(name)
    found = crawl(client)
    assert {path: status for path, (status, _, _) in found.items() if status != 200} == {}
    leaks = [
        (path, each)
        for path, (_, kind, body) in found.items()
        if name == "东山甲" or name == "西河甲" or not may_be_personal(path)
        for each in PLANTED
        if each in words(kind, body)
    ]
    assert leaks == []
    reached = " ".join(found)
    assert ("/roster" in reached) == (name not in ("东山甲", "西河甲")) and ("/changes" in reached) == (name == "管理甲")
    with reading(planted.engine) as session:
        seen = {row.what for row in session.exec(select(AccessLog)).all() if row.user_name == name}
    personal = [path for path in found if may_be_personal(path)]
    texts = {what for what in seen if "文件" not in what}  # a picture may show anything: each view is on record
    assert bool(texts) == (name not in ("东山甲", "西河甲")), "who saw personal data is on record, and nobody else"
    assert personal


def test_a_units_user_gets_404_for_everything_of_another(planted: Site) -> None:
    everything = crawl(planted.client("管理甲"))
    client = planted.client("东山甲")
    own = set(crawl(client))
    other = unit_id(planted, "西河镇")
    theirs = [path for path in everything if path not in own and path != "/reports" and "?" not in path]
    assert f"/units/{other}" in theirs
    assert any("/files/" in path for path in theirs) and any(path.startswith("/tickets/2026") for path in theirs)
    for path in [*theirs, f"/units/{other}/ledger.xlsx?period=day&back=0"]:
        assert client.get(path).status_code == 404, path
    for path in ("/tickets/export.csv", "/tickets/export.xlsx", "/tickets"):
        told = words(*_seen(client, f"{path}?unit=西河镇"))
        assert "梁家庄村" not in told, path


def _seen(client: Client, path: str) -> tuple[str, bytes]:
    answer = client.get(path)
    return answer.headers["content-type"], answer.content


def test_without_a_login_every_page_asks_for_it(planted: Site) -> None:
    nobody = planted.client()
    for path in crawl(planted.client("管理甲")):
        assert nobody.get(path).status_code in (303, 401), path
    mark = csrf(planted.client("管理甲").get("/").text)
    assert nobody.post("/reports", data={"csrf": mark}).status_code == 401
