"""The files themselves: a snapshot beside a running bot, checked, never over another; and what a restore refuses."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from contextlib import closing
from datetime import time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlmodel import Session

from bot import postgres_tools
from bot.backup import BackupError, Nightly, write_backup
from bot.restore import restore
from storage import meta, people
from storage.migrate import current, downgrade, head, require_head
from storage.sessions import make_engine, reading, transaction
from tests.conftest import command
from tests.process import NINE, prepare


@pytest.fixture
def live(sqlite_template: Path, tmp_path: Path) -> Path:
    path = tmp_path / "live" / "live.db"
    path.parent.mkdir()
    shutil.copyfile(sqlite_template, path)
    return path


def note(path: Path, key: str) -> None:
    engine = make_engine(f"sqlite:///{path}")
    with transaction(engine) as session:
        meta.put(session, key, "x")
    engine.dispose()


def notes(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        return {key for (key,) in database.execute("SELECT key FROM meta WHERE value = 'x'")}


def test_a_backup_beside_a_writing_bot_is_a_whole_snapshot_and_leaves_nothing_else(live: Path, tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{live}")
    stop = threading.Event()
    pairs: list[int] = []

    def write() -> None:
        while not stop.is_set():
            with transaction(engine) as session:
                for half in ("a", "b"):
                    meta.put(session, f"{half}{len(pairs)}", "x")
            pairs.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            made = write_backup(f"sqlite:///{live}", tmp_path / "out", now=NINE + timedelta(seconds=number))
            held = notes(made.path)
            assert {key[1:] for key in held if key[0] == "a"} == {key[1:] for key in held if key[0] == "b"}
    finally:
        stop.set()
        writer.join(60)
    engine.dispose()
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"lingban-20260303-09000{n}.db" for n in range(5)]


def test_a_backup_says_what_it_holds_and_never_overwrites(live: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{live}"
    engine = make_engine(url)
    prepare(engine)
    engine.dispose()
    made = write_backup(url, tmp_path / "one.db", now=NINE)
    assert made.revision == head() and made.rows["ticket"] == 0
    kept = (tmp_path / "one.db").read_bytes()
    with pytest.raises(BackupError, match="never overwrites"):
        write_backup(url, tmp_path / "one.db", now=NINE)
    assert (tmp_path / "one.db").read_bytes() == kept
    with pytest.raises(BackupError, match="there is no database"):
        write_backup(f"sqlite:///{tmp_path}/none.db", tmp_path / "two.db", now=NINE)
    assert not (tmp_path / "none.db").exists() and not (tmp_path / "two.db").exists()


def test_a_damaged_database_makes_no_backup_and_a_damaged_backup_replaces_nothing(live: Path, tmp_path: Path) -> None:
    good = write_backup(f"sqlite:///{live}", tmp_path / "good.db", now=NINE).path
    note(live, "newer")
    spoiled = bytearray(good.read_bytes())
    spoiled[4096 * 3 : 4096 * 6] = os.urandom(4096 * 3)
    bad = tmp_path / "bad.db"
    bad.write_bytes(spoiled)
    with pytest.raises(BackupError):
        write_backup(f"sqlite:///{bad}", tmp_path / "of-bad.db", now=NINE)
    with pytest.raises(BackupError):
        restore(f"sqlite:///{live}", bad, now=NINE)
    (tmp_path / "text.db").write_text("no database")
    with pytest.raises(BackupError):
        restore(f"sqlite:///{live}", tmp_path / "text.db", now=NINE)
    with closing(sqlite3.connect(tmp_path / "cats.db")) as cats:
        cats.execute("CREATE TABLE cats (name text)")
    with pytest.raises(BackupError, match="no database of lingban"):
        restore(f"sqlite:///{live}", tmp_path / "cats.db", now=NINE)
    assert notes(live) == {"newer"}
    assert [path.name for path in live.parent.iterdir() if "replaced" in path.name or "restoring" in path.name] == []
    assert not (tmp_path / "of-bad.db").exists()


def test_a_restore_keeps_the_replaced_database_and_marks_the_new_one_quiet(live: Path, tmp_path: Path) -> None:
    note(live, "before")
    backup = write_backup(f"sqlite:///{live}", tmp_path / "b.db", now=NINE).path
    note(live, "after")
    done = restore(f"sqlite:///{live}", backup, now=NINE + timedelta(hours=1))
    assert done.quiet_since == NINE and done.missing_files == 0
    assert done.kept_aside == live.with_name("live.db.replaced-20260303-100000")
    assert notes(live) == {"before"} and notes(done.kept_aside) == {"before", "after"}
    engine = make_engine(f"sqlite:///{live}")
    require_head(engine)
    with reading(engine) as session:
        assert meta.quiet(session) == meta.Quiet(NINE, 0)
    engine.dispose()
    assert sorted(path.name for path in live.parent.iterdir() if not path.name.endswith(("-wal", "-shm"))) == [
        "live.db", "live.db.replaced-20260303-100000"
    ]  # fmt: skip


def test_a_restore_is_refused_while_somebody_has_the_database_open(live: Path, tmp_path: Path) -> None:
    backup = write_backup(f"sqlite:///{live}", tmp_path / "b.db", now=NINE).path
    engine = make_engine(f"sqlite:///{live}")
    with transaction(engine) as session:
        meta.write_lease(session, name="account:one", holder="host:1", until=NINE + timedelta(seconds=10))
    with pytest.raises(BackupError, match="a bot runs on .*account:one, host:1"):
        restore(f"sqlite:///{live}", backup, now=NINE + timedelta(seconds=9))
    with reading(engine) as session:
        people.rooms(session)  # a bot that hangs: its lease has run out, and it still has the file open
        with pytest.raises(BackupError, match="another process has .* open"):
            restore(f"sqlite:///{live}", backup, now=NINE + timedelta(seconds=11))
    engine.dispose()
    restore(f"sqlite:///{live}", backup, now=NINE + timedelta(seconds=11))


def test_a_database_that_cannot_be_read_is_replaced_only_by_force_and_kept(live: Path, tmp_path: Path) -> None:
    backup = write_backup(f"sqlite:///{live}", tmp_path / "b.db", now=NINE).path
    live.write_bytes(b"broken" * 1000)
    with pytest.raises(BackupError, match="--force"):
        restore(f"sqlite:///{live}", backup, now=NINE)
    done = restore(f"sqlite:///{live}", backup, now=NINE, force=True)
    assert done.kept_aside is not None and done.kept_aside.read_bytes() == b"broken" * 1000
    assert notes(live) == set()


def test_a_backup_of_an_older_schema_is_upgraded(live: Path, tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{live}")
    downgrade(engine, "0001")
    engine.dispose()
    backup = write_backup(f"sqlite:///{live}", tmp_path / "old.db", now=NINE)
    assert backup.revision == "0001"
    target = tmp_path / "new" / "new.db"
    restore(f"sqlite:///{target}", backup.path, now=NINE)
    engine = make_engine(f"sqlite:///{target}")
    assert current(engine) == head()
    engine.dispose()


def test_one_backup_a_night_and_the_newest_are_kept(live: Path, tmp_path: Path) -> None:
    folder = tmp_path / "nightly"
    nightly = Nightly(f"sqlite:///{live}", folder, at=time(3, 30), keep=3)
    assert nightly.is_due(NINE)  # none was ever made
    nightly.make(NINE)
    (folder / "lingban-notes.txt").write_text("mine")
    assert not nightly.is_due(NINE)
    assert not nightly.is_due(NINE.replace(day=4, hour=3, minute=29))
    assert nightly.is_due(NINE.replace(day=4, hour=3, minute=30))
    for day in range(4, 8):
        nightly.make(NINE.replace(day=day, hour=3, minute=30))
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "lingban-20260305-033000.db", "lingban-20260306-033000.db", "lingban-20260307-033000.db", "lingban-notes.txt"
    ]  # fmt: skip


# ---- PostgreSQL ------------------------------------------------------------------------------------------------------


def test_postgres_is_dumped_and_restored_into_an_empty_database_only(
    postgres: str, postgres_url: str, postgres_clients: None, tmp_path: Path
) -> None:
    engine = make_engine(postgres_url)
    prepare(engine)
    made = write_backup(postgres_url, tmp_path, now=NINE)
    assert made.path.name == "lingban-20260303-090000.dump" and made.revision == head()
    with pytest.raises(BackupError, match="is not empty"):
        restore(postgres_url, made.path, now=NINE)
    name = f"{make_url(postgres_url).database}_new"
    command(postgres, f'CREATE DATABASE "{name}"')
    empty = make_url(postgres).set(database=name).render_as_string(hide_password=False)
    try:
        done = restore(empty, made.path, now=NINE + timedelta(hours=1))
        assert done.kept_aside is None
        restored = make_engine(empty)
        require_head(restored)
        with Session(restored) as session, Session(engine) as old:
            assert meta.quiet(session) is not None and meta.quiet(old) is None
            assert len(people.rooms(session)) == len(people.rooms(old)) > 0
        restored.dispose()
    finally:
        engine.dispose()
        command(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')


def test_without_the_tools_of_postgres_it_is_said_what_to_do(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match="pg_dump is not on PATH; install"):
        write_backup(postgres_url, tmp_path, now=NINE)
    assert list(tmp_path.iterdir()) == []


def test_the_password_goes_by_a_file_that_is_gone_afterwards() -> None:
    with postgres_tools._connection("postgresql+psycopg://ann:a%3Ab%5Cc@db.example/name") as told:
        assert "host=db.example" in told and "a:b" not in told
        secret = Path(dict(part.split("=") for part in told.split())["passfile"])
        assert secret.read_text() == "*:*:*:*:a\\:b\\\\c\n" and secret.stat().st_mode & 0o077 == 0
    assert not secret.exists()
