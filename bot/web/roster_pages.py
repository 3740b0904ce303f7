"""花名册, 派单目录, 变更记录: seen by the district's people, changed by an administrator, each change on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi import Path as InPath
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from bot.web.guard import allowed, from_our_page, parts_of
from bot.web.parts import Right, Visitor
from bot.web.rendering import render
from bot.web.roster_view import catalogue_page, roster_page, unit_roster_page
from handlers import roster_edits as edits
from handlers.binding import topics_changed
from handlers.context import load_district
from handlers.forms import Edit, EditRefused
from storage import page_users
from storage.page_tables import Audit
from storage.tables import Duty, Member

router = APIRouter()
Reader = Annotated[Visitor, Depends(allowed(Right.EVERY_UNIT))]
Editor = Annotated[Visitor, Depends(allowed(Right.EDIT))]
RowId = Annotated[int, InPath(ge=1, le=2**31)]
OURS = [Depends(from_our_page)]
CHANGES = 50  # of a page of the record
FIELDS = {
    "name": "姓名", "role": "角色", "aliases": "别名", "contact_id": "微信号", "member_id": "人员", "weekday": "星期",
    "day": "日期", "starts": "从", "ends": "到", "line": "班次", "topic": "群名", "channel_room_id": "群",
    "category": "类别", "lead_agency": "承办单位", "examples": "例子", "unit": "单位",
}  # fmt: skip
Change = Callable[[Session, dict[str, str]], Edit]


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that was not saved: where it was sent, what was typed, what is wrong by field."""

    action: str
    form: Mapping[str, str]
    problems: Mapping[str, str]

    @property
    def said(self) -> list[str]:
        return [f"{FIELDS[field]}：{what}" if field in FIELDS else what for field, what in self.problems.items()]


@router.get("/roster")
async def roster(request: Request, who: Reader) -> Response:
    """All units, and the groups that want binding."""
    parts = parts_of(request)
    now = parts.clock.now()
    values = await parts.database.read(lambda session: roster_page(session, parts.knowledge.context(session), now=now))
    return render(request, "roster.html", who, **values)


@router.get("/roster/{unit_id}")
async def unit_roster(request: Request, who: Reader, unit_id: RowId) -> Response:
    """One unit's people, rota and group."""
    return await _unit(request, who, unit_id)


async def _unit(request: Request, who: Visitor, unit_id: int, refused: Refused | None = None) -> Response:
    parts = parts_of(request)

    def read(session: Session) -> dict[str, Any] | None:
        ctx = parts.knowledge.context(session)
        return unit_roster_page(session, ctx, unit_id) if unit_id in ctx.district.unit_by_id else None

    values = await parts.database.read(read)
    if values is None:
        raise HTTPException(404)
    return render(request, "roster_unit.html", who, status=422 if refused else 200, refused=refused, **values)


@router.get("/catalogue")
async def catalogue(request: Request, who: Reader) -> Response:
    """Which category goes to which agency."""
    return await _catalogue(request, who)


async def _catalogue(request: Request, who: Visitor, refused: Refused | None = None) -> Response:
    parts = parts_of(request)
    values = await parts.database.read(lambda session: catalogue_page(session, parts.knowledge.context(session)))
    return render(request, "catalogue.html", who, status=422 if refused else 200, refused=refused, **values)


@router.get("/changes")
async def changes(request: Request, who: Editor, page: Annotated[int, Query(ge=1, le=100_000)] = 1) -> Response:
    """Who changed what on the page, the latest first."""
    rows = await parts_of(request).database.read(
        lambda session: page_users.changes(session, limit=CHANGES + 1, offset=(page - 1) * CHANGES)
    )
    shown = [{"row": row, "before": _told(row.before), "after": _told(row.after)} for row in rows[:CHANGES]]
    return render(request, "changes.html", who, rows=shown, page=page, more=len(rows) > CHANGES)


@router.get("/accesses")
async def accesses(request: Request, who: Editor, page: Annotated[int, Query(ge=1, le=100_000)] = 1) -> Response:
    """Who saw personal data, the latest first."""
    rows = await parts_of(request).database.read(
        lambda session: page_users.accesses(session, limit=CHANGES + 1, offset=(page - 1) * CHANGES)
    )
    return render(request, "accesses.html", who, rows=rows[:CHANGES], page=page, more=len(rows) > CHANGES)


def _told(values: dict[str, Any] | None) -> str:
    if values is None:
        return "—"
    words = {key: "、".join(value) if isinstance(value, list) else value for key, value in values.items()}
    return "；".join(f"{key} {_word(value)}" for key, value in words.items())


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(value) if value not in (None, "") else "无"


# ---- changes ---------------------------------------------------------------------------------------------------------


async def _change(request: Request, who: Visitor, change: Change) -> Refused | None:
    """Carry out an edit and write its record in one transaction; None when both are saved."""
    parts = parts_of(request)
    form = {key: value for key, value in (await request.form()).items() if isinstance(value, str)}
    now = parts.clock.now()

    def write(session: Session) -> None:
        edit = change(session, form)
        if edit.before != edit.after:
            page_users.note_change(
                session,
                Audit(
                    at=now, user_name=who.name, address=who.address,
                    subject=edit.subject, before=edit.before, after=edit.after,
                ),
            )  # fmt: skip

    try:
        await parts.database.write(write)
    except EditRefused as refused:
        return Refused(request.url.path, form, refused.problems)
    return None


async def _change_unit(request: Request, who: Visitor, unit_id: int, change: Change) -> Response:
    refused = await _change(request, who, change)
    return await _unit(request, who, unit_id, refused) if refused else RedirectResponse(f"/roster/{unit_id}", 303)


async def _change_catalogue(request: Request, who: Visitor, change: Change) -> Response:
    refused = await _change(request, who, change)
    return await _catalogue(request, who, refused) if refused else RedirectResponse("/catalogue", 303)


async def _unit_of(request: Request, table: type[Member] | type[Duty], row_id: int) -> int:
    def read(session: Session) -> int | None:
        row = session.get(table, row_id)
        return row.unit_id if isinstance(row, Member | Duty) else None

    unit_id = await parts_of(request).database.read(read)
    if unit_id is None:
        raise HTTPException(404)
    return unit_id


@router.post("/roster/members/{member_id}", dependencies=OURS)
async def change_member(request: Request, who: Editor, member_id: RowId) -> Response:
    unit_id, now = await _unit_of(request, Member, member_id), parts_of(request).clock.now()
    return await _change_unit(
        request, who, unit_id, lambda session, form: edits.change_member(session, member_id, form, now=now)
    )


@router.post("/roster/duties/{duty_id}/remove", dependencies=OURS)
async def remove_duty(request: Request, who: Editor, duty_id: RowId) -> Response:
    unit_id = await _unit_of(request, Duty, duty_id)
    return await _change_unit(request, who, unit_id, lambda session, _: edits.remove_duty(session, duty_id))


@router.post("/roster/{unit_id}", dependencies=OURS)
async def change_unit(request: Request, who: Editor, unit_id: RowId) -> Response:
    now = parts_of(request).clock.now()

    def change(session: Session, form: dict[str, str]) -> Edit:
        edit = edits.change_unit(session, unit_id, form)
        if edit.before is None or edit.after is None or edit.before["群名"] != edit.after["群名"]:
            district = load_district(session)
            changed = {room.id for room in district.rooms if room.unit_id == unit_id}
            topics_changed(session, district, changed=changed, now=now)  # as after `reload`
        return edit

    return await _change_unit(request, who, unit_id, change)


@router.post("/roster/{unit_id}/members", dependencies=OURS)
async def add_member(request: Request, who: Editor, unit_id: RowId) -> Response:
    parts = parts_of(request)
    now = parts.clock.now()

    def change(session: Session, form: dict[str, str]) -> Edit:
        unit = parts.knowledge.context(session).district.unit_by_id.get(unit_id)
        return edits.add_member(session, {**form, "unit": unit.name if unit else ""}, now=now)

    return await _change_unit(request, who, unit_id, change)


@router.post("/roster/{unit_id}/duties", dependencies=OURS)
async def add_duty(request: Request, who: Editor, unit_id: RowId) -> Response:
    return await _change_unit(request, who, unit_id, lambda session, form: edits.add_duty(session, unit_id, form))


@router.post("/roster/{unit_id}/bind", dependencies=OURS)
async def bind_room(request: Request, who: Editor, unit_id: RowId) -> Response:
    now = parts_of(request).clock.now()

    def change(session: Session, form: dict[str, str]) -> Edit:
        account, _, channel = form.get("room", "").partition("/")
        chosen = {"account": account, "channel_room_id": channel}
        return edits.bind_room(session, unit_id, chosen, now=now, by=who.name)

    return await _change_unit(request, who, unit_id, change)


@router.post("/catalogue", dependencies=OURS)
async def add_category(request: Request, who: Editor) -> Response:
    return await _change_catalogue(request, who, lambda session, form: edits.save_category(session, None, form))


@router.post("/catalogue/{category_id}", dependencies=OURS)
async def change_category(request: Request, who: Editor, category_id: RowId) -> Response:
    return await _change_catalogue(request, who, lambda session, form: edits.save_category(session, category_id, form))


@router.post("/catalogue/{category_id}/remove", dependencies=OURS)
async def remove_category(request: Request, who: Editor, category_id: RowId) -> Response:
    return await _change_catalogue(request, who, lambda session, _: edits.remove_category(session, category_id))
