"""Migrations make exactly the tables, from nothing, on both databases; and they say why a database cannot be used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlmodel import SQLModel

from storage import page_tables, tables  # noqa: F401
from storage.migrate import SchemaError, current, downgrade, head, require_head, upgrade
from storage.sessions import make_engine

VERSIONS = Path("storage/migrations/versions")


def test_the_migrations_equal_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_going_down_leaves_nothing_and_up_again_works(engine: Engine) -> None:
    downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    upgrade(engine)
    assert current(engine) == head()


def test_migrations_are_numbered_without_a_gap_and_say_why() -> None:
    names = sorted(path.name for path in VERSIONS.glob("[0-9]*.py"))
    assert [name[:4] for name in names] == [f"{n:04d}" for n in range(1, len(names) + 1)]
    for name in names:
        assert re.match(r'"""[A-Z].{20,}', (VERSIONS / name).read_text(encoding="utf-8")), name


def test_an_unknown_revision_and_a_strange_database_are_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="revision 9999, which this version does not know"):
        upgrade(engine)
    with pytest.raises(SchemaError, match="needed is"):
        require_head(engine)


def test_a_database_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/other.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE cats (name text)"))
    with pytest.raises(SchemaError, match="has tables but no revision"):
        upgrade(engine)
    engine.dispose()
