"""The database is locked, broken, read-only or full: a clear word, nothing lost, and it goes on by itself."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError

from bot.clock import VirtualClock
from bot.scheduler import Ticker
from storage import sessions
from storage.sessions import make_engine
from storage.tables import InboxMessage, OutboxMessage, Ticket
from tests import district
from tests.process import LAMP, NINE, Groups, Process, prepare


@pytest.fixture
def path(sqlite_template: Path, tmp_path: Path) -> Path:
    target = tmp_path / "x.db"
    target.write_bytes(sqlite_template.read_bytes())
    return target


@contextmanager
def another_program_writes(path: Path) -> Iterator[sqlite3.Connection]:
    """A backup, a browser of the file: it holds the write lock."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield other
    finally:
        if other.in_transaction:
            other.execute("ROLLBACK")
        other.close()


def start(engine: Engine, folder: Path) -> Process:
    prepare(engine)
    return Process(engine, Groups(), VirtualClock(NINE), folder)


def test_a_write_lock_that_is_held_is_waited_for_and_nothing_is_lost(path: Path, tmp_path: Path) -> None:
    """faults: apscheduler#843. The wait is 30 s; here the lock is let go as soon as the writer is seen waiting."""
    engine = make_engine(f"sqlite:///{path}")
    process = start(engine, tmp_path)
    began = threading.Event()
    with another_program_writes(path) as other:

        def let_go() -> None:
            began.wait(10)
            other.execute("ROLLBACK")

        helper = threading.Thread(target=let_go)
        helper.start()

        @event.listens_for(engine, "begin", insert=True)
        def about_to_wait(_connection: Any) -> None:
            began.set()

        process.hear("东山镇", district.DISPATCHER, LAMP)
        helper.join(10)
    process.step()
    assert len(process.rows(Ticket)) == 1 and len(process.groups.arrived) == 1
    assert sessions.BUSY_TIMEOUT_MS == 30_000  # three times the longest lock that was tried
    engine.dispose()


def test_a_write_lock_held_longer_than_the_wait_is_an_error_that_changes_nothing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """faults: apscheduler#843. The lock held over every wait: with the wait shortened to a hundredth of a second."""
    monkeypatch.setattr(sessions, "BUSY_TIMEOUT_MS", 10)
    engine = make_engine(f"sqlite:///{path}")
    process = start(engine, tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    with another_program_writes(path):
        for _ in range(3):
            with pytest.raises(OperationalError, match="database is locked"):
                process.step()
        with pytest.raises(OperationalError, match="database is locked"):
            process.hear("东山镇", district.DISPATCHER, "第二条")
        assert [row.state.value for row in process.rows(InboxMessage)] == ["new"]  # readers are not held up
    process.step()
    assert [row.attempts for row in process.rows(InboxMessage)] == [0]
    assert len(process.rows(Ticket)) == 1 and len(process.groups.arrived) == 1
    engine.dispose()


async def test_ticks_that_fail_twenty_times_resume_by_themselves_and_supervision_is_told(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """faults: zammad job executor."""
    prepare(engine)
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    await process.worker.drain()
    ticker = Ticker(process.scheduler, process.clock)
    broken = {"is": True}

    @event.listens_for(engine, "begin", insert=True)
    def failing(_connection: Any) -> None:
        if broken["is"]:
            raise OperationalError("BEGIN", {}, Exception("disk I/O error"))

    process.clock.move_to(NINE.replace(minute=5))
    for _ in range(20):
        await ticker.beat()
        process.wait(seconds=1)
    assert process.scheduler.last_tick is None  # what turns /ready red
    broken["is"] = False
    await ticker.beat()
    await process.sender.drain()
    assert len(process.groups.said("还没人领办")) == 1
    assert process.groups.said("写不进数据库") == [
        "机器人09:05至09:05写不进数据库，现已恢复，漏下的提醒已补上，请管理员查看日志"
    ]
    assert {r.getMessage() for r in caplog.records if r.levelname == "ERROR"} == {"tick_failed"}
    await ticker.beat()
    await process.sender.drain()
    assert len(process.groups.said("写不进数据库")) == 1


def test_a_database_that_became_read_only_is_told_and_goes_on_when_it_is_writable(path: Path, tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{path}")
    process = start(engine, tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    engine.dispose()
    read_only = {"is": True}

    @event.listens_for(engine, "connect")
    def only_read(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA query_only={int(read_only['is'])}")

    with pytest.raises(OperationalError, match="attempt to write a readonly database"):
        process.step()
    assert [row.state.value for row in process.rows(InboxMessage)] == ["new"]
    read_only["is"] = False
    engine.dispose()
    process.step()
    assert len(process.rows(Ticket)) == 1 and len(process.groups.arrived) == 1
    engine.dispose()


def test_a_disk_that_fills_up_while_a_message_is_understood_leaves_it_waiting(path: Path, tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{path}")
    process = start(engine, tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP + "补充说明" * 20_000)
    engine.dispose()
    pages = {"most": 1}

    @event.listens_for(engine, "connect")
    def limit(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={pages['most']}")  # no fewer than there are now

    for _ in range(5):
        with pytest.raises(OperationalError, match="database or disk is full"):
            process.step()
    assert [(row.state.value, row.attempts) for row in process.rows(InboxMessage)] == [("new", 0)]
    assert process.rows(Ticket) == [] and process.rows(OutboxMessage) == [] and process.groups.arrived == []
    pages["most"] = 1_000_000
    engine.dispose()
    process.step()
    assert len(process.rows(Ticket)) == 1 and len(process.groups.arrived) == 1
    engine.dispose()


def test_a_connection_that_postgresql_cut_is_made_anew(postgres_url: str, tmp_path: Path) -> None:
    engine = make_engine(postgres_url)
    process = start(engine, tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP)
    killer = make_engine(postgres_url)
    with killer.connect() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE datname = current_database() AND pid <> pg_backend_pid()")
        )  # fmt: skip
    killer.dispose()
    process.step()
    assert len(process.rows(Ticket)) == 1 and len(process.groups.arrived) == 1
    engine.dispose()
