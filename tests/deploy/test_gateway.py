"""The gateway that a district installs: certificates of its own, a supervisor that brings it back, practice rooms."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import pytest

from bot.channels.wechaty_tls import TlsConfig
from tests.deploy.running import ROOM, TOKEN, certificates, supervised
from tests.gateway.bench import until
from tests.gateway.watched import watching


async def test_killed_it_is_back_with_a_temporary_folder_of_its_own(gateway_folder: Path) -> None:
    async with supervised(gateway_folder) as running:
        first = running.gateway_pid()
        (before,) = (gateway_folder / "tmp").glob("lingban-gateway-*")
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: running.gateway_pid() not in (None, first), 10, "started again")
        await until(running.answers, 15, "it answers again")
        (after,) = (gateway_folder / "tmp").glob("lingban-gateway-*")
        assert after != before and not before.exists()
        assert "the gateway ended (SIGKILL), next start in 1 s" in running.log
        assert await running.stop() == 0
        assert list((gateway_folder / "tmp").glob("lingban-gateway-*")) == []
        assert TOKEN not in running.log


async def test_frozen_it_is_ended_and_started_again(gateway_folder: Path) -> None:
    async with supervised(gateway_folder, GATEWAY_FROZEN_SECONDS="2") as running:
        frozen = running.gateway_pid()
        assert frozen is not None
        os.kill(frozen, signal.SIGSTOP)
        await until(lambda: running.gateway_pid() not in (None, frozen), 10, "started again")
        await until(running.answers, 15, "it answers again")
        assert "no sign of life for 2 s, the gateway is ended" in running.log


async def test_a_gateway_whose_supervisor_is_killed_makes_room_for_the_next(gateway_folder: Path) -> None:
    async with supervised(gateway_folder) as running:
        left = running.gateway_pid()
        running.process.kill()
        await running.process.wait()
        await until(lambda: not Path(f"/proc/{left}").exists(), 10, "the gateway ends too")


async def test_the_bot_enters_by_the_certificates_of_the_script_and_hears_the_practice_rooms(
    gateway_folder: Path, tmp_path: Path
) -> None:
    printed = certificates(gateway_folder, "gateway.district.test", "10.8.0.5")
    assert "DNS:gateway.district.test" in printed and "IP Address:10.8.0.5" in printed
    modes = {path.name: path.stat().st_mode & 0o777 for path in (gateway_folder / "tls").iterdir()}
    assert modes == {"ca.key": 0o600, "ca.pem": 0o644, "gateway.key": 0o600, "gateway.pem": 0o644}
    authority = (gateway_folder / "tls/ca.pem").read_bytes()
    first = (gateway_folder / "tls/gateway.pem").read_bytes()
    certificates(gateway_folder)
    assert (gateway_folder / "tls/ca.pem").read_bytes() == authority
    assert (gateway_folder / "tls/gateway.pem").read_bytes() != first

    async with supervised(gateway_folder) as running:
        assert "refuses the token" in (await running.wrong("another_token_of_some_length") or "")
        bench = Entry(running.endpoint, TOKEN)
        tls = TlsConfig(gateway_folder / "tls/ca.pem")
        async with watching(bench, tmp_path, tls=tls) as watched:  # type: ignore[arg-type]
            await watched.topics(lambda topics: topics == {ROOM})
            said = await asyncio.create_subprocess_exec(
                "env", f"GATEWAY_PRACTICE_PORT={running.practice_port}",
                "node", "say.mjs", ROOM, "庙城镇-周样三", "村口", "路灯不亮",
                cwd=gateway_folder, stdout=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            heard = await watched.text("村口 路灯不亮")
            said.kill()
            await said.wait()
            assert (heard.sender_name, heard.is_self) == ("庙城镇-周样三", False)


async def test_the_code_to_scan_lies_in_a_file_for_its_owner_until_somebody_scanned_it(gateway_folder: Path) -> None:
    (gateway_folder / "scanned.mjs").write_text(
        """import { PuppetMock, mock } from 'wechaty-puppet-mock'
           const mocker = new mock.Mocker()
           export default class extends PuppetMock {
             constructor () {
               super({ mocker })
               setTimeout(() => this.emit('scan', { status: 2, qrcode: 'http://example.test/x/a' }), 500)
               process.on('SIGUSR2', () => mocker.login(mocker.createContact({ id: 'bot', name: 'bot' })))
             }
           }"""
    )
    code = gateway_folder / "home" / "qrcode.txt"
    async with supervised(gateway_folder, GATEWAY_PUPPET="./scanned.mjs", GATEWAY_HOME="home") as running:
        await until(code.exists, 10, "the code")
        await until(lambda: "cat " in running.log, 10, "where it lies")
        assert code.stat().st_mode & 0o777 == 0o600 and len(code.read_text(encoding="utf-8").splitlines()) > 10
        assert "example.test" not in running.log
        os.kill(running.gateway_pid() or 0, signal.SIGUSR2)
        await until(lambda: not code.exists(), 10, "it is gone")


class Entry:
    """Of a gateway only what a client must know."""

    def __init__(self, endpoint: str, token: str) -> None:
        self.endpoint, self.token, self.tls = endpoint, token, None


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"GATEWAY_TOKEN": "short"}, "GATEWAY_TOKEN must have 16 characters or more"),
        ({"GATEWAY_PUPPET": ""}, "GATEWAY_PUPPET is empty"),
        ({"GATEWAY_PUPPET": "wechaty-puppet-nowhere"}, "npm install --no-save wechaty-puppet-nowhere"),
        ({"GATEWAY_LISTEN": "8788"}, "GATEWAY_LISTEN must be host:port"),
        ({"GATEWAY_LISTEN": "0.0.0.0:8788"}, "it needs GATEWAY_TLS_CERT and GATEWAY_TLS_KEY"),
        ({"GATEWAY_TLS_CERT": "a.pem"}, "give both GATEWAY_TLS_CERT and GATEWAY_TLS_KEY"),
        ({"GATEWAY_TLS_CERT": "a.pem", "GATEWAY_TLS_KEY": "a.key"}, "cannot read a.pem (ENOENT)"),
    ],
)
def test_wrong_settings_are_told_once_and_not_tried_again(
    gateway_folder: Path, settings: dict[str, str], told: str
) -> None:
    values = {"GATEWAY_TOKEN": TOKEN, "GATEWAY_PUPPET": "practice", **settings}
    done = subprocess.run(
        ["env", *(f"{name}={value}" for name, value in values.items()), "node", "supervise.mjs"],
        cwd=gateway_folder, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert told in done.stderr and len(done.stderr.splitlines()) == 1 and TOKEN not in done.stderr


@pytest.mark.parametrize("arguments", [[], ["tls", "no name!"], ["tls", "a;b"]])
def test_a_wrong_call_for_certificates_leaves_nothing(gateway_folder: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        ["bash", "certificates.sh", *arguments], cwd=gateway_folder, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2 and done.stderr
    assert not (gateway_folder / "tls/ca.pem").exists()
