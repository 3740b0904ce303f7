"""What the board and the tickets show, to whom."""

from __future__ import annotations

import html
import re

import pytest
from sqlmodel import select

from storage import board, people
from storage.page_tables import AccessLog
from storage.sessions import reading, transaction
from storage.tables import InboxMessage
from tests import district
from tests.web.site import COMPLAINANT, PHONE, PNG, Site

SECOND = "20260303-0002"  # the one with a phone and a picture
OTHERS = "20260303-0003"  # of 西河镇


def plain(text: str) -> str:
    """What a reader sees, blanks made one."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def tile(text: str, unit: str) -> str:
    return plain(text.split(f'data-unit="{unit}"', 1)[1].split("</li>", 1)[0].split(">", 1)[1])


def accesses(site: Site) -> list[tuple[str, str]]:
    with reading(site.engine) as session:
        return [(row.user_name, row.what) for row in session.exec(select(AccessLog)).all()]


def test_the_board_counts_what_waits_and_what_is_overdue(site: Site) -> None:
    site.fill()
    board = site.client("督查甲").get("/board").text
    assert tile(board, "东山镇") == "东山镇 待领办 1 超时 0 按时率 100.0%"
    assert tile(board, "西河镇") == "西河镇 待领办 1 超时 0 按时率 —"
    assert tile(board, "区水务局") == "区水务局 待领办 0 超时 0 按时率 —"
    site.wait(minutes=15, seconds=3)
    board = site.client("督查甲").get("/board").text
    assert tile(board, "东山镇") == "东山镇 待领办 1 超时 1 按时率 50.0%"
    assert tile(board, "西河镇") == "西河镇 待领办 1 超时 1 按时率 0.0%"
    site.say("东山镇", district.nick("东山镇", 4), "领2")
    board = site.client("督查甲").get("/board").text
    assert tile(board, "东山镇") == "东山镇 待领办 0 超时 0 按时率 50.0%"


def test_a_unit_sees_its_own_and_nothing_of_another(site: Site) -> None:
    site.fill()
    client = site.client("东山甲")
    board = client.get("/board").text
    assert "西河镇" not in board and 'data-unit="东山镇"' in board
    assert OTHERS not in client.get("/tickets").text and SECOND in client.get("/tickets").text
    assert client.get(f"/tickets/{SECOND}").status_code == 200
    for path in (f"/tickets/{OTHERS}", "/tickets/20260303-9999", "/tickets/x"):
        assert client.get(path).status_code == 404, path
    assert "没有单位“西河镇”" in client.get("/tickets", params={"unit": "西河镇"}).text


def test_personal_data_is_for_those_who_may_and_every_view_is_logged(site: Site) -> None:
    site.fill()
    seen = site.client("东山甲").get(f"/tickets/{SECOND}").text
    assert PHONE not in seen and COMPLAINANT not in seen and "138****1234" in seen
    assert accesses(site) == []
    seen = site.client("督查甲").get(f"/tickets/{SECOND}").text
    assert PHONE in seen and COMPLAINANT in seen
    assert accesses(site) == [("督查甲", f"工单 {SECOND}")]
    for path in ("/", "/board", "/tickets", "/tickets?q=垃圾"):
        for name in ("东山甲", "督查甲", "派单甲", "管理甲"):
            seen = site.client(name).get(path).text
            assert PHONE not in seen and COMPLAINANT not in seen, (path, name)


def test_a_ticket_tells_its_whole_story(site: Site) -> None:
    site.fill()
    for _ in range(16):
        site.wait(minutes=1)
    told = plain(site.client("督查甲").get(f"/tickets/{SECOND}").text)
    assert "派单 2026-03-03 09:02:00 时限 09:17:00" in told and "（系统指派）" in told
    for word in ("上报", "派单", "提醒", "升级", "逾期", "原始消息"):
        assert word in told
    told = plain(site.client("督查甲").get("/tickets/20260303-0001").text)
    assert "领办 2026-03-03 09:02:00 用时 2分钟 按时" in told and "承办人 甄丙" in told


def test_a_picture_is_shown_to_those_who_see_its_ticket_and_a_file_elsewhere_never(site: Site) -> None:
    site.fill()
    with reading(site.engine) as session:
        rows = session.exec(select(InboxMessage)).all()
    picture = next(row.id for row in rows if row.file)
    words = next(row.id for row in rows if not row.file)
    client = site.client("东山甲")
    answer = client.get(f"/tickets/{SECOND}/files/{picture}")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "image/png", PNG)
    assert client.get(f"/tickets/20260303-0001/files/{picture}").status_code == 404  # of another ticket
    assert client.get(f"/tickets/{SECOND}/files/{words}").status_code == 404
    assert site.client("西河甲").get(f"/tickets/{SECOND}/files/{picture}").status_code == 404
    outside = site.folder.parent / "secret.png"
    outside.write_bytes(PNG)
    with site.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE inbox SET file = '{outside}' WHERE id = {picture}")
    assert client.get(f"/tickets/{SECOND}/files/{picture}").status_code == 404


@pytest.mark.parametrize(
    "query, found",
    [
        ("q=20260303-0003", [3]),
        ("q=垃圾", [2]),
        ("q=石桥村", [2]),
        ("q=%25", []),  # a percent sign is a sign, not a pattern
        ("unit=东山镇", [2, 1]),
        ("unit=东山镇&status=待领办", [2]),
        ("urgency=紧急", [3]),
        ("status=已办结", []),
        ("since=2026-03-03&until=2026-03-03", [3, 2, 1]),
        ("since=2026-03-04", []),
        ("until=2026-03-02", []),
        ("category=%27%20OR%201=1", []),
        ("unit=火星", []),
        ("since=yesterday", [3, 2, 1]),
    ],
)
def test_the_list_finds_what_the_address_asks_for(site: Site, query: str, found: list[int]) -> None:
    site.fill()
    text = site.client("督查甲").get(f"/tickets?{query}").text
    assert re.findall(r'href="/tickets/20260303-000(\d)"', text) == [str(number) for number in found]


def test_pages_follow_each_other_without_a_gap(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.tickets.PER_PAGE", 2)
    site.fill()
    client = site.client("督查甲")
    first = client.get("/tickets").text
    assert re.findall(r'href="/tickets/20260303-000(\d)"', first) == ["3", "2"]
    following = html.unescape(re.search(r'rel="next" href="([^"]+)"', first)[1])  # type: ignore[index]
    assert re.findall(r'href="/tickets/20260303-000(\d)"', client.get(following).text) == ["1"]
    assert 'rel="next"' not in client.get(following).text


def test_words_are_looked_for_part_by_part_and_the_page_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.ticket_search.SCANNED", 1)
    site.fill()
    client = site.client("督查甲")
    text = client.get("/tickets?q=路灯").text
    assert "可以继续往前找" in text
    for _ in range(2):
        following = html.unescape(re.search(r'rel="next" href="([^"]+)"', text)[1])  # type: ignore[index]
        text = client.get(following).text
    assert re.findall(r'href="/tickets/20260303-000(\d)"', text) == ["1"]


def test_what_a_group_writes_is_shown_as_text_and_never_runs(site: Site) -> None:
    nasty = "市民反映，石桥村<script>alert(1)</script>\u202e垃圾没人清运<img src=x onerror=alert(2)>" + "长" * 3000
    site.say("东山镇", district.DISPATCHER, nasty)
    for path in ("/", "/tickets", "/tickets/20260303-0001", "/tickets?q=%3Cscript%3Ealert(1)%3C/script%3E"):
        text = site.client("督查甲").get(path).text
        assert "<script>alert" not in text and "<img src=x" not in text, path


@pytest.mark.parametrize(
    "path",
    ["/tickets?until=9999-12-31", "/tickets?since=0001-01-01", "/tickets?q=%00", "/tickets?category=%00", "/tickets/%00",
     "/tickets/export.csv?until=9999-12-31&q=%00", "/units/99999999999999999999"],
)  # fmt: skip
def test_an_odd_address_is_no_error_of_ours(site: Site, path: str) -> None:
    """Days at the end of time and NULs raised, some on PostgreSQL only."""
    site.fill()
    assert site.client("督查甲").get(path).status_code in (200, 404, 422)


def test_a_search_does_not_confirm_what_its_asker_may_not_see(site: Site) -> None:
    """A unit's user found its own ticket by the full phone number that the page hides from him."""
    site.fill()
    for words in (PHONE, COMPLAINANT):
        assert SECOND not in site.client("东山甲").get("/tickets", params={"q": words}).text, words
        assert SECOND in site.client("督查甲").get("/tickets", params={"q": words}).text, words
    assert SECOND in site.client("东山甲").get("/tickets", params={"q": "垃圾"}).text


def test_trouble_changes_the_mark_of_the_board(site: Site) -> None:
    """A parked message or a group that was held was shown only after somebody loaded the page anew."""
    site.fill()
    marks = [site.database.read_now(board.mark)]
    with site.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE inbox SET state = 'parked' WHERE id = 1")
    marks.append(site.database.read_now(board.mark))
    with transaction(site.engine) as session:
        people.see_room(
            session, account="one", channel_room_id="x", topic="某群", now=site.clock.now(), held_because="doubtful"
        )
    marks.append(site.database.read_now(board.mark))
    assert len(set(marks)) == 3


def test_an_administrator_reads_who_saw_what(site: Site) -> None:
    site.fill()
    site.client("督查甲").get(f"/tickets/{SECOND}")
    assert f"督查甲 testclient 工单 {SECOND}" in plain(site.client("管理甲").get("/accesses").text)
    assert site.client("督查甲").get("/accesses").status_code == 404
