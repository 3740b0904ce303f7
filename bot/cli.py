"""The command line. Every command says what it does, what is wrong, and what to do."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.importers.roster import RosterError
from bot.replaying import ReplayError, replay_files
from bot.settings import SettingsError, load_settings
from bot.transcript import TranscriptError
from storage.migrate import SchemaError

app = typer.Typer(no_args_is_help=True, add_completion=False, help="领办: every complaint in the group gets an owner.")
BAD_INPUT = 2  # exit status for input that cannot be used


@app.callback()
def main() -> None:
    """领办: every complaint in the group gets an owner within 15 minutes."""


def stop(message: object, status: int = BAD_INPUT) -> typer.Exit:
    """Say what is wrong on stderr and end with a status."""
    typer.echo(str(message), err=True)
    return typer.Exit(status)


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help="Transcripts (JSON Lines), see docs/how-it-works.md.")],
    units: Annotated[Path, typer.Option(help="Folder with units.csv, members.csv, villages.csv, catalogue.csv; or .xlsx.")],
    out: Annotated[Path, typer.Option(help="Folder for the results: b.jsonl becomes b.json.")],
    until: Annotated[str | None, typer.Option(help="ISO time with offset up to which the clock runs.")] = None,
    database: Annotated[str | None, typer.Option(help="An empty database to replay one FILE into.")] = None,
) -> None:
    """Play what the groups said against the whole bot and a virtual clock; write down everything it did."""
    try:
        end = datetime.fromisoformat(until) if until else None
    except ValueError:
        raise stop(f"--until {until!r} is no ISO 8601 time") from None
    if end is not None and end.tzinfo is None:
        raise stop(f"--until {until!r} needs an offset, such as +08:00")
    try:
        replay_files(files, units=units, out=out, until=end, database=database, settings=load_settings())
    except (TranscriptError, RosterError, ReplayError, SettingsError, SchemaError) as error:
        raise stop(error) from None
