"""`import orders`, `rooms`, `reload`: what a clerk of the district does from day to day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from bot.app import open_database
from bot.clock import SystemClock
from bot.database import Database
from bot.importers.orders import OrdersImportError
from bot.importers.people import load
from bot.importers.roster import RosterError
from bot.knowledge import Knowledge
from bot.order_import import Imported, NoDispatchRoom, OrderFile, dry_run, import_files, read_file
from bot.proposals import in_words, proposals, unit_topics
from bot.roster import Loaded, load_into
from bot.settings import Settings, SettingsError, load_settings
from handlers.binding import room_to_bind
from storage import people
from storage.migrate import SchemaError, require_head
from storage.tables import Room, SeenRoom

BAD_INPUT = 2

rooms = typer.Typer(help="Which group is whose: see, bind, unbind.", invoke_without_command=True)
DatabaseOption = Annotated[str | None, typer.Option(help="Another database than the settings' DATABASE_URL.")]


def _stop(message: object, status: int = BAD_INPUT) -> typer.Exit:
    typer.echo(str(message), err=True)
    return typer.Exit(status)


@contextmanager
def _open(database: str | None) -> Iterator[tuple[Settings, Database]]:
    try:
        settings = load_settings()
        if database:
            settings = settings.model_copy(update={"database_url": database})
        engine = open_database(settings)
        require_head(engine)
    except (SettingsError, SchemaError) as error:
        raise _stop(error) from None
    except (SQLAlchemyError, OSError) as error:
        raise _stop(f"the database cannot be opened: {str(error).splitlines()[0]}; check DATABASE_URL") from None
    opened = Database(engine, inline=True)
    try:
        yield settings, opened
    finally:
        opened.close()


# ---- orders ----------------------------------------------------------------------------------------------------------


class _RolledBack(Exception):
    """Ends a dry run's transaction."""


def orders(
    files: Annotated[list[Path], typer.Argument(help="Excel (.xlsx, .xls) or CSV of the hotline.")],
    dry: Annotated[bool, typer.Option("--dry-run", help="Tell what would happen; change nothing.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Take the hotline's orders and call-back results from its Excel, each once.

    A new order is dispatched like a message in the dispatch room: by the running bot within a second, else at its next start.
    """
    read, wrong = [], []
    for path in files:
        try:
            read.append(read_file(path))
        except OrdersImportError as error:
            wrong.append(str(error))
    for file in read:
        for odd in file.odd:
            typer.echo(f"{file.name} {odd}", err=True)
    if wrong:
        raise _stop("\n".join([*wrong, "nothing was imported"]))
    try:
        with _open(database) as (settings, opened):
            done = _taken(opened, settings, read, dry=dry)
    except NoDispatchRoom as error:
        raise _stop(error) from None
    for name in done.taken_before:
        typer.echo(f"{name} was taken before; it changes nothing", err=True)
    for order_no, unit in done.routed:
        typer.echo(f"{order_no}  →  {unit}")
    would = "would be " if dry else ""
    typer.echo(
        f"orders: {len(done.new)} {would}new, {len(done.known)} known; call-backs: {len(done.called_back)} {would}kept"
        + (f", {len(done.strange)} of them of orders that are not known here" if done.strange else "")
    )
    if lost := sum(file.lost for file in read):
        raise _stop(f"{lost} rows with orders were not taken, see above; correct them and run it again", 1)


def _taken(opened: Database, settings: Settings, read: list[OrderFile], *, dry: bool) -> Imported:
    knowledge, now = Knowledge(settings.context()), SystemClock().now()
    if not dry:
        return opened.write_now(lambda session: import_files(session, knowledge.context(session), read, now=now))
    done = Imported()

    def look(session: Session) -> None:
        nonlocal done
        done = dry_run(session, knowledge.context(session), read, now=now)
        raise _RolledBack

    try:
        opened.write_now(look)
    except _RolledBack:
        pass
    return done


# ---- people ----------------------------------------------------------------------------------------------------------


def reload(
    units: Annotated[Path, typer.Option(help="Folder with units.csv, members.csv, …; or one .xlsx.")],
    database: DatabaseOption = None,
) -> None:
    """Read units, people, duty, places and catalogue again while the bot runs.

    All or nothing: every problem is told with its sheet and row, and then nothing changes. No message is sent, no running
    clock moves; the running bot goes by the new data from its next message on.
    """
    try:
        roster = load(units)
        now = SystemClock().now()
        with _open(database) as (_, opened):
            loaded = opened.write_now(lambda session: load_into(session, roster, now=now))
    except RosterError as error:
        raise _stop(refusal(error)) from None
    say_loaded(loaded)


def refusal(error: RosterError) -> str:
    """All problems of a roster, how many they are, and that nothing came of it."""
    return f"{error}\n共 {len(error.problems)} 处要改；什么都没有写进去，改好后再执行一次"


def say_loaded(loaded: Loaded) -> None:
    """Tell what a load came to, and what a clerk should look at."""
    typer.echo(
        f"loaded: {loaded.units} units, {loaded.members} members, {loaded.villages} villages, {loaded.categories}"
        f" categories; retired: {loaded.retired_units} units, {loaded.retired_members} members"
    )
    for note in loaded.notes:
        typer.echo(f"note: {note}")


# ---- rooms -----------------------------------------------------------------------------------------------------------


@rooms.callback()
def list_rooms(context: typer.Context, database: DatabaseOption = None) -> None:
    """List the groups that the account is in, whose they are, and proposals for those that are nobody's."""
    if context.invoked_subcommand is not None:
        return
    with _open(database) as (_, opened):
        for line in opened.read_now(_listed):
            typer.echo(line)


def _listed(session: Session) -> list[str]:
    units = {unit.id: unit for unit in people.units(session) if unit.active}
    topics = unit_topics(session)
    own = {room.id: room for room in people.rooms(session) if room.unit_id in units}
    bound = {(b.account, b.channel_room_id): own[b.room_id] for b in people.group_bindings(session) if b.room_id in own}
    lines = []
    for seen in people.last_listed(session):
        room = bound.get((seen.account, seen.channel_room_id))
        if room:
            lines.append(f"bound    {seen.topic}  →  {units[room.unit_id].name}  [{seen.channel_room_id}]")
        else:
            best = in_words(proposals(seen.topic, topics))
            why = f"; {seen.held_because}" if seen.held_because else ""
            lines.append(f"unbound  {seen.topic}  [{seen.channel_room_id}]{why}; near: {best or 'nothing'}")
    with_room = {room.unit_id for room in bound.values()}
    lines += [f"no group {unit.name}" for unit in units.values() if unit.id not in with_room]
    return lines or ["the gateway has listed no rooms yet; start the bot and log in"]


@rooms.command()
def bind(
    group: Annotated[str, typer.Argument(help="The group's topic as `rooms` lists it, or its id.")],
    unit: Annotated[str, typer.Argument(help="The unit's name, as in units.csv.")],
    database: DatabaseOption = None,
) -> None:
    """Say that a group is a unit's. The running bot listens to it from its next message on."""

    def write(session: Session) -> str:
        seen = _seen(session, group)
        room = _room_of(session, unit, seen.topic)
        now = SystemClock().now()
        people.bind_room(
            session, account=seen.account, channel_room_id=seen.channel_room_id, room_id=room.id or 0, now=now, by="command",
        )  # fmt: skip
        return f"bound: {seen.topic} → {unit}"

    _say(database, write)


@rooms.command()
def unbind(
    group: Annotated[str, typer.Argument(help="The group's topic as `rooms` lists it, or its id.")],
    database: DatabaseOption = None,
) -> None:
    """Listen to a group no more; what came from it stays."""

    def write(session: Session) -> str:
        seen = _seen(session, group)
        if not people.unbind_room(session, account=seen.account, channel_room_id=seen.channel_room_id):
            raise _stop(f"{seen.topic} is bound to nobody")
        return f"unbound: {seen.topic}"

    _say(database, write)


def _say(database: str | None, write: Callable[[Session], str]) -> None:
    with _open(database) as (_, opened):
        typer.echo(opened.write_now(write))


def _seen(session: Session, group: str) -> SeenRoom:
    found = [row for row in people.last_listed(session) if group in (row.topic, row.channel_room_id)]
    if not found:
        raise _stop(f"the gateway has listed no group {group!r}; `python -m bot rooms` shows those it has")
    if len(found) > 1:
        ids = ", ".join(row.channel_room_id for row in found)
        raise _stop(f"{len(found)} groups are called {group!r}; give the id instead: {ids}")
    return found[0]


def _room_of(session: Session, unit: str, topic: str) -> Room:
    row = next((u for u in people.units(session) if u.name == unit and u.active), None)
    if row is None:
        raise _stop(f"there is no unit {unit!r}; units are named as in units.csv")
    return room_to_bind(session, row.id or 0, unit, topic=topic)
