"""`retain`: blank what is older than RETENTION_DAYS, or say what would be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot.app import open_database
from bot.clock import SystemClock
from bot.database import Database
from bot.retention import KINDS, Blanked, Retention
from bot.settings import Settings, SettingsError, load_settings
from storage.migrate import SchemaError, require_head

BAD_INPUT = 2
COMMAND = "命令行"  # who changed something, where it was no user of the page


def stop(message: object, status: int = BAD_INPUT) -> typer.Exit:
    typer.echo(str(message), err=True)
    return typer.Exit(status)


@contextmanager
def opened_database(settings: Settings | None = None) -> Iterator[tuple[Settings, Database]]:
    """The settings and their database, which the bot may use meanwhile; what is wrong with it is said."""
    try:
        settings = settings or load_settings()
        engine = open_database(settings)
        require_head(engine)
    except (SettingsError, SchemaError) as error:
        raise stop(error) from None
    database = Database(engine, inline=True)
    try:
        yield settings, database
    except SQLAlchemyError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise stop(f"the database cannot be used: {reason}; what was done stays done, run it again") from None
    finally:
        database.close()


def retain_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be blanked.")] = False,
) -> None:
    """Blank the personal data of settled tickets older than RETENTION_DAYS; every number stays.

    The running bot does the same every night. No open ticket is touched; the bot may run meanwhile.
    """
    with opened_database() as (settings, database):
        if settings.retention_days is None:
            raise stop(
                "RETENTION_DAYS is empty: personal data is kept for ever; set it to a number of days, 30 at least"
            )
        keeper = Retention(
            database, SystemClock(), days=settings.retention_days, files=settings.files_dir, orders=settings.orders_dir
        )
        done = database.read_now(keeper.count) if dry_run else asyncio.run(keeper.run(by=COMMAND))
        for line in table(done):
            typer.echo(line)
        verb = "would be blanked; nothing was changed" if dry_run else "blanked"
        typer.echo(f"older than {settings.retention_days} days: {verb}")
        if done.stuck:
            raise stop(f"{done.stuck} files could not be deleted; look at the rights of FILES_DIR and ORDERS_DIR", 1)


def table(done: Blanked) -> list[str]:
    width = max(len(str(count)) for count in done.counts.values())
    return [f"{count:>{width}}  {KINDS[kind]}" for kind, count in done.counts.items()]
