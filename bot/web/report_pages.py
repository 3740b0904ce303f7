"""报表: stored digests with text, picture and Excel; a period of one's own by form. Not for a unit's user."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from sqlmodel import Session

from bot.digest_files import Files
from bot.web.guard import allowed, from_our_page, parts_of
from bot.web.parts import Right, Visitor
from bot.web.rendering import render
from bot.web.report_view import LONGEST, PROBLEMS, count_period, files_of, list_page, one_page
from bot.web.sending import XLSX
from handlers.digest_windows import WindowError, special_window
from storage import digests as stored
from storage.enums import DigestKind

router = APIRouter()
Who = Annotated[Visitor, Depends(allowed(Right.EVERY_UNIT))]
DigestId = Annotated[int, InPath(ge=1, le=2**31)]
Typed = Annotated[str, Form()]


@router.get("/reports")
async def reports(
    request: Request, who: Who, kind: str = "", page: Annotated[int, Query(ge=1, le=10_000)] = 1
) -> Response:
    """The stored digests, the latest first; the form for a period of one's own."""
    return await _list(request, who, kind=kind, page=page)


async def _list(
    request: Request,
    who: Visitor,
    *,
    kind: str = "",
    page: int = 1,
    start: str = "",
    end: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    parts = parts_of(request)
    wanted = DigestKind(kind) if kind in list(DigestKind) else None
    values = await parts.database.read(lambda session: list_page(session, wanted, page, parts.digests))
    return render(request, "reports.html", who, status=status, start=start, end=end, problem=problem, **values)


@router.post("/reports", dependencies=[Depends(from_our_page)])
async def period(request: Request, who: Who, start: Typed = "", end: Typed = "") -> Response:
    """Count a period anew and store it as a 专报; one at a time, off the loop."""
    parts = parts_of(request)
    now = parts.clock.now()
    counting = request.app.state.counting
    again = partial(_list, request, who, start=start[:40], end=end[:40])
    try:
        window = special_window(start, end, parts.digests, now=now, longest=LONGEST)
    except WindowError as error:
        return await again(problem=PROBLEMS[error.problem], status=422)
    if counting.locked():
        return await again(problem="正在算别的一份，请过几秒再试", status=429)
    async with counting:
        numbers, text = await parts.database.read(
            lambda session: count_period(session, window, now=now, settings=parts.digests)
        )
        made = await parts.database.write(
            lambda session: stored.renew(session, window.start, window.end, numbers=numbers, text=text, now=now)
        )
    return RedirectResponse(f"/reports/{made}", status_code=303)


@router.get("/reports/{digest_id}")
async def report(request: Request, who: Who, digest_id: DigestId) -> Response:
    """One digest: text, picture, Excel."""

    def read(session: Session) -> dict[str, Any] | None:
        digest = stored.by_id(session, digest_id)
        return one_page(digest) if digest else None

    values = await parts_of(request).database.read(read)
    if values is None:
        raise HTTPException(404)
    return render(request, "report.html", who, **values)


@router.get("/reports/{digest_id}/picture.png")
async def picture(request: Request, who: Who, digest_id: DigestId) -> Response:
    """The picture; where no font has Chinese glyphs, what to do about it."""
    files = await _files(request, digest_id)
    if files.picture is None:
        return PlainTextResponse(files.missing or "", status_code=503)
    return FileResponse(files.picture, media_type="image/png")


@router.get("/reports/{digest_id}/ledger.xlsx")
async def ledger(request: Request, who: Who, digest_id: DigestId) -> Response:
    """The Excel 台账, masked."""
    files = await _files(request, digest_id)
    return FileResponse(files.ledger, media_type=XLSX, filename=files.ledger.name)


async def _files(request: Request, digest_id: int) -> Files:
    parts = parts_of(request)

    def read(session: Session) -> Files | None:
        digest = stored.by_id(session, digest_id)
        if digest is None:
            return None
        ctx = parts.knowledge.context(session)
        return files_of(session, ctx, digest, parts.files / "digests" / "page", parts.digests)

    async with request.app.state.counting:  # picture and Excel of one page are asked for together, and made once
        files = await parts.database.read(read)
    if files is None:
        raise HTTPException(404)
    return files
