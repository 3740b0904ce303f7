"""`import chat` and `baseline`: what the groups said before the bot came, and how long accepting took then."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.baseline import Baseline, BaselineError, measure
from bot.importers.chat_exports import ChatImport, ChatImportError, read_chat, write_transcript
from bot.importers.chat_merge import merge
from bot.importers.people import load
from bot.importers.roster import RosterError
from bot.settings import SettingsError, load_settings
from bot.transcript import TranscriptError

BAD_INPUT = 2


def _stop(message: object, status: int = BAD_INPUT) -> typer.Exit:
    typer.echo(str(message), err=True)
    return typer.Exit(status)


def chat(
    files: Annotated[list[Path], typer.Argument(help="Chat exports of one group, see docs/imports.md; any formats.")],
    room: Annotated[str, typer.Option(help="The room's topic, as in units.csv.")],
    out: Annotated[Path, typer.Option(help="The transcript to write, for `replay` and `baseline`.")],
    me: Annotated[str | None, typer.Option(help="Who exported it; else their own messages count for nobody.")] = None,
    day: Annotated[str | None, typer.Option(help="YYYY-MM-DD, for exports that tell only the time of day.")] = None,
    source_room: Annotated[str | None, typer.Option(help="Which room of a file that holds several.")] = None,
) -> None:
    """Turn a group's history from another tool into a transcript. Odd lines are told by file and number.

    Several exports of the group may overlap and be of different formats: what two of them tell is taken once.
    """
    try:
        when = date.fromisoformat(day) if day else None
    except ValueError:
        raise _stop(f"--day {day!r} is no date, write YYYY-MM-DD") from None
    read: list[tuple[Path, ChatImport]] = []
    wrong = []
    for path in files:
        try:
            read.append((path, read_chat(path, room, me=me, day=when, source_room=source_room)))
        except ChatImportError as error:
            wrong.append(str(error))
    for path, each in read:
        for number, why in each.odd:
            typer.echo(f"{path}:{number}: {why}", err=True)
    if wrong:
        raise _stop("\n".join([*wrong, "nothing was written"]))
    merged = merge([each for _, each in read])
    try:
        write_transcript(merged.lines, out)
    except OSError as error:
        raise _stop(f"{out} cannot be written: {error.strerror}; check --out, rights and disk") from None
    for (path, each), repeated in zip(read, merged.repeated, strict=True):
        again = f", {repeated} of them told by another file" if repeated else ""
        odd = f", {len(each.odd)} odd lines, see above" if each.odd else ""
        typer.echo(f"{path}: {len(each.lines)} messages ({each.format}){again}{odd}", err=True)
    formats = ", ".join(dict.fromkeys(each.format for _, each in read))
    typer.echo(f"{len(merged.lines)} messages ({formats}) from {_span(merged.lines)} written to {out}")


def _span(lines: tuple[dict[str, object], ...]) -> str:
    return f"{str(lines[0]['at'])[:16]} to {str(lines[-1]['at'])[:16]}"


def baseline(
    transcripts: Annotated[list[Path], typer.Argument(help="What `import chat` wrote, of one group or of several.")],
    units: Annotated[Path, typer.Option(help="The roster: folder with units.csv, members.csv, …; or one .xlsx.")],
    out: Annotated[Path | None, typer.Option(help="Folder for text, picture and Excel.")] = None,
    month: Annotated[str | None, typer.Option(help="YYYY-MM: count that calendar month only.")] = None,
) -> None:
    """Tell how long accepting took before the bot, from the groups' history: as a digest, and as BASELINE_SECONDS.

    Nobody is told anything, and the bot's own database is not touched.
    """
    try:
        settings = load_settings()
        roster = load(units)
        found = measure(
            transcripts, roster, settings.context(), settings.digests(),
            window=_month(month) if month else None, out=out, progress=_say_progress,
        )  # fmt: skip
    except (SettingsError, RosterError, TranscriptError, BaselineError) as error:
        raise _stop(error) from None
    except OSError as error:
        raise _stop(f"the files cannot be written: {error}; check --out {out}, rights and disk") from None
    _tell(found)


def _say_progress(taken: int, everything: int) -> None:
    typer.echo(f"{taken} of {everything} messages read", err=True)


def _month(text: str) -> tuple[str, str]:
    """The first moment of a calendar month and that of the next, Beijing time."""
    try:
        start = datetime.strptime(text, "%Y-%m")  # noqa: DTZ007 - the window reads it as Beijing's
        after = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    except ValueError:
        raise _stop(f"--month {text!r} is no month, write YYYY-MM") from None
    return start.isoformat(), after.isoformat()


def _tell(found: Baseline) -> None:
    typer.echo(found.text)
    for path in found.files:
        typer.echo(f"written: {path}", err=True)
    if found.missing:
        typer.echo(found.missing, err=True)
    if found.seconds is None:
        raise _stop("nobody accepted anything that could be counted, so there is no figure for BASELINE_SECONDS", 1)
    typer.echo(f"\nBASELINE_SECONDS={found.seconds}")
