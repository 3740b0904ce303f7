"""The connection is kept for ever: killed, frozen, refused, ended; and nothing secret is told on the way."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bot.channels.base import Alive, ConnectionState, StateChange, TemporaryError, UnknownResult
from bot.channels.wechaty import TlsConfig, probe
from tests.gateway.bench import GatewayBench, Person, free_port, until
from tests.gateway.watched import FAST, watching

ZHANG = Person("zhang", "张三")
TOWN = "怀柔镇见诉领办群"


async def test_listens_first_then_starts_and_never_stops_the_puppet(gateway: GatewayBench, tmp_path: Path) -> None:
    await gateway.add_room(TOWN, [ZHANG])
    for _ in range(2):
        async with watching(gateway, tmp_path) as seen:
            await gateway.emit(room=TOWN, sender="张三", text="在")
            await seen.text("在")
    order = [entry["rpc"] for entry in gateway._entries() if entry.get("rpc") in ("event", "start")]
    assert order == ["event", "start"] * 2
    assert gateway.counts()["stop"] == gateway.counts()["logout"] == 0


async def test_a_killed_gateway_is_met_again(gateway: GatewayBench, tmp_path: Path) -> None:
    room = await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        gateway.kill()
        lost = await seen.state(ConnectionState.OFFLINE, seconds=3)
        assert lost.detail
        with pytest.raises(TemporaryError):
            await seen.channel.send_text(room.id, "无人接")
        await gateway.start()
        await seen.state(ConnectionState.ONLINE, times=2)
        await gateway.emit(room=TOWN, sender="张三", text="又来了")
        await seen.text("又来了")
        assert await seen.channel.send_text(room.id, "接着说")


async def test_a_frozen_gateway_is_noticed_by_pings_and_met_again_when_it_thaws(
    gateway: GatewayBench, tmp_path: Path
) -> None:
    room = await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        gateway.freeze()
        try:
            with pytest.raises(UnknownResult):
                await seen.channel.send_text(room.id, "说到一半")
            await seen.state(ConnectionState.OFFLINE, seconds=5)
        finally:
            gateway.thaw()
        await seen.state(ConnectionState.ONLINE, times=2, seconds=15)
        await gateway.emit(room=TOWN, sender="张三", text="醒了")
        await seen.text("醒了")


async def test_a_stream_that_another_client_ends_cleanly_is_opened_again(gateway: GatewayBench, tmp_path: Path) -> None:
    await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        from bot.channels.wechaty_link import Link, parse_endpoint

        other = Link(parse_endpoint(gateway.endpoint, gateway.token, None), FAST)
        await other.connect()
        await other.stub(5).stop()
        other.close()
        await seen.state(ConnectionState.OFFLINE)
        await seen.state(ConnectionState.ONLINE, times=2)
        await gateway.emit(room=TOWN, sender="张三", text="没走")
        await seen.text("没走")


async def test_a_second_client_waits_until_the_first_is_gone(gateway: GatewayBench, tmp_path: Path) -> None:
    await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as first:
        async with watching(gateway, tmp_path, online=False, timing_changes={"taken_slot": 0.3}) as second:
            refused = await second.state(ConnectionState.OFFLINE)
            assert "another client" in refused.detail
            assert "second bot" in (await second.state(ConnectionState.ERROR)).detail
            await first.close()
            await second.state(ConnectionState.ONLINE, seconds=15)


async def test_logout_and_scan_are_told_and_a_new_login_needs_no_new_connection(
    gateway: GatewayBench, tmp_path: Path
) -> None:
    room = await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        await gateway.logout()
        assert "logged out" in (await seen.state(ConnectionState.OFFLINE)).detail
        await gateway.event("scan", {"qrcode": "https://example.invalid/qr", "status": 2})
        assert (await seen.state(ConnectionState.SCAN)).detail == "https://example.invalid/qr"
        with pytest.raises(TemporaryError):
            await seen.channel.send_text(room.id, "没登录")
        await gateway.login()
        await seen.state(ConnectionState.ONLINE, times=2)
        assert gateway.counts()["event"] == 1


async def test_heartbeats_that_stop_mean_a_new_stream_and_none_at_all_mean_nothing(
    gateway: GatewayBench, tmp_path: Path
) -> None:
    await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path, timing_changes={"least_silence": 0.5}) as seen:
        for _ in range(2):
            await gateway.event("heartbeat", {"data": "alive"})
        gone = await seen.state(ConnectionState.OFFLINE)
        assert "heartbeat" in gone.detail
        await seen.state(ConnectionState.ONLINE, times=2)


async def test_in_a_quiet_night_the_way_is_tried_and_heartbeats_are_signs_of_life_but_not_of_an_account_logged_out(
    gateway: GatewayBench, tmp_path: Path
) -> None:
    """Before: neither was handed on, so that a night without a word was told as a silent gateway."""
    await gateway.add_room(TOWN, [ZHANG])

    def alive() -> int:
        return sum(isinstance(event, Alive) for event in seen.events)

    async with watching(gateway, tmp_path, timing_changes={"try_every": 0.3}) as seen:
        await until(lambda: alive() >= 2, 20, "dings that came back")
        assert gateway.counts()["ding"] >= 2 and seen.messages == []
        before = alive()
        await gateway.event("heartbeat", {"data": "alive"})
        await until(lambda: alive() > before, 20, "the heartbeat")
        await gateway.logout()
        await seen.state(ConnectionState.OFFLINE)
        await gateway.event("heartbeat", {"data": "alive"})
        await gateway.login()
        await seen.state(ConnectionState.ONLINE, times=2)
    kinds = [event.state if isinstance(event, StateChange) else type(event) for event in seen.events]
    out = kinds.index(ConnectionState.OFFLINE)
    assert Alive not in kinds[out : kinds.index(ConnectionState.ONLINE, out)]


async def test_a_wrong_token_is_told_and_shown_nowhere(
    gateway: GatewayBench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "wrong_5b0c7e61-not-the-token"
    caplog.set_level(logging.DEBUG)
    async with watching(gateway, tmp_path, online=False, token=secret) as seen:
        refused = await seen.state(ConnectionState.OFFLINE)
        assert "UNAUTHENTICATED" in refused.detail
        problem = await probe(gateway.endpoint, secret, timing=FAST)
    assert problem and "token" in problem
    shown = [refused.detail, problem, repr(seen.channel._connection.endpoint)]
    shown += [f"{r.getMessage()} {r.__dict__}" for r in caplog.records]
    assert not [line for line in shown if secret in line]


async def test_probe_says_what_is_wrong(gateway: GatewayBench, tls_gateway: GatewayBench, tmp_path: Path) -> None:
    assert tls_gateway.tls is not None
    ca = tls_gateway.tls.ca
    assert await probe(gateway.endpoint, gateway.token, timing=FAST) is None
    assert await probe(tls_gateway.endpoint, tls_gateway.token, TlsConfig(ca, "gateway.test"), timing=FAST) is None
    wrong = {
        "cannot be reached": await probe(f"127.0.0.1:{free_port()}", gateway.token, timing=FAST),
        "expect TLS": await probe(tls_gateway.endpoint, gateway.token, timing=FAST),
        "TLS on this port": await probe(gateway.endpoint, gateway.token, TlsConfig(ca), timing=FAST),
        "another name": await probe(tls_gateway.endpoint, gateway.token, TlsConfig(ca), timing=FAST),
        "host:port": await probe("gateway", gateway.token, timing=FAST),
        "cannot read": await probe(gateway.endpoint, gateway.token, TlsConfig(tmp_path / "no.pem"), timing=FAST),
    }
    for words, problem in wrong.items():
        assert problem is not None and words in problem, (words, problem)
    assert not gateway.counts()["start"] and not gateway.counts()["event"]


async def test_tls_with_an_own_certificate_carries_the_same(tls_gateway: GatewayBench, tmp_path: Path) -> None:
    room = await tls_gateway.add_room(TOWN, [ZHANG])
    async with watching(tls_gateway, tmp_path) as seen:
        await tls_gateway.emit(room=TOWN, sender="张三", text="加密")
        await seen.text("加密")
        assert await seen.channel.send_text(room.id, "也加密")
        tls_gateway.freeze()
        try:
            await seen.state(ConnectionState.OFFLINE, seconds=6)
        finally:
            tls_gateway.thaw()
        await seen.state(ConnectionState.ONLINE, times=2, seconds=15)


async def test_ding_goes_to_the_puppet_and_back(gateway: GatewayBench, tmp_path: Path) -> None:
    async with watching(gateway, tmp_path) as seen:
        assert 0.9 < await seen.channel.ding() < 5, "the mock answers after a second"
        gateway.kill()
        await until(lambda: not seen.channel._connection.is_up)
        with pytest.raises(TemporaryError):
            await seen.channel.ding()
