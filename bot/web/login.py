"""Logging in and out. A wrong name and a wrong password look and take the same; several of them lock for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from bot.web.guard import (
    COOKIE,
    LOGIN_LASTS,
    address_of,
    from_our_page,
    new_token,
    parts_of,
    same_origin,
    token_hash,
)
from bot.web.rendering import render
from storage import page_users

LOCKED_FOR = timedelta(minutes=15)
PER_NAME = 5  # wrong passwords of one name within LOCKED_FOR
PER_ADDRESS = 20  # and from one address, whatever the name
WRONG = "用户名或密码不对"
LOCKED = "尝试次数过多，请15分钟后再试"
HASHER = PasswordHasher()  # argon2id with the library's own parameters
_NOBODY = HASHER.hash("nobody has this password")  # checked for unknown names, so that they take as long

router = APIRouter()


@router.get("/login")
async def ask(request: Request, next: str = "/") -> Response:
    return render(request, "login.html", next=_inside(next), wrong="")


@router.post("/login")
async def log_in(
    request: Request,
    name: Annotated[str, Form(max_length=100)] = "",
    password: Annotated[str, Form(max_length=200)] = "",
    next: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    if not same_origin(request):
        raise HTTPException(403, "请从本站登录页登录")
    parts, address = parts_of(request), address_of(request)
    name = name.replace("\x00", "")
    now = parts.clock.now()

    def check(session: Session) -> tuple[int | None, str]:
        by_name, by_address = page_users.failures(session, name=name, address=address, since=now - LOCKED_FOR)
        if by_name >= PER_NAME or by_address >= PER_ADDRESS:
            return None, LOCKED
        user = page_users.user_named(session, name)
        right = _verify(user.password if user else _NOBODY, password)
        if user is None or not user.active or not right:
            return None, WRONG
        return user.id, ""

    user_id, wrong = await parts.database.read(check)
    token = new_token()

    def keep(session: Session) -> None:
        if user_id is None:
            if wrong == WRONG:
                page_users.add_failure(session, name=name, address=address, now=now)
            return
        page_users.sweep(session, logins_before=now - LOGIN_LASTS, failures_before=now - LOCKED_FOR)
        page_users.log_in(session, token_hash(token), user_id, now=now)

    await parts.database.write(keep)
    if user_id is None:
        return render(request, "login.html", next=_inside(next), wrong=wrong, status=401)
    answer = RedirectResponse(_inside(next), status_code=303)
    answer.set_cookie(
        COOKIE, token, max_age=int(LOGIN_LASTS.total_seconds()), httponly=True, secure=parts.secure, samesite="lax"
    )
    return answer


@router.post("/logout", dependencies=[Depends(from_our_page)])
async def log_out(request: Request) -> Response:
    token = request.cookies.get(COOKIE, "")
    await parts_of(request).database.write(lambda session: page_users.log_out(session, token_hash(token)))
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


def _verify(hashed: str, password: str) -> bool:
    try:
        return HASHER.verify(hashed, password)
    except VerificationError:
        return False


def _inside(target: str) -> str:
    """Only a path of this site: a link to the login page must not lead elsewhere afterwards."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if plain and "\\" not in target else "/"
