"""What the command line shows of a database: a ticket, a digest, parked messages."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from bot.database import Database
from bot.digest_files import Files, messages, write_files
from handlers import digests
from handlers.digest_windows import DigestSettings, DueWindow
from handlers.policy import BEIJING
from storage import deadlines, inbox, people, tickets
from storage.enums import DigestKind, InboxState
from storage.sessions import reading
from storage.tables import Assignment, InboxMessage, Member, Ticket


def _at(when: datetime | None) -> str:
    return f"{when.astimezone(BEIJING):%m-%d %H:%M:%S}" if when else "-"


def show_ticket(engine: Engine, no: str) -> str | None:
    """A ticket by its own or its order's number, as lines; None if there is none."""
    with reading(engine) as session:
        ticket = tickets.by_no(session, no) or tickets.by_order_no(session, no)
        if ticket is None:
            return None
        units = {unit.id: unit.name for unit in people.units(session)}
        lines = [
            f"工单 {ticket.no}  {ticket.status.value}  {ticket.urgency.value}  {ticket.category}",
            f"  {ticket.gist}",
            f"  地点 {ticket.place or '-'}  村居 {ticket.village or '-'}  属地 {ticket.township or '-'}",
            f"  来源 {ticket.source.value}  12345单号 {ticket.order_no or '-'}  办理时限 {ticket.time_limit or '-'}",
            "任务",
        ]
        for duty in tickets.assignments_of(session, ticket.id or 0):
            lines.append(_duty(session, duty, units[duty.unit_id]))
        lines.append("经过")
        for event in tickets.events_of(session, ticket.id or 0):
            lines.append(f"  {_at(event.at)}  {event.kind.value}  {event.by}  {event.detail}".rstrip())
        return "\n".join(lines)


def _duty(session: Session, duty: Assignment, unit: str) -> str:
    owner = session.get(Member, duty.owner_id) if duty.owner_id else None
    seconds = int((duty.accepted_at - duty.dispatched_at).total_seconds()) if duty.accepted_at else None
    took = f"{seconds}秒" if seconds is not None else "未领办"
    in_time = {True: "按时", False: "超时", None: "时限内"}[duty.on_time]
    return (
        f"  {unit} {duty.role.value} {duty.short}号 {duty.status.value}  派单 {_at(duty.dispatched_at)}"
        f"  时限 {_at(duty.due_at)}  领办 {_at(duty.accepted_at)} {took} {in_time}"
        f"  承办人 {owner.name if owner else '-'} {duty.assigned_by.value if duty.assigned_by else ''}".rstrip()
    )


def day_window(day: date, settings: DigestSettings) -> DueWindow:
    """The window of the daily digest that ends on `day`."""
    end = datetime(day.year, day.month, day.day, settings.window_hour, tzinfo=BEIJING)
    return DueWindow(DigestKind.DAILY, end - timedelta(days=1), end, post=False)


def digest_of(
    engine: Engine, window: DueWindow, settings: DigestSettings, *, now: datetime, folder: Path | None = None
) -> tuple[list[str], Files | None]:
    """A digest computed anew: its messages and, with a folder, its picture and Excel there. Nothing is stored."""
    with reading(engine) as session:
        numbers = digests.compute(
            session, kind=window.kind, start=window.start, end=window.end, now=now, settings=settings
        )
        texts = messages(numbers, settings)
        if folder is None:
            return texts, None
        names = {member.name for member in people.members(session)}
        return texts, write_files(session, numbers, window, folder, settings, keep_names=names)


def parked_lines(engine: Engine, retry: int | None) -> list[str]:
    """Parked messages and steps with their reasons; with `retry` that one is taken again by the running bot."""
    if retry is not None:
        done = Database(engine, inline=True).write_now(lambda session: inbox.requeue(session, retry))
        return [f"message {retry} will be tried again" if done else f"message {retry} is not parked"]
    with reading(engine) as session:
        rows = session.exec(
            select(InboxMessage).where(InboxMessage.state == InboxState.PARKED).order_by(col(InboxMessage.id))
        ).all()
        lines = [
            f"{row.id}  {_at(row.sent_at)}  {row.type.value}  {(row.error or '').strip().splitlines()[-1:] or ['']}"
            for row in rows
        ]
        for step in deadlines.parked(session):
            ticket = session.get_one(Ticket, session.get_one(Assignment, step.assignment_id).ticket_id)
            lines.append(
                f"step  {step.step.value} of ticket {ticket.no}  {(step.error or '').strip().splitlines()[-1:]}"
            )
    return lines or ["nothing is parked"]
