"""A database of the very first version, with data in it, goes up to the newest schema and back, and loses nothing."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from bot.cli import app
from bot.showing import show_ticket
from storage.migrate import SchemaError, current, downgrade, head, require_head, upgrade

# What one sample morning left in the first schema, and a row of each other table.
FIRST = Path("tests/storage/data/first_schema.jsonl")
Snapshot = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def first(engine: Engine) -> Engine:
    """The database as the first version made and filled it."""
    downgrade(engine, "base")
    upgrade(engine, "0001")
    with engine.begin() as connection:
        for table, row in lines():
            names, values = ", ".join(f'"{name}"' for name in row), ", ".join(f":{name}" for name in row)
            connection.execute(text(f'INSERT INTO "{table}" ({names}) VALUES ({values})'), row)
    return engine


def lines() -> list[tuple[str, dict[str, Any]]]:
    rows = [json.loads(line) for line in FIRST.read_text(encoding="utf-8").splitlines()]
    return [(row.pop("table"), row) for row in rows]


def snapshot(engine: Engine) -> Snapshot:
    """Every row, in the columns of the first schema, as the database gives them."""
    columns: dict[str, list[str]] = {}
    for table, row in lines():
        columns.setdefault(table, list(row))
    kept: Snapshot = {}
    with engine.connect() as connection:
        for table, names in columns.items():
            quoted = ", ".join(f'"{name}"' for name in names)
            found = connection.execute(text(f'SELECT {quoted} FROM "{table}"')).all()
            kept[table] = sorted((tuple(row) for row in found), key=repr)
    return kept


def test_up_down_and_up_again_every_row_of_the_first_version_is_there(first: Engine) -> None:
    held: dict[str, int] = defaultdict(int)
    for table, _ in lines():
        held[table] += 1
    before = snapshot(first)
    assert {table: len(rows) for table, rows in before.items()} == dict(held)
    upgrade(first)
    require_head(first)
    assert snapshot(first) == before
    downgrade(first, "0001")
    assert current(first) == "0001" and snapshot(first) == before
    upgrade(first)
    assert snapshot(first) == before


def test_the_newest_version_reads_the_tickets_of_the_first(first: Engine) -> None:
    upgrade(first)
    told = show_ticket(first, "20260303-0001") or ""
    assert "泉河街道" in told and "赵样三" in told and "垃圾已清运完毕" in told


def test_what_to_do_with_a_schema_that_is_not_the_newest_is_said(engine: Engine) -> None:
    for revision, todo in (("0001", "run `python -m bot upgrade`"), ("base", "run `python -m bot init`")):
        downgrade(engine, revision)
        with pytest.raises(SchemaError, match=f"needed is {head()}; {todo}"):
            require_head(engine)


def test_a_row_of_every_table_of_the_first_schema_takes_part(engine: Engine) -> None:
    downgrade(engine, "base")
    upgrade(engine, "0001")
    names = "SELECT name FROM sqlite_master WHERE type = 'table'"
    if engine.dialect.name == "postgresql":
        names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    with engine.connect() as connection:
        tables = set(connection.execute(text(names)).scalars())
    assert {table for table, _ in lines()} == tables - {"alembic_version"}


@pytest.mark.parametrize("wanted", ["0009x", "head"])
def test_there_is_no_way_back_to_what_is_not_older(engine: Engine, wanted: str) -> None:
    with pytest.raises(SchemaError, match="there is no way back from revision"):
        downgrade(engine, head() if wanted == "head" else wanted)


def test_the_clerks_commands_back_up_first_and_name_the_way_back(
    first: Engine, postgres_clients: None, tmp_path: Path
) -> None:
    url = first.url.render_as_string(hide_password=False)
    before = snapshot(first)

    def lingban(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, [*words, "--backup", str(tmp_path / "kept"), "--database", url])
        return done.exit_code, done.stdout + done.stderr

    status, told = lingban("upgrade")
    assert status == 0, told
    assert "revision 0001; rows: 26 inbox, 7 ticket, 10 assignment" in told
    assert f"was at revision 0001 and is at {head()}" in told and "python -m bot rollback 0001" in told
    assert lingban("upgrade") == (0, f"the database is at revision {head()} already; nothing was done\n")
    status, told = lingban("rollback", "0001")
    assert status == 0 and f"was at revision {head()} and is at 0001" in told
    assert snapshot(first) == before
    (up, down) = sorted((path.name for path in (tmp_path / "kept").iterdir()), key=lambda name: name[9:13])
    assert up.startswith("revision-0001-") and down.startswith(f"revision-{head()}-")
    status, told = lingban("rollback", "0007x")
    assert status == 2 and "there is no way back" in told


def test_while_a_bot_runs_no_schema_changes(first: Engine, tmp_path: Path) -> None:
    with first.begin() as connection:
        connection.execute(text("UPDATE lease SET holder = 'host:7', until = '2999-01-01 00:00:00.000000'"))
    url = first.url.render_as_string(hide_password=False)
    done = CliRunner().invoke(app, ["upgrade", "--backup", str(tmp_path / "kept"), "--database", url])
    assert done.exit_code == 2 and "a bot runs on this database (host:7); stop it first" in done.stderr
    assert current(first) == "0001" and not (tmp_path / "kept").exists()
