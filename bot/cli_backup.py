"""`backup` and `restore`, `upgrade` and `rollback`: the database in a file and back, in a newer and an older schema.

What is restored is quiet until a person confirms. No schema changes without a backup.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.backup import BackupError, write_backup
from bot.clock import SystemClock
from bot.database import Database
from bot.knowledge import Knowledge
from bot.restore import restore
from bot.settings import Settings, SettingsError, load_settings
from handlers import restoring
from handlers.policy import BEIJING
from storage import meta
from storage.migrate import SchemaError, current, downgrade, head, require_head, require_older, upgrade
from storage.sessions import make_engine, reading

DatabaseOption = Annotated[str | None, typer.Option(help="Another database than the settings' DATABASE_URL.")]


def backup_command(
    target: Annotated[Path, typer.Argument(help="A folder, or a file that is not there yet.")],
    database: DatabaseOption = None,
) -> None:
    """Write a checked backup of the database; the bot may run. Files of the groups are not in it."""
    settings = _settings(database)
    try:
        made = write_backup(settings.database_url, target, now=SystemClock().now())
    except (BackupError, OSError, SQLAlchemyError) as error:
        raise _stop(error) from None
    typer.echo(made.sentence)
    if made.files:
        typer.echo(f"not in it: {made.files} files of the groups; copy the folder {settings.files_dir} as well")


def restore_command(
    file: Annotated[Path | None, typer.Argument(help="What `backup` wrote.")] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Let the bot speak again after a restore.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a database that cannot even be read.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Put a backup in the place of the database; then let the bot speak with --confirm.

    The bot must be stopped. The replaced database is kept aside. Until --confirm the started bot reads the groups and says
    nothing, so that what was settled since the backup is taken in first.
    """
    settings = _settings(database)
    if confirm == (file is not None):
        raise _stop("give either the FILE to restore or --confirm")
    try:
        if file is None:
            _confirm(settings)
            return
        done = restore(settings.database_url, file, now=SystemClock().now(), force=force)
    except (BackupError, SchemaError, OSError, SQLAlchemyError) as error:
        raise _stop(error) from None
    typer.echo(f"restored: {make_url(settings.database_url).render_as_string(hide_password=True)}")
    if done.kept_aside:
        typer.echo(f"the replaced database is kept: {done.kept_aside}")
    if done.missing_files:
        typer.echo(f"{done.missing_files} files of the groups are missing; copy them back to {settings.files_dir}")
    typer.echo("next: python -m bot run; it reads the groups and says nothing until: python -m bot restore --confirm")


def _confirm(settings: Settings) -> None:
    engine = make_engine(settings.database_url)
    try:
        require_head(engine)
        knowledge, now = Knowledge(settings.context()), SystemClock().now()
        done: restoring.Confirmed | None = Database(engine, inline=True).write_now(
            lambda session: restoring.confirm(session, knowledge.context(session), now=now)
        )
    finally:
        engine.dispose()
    if done is None:
        raise _stop("the database is not quiet: nothing was restored, or it was confirmed already", 1)
    typer.echo(
        f"the bot may speak again (backup of {done.backup_at.astimezone(BEIJING):%Y-%m-%d %H:%M}); of what it still had to"
        f" say {done.kept} may be said once more, {done.dropped} are dropped"
    )


# ---- another version -------------------------------------------------------------------------------------------------

BackupOption = Annotated[Path | None, typer.Option(help="Folder for the backup made before; else BACKUP_DIR.")]
BACKUPS = Path("data/backups")  # where BACKUP_DIR is not set


def upgrade_command(backup: BackupOption = None, database: DatabaseOption = None) -> None:
    """Bring the database to the schema of this version, after a backup. The bot must be stopped."""
    _change_schema(head(), upgrade, backup, database)


def rollback_command(
    revision: Annotated[str, typer.Argument(help="The older revision, as `upgrade` printed it.")],
    backup: BackupOption = None,
    database: DatabaseOption = None,
) -> None:
    """Bring the database back to an older schema, after a backup, for the version before. The bot must be stopped.

    Tickets stay; what the older schema has no place for is only in the backup. Then start the version before.
    """
    _change_schema(revision, downgrade, backup, database)


def _change_schema(
    wanted: str, change: Callable[[Engine, str], None], backup: Path | None, database: str | None
) -> None:
    settings = _settings(database)
    engine, now = make_engine(settings.database_url), SystemClock().now()
    try:
        found = current(engine)
        if found == wanted:
            typer.echo(f"the database is at revision {wanted} already; nothing was done")
            return
        if found is None:
            raise _stop("there is no database yet: python -m bot init --units DIR")
        if change is downgrade:
            require_older(engine, wanted)
        with reading(engine) as session:
            if holders := meta.running(session, now=now):
                raise _stop(f"a bot runs on this database ({', '.join(holders)}); stop it first")
        suffix = ".db" if engine.dialect.name == "sqlite" else ".dump"
        name = f"revision-{found}-{now.astimezone(BEIJING):%Y%m%d-%H%M%S}{suffix}"
        made = write_backup(settings.database_url, (backup or settings.backup_dir or BACKUPS) / name, now=now)
        typer.echo(made.sentence)
        change(engine, wanted)
    except (BackupError, SchemaError, OSError, SQLAlchemyError) as error:
        raise _stop(error) from None
    finally:
        engine.dispose()
    typer.echo(f"the database was at revision {found} and is at {wanted}")
    typer.echo(
        f"back again, with this version: python -m bot {'rollback ' + found if change is upgrade else 'upgrade'}"
    )


def _settings(database: str | None) -> Settings:
    try:
        settings = load_settings()
    except SettingsError as error:
        raise _stop(f"settings are wrong:\n{error}") from None
    return settings.model_copy(update={"database_url": database}) if database else settings


def _stop(message: object, status: int = 2) -> typer.Exit:
    typer.echo(str(message), err=True)
    return typer.Exit(status)
