"""Bring a database to the newest schema, or say why it cannot be used."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

HERE = Path(__file__).parent / "migrations"


class SchemaError(Exception):
    """The database's schema is none of ours; str() says what was found and what to do."""


def _config(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["engine"] = engine
    return config


def head() -> str:
    """The newest revision."""
    return ScriptDirectory(str(HERE)).get_current_head() or ""


def revisions() -> list[str]:
    """Every revision that this version knows, the oldest first."""
    return [script.revision for script in ScriptDirectory(str(HERE)).walk_revisions()][::-1]


def current(engine: Engine) -> str | None:
    """The revision of a database; None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations that are missing. Raises SchemaError for a revision that this version does not know."""
    found = current(engine)
    if found is not None and found not in revisions():
        raise SchemaError(
            f"the database is at revision {found}, which this version does not know; start the version that made it,"
            " or restore a backup made before the upgrade"
        )
    if found is None and set(inspect(engine).get_table_names()) - {"alembic_version"}:
        raise SchemaError("the database has tables but no revision; give an empty database or one that lingban made")
    command.upgrade(_config(engine), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Go back to an older schema; what it cannot hold is lost, so make a backup first. Raises SchemaError."""
    require_older(engine, revision)
    command.downgrade(_config(engine), revision)


def require_older(engine: Engine, revision: str) -> None:
    """Raises SchemaError unless a revision is older than the database's, and both are known."""
    found, known = current(engine), revisions()
    if found not in known or revision not in ["base", *known[: known.index(found)]]:
        raise SchemaError(
            f"there is no way back from revision {found or 'none'} to {revision}; known: {', '.join(known)}"
        )


def require_head(engine: Engine) -> None:
    """Raises SchemaError unless the database is at the newest revision."""
    found = current(engine)
    if found == head():
        return
    todo = "start the version that made it"
    if found is None or found in revisions():
        todo = f"run `python -m bot {'init' if found is None else 'upgrade'}`"
    raise SchemaError(f"the database is at revision {found or 'none'}, needed is {head()}; {todo}")
