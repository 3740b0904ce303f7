"""单位: one unit's day, week or month, who is on duty, what is open, its ledger. A unit's user sees its own only."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi import Path as InPath
from fastapi.responses import Response
from sqlmodel import Session

from bot.reports.unit_ledger import write_unit
from bot.web.guard import parts_of, visitor
from bot.web.parts import Visitor
from bot.web.rendering import render
from bot.web.sending import send_once
from bot.web.unit_view import MOST_BACK, Period, unit_page
from handlers import digests
from handlers.policy import BEIJING
from handlers.privacy import mask

router = APIRouter()
Who = Annotated[Visitor, Depends(visitor)]
UnitId = Annotated[int, InPath(ge=1, le=2**31)]
Back = Annotated[int, Query(ge=0, le=MOST_BACK)]
Page = Annotated[int, Query(ge=1, le=10_000)]


@router.get("/units/{unit_id}")
async def unit(
    request: Request, who: Who, unit_id: UnitId, period: str = "day", back: Back = 0, page: Page = 1
) -> Response:
    """The numbers of a day, week or month, who is on duty, what is open."""
    _only_own(who, unit_id)
    parts = parts_of(request)
    now = parts.clock.now()

    def read(session: Session) -> dict[str, Any] | None:
        ctx = parts.knowledge.context(session)
        if unit_id not in ctx.district.unit_by_id:
            return None
        return unit_page(session, ctx, unit_id, Period.of(period, back), page, now=now, settings=parts.digests)

    values = await parts.database.read(read)
    if values is None:
        raise HTTPException(404)
    return render(request, "unit.html", who, **values)


@router.get("/units/{unit_id}/ledger.xlsx")
async def ledger(request: Request, who: Who, unit_id: UnitId, period: str = "day", back: Back = 0) -> Response:
    """The unit's duties of the window as Excel, masked."""
    _only_own(who, unit_id)
    parts = parts_of(request)
    start, end = Period.of(period, back).window(parts.clock.now(), parts.digests)
    path = Path(mkdtemp(prefix="lingban-")) / "ledger.xlsx"

    def write(session: Session) -> str | None:
        district = parts.knowledge.context(session).district
        unit = district.unit_by_id.get(unit_id)
        if unit is None:
            return None
        hide = partial(mask, keep_names=district.member_names)
        rows = digests.ledger_rows(session, start=start, end=end, mask=hide, unit_id=unit_id)
        write_unit(unit.name, start, end, rows, path)
        return unit.name

    name = await parts.database.read(write)
    if name is None:
        path.parent.rmdir()
        raise HTTPException(404)
    return send_once(path, f"{name}-{end.astimezone(BEIJING):%Y%m%d}.xlsx")


def _only_own(who: Visitor, unit_id: int) -> None:
    if not who.sees(unit_id):
        raise HTTPException(404)
