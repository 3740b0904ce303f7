"""The result of a replay as one JSON object (spec: replay.md): Beijing times, time order, no personal data."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from bot.cutting import cut
from handlers.context import Context
from handlers.policy import BEIJING
from storage import meta, room_tickets, tickets
from storage.enums import InboxState, MessageType, OutboxState
from storage.tables import Assignment, Digest, InboxMessage, OutboxMessage, Ticket


def result(session: Session, ctx: Context) -> dict[str, Any]:
    return {
        "tickets": [ticket_json(session, ctx, ticket) for ticket in _tickets(session)],
        "sent": _sent(session, ctx),
        "digests": _digests(session),
        "ignored": _ignored(session),
        "warnings": [warning.text for warning in meta.warnings(session)],
    }


def iso(at: datetime | None) -> str | None:
    return at.astimezone(BEIJING).isoformat() if at else None


def _tickets(session: Session) -> list[Ticket]:
    return list(session.exec(select(Ticket).order_by(col(Ticket.created_at), col(Ticket.id))).all())


def ticket_json(session: Session, ctx: Context, ticket: Ticket) -> dict[str, Any]:
    """A ticket with its duties and trail, as the spec names the fields."""
    district = ctx.district
    duties = tickets.assignments_of(session, ticket.id or 0)
    lead = tickets.lead_of(session, ticket.id or 0)
    repeated = session.get(Ticket, ticket.repeat_of_id) if ticket.repeat_of_id else None
    parts = [part for part in tickets.parts_of(session, ticket.id or 0) if part.part != "evidence"]
    reported_short = room_tickets.short_in_room(session, room_id=ticket.room_id, ticket_id=ticket.id or 0)
    return {
        "no": ticket.no,
        "short": lead.short if lead else reported_short,
        "order_no": ticket.order_no,
        "room": district.room_by_id[ticket.room_id].topic,
        "unit": district.unit_by_id[ticket.unit_id].name if ticket.unit_id else None,
        "source": ticket.source.value,
        "category": ticket.category,
        "urgency": ticket.urgency.value,
        "place": ticket.place,
        "village": ticket.village,
        "township": ticket.township,
        "phone": ticket.phones is not None,
        "status": ticket.status.value,
        "repeat_of": repeated.no if repeated else None,
        "message_ids": [part.message_id for part in parts],
        "created_at": iso(ticket.created_at),
        "assignments": [_duty_json(ctx, duty) for duty in duties],
        "events": [
            {"at": iso(event.at), "kind": event.kind.value, "by": event.by, "detail": event.detail}
            for event in tickets.events_of(session, ticket.id or 0)
        ],
    }


def _duty_json(ctx: Context, duty: Assignment) -> dict[str, Any]:
    owner = ctx.district.member_by_id.get(duty.owner_id or 0)
    accepted = duty.accepted_at
    return {
        "unit": ctx.district.unit_by_id[duty.unit_id].name,
        "short": duty.short,
        "role": duty.role.value,
        "status": duty.status.value,
        "dispatched_at": iso(duty.dispatched_at),
        "due_at": iso(duty.due_at),
        "owner": owner.name if owner else None,
        "assigned_by": duty.assigned_by.value if duty.assigned_by else None,
        "assigned_at": iso(duty.assigned_at),
        "accepted_at": iso(accepted),
        "accepted_by": duty.accepted_by,
        "seconds_to_accept": int((accepted - duty.dispatched_at).total_seconds()) if accepted else None,
        "on_time": duty.on_time,
    }


def _sent(session: Session, ctx: Context) -> list[dict[str, Any]]:
    rows = session.exec(
        select(OutboxMessage)
        .where(OutboxMessage.state == OutboxState.SENT)
        .order_by(col(OutboxMessage.sent_at), col(OutboxMessage.priority), col(OutboxMessage.id))
    ).all()
    sent: list[dict[str, Any]] = []
    for row in rows:
        if row.room_id is not None:
            where = {"room": ctx.district.room_by_id[row.room_id].topic}
        else:
            member = ctx.district.member_by_id.get(row.to_member_id or 0)
            where = {"to": member.name if member else ""}
        parts = cut(row.text)
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            sent.append(
                {
                    "at": iso(row.sent_at),
                    **where,
                    "kind": row.kind.value,
                    "text": part,
                    "mentions": row.mentions if index == 0 else [],
                    "tickets": row.tickets,
                    "attachments": [Path(path).name for path in row.attachments] if last else [],
                }
            )
    return sent


def _digests(session: Session) -> list[dict[str, Any]]:
    rows = session.exec(select(Digest).order_by(col(Digest.window_end), col(Digest.id))).all()
    return [
        {
            "kind": row.kind.value,
            "window": [iso(row.window_start), iso(row.window_end)],
            "units": row.numbers["units"],
            "totals": row.numbers["totals"],
            "text": row.text,
        }
        for row in rows
    ]


def _ignored(session: Session) -> list[str]:
    rows = session.exec(
        select(InboxMessage)
        .where(
            InboxMessage.state == InboxState.DONE,
            col(InboxMessage.became).is_(None),
            InboxMessage.type != MessageType.RECALL,
        )
        .order_by(col(InboxMessage.sent_at), col(InboxMessage.id))
    ).all()
    return [row.message_id for row in rows]
