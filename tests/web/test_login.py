"""Who gets in, and who does not."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import cast
from unittest.mock import AsyncMock

import pytest
from fastapi import Request
from sqlalchemy import delete
from sqlmodel import select

from bot.web.headers import LARGEST_BODY
from bot.web.overview import _events
from storage.page_tables import LoginFailure, PageSession, PageUser
from storage.sessions import reading, transaction
from tests.web.site import PASSWORD, Site, csrf


@pytest.fixture
def site(quick_site: Site) -> Site:
    return quick_site


def test_a_page_leads_to_the_login_and_back(site: Site) -> None:
    client = site.client()
    answer = client.get("/tickets?q=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/tickets%3Fq%3D1")
    answer = client.post("/login", data={"name": "督查甲", "password": PASSWORD, "next": "/tickets?q=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/tickets?q=1")
    assert client.get("/tickets?q=1").status_code == 200


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\n"]
)
def test_the_login_leads_nowhere_else(site: Site, target: str) -> None:
    answer = site.client().post("/login", data={"name": "督查甲", "password": PASSWORD, "next": target})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("name, password", [("督查甲", "wrong"), ("nobody", PASSWORD), ("", ""), ("督查甲", "")])
def test_a_wrong_name_and_a_wrong_password_look_the_same(site: Site, name: str, password: str) -> None:
    answer = site.client().post("/login", data={"name": name, "password": password})
    assert answer.status_code == 401 and "用户名或密码不对" in answer.text and "set-cookie" not in answer.headers


def test_five_wrong_passwords_lock_a_name_for_a_quarter_of_an_hour_and_no_other(site: Site) -> None:
    client = site.client()
    for _ in range(5):
        client.post("/login", data={"name": "督查甲", "password": "wrong"})
    answer = client.post("/login", data={"name": "督查甲", "password": PASSWORD})
    assert answer.status_code == 401 and "请15分钟后再试" in answer.text
    assert client.post("/login", data={"name": "派单甲", "password": PASSWORD}).status_code == 303
    site.wait(minutes=15)
    assert client.post("/login", data={"name": "督查甲", "password": PASSWORD}).status_code == 303
    with reading(site.engine) as session:
        assert session.exec(select(LoginFailure)).all() == []  # forgotten with the next login


def test_twenty_wrong_names_lock_an_address(site: Site) -> None:
    client = site.client()
    with transaction(site.engine) as session:
        for number in range(20):
            session.add(LoginFailure(at=site.clock.now(), name=f"x{number}", address="testclient"))
    assert "请15分钟后再试" in client.post("/login", data={"name": "督查甲", "password": PASSWORD}).text


def test_a_login_ends_after_two_idle_hours_and_after_a_shift(site: Site) -> None:
    client = site.client("督查甲")
    for _ in range(6):
        site.wait(minutes=110)
        assert client.get("/tickets").status_code == 200
    site.wait(minutes=61)  # 12 hours and a minute
    assert client.get("/tickets").status_code == 303
    client = site.client("督查甲")
    site.wait(minutes=121)
    assert client.get("/tickets").status_code == 303


def test_the_cookie_is_out_of_reach_and_only_its_hash_is_kept(site: Site) -> None:
    site.with_parts(secure=True)
    answer = site.client().post("/login", data={"name": "督查甲", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "Secure" in cookie and "SameSite=lax" in cookie
    token = cookie.split("=", 1)[1].split(";", 1)[0]
    with reading(site.engine) as session:
        assert [row.token_hash == token for row in session.exec(select(PageSession)).all()] == [False]


def test_somebody_whose_right_was_taken_away_is_out_at_once(site: Site) -> None:
    client = site.client("督查甲")
    with transaction(site.engine) as session:
        user = session.exec(select(PageUser).where(PageUser.name == "督查甲")).one()
        user.active = False
        session.add(user)
    assert client.get("/").status_code == 303
    assert site.client().post("/login", data={"name": "督查甲", "password": PASSWORD}).status_code == 401


def test_logging_out_needs_our_own_form_and_ends_the_login(site: Site) -> None:
    client = site.client("督查甲")
    mark = csrf(client.get("/tickets").text)
    assert client.post("/logout").status_code == 403
    assert client.post("/logout", data={"csrf": "0" * 64}).status_code == 403
    assert client.get("/tickets").status_code == 200
    assert client.post("/logout", data={"csrf": mark}).status_code == 303
    assert client.get("/tickets").status_code == 303


def test_a_login_from_a_strange_page_is_refused(site: Site) -> None:
    answer = site.client().post(
        "/login", data={"name": "督查甲", "password": PASSWORD}, headers={"origin": "https://evil.example"}
    )
    assert answer.status_code == 403 and "set-cookie" not in answer.headers


def test_every_answer_carries_the_headers_and_pages_are_kept_by_nobody(site: Site) -> None:
    client = site.client("督查甲")
    for path in ("/", "/login", "/tickets", "/nothing", "/static/page.css"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"] and headers["x-frame-options"] == "DENY", path
        assert (headers["cache-control"] == "no-store") is (path != "/static/page.css"), path


def test_a_body_too_large_is_refused_while_it_is_read(site: Site) -> None:
    answer = site.client().post(
        "/login",
        content=b"name=" + b"x" * (LARGEST_BODY + 1),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413


def test_an_idle_look_writes_at_most_once_a_minute(site: Site) -> None:
    client = site.client("督查甲")
    with reading(site.engine) as session:
        before = session.exec(select(PageSession)).one().seen_at
    site.wait(seconds=30)
    client.get("/tickets")
    with reading(site.engine) as session:
        assert session.exec(select(PageSession)).one().seen_at == before
    site.wait(seconds=31)
    client.get("/tickets")
    with reading(site.engine) as session:
        assert session.exec(select(PageSession)).one().seen_at == before + timedelta(seconds=61)


async def test_an_open_board_counts_as_used_and_ends_with_the_login(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After two quiet hours a wall screen showed the login page with the next complaint."""
    monkeypatch.setattr("bot.web.overview.LOOK_EVERY", 0)
    monkeypatch.setattr("bot.web.overview.CHECK_LOGIN_EVERY", 1)
    client = site.client("督查甲")
    request = SimpleNamespace(
        app=site.page, cookies=client.cookies, client=None, is_disconnected=AsyncMock(return_value=False)
    )
    stream = _events(site.parts, cast(Request, request))
    for _ in range(6):
        assert (await anext(stream)).startswith("event: ")
        site.wait(minutes=50)
    assert client.get("/tickets").status_code == 200
    with transaction(site.engine) as session:
        session.execute(delete(PageSession))
    said = [event async for event in stream]
    assert said[-1].startswith("event: login")
