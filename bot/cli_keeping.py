"""`retain`: blank what is older than RETENTION_DAYS, or say what would be. `key`: a new one, and a change of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from cryptography.fernet import Fernet
from sqlalchemy.exc import SQLAlchemyError

from bot import rekeying
from bot.app import open_database
from bot.clock import SystemClock
from bot.database import Database
from bot.retention import KINDS, Blanked, Retention
from bot.settings import Settings, SettingsError, load_settings
from storage import page_users
from storage.migrate import SchemaError, require_head
from storage.page_tables import Audit

BAD_INPUT = 2
keys = typer.Typer(invoke_without_command=True)
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


# ---- keys ------------------------------------------------------------------------------------------------------------


@keys.callback()
def key(asked: typer.Context) -> None:
    """Print a new key for DATA_KEY or HASH_KEY. Keep it safe: without it sealed data cannot be read."""
    if asked.invoked_subcommand is None:
        typer.echo(Fernet.generate_key().decode())


@keys.command()
def rotate() -> None:
    """Seal all phones and names with the first DATA_KEY, those stored without one too. The bot may run meanwhile.

    First put the new key before the old one in DATA_KEY (new,old) and restart the bot; then run this; then the old may go.
    """
    with opened_database() as (settings, database):
        vault = settings.context().vault
        if not vault.has_key:
            raise stop("DATA_KEY is empty; make a key with `python -m bot key` and put it there")
        done = rekeying.rotate(database, vault)
        _note(database, "密钥轮换 DATA_KEY", done)
        typer.echo(
            f"sealed anew: {done['resealed']}; sealed for the first time: {done['sealed']}; had the first key already:"
            f" {done['unchanged']}"
        )
        _lost(done, "DATA_KEY")
        typer.echo("nothing needs the older keys now; keep them with the backups made until today, which do")


@keys.command()
def rehash() -> None:
    """Hash all phones with HASH_KEY, out of the sealed ones, so that repeat callers are found after it was changed.

    First change HASH_KEY and restart the bot; then run this. The bot may run meanwhile.
    """
    with opened_database() as (settings, database):
        secret = settings.hash_key.get_secret_value()
        if not secret:
            raise stop("HASH_KEY is empty; make a key with `python -m bot key` and put it there")
        done = rekeying.rehash(database, settings.context().vault, secret.encode())
        _note(database, "密钥轮换 HASH_KEY", done)
        typer.echo(f"hashed anew: {done['rehashed']}; had this key already: {done['unchanged']}")
        _lost(done, "HASH_KEY")


def _note(database: Database, subject: str, done: Counter[str]) -> None:
    if any(count for kind, count in done.items() if kind not in ("unchanged", "lost")):
        entry = Audit(
            at=SystemClock().now(), user_name=COMMAND, address="", subject=subject, before=None, after=dict(done)
        )
        database.write_now(lambda session: page_users.note_change(session, entry))


def _lost(done: Counter[str], name: str) -> None:
    if done["lost"]:
        raise stop(
            f"{done['lost']} values are opened by no DATA_KEY and were left as they are ({name} was not applied to them); add"
            " the key that sealed them behind the first, with a comma, and run this again",
            1,
        )
