"""The command line. Every command says what it does, what is wrong, and what to do."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import threading
import webbrowser
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from bot.app import Bot, make_channel, open_database, webhook_keys
from bot.checking import Finding, check_all
from bot.clock import SystemClock
from bot.database import Database
from bot.demo import farewell, run_demo
from bot.doctor import examine
from bot.importers.people import load, write_template
from bot.importers.roster import RosterError
from bot.importers.wework_rooms import WeworkRoomsError
from bot.logs import set_up_logs
from bot.replaying import ReplayError, replay_files
from bot.roster import load_into
from bot.settings import Settings, SettingsError, load_settings
from bot.showing import day_window, digest_of, parked_lines, show_ticket
from bot.simulation import Simulation
from bot.transcript import TranscriptError
from handlers.digest_windows import DigestSettings, DueWindow, WindowError, special_window
from storage.migrate import SchemaError, require_head, upgrade

from bot.cli_backup import backup_command, restore_command, rollback_command, upgrade_command  # isort: skip
from bot.cli_district import orders, refusal, reload, rooms, say_loaded  # isort: skip
from bot.cli_history import baseline, chat  # isort: skip
from bot.cli_keeping import keys, retain_command  # isort: skip
from bot.cli_reading import evaluate, explain  # isort: skip
from bot.cli_users import users  # isort: skip

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(explain)
app.command()(evaluate)
app.command("backup")(backup_command)
app.command("restore")(restore_command)
app.command("upgrade")(upgrade_command)
app.command("rollback")(rollback_command)
app.command("retain")(retain_command)
app.command()(reload)
app.add_typer(rooms, name="rooms")
app.add_typer(users, name="user")
app.add_typer(keys, name="key")
imports = typer.Typer(no_args_is_help=True, help="Bring in what other tools wrote.")
app.add_typer(imports, name="import")
imports.command()(orders)
imports.command()(chat)
app.command()(baseline)
BAD_INPUT = 2  # exit status for input that cannot be used
Units = Annotated[
    Path, typer.Option(help="Folder with units.csv, members.csv, villages.csv, catalogue.csv; or one .xlsx.")
]
DatabaseOption = Annotated[str | None, typer.Option(help="Another database than the settings' DATABASE_URL.")]


@app.callback()
def main() -> None:
    """领办: every complaint in the group gets an owner within 15 minutes.

    Newcomers: `demo` needs nothing. Then `init`, `check`, `run`. Settings come from the environment or `.env`
    (see config.example.env).
    """


def stop(message: object, status: int = BAD_INPUT) -> typer.Exit:
    """Say what is wrong on stderr and end with a status."""
    typer.echo(str(message), err=True)
    return typer.Exit(status)


def settings_or_stop(database: str | None = None) -> Settings:
    try:
        settings = load_settings()
        return settings.model_copy(update={"database_url": database}) if database else settings
    except SettingsError as error:
        raise stop(f"settings are wrong:\n{error}") from None


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo's database and files go.")] = Path("data/demo"),
    terminal: Annotated[bool, typer.Option(help="The show in the terminal instead of the page.")] = False,
    fast: Annotated[bool, typer.Option(help="The terminal show without pauses.")] = False,
    port: Annotated[int, typer.Option(help="Of the page, on this machine only.")] = 8765,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
) -> None:
    """Try it: groups to talk in beside the live board, in the browser. No account, no Node.

    Where the output is no terminal, and with --terminal, a sample morning is told there instead.
    """
    if terminal or fast or not sys.stdout.isatty():
        console = Console()
        path = asyncio.run(run_demo(settings_or_stop(), SystemClock(), folder=folder, console=console, fast=fast))
        console.print()
        console.print(farewell(path), soft_wrap=True, highlight=False)
        return
    _simulate(settings_or_stop(), folder, port, open_page=open_page)


def _simulate(settings: Settings, folder: Path, port: int, *, open_page: bool) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise stop(f"port {port} is taken; choose another with --port") from None
    address = f"http://127.0.0.1:{port}/simulator"
    typer.echo(f"打开 Open: {address}    结束 End: Ctrl-C    终端演示 In the terminal: demo --terminal")
    if open_page:
        threading.Timer(1.5, webbrowser.open, [address]).start()

    async def play() -> None:
        stopping = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stopping.set)
        await Simulation(settings, folder, port=port).run(stopping)

    asyncio.run(play())


@app.command()
def init(units: Units, database: DatabaseOption = None) -> None:
    """Create or upgrade the database and load units, members, villages and the catalogue.

    Run it again to update: nothing is lost, no message is sent, no running clock moves.
    """
    settings = settings_or_stop(database)
    try:
        roster = load(units)
        engine = open_database(settings)
        upgrade(engine)
        now = SystemClock().now()
        loaded = Database(engine, inline=True).write_now(lambda session: load_into(session, roster, now=now))
    except RosterError as error:
        raise stop(refusal(error)) from None
    except SchemaError as error:
        raise stop(error) from None
    except (SQLAlchemyError, OSError) as error:
        raise stop(
            f"the database cannot be written: {str(error).splitlines()[0]}; check DATABASE_URL, rights, disk"
        ) from None
    say_loaded(loaded)
    typer.echo("next: python -m bot check")


@app.command()
def check(database: DatabaseOption = None) -> None:
    """Look at settings, database, roster, gateway and fonts; say what is wrong and what to do."""
    settings = settings_or_stop(database)
    engine = open_database(settings)
    findings = asyncio.run(check_all(settings, engine))
    engine.dispose()
    _tell(findings)


def _tell(findings: list[Finding]) -> None:
    for each in findings:
        typer.echo(f"{'ok   ' if each.ok else 'WRONG'} {each.what}" + (f"\n      do: {each.todo}" if each.todo else ""))
    if not all(each.ok for each in findings):
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Look at everything at once: what `check` looks at, the machine, disks, backups, certificates, the running bot.

    Changes nothing, shows no secret; exit status 1 when anything is wrong.
    """
    _tell(asyncio.run(examine(SystemClock().now())))


@app.command()
def run() -> None:
    """Run the bot until SIGTERM or SIGINT; then stop cleanly within 5 seconds, exit status 0."""
    settings = settings_or_stop()
    if settings.channel == "wechaty" and not settings.gateway_endpoint:
        raise stop("GATEWAY_ENDPOINT is empty; set it to host:port of the Wechaty gateway, or try `python -m bot demo`")
    try:
        secrets = [*settings.secrets(), *webhook_keys(settings)]
    except WeworkRoomsError as error:
        raise stop(error) from None
    set_up_logs(settings.log_level, secrets=secrets, file=settings.log_file, days=settings.log_days)
    clock = SystemClock()
    try:
        engine = open_database(settings)
        require_head(engine)
        bot = Bot(settings, engine, make_channel(settings, clock), clock)
    except SchemaError as error:
        raise stop(error) from None
    except (SQLAlchemyError, OSError, ValueError) as error:
        raise stop(f"cannot start: {str(error).splitlines()[0]}; run `python -m bot check`") from None
    asyncio.run(_until_signal(bot))


async def _until_signal(bot: Bot) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    await bot.run(stopping)


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help="Transcripts, JSON Lines.")],
    units: Units,
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
        replay_files(files, units=units, out=out, until=end, database=database, settings=settings_or_stop())
    except (TranscriptError, RosterError, ReplayError, SchemaError) as error:
        raise stop(error) from None


@app.command()
def show(
    no: Annotated[str, typer.Argument(help="Ticket number 20260303-0001, or an order number.")],
    database: DatabaseOption = None,
) -> None:
    """Show a ticket: its duties, who has it, its whole trail. Personal data stays masked."""
    text = show_ticket(open_database(settings_or_stop(database)), no)
    if text is None:
        raise stop(f"no ticket {no}", 1)
    typer.echo(text)


@app.command()
def digest(
    day: Annotated[str | None, typer.Option("--date", help="The day on which a daily window ends, YYYY-MM-DD.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Start of any period: a date, or an ISO time.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Its end, not included: a date, or an ISO time.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for text, picture and Excel.")] = None,
    database: DatabaseOption = None,
) -> None:
    """Print a digest, computed anew from the database; nothing is stored or posted.

    Either --date, or --from and --to. A date means DIGEST_WINDOW_HOUR of that day, a time without offset Beijing's.
    """
    settings = settings_or_stop(database)
    now, wanted = SystemClock().now(), settings.digests()
    window = _window(day, start, end, wanted, now)
    try:
        engine = open_database(settings)
        require_head(engine)
        texts, files = digest_of(engine, window, wanted, now=now, folder=out)
        text = "\n\n".join(texts)
        if files:
            files.ledger.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
    except SchemaError as error:
        raise stop(error) from None
    except OSError as error:
        raise stop(f"the files cannot be written: {error}; check --out {out}, rights and disk") from None
    typer.echo(text)
    if files:
        typer.echo(f"written: {', '.join(str(path) for path in (files.picture, files.ledger) if path)}", err=True)
        if files.missing:
            raise stop(files.missing, 1)


def _window(day: str | None, start: str | None, end: str | None, wanted: DigestSettings, now: datetime) -> DueWindow:
    """The window that the options name; anything else stops with what to write."""
    if (day is None) == (start is None and end is None) or (start is None) != (end is None):
        raise stop("give either --date, or --from and --to: digest --from 2026-03-01 --to 2026-03-08")
    if start is not None and end is not None:
        try:
            return special_window(start, end, wanted, now=now)
        except WindowError as error:
            raise stop(f"--from {start} --to {end}: {error}") from None
    try:
        return day_window(date.fromisoformat(day or ""), wanted)
    except (ValueError, OverflowError):
        raise stop(f"--date {day!r} is no date, write YYYY-MM-DD") from None


@app.command()
def parked(
    retry: Annotated[int | None, typer.Option(help="Give this message another chance.")] = None,
    database: DatabaseOption = None,
) -> None:
    """List messages that could not be handled, with the reason."""
    for line in parked_lines(open_database(settings_or_stop(database)), retry):
        typer.echo(line)


@app.command()
def template(path: Annotated[Path, typer.Argument(help="Where the .xlsx goes.")]) -> None:
    """Write a workbook for units, people, duty, villages and catalogue, with drop-downs and examples.

    A file that is there already is left alone: it may be the one that somebody has filled in.
    """
    if path.suffix.lower() != ".xlsx":
        raise stop(f"{path} must end in .xlsx")
    if path.exists():
        raise stop(f"{path} is there already and was left as it is; give another name")
    try:
        write_template(path)
    except OSError as error:
        raise stop(f"{path} cannot be written: {error.strerror}; check folder, rights and disk") from None
    typer.echo(f"written: {path}; fill it and run `python -m bot init --units {path}`")
