"""工单: the list with its filters in the address, one ticket with its whole story, and its pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import FileResponse, Response
from sqlmodel import Session

from bot.web.guard import parts_of, visitor
from bot.web.parts import Parts, Right, Visitor
from bot.web.rendering import render
from handlers.policy import BEIJING
from handlers.ticket_view import TicketStory, story_of
from storage import page_users, tickets
from storage.enums import TicketStatus, UnitKind, Urgency
from storage.tables import InboxMessage, Ticket
from storage.ticket_search import Found, Wanted, has_duty, search

PER_PAGE = 50
FIRST_YEAR, LAST_YEAR = 2000, 2100  # of a day that is asked for; a day later must still be a day
PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF8": "image/gif"}

router = APIRouter()
Who = Annotated[Visitor, Depends(visitor)]


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of the address; what cannot be understood is left out and told."""

    q: str = ""
    unit: str = ""
    category: str = ""
    status: str = ""
    urgency: str = ""
    since: str = ""
    until: str = ""

    def wanted(self, units: dict[str, int], *, masked: bool) -> tuple[Wanted, list[str]]:
        """The search, and what was not understood. Days are Beijing days, `until` included."""
        wrong: list[str] = []
        since, until = _day(self.since, "起", wrong), _day(self.until, "止", wrong)
        if self.unit and self.unit not in units:
            wrong.append(f"没有单位“{self.unit[:20]}”")
        return (
            Wanted(
                words=self.q.strip()[:100],
                unit_id=units.get(self.unit) if self.unit else None,
                category=self.category or None,
                status=TicketStatus(self.status) if self.status in list(TicketStatus) else None,
                urgency=Urgency(self.urgency) if self.urgency in list(Urgency) else None,
                since=since,
                until=until + timedelta(days=1) if until else None,
                masked=masked,
            ),
            wrong,
        )

    def address(self, **more: Any) -> str:
        given = {name: value for name in self.__slots__ if (value := getattr(self, name))}
        return urlencode({**given, **more})


def _day(text: str, which: str, wrong: list[str]) -> datetime | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        if not FIRST_YEAR <= day.year < LAST_YEAR:
            raise ValueError
        return datetime(day.year, day.month, day.day, tzinfo=BEIJING)
    except (ValueError, OverflowError):
        wrong.append(f"{which}日期“{text[:20]}”要写成 2026-03-01 这样")
        return None


def filters_of(
    q: str = "",
    unit: str = "",
    category: str = "",
    status: str = "",
    urgency: str = "",
    since: str = "",
    until: str = "",
) -> Filters:
    return Filters(*(value.replace("\x00", "") for value in (q, unit, category, status, urgency, since, until)))


@router.get("/tickets")
async def ticket_list(
    request: Request,
    who: Who,
    filters: Annotated[Filters, Depends(filters_of)],
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    parts = parts_of(request)

    def read(session: Session) -> dict[str, Any]:
        ctx = parts.knowledge.context(session)
        units = {
            u.name: u.id for u in ctx.district.units if u.kind in (UnitKind.TOWN, UnitKind.AGENCY) and who.sees(u.id)
        }
        wanted, wrong = filters.wanted(units, masked=not who.may(Right.PERSONAL))
        own = None if who.may(Right.EVERY_UNIT) else who.unit_id or 0
        nothing = bool(filters.unit) and wanted.unit_id is None
        found = Found((), None) if nothing else search(session, wanted, limit=PER_PAGE, before=before, own=own)
        names = {unit.id: unit.name for unit in ctx.district.units}
        return {
            "rows": found.tickets,
            "names": names,
            "wrong": wrong,
            "units": list(units),
            "categories": [c.name for c in ctx.district.gazetteer.categories],
            "next": filters.address(before=found.before) if found.before else "",
            "scanned": bool(wanted.words),
        }

    shown = await parts.database.read(read)
    return render(
        request, "tickets.html", who, filters=filters, statuses=list(TicketStatus), urgencies=list(Urgency),
        export=filters.address(), first=before is None, **shown,
    )  # fmt: skip


@router.get("/tickets/{no}")
async def one_ticket(request: Request, who: Who, no: str) -> Response:
    parts = parts_of(request)
    story = await parts.database.read(lambda session: _story(session, parts, who, no))
    if story is None:
        raise HTTPException(404)
    if story.personal:
        await _log(parts, who, f"工单 {story.ticket.no}")
    return render(request, "ticket.html", who, story=story)


def _story(session: Session, parts: Parts, who: Visitor, no: str) -> TicketStory | None:
    ticket = _visible(session, who, no)
    if ticket is None:
        return None
    story = story_of(session, parts.knowledge.context(session), ticket, personal=who.may(Right.PERSONAL))
    hidden = story.repeat_of and _visible(session, who, story.repeat_of) is None
    return replace(story, repeat_of=None) if hidden else story  # the earlier one is another unit's


def _visible(session: Session, who: Visitor, no: str) -> Ticket | None:
    """The ticket of a number if this visitor may know that it exists."""
    ticket = tickets.by_no(session, no)
    if ticket is None or who.may(Right.EVERY_UNIT):
        return ticket
    return ticket if who.unit_id is not None and has_duty(session, ticket.id or 0, who.unit_id) else None


@router.get("/tickets/{no}/files/{inbox_id}")
async def ticket_file(request: Request, who: Who, no: str, inbox_id: Annotated[int, "row of the inbox"]) -> Response:
    """A picture shown, any other file to keep. Its type is what its first bytes say, whatever its name."""
    parts = parts_of(request)

    def read(session: Session) -> InboxMessage | None:
        ticket = _visible(session, who, no)
        mine = ticket is not None and any(p.inbox_id == inbox_id for p in tickets.parts_of(session, ticket.id or 0))
        return session.get(InboxMessage, inbox_id) if mine else None

    row = await parts.database.read(read)
    path = _inside(parts.files, row.file) if row and row.file else None
    if row is None or path is None:
        raise HTTPException(404)
    await _log(parts, who, f"工单 {no} 文件 {inbox_id}")
    with path.open("rb") as file:
        head = file.read(16)
    kind = next((mime for magic, mime in PICTURES.items() if head.startswith(magic)), None)
    if kind:
        return FileResponse(path, media_type=kind)
    return FileResponse(path, media_type="application/octet-stream", filename=row.file_name or path.name)


def _inside(folder: Path, stored: str) -> Path | None:
    """The file, if it is there and lies where files lie: a name in the database cannot lead elsewhere."""
    path = Path(stored).resolve()
    root = folder.resolve()
    return path if path.is_relative_to(root) and path.is_file() else None


async def _log(parts: Parts, who: Visitor, what: str) -> None:
    now = parts.clock.now()
    await parts.database.write(
        lambda session: page_users.note_access(session, user_name=who.name, address=who.address, what=what, now=now)
    )
