"""Who may come in: the login behind the cookie, rights, and the mark that a form came from our own page."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from fastapi import HTTPException, Request
from sqlmodel import Session

from bot.web.parts import Parts, Right, Visitor
from storage import page_users

COOKIE = "lingban"
LOGIN_LASTS = timedelta(hours=12)  # a shift
IDLE = timedelta(hours=2)
TOUCH_EVERY = timedelta(minutes=1)  # how exactly the last use is kept


class NeedsLogin(Exception):
    """The page is for people who are logged in."""


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


def new_token() -> str:
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """Bound to the login: who cannot read the cookie cannot make it."""
    return hashlib.sha256(f"csrf:{token}".encode()).hexdigest()


async def visitor(request: Request) -> Visitor:
    """The dependency of every page: who is looking. Raises NeedsLogin."""
    parts = parts_of(request)
    if parts.everyone is not None:
        return replace(parts.everyone, address=address_of(request), csrf=csrf_of("everyone"))
    token = request.cookies.get(COOKIE, "")
    now = parts.clock.now()
    found = await parts.database.read(lambda session: _known(session, token, now)) if token else None
    if found is None:
        raise NeedsLogin
    known, seen_lately = found
    if not seen_lately:
        await parts.database.write(lambda session: page_users.touch(session, token_hash(token), now=now))
    return replace(known, csrf=csrf_of(token), address=address_of(request))


def _known(session: Session, token: str, now: datetime) -> tuple[Visitor, bool] | None:
    hashed, since = token_hash(token), now - LOGIN_LASTS
    user = page_users.user_of(session, hashed, since=since, seen_since=now - IDLE)
    if user is None:
        return None
    lately = page_users.user_of(session, hashed, since=since, seen_since=now - TOUCH_EVERY) is not None
    return Visitor(user.name, user.role, user.unit_id), lately


def allowed(right: Right) -> Callable[[Request], Awaitable[Visitor]]:
    """A dependency: somebody with this right. For the others the page does not exist."""

    async def check(request: Request) -> Visitor:
        who = await visitor(request)
        if not who.may(right):
            raise HTTPException(404)
        return who

    return check


async def from_our_page(request: Request) -> None:
    """A dependency of every route that changes something: the form or htmx carries the login's own mark."""
    who = await visitor(request)
    sent = request.headers.get("x-csrf") or str((await request.form()).get("csrf", ""))
    if not hmac.compare_digest(sent.encode(), who.csrf.encode()):
        raise HTTPException(403, "页面已过期，请刷新后再试")


def same_origin(request: Request) -> bool:
    """Whether the browser says that a request without a login came from our own page."""
    origin = request.headers.get("origin")
    return origin is None or origin.split("//", 1)[-1] == request.headers.get("host", "")
