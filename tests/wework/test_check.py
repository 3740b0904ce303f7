"""`check` says what the clerk has still to do for 企业微信, and what it cannot do whatever he does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot import checking
from bot.channels.wework import WeworkChannel
from bot.clock import SystemClock
from bot.roster import load_into
from bot.settings import Settings
from storage.migrate import upgrade
from storage.sessions import make_engine, transaction
from tests import district
from tests.process import NINE
from tests.wework.rig import KEY, OTHER, make_channel
from tests.wework.robot import AES_KEY, TOKEN
from tests.wework.service import Service


def settings(folder: Path, **more: Any) -> Settings:
    return Settings(
        _env_file=None, channel="wework", wework_token=TOKEN, wework_aes_key=AES_KEY, wework_rooms_file=folder / "g.csv",
        database_url=f"sqlite:///{folder}/x.db", files_dir=folder, **more,
    )  # type: ignore[call-arg,arg-type]  # fmt: skip


async def found(folder: Path, monkeypatch: pytest.MonkeyPatch, *, public: str = "", away: bool = False) -> list[str]:
    """Findings that name 企业微信 or its settings, `!` before those that are wrong."""
    given = settings(folder, wework_public_url=public)
    clock = SystemClock()

    def answer(request: httpx.Request) -> httpx.Response:
        if away:
            raise httpx.ConnectError("no way out")
        return httpx.Response(502 if "lingban" in request.url.host else 404)

    def channel(_settings: Settings, _clock: object) -> WeworkChannel:
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        return make_channel(Service(set(), clock.monotonic), clock, folder, http=http, public_url=public)

    monkeypatch.setattr(checking, "wework_channel", channel)
    engine = make_engine(given.database_url)
    upgrade(engine)
    roster = district.roster()
    with transaction(engine) as session:
        members = tuple(replace(m, contact_id=None if m.name == "甄甲" else f"u-{m.name}") for m in roster.members)
        load_into(session, replace(roster, members=members), now=NINE)
    all_found = await checking.check_all(given, engine)
    engine.dispose()
    words = ("企业微信", "webhook", "WEWORK", "群编号", "callback", "gateway")
    return [f"{'' if f.ok else '!'}{f.what}" for f in all_found if any(word in f.what for word in words)]


def groups(folder: Path, text: str) -> None:
    (folder / "g.csv").write_text(f"群名,群编号,webhook\n{text}", encoding="utf-8")
    (folder / "g.csv").chmod(0o640)


LIMITS = f"企业微信: {checking.WEWORK_CANNOT}"
NOBODY = "!1 members have no userid of 企业微信: 甄甲"


async def test_what_is_still_to_be_done_is_told_beside_what_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups(tmp_path, f"东山镇工作群,wr1,{KEY}\n督查群,,{OTHER}\n")
    assert await found(tmp_path, monkeypatch) == [
        NOBODY,
        "企业微信: 2 groups with a webhook",
        LIMITS,
        "!1 groups have no 群编号, the bot speaks there and hears nothing: 督查群",
        "WEWORK_PUBLIC_URL is empty: nobody notices when 企业微信 cannot reach the callback",
    ]


async def test_a_list_that_is_wrong_a_way_out_that_is_shut_and_a_proxy_that_leads_nowhere_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups(tmp_path, "东山镇工作群,wr1,\n")
    assert f"!{tmp_path}/g.csv 第2行：webhook 不对，请从群的“消息推送”页面复制整个地址" in await found(tmp_path, monkeypatch)
    groups(tmp_path, f"东山镇工作群,wr1,{KEY}\n")
    told = await found(tmp_path, monkeypatch, away=True)
    assert told[-1] == "!企业微信 cannot be reached: ConnectError"
    told = await found(tmp_path, monkeypatch, public="https://lingban.example.test/wework")
    assert told[-1] == "!WEWORK_PUBLIC_URL does not lead to this bot (HTTP 502)"
