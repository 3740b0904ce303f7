"""`user …`: who may log in to the page. A password comes from the keyboard or stdin, never from the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer
from sqlmodel import Session

from bot.app import open_database
from bot.clock import SystemClock
from bot.database import Database
from bot.settings import SettingsError, load_settings
from bot.web.login import HASHER
from storage import page_users, people
from storage.enums import PageRole
from storage.migrate import SchemaError, require_head
from storage.page_tables import Audit, PageUser

SHORTEST = 10  # characters of a password
BAD_INPUT = 2

users = typer.Typer(no_args_is_help=True, help="Who may log in to the page.")
Name = Annotated[str, typer.Argument(help="The name to log in with.")]


class UserError(Exception):
    """Why nothing was changed, and what to do."""


@contextmanager
def _database() -> Iterator[Database]:
    """What goes wrong in it is said, and changes nothing."""
    try:
        engine = open_database(load_settings())
        require_head(engine)
    except (SettingsError, SchemaError) as error:
        raise _stop(error) from None
    database = Database(engine, inline=True)
    try:
        yield database
    except UserError as error:
        raise _stop(error) from None
    finally:
        database.close()


def _stop(message: object) -> typer.Exit:
    typer.echo(str(message), err=True)
    return typer.Exit(BAD_INPUT)


def _new_password() -> str:
    if sys.stdin.isatty():
        given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        given = sys.stdin.readline().rstrip("\n")
    if len(given) < SHORTEST:
        raise _stop(f"a password has at least {SHORTEST} characters")
    return HASHER.hash(given)


@users.command()
def add(
    name: Name,
    role: Annotated[PageRole, typer.Option(help="督查 and 派单 see everything, 单位 its own, 管理 also edits.")],
    unit: Annotated[str | None, typer.Option(help="For the role 单位: the unit's name, as in units.csv.")] = None,
) -> None:
    """Let somebody log in. The password is asked for, or read from stdin."""
    if (role is PageRole.UNIT) != (unit is not None):
        raise _stop("--unit goes with --role 单位, and only with it")
    with _database() as database:
        unit_id = database.read_now(lambda session: _unit_id(session, unit) if unit else None)
        database.read_now(lambda session: _is_free(session, name))
        hashed, now = _new_password(), SystemClock().now()
        user = PageUser(name=name, role=role, unit_id=unit_id, password=hashed, created_at=now)
        given = role.value + (f" {unit}" if unit else "")

        def write(session: Session) -> None:
            session.add(user)
            page_users.note_change(session, _noted(name, None, {"角色": given}, now))

        database.write_now(write)
    typer.echo(f"added: {name} ({role.value}{f', {unit}' if unit else ''})")


@users.command("list")
def list_() -> None:
    """Name, role, unit and state of everybody who may log in."""

    def lines(session: Session) -> list[str]:
        names = {unit.id: unit.name for unit in people.units(session)}
        return [
            f"{user.name}\t{user.role.value}\t{names.get(user.unit_id, '')}\t{'' if user.active else 'removed'}".rstrip()
            for user in page_users.users(session)
        ]

    with _database() as database:
        for line in database.read_now(lines):
            typer.echo(line)


@users.command()
def remove(name: Name) -> None:
    """Take the right to log in away, at once; what was logged under the name stays."""
    _change(name, active=False)
    typer.echo(f"removed: {name}")


@users.command()
def password(name: Name) -> None:
    """Give a new password, and the right to log in again if it was taken away; all logins end."""
    with _database() as database:
        database.read_now(lambda session: _user(session, name))
    _change(name, active=True, hashed=_new_password())
    typer.echo(f"new password: {name}")


def _change(name: str, *, active: bool, hashed: str | None = None) -> None:
    def write(session: Session) -> None:
        user = _user(session, name)
        before: dict[str, object] = {"可登录": user.active}
        user.active = active
        user.password = hashed or user.password
        session.add(user)
        page_users.log_out_everywhere(session, user.id or 0)
        after = {"可登录": active, **({"密码": "已换"} if hashed else {})}
        page_users.note_change(session, _noted(name, before, after, SystemClock().now()))

    with _database() as database:
        database.write_now(write)


def _noted(name: str, before: dict[str, object] | None, after: dict[str, object], now: datetime) -> Audit:
    return Audit(at=now, user_name="命令行", address="", subject=f"用户 {name}", before=before, after=after)


def _user(session: Session, name: str) -> PageUser:
    user = page_users.user_named(session, name)
    if user is None:
        raise UserError(f"nobody is called {name!r}; `python -m bot user list` shows who there is")
    return user


def _is_free(session: Session, name: str) -> None:
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise UserError("a name has 1 to 100 printable characters")
    if page_users.user_named(session, name) is not None:
        raise UserError(f"{name!r} is there already; `user password {name}` gives a new password")


def _unit_id(session: Session, unit: str) -> int | None:
    for row in people.units(session):
        if row.name == unit and row.active:
            return row.id
    raise UserError(f"there is no unit {unit!r}; units are named as in units.csv")
