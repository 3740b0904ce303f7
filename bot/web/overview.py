"""总览: a tile per unit, what waits with its clocks, and what somebody should look at; kept live by server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse
from sqlmodel import Session

from bot.clock import SystemClock
from bot.health import Report
from bot.web.guard import NeedsLogin, parts_of, visitor
from bot.web.parts import Parts, Right, Visitor
from bot.web.rendering import render
from bot.web.roster_view import UNKNOWN_TOPIC, why_loose
from handlers.board import Board, board_now
from storage import board as queries
from storage import inbox, meta, people
from storage.enums import InboxState

LOOK_EVERY = 0.4  # seconds between two looks whether something changed; a change shows within a second
SHOW_TIME_EVERY = 2  # looks after which the server's time is told again
CHECK_LOGIN_EVERY = 75  # looks: half a minute
ALERTS = 20  # shown at most

router = APIRouter()
Who = Annotated[Visitor, Depends(visitor)]


@dataclass(frozen=True, slots=True)
class Alerts:
    """What somebody should look at; empty when all is well."""

    problems: tuple[str, ...]
    parked: int
    rooms_held: tuple[str, ...]
    warnings: tuple[str, ...]


@router.get("/")
async def overview(request: Request, who: Who) -> Response:
    board, alerts = await _seen(parts_of(request), who)
    return render(request, "overview.html", who, board=board, alerts=alerts)


@router.get("/board")
async def board_alone(request: Request, who: Who) -> Response:
    """The part of the page that changes."""
    board, alerts = await _seen(parts_of(request), who)
    return render(request, "board.html", who, board=board, alerts=alerts)


async def _seen(parts: Parts, who: Visitor) -> tuple[Board, Alerts | None]:
    report = await parts.report() if parts.report and who.may(Right.EVERY_UNIT) else None

    def read(session: Session) -> tuple[Board, Alerts | None]:
        ctx = parts.knowledge.context(session)
        unit_id = None if who.may(Right.EVERY_UNIT) else who.unit_id or 0
        board = board_now(session, ctx, parts.digests, now=parts.clock.now(), unit_id=unit_id)
        return board, _alerts(session, report) if who.may(Right.EVERY_UNIT) else None

    return await parts.database.read(read)


def _alerts(session: Session, report: Report | None) -> Alerts:
    return Alerts(
        problems=tuple(p for p in report.problems if p != "messages are parked") if report else (),
        parked=inbox.count_in(session, InboxState.PARKED),
        rooms_held=tuple(
            f"{room.topic}：{why_loose(room)}"
            for room in people.held_rooms(session)
            if room.held_because != UNKNOWN_TOPIC  # groups that are nobody's are no trouble; the roster page lists them
        ),
        warnings=tuple(row.text for row in meta.warnings(session)[-ALERTS:]),
    )


@router.get("/live")
async def live(request: Request, who: Who) -> Response:
    """`board` when something changed, `time` with the server's clock in milliseconds and its speed."""
    parts = parts_of(request)
    return StreamingResponse(_events(parts, request), media_type="text/event-stream")


async def _events(parts: Parts, request: Request) -> AsyncIterator[str]:
    """Ends, and says so, when the login does; while it lives the page counts as used, so that a wall screen stays."""
    pause, seen, looks = SystemClock().sleep, None, 0
    try:
        while not await request.is_disconnected():
            if looks % CHECK_LOGIN_EVERY == 0:
                try:
                    who = await visitor(request)
                except NeedsLogin:
                    yield "event: login\ndata: needed\n\n"
                    return
            mark = await _mark(parts, who)
            if seen is not None and mark != seen:
                yield "event: board\ndata: changed\n\n"
            seen = mark
            if looks % SHOW_TIME_EVERY == 0:
                yield f"event: time\ndata: {int(parts.clock.now().timestamp() * 1000)} {parts.speed()}\n\n"
            looks += 1
            await pause(LOOK_EVERY)
    except asyncio.CancelledError:
        return  # the server stops


async def _mark(parts: Parts, who: Visitor) -> tuple[object, ...]:
    """Changes whenever the board would show something else: what happens, trouble, and the minute."""
    mark: tuple[object, ...] = await parts.database.read(queries.mark)
    report = await parts.report() if parts.report and who.may(Right.EVERY_UNIT) else None
    problems = report.problems if report else ()
    return (*mark, problems, int(parts.clock.now().timestamp()) // 60)
