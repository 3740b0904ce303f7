"""What is filtered in 工单 as Excel or CSV: masked, unless somebody with the right asks for more, which is logged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response, StreamingResponse
from sqlmodel import Session

from bot.reports.ticket_list import COLUMNS, PERSONAL, Row, csv_pieces, write_excel
from bot.web.guard import parts_of, visitor
from bot.web.parts import Parts, Right, Visitor
from bot.web.sending import send_once
from bot.web.tickets import Filters, filters_of
from handlers.context import Context
from handlers.policy import BEIJING
from handlers.texts import BLANKED
from handlers.ticket_view import opened
from storage import page_users, tickets
from storage.enums import UnitKind, Urgency
from storage.sessions import reading
from storage.tables import Assignment, Ticket
from storage.ticket_search import Wanted, in_batches

EXCEL_ROWS = 100_000  # some 20 seconds and 15 MB; more goes as CSV, which streams

router = APIRouter()
Who = Annotated[Visitor, Depends(visitor)]
Asked = Annotated[Filters, Depends(filters_of)]


@router.get("/tickets/export.csv")
async def as_csv(request: Request, who: Who, filters: Asked, personal: bool = False) -> Response:
    """Everything filtered, newest first, as a stream."""
    parts = parts_of(request)
    wanted = await _wanted(parts, who, filters, personal, "CSV")

    def stream() -> Iterator[str]:  # runs beside the loop; one snapshot from the first line to the last
        with reading(parts.database.engine) as session:
            rows = _rows(session, parts.knowledge.context(session), who, wanted, personal)
            yield from csv_pieces(rows, _columns(personal))

    name = f"tickets-{parts.clock.now().astimezone(BEIJING):%Y%m%d-%H%M%S}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(stream(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/tickets/export.xlsx")
async def as_excel(request: Request, who: Who, filters: Asked, personal: bool = False) -> Response:
    """The newest `EXCEL_ROWS` of what is filtered."""
    parts = parts_of(request)
    wanted = await _wanted(parts, who, filters, personal, "Excel")
    now = parts.clock.now()
    path = Path(mkdtemp(prefix="lingban-")) / "tickets.xlsx"
    note = (
        f"{who.name} {now.astimezone(BEIJING):%Y-%m-%d %H:%M} 导出；{_said(filters)}；最多{EXCEL_ROWS}件，更多请用 CSV"
    )

    def write(session: Session) -> None:
        rows = _rows(session, parts.knowledge.context(session), who, wanted, personal)
        write_excel(islice(rows, EXCEL_ROWS), _columns(personal), note, path, now=now)

    async with request.app.state.counting:
        await parts.database.read(write)
    return send_once(path, f"tickets-{now.astimezone(BEIJING):%Y%m%d-%H%M%S}.xlsx")


async def _wanted(parts: Parts, who: Visitor, filters: Filters, personal: bool, how: str) -> Wanted | None:
    """The search; None where it can find nothing. Who asks for personal data is logged before the first line."""
    if personal and not who.may(Right.PERSONAL):
        raise HTTPException(404)
    now = parts.clock.now()

    def read(session: Session) -> Wanted | None:
        units = {
            unit.name: unit.id
            for unit in parts.knowledge.context(session).district.units
            if unit.kind in (UnitKind.TOWN, UnitKind.AGENCY) and who.sees(unit.id)
        }
        wanted, wrong = filters.wanted(units, masked=not who.may(Right.PERSONAL))
        return None if wrong else wanted

    wanted = await parts.database.read(read)
    if personal:
        what = f"导出 {how}，含原文和电话；{_said(filters)}"
        await parts.database.write(
            lambda session: page_users.note_access(session, user_name=who.name, address=who.address, what=what, now=now)
        )
    return wanted


def _said(filters: Filters) -> str:
    names = {"q": "找", "unit": "单位", "category": "类别", "status": "状态", "urgency": "紧急程度"}
    names |= {"since": "从", "until": "到"}
    said = [f"{name}“{value[:100]}”" for key, name in names.items() if (value := getattr(filters, key))]
    return "，".join(said) or "全部工单"


def _columns(personal: bool) -> Sequence[Any]:
    return (*COLUMNS, *PERSONAL) if personal else COLUMNS


def _rows(session: Session, ctx: Context, who: Visitor, wanted: Wanted | None, personal: bool) -> Iterator[Row]:
    if wanted is None:
        return
    own = None if who.may(Right.EVERY_UNIT) else who.unit_id or 0
    more = _personal(ctx) if personal else None
    for batch in in_batches(session, wanted, own=own):
        leads = tickets.leads_of(session, [ticket.id or 0 for ticket in batch])
        for ticket in batch:
            yield [*_row(ctx, ticket, leads.get(ticket.id or 0)), *(more(ticket) if more else ())]
        session.expunge_all()  # a million rows must not pile up in the session


def _row(ctx: Context, ticket: Ticket, lead: Assignment | None) -> list[Any]:
    hidden = ticket.urgency is Urgency.SENSITIVE
    unit = ctx.district.unit_by_id.get(ticket.unit_id or 0)
    owner = ctx.district.member_by_id.get(lead.owner_id or 0) if lead else None
    taken = lead.accepted_at if lead else None
    return [
        ticket.no,
        ticket.order_no,
        unit.name if unit else "待定单位",
        ticket.status.value,
        ticket.urgency.value,
        None if hidden else ticket.category,
        "（敏感，不载内容）" if hidden else ticket.gist,
        None if hidden else ticket.place,
        ticket.village,
        ticket.source.value,
        ticket.created_at,
        lead.dispatched_at if lead else None,
        lead.due_at if lead else None,
        taken,
        int((taken - lead.dispatched_at).total_seconds()) if lead and taken else None,
        None if lead is None or lead.on_time is None else "是" if lead.on_time else "否",
        owner.name if owner else None,
        ticket.closed_at,
    ]


def _personal(ctx: Context) -> Callable[[Ticket], list[str]]:
    def more(ticket: Ticket) -> list[str]:
        if ticket.blanked_at:
            return [ticket.text, BLANKED, BLANKED]
        return [ticket.text, opened(ctx, ticket.phones), opened(ctx, ticket.people)]

    return more
