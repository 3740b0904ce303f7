"""`python -m bot doctor`: everything that `check` sees, and the machine around it: disks, clock, backups, certificates.

Where the bot runs, what it says of itself (`/ready`) is told too. Nothing is changed.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from cryptography import x509
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from bot.app import open_database
from bot.backup import Nightly
from bot.channels.wechaty_link import parse_endpoint
from bot.channels.wechaty_tls import make_context
from bot.checking import Finding, check_all, gateway_tls
from bot.database import Database
from bot.health import LEAST_FREE_MB
from bot.rekeying import survey
from bot.settings import Settings, SettingsError, load_settings
from handlers.policy import BEIJING
from handlers.vault import Seal
from storage import inbox, page_users
from storage.migrate import SchemaError, require_head
from storage.sessions import reading, sqlite_path

OLDEST_PYTHON = (3, 11)
BACKUP_MAY_BE_OLD = timedelta(hours=26)  # a night's, and two hours for a machine that was off
CERTIFICATE_ENDS_SOON = timedelta(days=30)
CLOCK_MAY_BE_OFF = timedelta(seconds=30)
HANDSHAKE_SECONDS = 10.0
ENV_FILE = Path(".env")


async def examine(now: datetime) -> list[Finding]:
    """Look at everything. Settings that are wrong are told each, and then only the machine can be looked at."""
    found = [_python(), *_env_file()]
    try:
        settings = load_settings()
    except SettingsError as error:
        return found + [
            Finding(False, line, "correct it in .env, see config.example.env") for line in str(error).splitlines()
        ]
    found.append(Finding(True, "settings"))
    engine = open_database(settings)
    try:
        found += await check_all(settings, engine)
        found += _integrity(settings)
        found += _contents(engine, now)
        found += _seals(settings, engine)
    finally:
        engine.dispose()
    found += _folders(settings)
    found += _backups(settings, now)
    found += await _certificates(settings, now)
    found += await _running(settings)
    return found


# ---- the machine -----------------------------------------------------------------------------------------------------


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    right = sys.version_info >= OLDEST_PYTHON
    return Finding(right, f"Python {version}", "" if right else "install Python 3.11 or later")


def _env_file() -> Iterator[Finding]:
    if ENV_FILE.is_file() and ENV_FILE.stat().st_mode & 0o007:
        yield Finding(False, f"{ENV_FILE} holds secrets and can be read by everybody", f"chmod 640 {ENV_FILE}")


def _folders(settings: Settings) -> Iterator[Finding]:
    """The places that the bot writes to: they can be written, and their disks have room."""
    database = sqlite_path(settings.database_url)
    for name, folder in (
        ("FILES_DIR", settings.files_dir),
        ("DATABASE_URL", database.parent if database else None),
        ("ORDERS_DIR", settings.orders_dir),
        ("BACKUP_DIR", settings.backup_dir),
        ("LOG_FILE", settings.log_file.parent if settings.log_file else None),
    ):
        if folder is None:
            continue
        there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError:
            yield Finding(False, f"{name} {folder} cannot be written", "give it to the user of the bot (chown)")
            continue
        free = shutil.disk_usage(there).free // 2**20
        enough = free >= LEAST_FREE_MB
        yield Finding(enough, f"{name} {folder}: {free} MB free", "" if enough else "make room on this disk")


# ---- the database ----------------------------------------------------------------------------------------------------


def _integrity(settings: Settings) -> Iterator[Finding]:
    """A damaged SQLite file is told; PostgreSQL sees to its own pages, but a backup needs its tools."""
    path = sqlite_path(settings.database_url)
    if path is None:
        if missing := [tool for tool in ("pg_dump", "pg_restore") if shutil.which(tool) is None]:
            yield Finding(
                False, f"{' and '.join(missing)} missing: no backup can be made", "apt-get install postgresql-client"
            )
        return
    if not path.is_file():
        return  # told by check_all
    try:
        with closing(sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True)) as database:
            said = database.execute("PRAGMA quick_check(1)").fetchone()[0]
            if said == "ok" and database.execute("PRAGMA foreign_key_check").fetchone():
                said = "rows refer to rows that are not there"
    except sqlite3.Error as error:
        said = str(error)
    whole = said == "ok"
    yield Finding(
        whole,
        "integrity of the database" + ("" if whole else f": {said}"),
        "" if whole else "stop the bot, restore the newest backup",
    )


def _contents(engine: Engine, now: datetime) -> list[Finding]:
    """The clock against WeChat's stamps, and who may log in to the page. Needs the newest schema."""
    try:
        require_head(engine)
        with reading(engine) as session:
            return [*_clock(session, now), *_users(session)]
    except (SchemaError, SQLAlchemyError):
        return []  # told by check_all


def _clock(session: Session, now: datetime) -> Iterator[Finding]:
    local = f"{now.astimezone(BEIJING):%Y-%m-%d %H:%M:%S} Beijing time"
    last = inbox.newest(session)
    behind = max(last.sent_at - last.received_at, last.received_at - now) if last else timedelta()
    if behind > CLOCK_MAY_BE_OFF:
        what = f"clock: {local}, {int(behind.total_seconds())} s behind the newest message"
        yield Finding(False, what, "set the clock by the network: timedatectl set-ntp true")
    else:
        yield Finding(True, f"clock: {local}")


def _users(session: Session) -> Iterator[Finding]:
    if not any(user.active for user in page_users.users(session)):
        yield Finding(False, "nobody may log in to the page", "python -m bot user add NAME --role 管理")


def _seals(settings: Settings, engine: Engine) -> list[Finding]:
    """Which keys the sealed phones and names rest on. Every one is tried: 100,000 take some seconds."""
    vault = settings.context().vault
    try:
        require_head(engine)
        counts = survey(Database(engine, inline=True), vault)
    except (SchemaError, SQLAlchemyError):
        return []  # told by check_all
    found = [Finding(True, f"sealed phones and names: {counts[Seal.NEWEST]} by the first DATA_KEY")]
    if lost := counts[Seal.BROKEN]:
        todo = "add the key that sealed them to DATA_KEY, behind the first, with a comma; without it they are lost"
        found.append(Finding(False, f"{lost} sealed values are opened by no DATA_KEY", todo))
    if plain := counts[Seal.PLAIN]:
        todo = "python -m bot key rotate" if vault.has_key else "set DATA_KEY, restart, then python -m bot key rotate"
        found.append(Finding(False, f"{plain} phones and names are not sealed", todo))
    if older := counts[Seal.OLDER]:
        what = f"{older} sealed values are opened by an older DATA_KEY only; it must stay"
        found.append(Finding(True, what, "python -m bot key rotate, then it may go"))
    return found


# ---- backups ---------------------------------------------------------------------------------------------------------


def _backups(settings: Settings, now: datetime) -> Iterator[Finding]:
    if settings.backup_dir is None:
        yield Finding(False, "BACKUP_DIR is empty: no backup is made at night", "set it, best to another disk")
        return
    kept = Nightly(settings.database_url, settings.backup_dir, at=settings.backup_time, keep=settings.backup_keep)
    newest = kept.newest()
    if newest is None:
        yield Finding(False, f"no backup in {settings.backup_dir}", f"python -m bot backup {settings.backup_dir}")
        return
    fresh = now - newest <= BACKUP_MAY_BE_OLD
    what = f"newest backup: {newest:%Y-%m-%d %H:%M}, in {settings.backup_dir}"
    yield Finding(
        fresh, what, "" if fresh else "see the log for backup_failed; python -m bot backup " + str(settings.backup_dir)
    )


# ---- certificates ----------------------------------------------------------------------------------------------------


async def _certificates(settings: Settings, now: datetime) -> list[Finding]:
    """How long the authority and the gateway's certificate are valid. A handshake that fails is told by check_all."""
    tls = gateway_tls(settings)
    if tls is None or not settings.gateway_endpoint:
        return []
    found = []
    try:
        authority = x509.load_pem_x509_certificate(tls.ca.read_bytes())
        found.append(
            _valid("the gateway's authority", authority, now, "make a new one: deploy/gateway/certificates.sh")
        )
        where = parse_endpoint(settings.gateway_endpoint, settings.gateway_token.get_secret_value(), tls)
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            _, writer = await asyncio.open_connection(
                where.host, where.port, ssl=make_context(tls), server_hostname=tls.server_name or where.host
            )
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
        found.append(
            _valid(
                "the gateway's certificate",
                x509.load_der_x509_certificate(shown),
                now,
                "renew it: deploy/gateway/certificates.sh",
            )
        )
    except (OSError, ValueError):
        pass
    return found


def _valid(what: str, certificate: x509.Certificate, now: datetime, todo: str) -> Finding:
    ends = certificate.not_valid_after_utc
    lasting = ends - now > CERTIFICATE_ENDS_SOON
    return Finding(lasting, f"{what} is valid until {ends.astimezone(BEIJING):%Y-%m-%d}", "" if lasting else todo)


# ---- the running bot -------------------------------------------------------------------------------------------------


async def _running(settings: Settings) -> list[Finding]:
    """What the bot on WEB_PORT says of itself; a free port where none runs; trouble where another program has it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.web_host, settings.web_host)  # nosec B104
    address = f"http://[{host}]:{settings.web_port}" if ":" in host else f"http://{host}:{settings.web_port}"
    try:
        async with httpx.AsyncClient(timeout=HANDSHAKE_SECONDS, trust_env=False) as client:
            answer = await client.get(f"{address}/ready")
            problems = answer.json()["problems"]
    except httpx.ConnectError:
        return [Finding(True, f"WEB_PORT {settings.web_port} is free: the bot does not run")]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        what = f"WEB_PORT {settings.web_port} is taken by another program, or the bot does not answer"
        return [Finding(False, what, "set another WEB_PORT; or start the bot again")]
    if not problems:
        return [Finding(True, f"the bot runs, page on {address}")]
    return [Finding(False, f"the running bot says: {each}", "see docs/部署手册.md, 故障表") for each in problems]
