"""`doctor` on a machine that is well, and on one where each thing in turn is not."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from bot.backup import write_backup
from bot.checking import Finding
from bot.cli import app
from bot.doctor import examine
from storage.enums import MessageType, PageRole
from storage.page_tables import PageUser
from storage.sessions import make_engine, transaction
from storage.tables import InboxMessage
from tests.deploy.running import TOKEN, certificates, supervised
from tests.gateway.bench import free_port
from tests.process import prepare

NOW = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)


@pytest.fixture
def home(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as a clerk has it after the set-up, without a gateway: settings, roster, a user, a backup of last night."""
    folder = tmp_path / "home"
    (folder / "data").mkdir(parents=True)
    shutil.copyfile(sqlite_template, folder / "data/lingban.db")
    monkeypatch.chdir(folder)
    key = Fernet.generate_key().decode()
    for name, value in {
        "DATA_KEY": key, "HASH_KEY": key, "BACKUP_DIR": "kept", "WEB_PORT": str(free_port()), "GATEWAY_TOKEN": TOKEN,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    engine = make_engine("sqlite:///data/lingban.db")
    prepare(engine)
    with transaction(engine) as session:
        session.add(PageUser(name="李样", role=PageRole.ADMIN, password="x", created_at=NOW))
    engine.dispose()
    write_backup("sqlite:///data/lingban.db", folder / "kept", now=NOW - timedelta(hours=5))
    return folder


async def wrong() -> list[Finding]:
    """What is found beside the gateway that this machine does not have, and the sample's groups."""
    expected = ("gateway: GATEWAY_ENDPOINT is empty", "roster: no ", " has no room", " has no 诉求办理员")
    return [each for each in await examine(NOW) if not each.ok and not any(part in each.what for part in expected)]


async def test_a_machine_that_is_well_has_nothing_wrong_and_shows_no_secret(
    gateway_folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates(gateway_folder)
    async with supervised(gateway_folder) as running:
        monkeypatch.setenv("GATEWAY_ENDPOINT", running.endpoint)
        monkeypatch.setenv("GATEWAY_TLS_CA", str(gateway_folder / "tls/ca.pem"))
        now = datetime.now(UTC)  # noqa: TID251 - the certificates are of the host's clock
        write_backup("sqlite:///data/lingban.db", home / "kept", now=now)
        found = await examine(now)
        assert [each.what for each in found if not each.ok] == []
        told = "\n".join(each.what for each in found)
        for part in (
            "Python 3.", "settings", "database sqlite:///data/lingban.db", "roster: ", f"gateway {running.endpoint}",
            "font for", "integrity of the database", "clock: ", "FILES_DIR", "BACKUP_DIR", "newest backup: ",
            "the gateway's authority is valid until", "the gateway's certificate is valid until", "the bot does not run",
        ):  # fmt: skip
            assert part in told
        assert TOKEN not in told and os.environ["DATA_KEY"] not in told  # noqa: TID251
        later = await examine(now + timedelta(days=800))
        assert [each.todo for each in later if "the gateway's certificate is valid" in each.what] == [
            "renew it: deploy/gateway/certificates.sh"
        ]


def spoil_file(folder: Path) -> None:
    path = folder / "data/lingban.db"
    content = bytearray(path.read_bytes())
    content[4096 * 20 : 4096 * 24] = b"\xa5" * 4096 * 4
    path.write_bytes(content)


def orphan(folder: Path) -> None:
    with sqlite3.connect(folder / "data/lingban.db") as database:
        database.execute("INSERT INTO member_contact VALUES (NULL, 999999, 'nobody', '2026-03-03 00:00:00', 'message', NULL)")


def no_user(folder: Path) -> None:
    with sqlite3.connect(folder / "data/lingban.db") as database:
        database.execute("DELETE FROM page_user")


def clock_behind(folder: Path) -> None:
    engine = make_engine("sqlite:///data/lingban.db")
    with transaction(engine) as session:
        session.add(
            InboxMessage(
                channel="lingban", channel_room_id="1@chatroom", message_id="m", sender_id="a", sender_name="a",
                type=MessageType.TEXT, text="早", sent_at=NOW + timedelta(seconds=90), received_at=NOW,
            )
        )  # fmt: skip
    engine.dispose()


def old_backup(folder: Path) -> None:
    shutil.rmtree(folder / "kept")
    write_backup("sqlite:///data/lingban.db", folder / "kept", now=NOW - timedelta(days=3))


def no_backup(folder: Path) -> None:
    shutil.rmtree(folder / "kept")


def open_secrets(folder: Path) -> None:
    (folder / ".env").write_text("BOT_NAME=派单助手\n")
    (folder / ".env").chmod(0o644)


@pytest.mark.parametrize(
    ("spoil", "what", "todo"),
    [
        (orphan, "integrity of the database: rows refer to rows that are not there", "restore the newest backup"),
        (no_user, "nobody may log in to the page", "user add"),
        (clock_behind, "90 s behind the newest message", "timedatectl set-ntp true"),
        (old_backup, "newest backup: 2026-02-28 09:00", "python -m bot backup kept"),
        (no_backup, "no backup in kept", "python -m bot backup kept"),
        (open_secrets, ".env holds secrets and can be read by everybody", "chmod 640 .env"),
    ],
)
async def test_each_thing_that_is_wrong_is_told_with_what_to_do(
    home: Path, spoil: Callable[[Path], None], what: str, todo: str
) -> None:
    assert await wrong() == []
    spoil(home)
    (found,) = await wrong()
    assert what in found.what and todo in found.todo


async def test_a_damaged_database_is_told(home: Path) -> None:
    spoil_file(home)
    assert any(each.what.startswith("integrity of the database: ") and not each.ok for each in await examine(NOW))


async def test_every_wrong_setting_is_told_and_the_machine_is_looked_at_all_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEB_PORT", "0")
    monkeypatch.setenv("DATA_KEY", "my-secret-that-is-no-key")
    found = await examine(NOW)
    told = [each.what for each in found if not each.ok]
    assert len(told) == 2 and told[0].startswith("DATA_KEY: must be keys") and told[1].startswith("WEB_PORT = '0'")
    assert "my-secret" not in "".join(told) and found[0].what.startswith("Python 3.")


async def test_a_folder_that_cannot_be_written_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_DIR", "/proc/orders")
    (found,) = await wrong()
    assert (found.what, found.todo) == (
        "ORDERS_DIR /proc/orders cannot be written", "give it to the user of the bot (chown)"
    )  # fmt: skip


@asynccontextmanager
async def answering(body: str) -> AsyncIterator[None]:
    """A program on WEB_PORT that answers every request with this."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 503 x\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", int(os.environ["WEB_PORT"]))  # noqa: TID251
    async with server:
        yield


async def test_the_running_bot_is_asked_how_it_is(home: Path) -> None:
    async with answering(json.dumps({"problems": ["not connected to WeChat", "a step is late"]})):
        told = [each.what for each in await wrong()]
        assert told == ["the running bot says: not connected to WeChat", "the running bot says: a step is late"]
    async with answering(json.dumps({"problems": []})):
        assert any(each.what.startswith("the bot runs, page on http://127.0.0.1:") for each in await examine(NOW))
    async with answering("<html>"):
        (other,) = await wrong()
        assert "is taken by another program" in other.what


def test_the_command_ends_with_one_where_anything_is_wrong(home: Path) -> None:
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 1
    assert "WRONG gateway: GATEWAY_ENDPOINT is empty\n      do: set it to host:port" in done.stdout


async def test_on_postgres_the_tools_of_a_backup_are_looked_for(
    home: Path, postgres_url: str, postgres_clients: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    engine = make_engine(postgres_url)
    prepare(engine)
    engine.dispose()
    write_backup(postgres_url, home / "kept", now=NOW - timedelta(hours=1))
    assert [each.what for each in await wrong()] == ["nobody may log in to the page"]
    monkeypatch.setenv("PATH", str(home))
    told = [each.what for each in await wrong()]
    assert told == ["pg_dump and pg_restore missing: no backup can be made", "nobody may log in to the page"]
