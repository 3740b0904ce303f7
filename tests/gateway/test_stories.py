"""Whole stories through the real gateway: each looks at the database and at what the gateway was asked to send."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest

from bot.channels.base import ConnectionState
from storage.enums import AssignedBy, TicketStatus
from storage.tables import InboxMessage, RoomBinding, TicketMessage
from tests.gateway.bench import GatewayBench, until
from tests.gateway.whole_bot import (
    COMPLAINT,
    DISPATCHER,
    DISTRICT,
    HANDLER,
    OTHER,
    PEOPLE,
    SUPERVISION,
    TOWN,
    no_errors,
    now,
    running,
)


async def two_rooms(gateway: GatewayBench) -> None:
    await gateway.add_rooms([TOWN, SUPERVISION], PEOPLE)


async def story(gateway: GatewayBench, folder: Path) -> None:
    """Complaint, prompt with @, acceptance by a group nickname, confirmation."""
    async with running(gateway, folder) as town:
        await town.says(DISPATCHER, COMPLAINT)
        prompt = await gateway.wait_sent(lambda s: s.room == TOWN and "请在" in s.text)
        assert "1号 市容环卫｜" in prompt.text and "桃山村" in prompt.text and "回复“领1”" in prompt.text
        assert prompt.text.startswith("@周样三\u2005")
        assert "13800001234" not in prompt.text
        accepted = await town.says(HANDLER, "领1")
        assert (await town.hears("由周样三领办")).startswith("1号由周样三领办，用时")
        assert (await town.heard(accepted)).became == "accept"
        (ticket,), (duty,) = town.tickets, town.duties
        assert ticket.status is TicketStatus.ACCEPTED
        assert (duty.accepted_by, duty.assigned_by, duty.on_time) == ("周样三", AssignedBy.SELF, True)
        assert len(town.told()) == 2
        assert gateway.counts()["stop"] == 0


async def test_a_complaint_is_prompted_accepted_and_confirmed(
    gateway: GatewayBench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await two_rooms(gateway)
    await story(gateway, tmp_path)
    no_errors(caplog.records)


async def test_the_same_story_over_tls(tls_gateway: GatewayBench, tmp_path: Path) -> None:
    await two_rooms(tls_gateway)
    await story(tls_gateway, tmp_path)


async def test_forty_five_rooms_are_bound_by_topic_and_a_strange_one_is_not(
    gateway: GatewayBench, tmp_path: Path
) -> None:
    with (DISTRICT / "units.csv").open(encoding="utf-8") as file:
        topics = [row["room"] for row in csv.DictReader(file)]
    await gateway.add_rooms([*topics, "周末爬山群"], PEOPLE)
    async with running(gateway, tmp_path) as town:
        bound = await until(lambda: len(town.rows(RoomBinding)) == len(topics) and town.rows(RoomBinding), 20)
        assert len({binding.room_id for binding in bound}) == len(topics) == 45
        await gateway.emit(room="周末爬山群", sender=HANDLER.id, text=COMPLAINT)
        marker = await town.says(HANDLER, "大家早")
        await town.heard(marker)
        assert town.tickets == []


async def test_pictures_before_and_after_belong_to_the_ticket(gateway: GatewayBench, tmp_path: Path) -> None:
    await two_rooms(gateway)
    async with running(gateway, tmp_path) as town:
        before = await gateway.picture(room=TOWN, sender=OTHER.id, name="桶.jpg")
        await town.heard(before)
        told = await town.says(OTHER, "桃山村村口垃圾桶满得盖不上了，臭得很，快派人清一下")
        await town.heard(told)
        after = await gateway.picture(room=TOWN, sender=OTHER.id, name="地.jpg")
        assert (await town.heard(after)).became.startswith("attachment:")  # type: ignore[union-attr]
        parts = {part.message_id: part.part for part in town.rows(TicketMessage)}
        assert parts == {before: "attachment", told: "complaint", after: "attachment"}
        files = [row.file for row in town.rows(InboxMessage) if row.type == "image"]
        assert all(name and Path(name).stat().st_size == 1024 for name in files)


async def test_a_quote_in_the_text_form_of_wechat4u_accepts_what_it_quotes(
    gateway: GatewayBench, tmp_path: Path
) -> None:
    await two_rooms(gateway)
    async with running(gateway, tmp_path) as town:
        await town.says(DISPATCHER, COMPLAINT)
        first = await town.hears("1号")
        await town.says(DISPATCHER, "市民反映，庙城镇焦村村北路面塌陷一个坑，电动车摔过人，请修补。")
        await town.hears("2号")
        quoted = first.removeprefix("@周样三\u2005")
        await town.says(HANDLER, f"「派单助手：{quoted}」\n- - - - - - - - - - - - - - -\n好的 马上去")
        await town.hears("1号由周样三领办")
        assert [duty.accepted_by for duty in town.duties] == ["周样三", None]


async def test_every_event_twice_makes_no_second_ticket_and_no_second_answer(
    gateway: GatewayBench, tmp_path: Path
) -> None:
    await two_rooms(gateway)
    async with running(gateway, tmp_path) as town:
        await town.says(DISPATCHER, COMPLAINT, times=2)
        await town.hears("请在")
        await town.says(HANDLER, "领1", times=2)
        await town.hears("由周样三领办")
        await town.heard(await town.says(HANDLER, "大家辛苦", times=2))
        assert (len(town.tickets), len(town.told())) == (1, 2)


async def test_an_unknown_type_and_an_error_event_are_survived(gateway: GatewayBench, tmp_path: Path) -> None:
    await two_rooms(gateway)
    async with running(gateway, tmp_path) as town:
        strange = await town.says(HANDLER, "当前版本不支持展示该内容", type=16)
        assert (await town.heard(strange)).became is None
        await gateway.event("error", {"gerror": '{"code":2,"message":"sync failed"}'})
        await town.says(DISPATCHER, COMPLAINT)
        await town.hears("请在")
        assert len(town.tickets) == 1


async def test_the_bots_own_echo_is_no_input(gateway: GatewayBench, tmp_path: Path) -> None:
    await two_rooms(gateway)
    async with running(gateway, tmp_path) as town:
        await town.says(DISPATCHER, COMPLAINT)
        await town.hears("请在")
        echoes = await until(lambda: [row for row in town.rows(InboxMessage) if row.is_self], 10, "the echo")
        assert (await town.heard(echoes[0].message_id)).became is None
        assert len(town.tickets) == 1


async def test_a_gateway_killed_for_twenty_seconds_costs_no_ticket_and_no_step(
    gateway: GatewayBench, tmp_path: Path
) -> None:
    await two_rooms(gateway)
    async with running(gateway, tmp_path) as town:
        # Four minutes and fifty seconds old: its reminder falls due while the gateway is dead.
        await town.says(DISPATCHER, COMPLAINT, at=now() - timedelta(minutes=4, seconds=50))
        await town.hears("请在")
        gateway.kill()
        await until(lambda: not town.bot.gate.connected, 10, "the loss is noticed")
        began = now()
        await until(lambda: now() - began > timedelta(seconds=20), 25, "twenty seconds")
        await gateway.start()
        reminder = await town.hears("还没人领办", seconds=50)
        assert "1号（" in reminder
        await town.says(HANDLER, "领1")
        await town.hears("由周样三领办")
        assert [text.count("请在") for text in town.told()] == [1, 1, 0]
        assert town.duties[0].on_time is True


async def test_a_gateway_frozen_for_twenty_seconds_costs_no_ticket(gateway: GatewayBench, tmp_path: Path) -> None:
    await two_rooms(gateway)
    async with running(gateway, tmp_path) as town:
        await town.says(DISPATCHER, COMPLAINT)
        await town.hears("请在")
        gateway.freeze()
        try:
            await until(lambda: not town.bot.gate.connected, 15, "the freeze is noticed")
            began = now()
            await until(lambda: now() - began > timedelta(seconds=18), 25, "the rest of twenty seconds")
        finally:
            gateway.thaw()
        await until(lambda: town.bot.gate.is_open, 60, "back again")
        await town.says(HANDLER, "领1")
        await town.hears("由周样三领办", seconds=30)
        assert (len(town.tickets), len(town.told())) == (1, 2)


async def test_a_logout_is_an_outage_that_the_digest_will_state(gateway: GatewayBench, tmp_path: Path) -> None:
    from storage.tables import Outage

    await two_rooms(gateway)
    async with running(gateway, tmp_path) as town:
        await gateway.logout()
        await until(lambda: not town.bot.gate.connected, 15, ConnectionState.OFFLINE)
        await gateway.login()
        await until(lambda: town.bot.gate.is_open, 20, ConnectionState.ONLINE)
        ended = [outage for outage in town.rows(Outage) if outage.ended_at is not None]
        assert len(ended) == 2  # before the first login, and this one


async def test_the_process_ends_with_zero_within_five_seconds_of_a_signal(
    gateway: GatewayBench, tmp_path: Path
) -> None:
    import asyncio
    import os
    import signal
    import sys

    from bot.importers.people import load
    from bot.roster import load_into
    from storage.migrate import upgrade
    from storage.sessions import make_engine, transaction
    from tests.gateway.bench import free_port

    await two_rooms(gateway)
    url = f"sqlite:///{tmp_path}/run.db"
    engine = make_engine(url)
    upgrade(engine)
    with transaction(engine) as session:
        load_into(session, load(DISTRICT), now=now())
    engine.dispose()
    env = {**os.environ, "DATABASE_URL": url, "GATEWAY_ENDPOINT": gateway.endpoint, "GATEWAY_TOKEN": gateway.token}  # noqa: TID251
    env |= {"FILES_DIR": str(tmp_path), "WEB_PORT": str(free_port()), "SECONDS_BETWEEN_MESSAGES": "0"}
    env |= {"BACKLOG_SETTLE_SECONDS": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", env=env, stderr=asyncio.subprocess.PIPE
    )
    try:
        await until(lambda: gateway.counts()["event"], 30, "the bot listens")
        await until(lambda: gateway.counts()["roomList"], 30, "the bot knows its rooms")
        await gateway.emit(room=TOWN, sender=DISPATCHER.id, text=COMPLAINT)
        await gateway.wait_sent(lambda s: s.room == TOWN and "请在" in s.text, 30)
        began = now()
        process.send_signal(signal.SIGTERM)
        log = (await asyncio.wait_for(process.communicate(), 10))[1].decode()
        assert process.returncode == 0, log
        assert now() - began < timedelta(seconds=5)
        assert gateway.token not in log and "13800001234" not in log and "垃圾成堆" not in log
        assert gateway.counts()["stop"] == 0 and gateway.counts()["logout"] == 0
    finally:
        if process.returncode is None:
            process.kill()
