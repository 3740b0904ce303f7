"""One ticket with its whole story, as somebody with or without the right to personal data may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from handlers.context import Context
from handlers.privacy import mask
from handlers.texts import BLANKED
from handlers.vault import SealBroken
from storage import tickets
from storage.enums import AssignedBy, AssignmentRole, AssignmentStatus, MessageType
from storage.tables import InboxMessage, Ticket


@dataclass(frozen=True, slots=True)
class DutyLine:
    unit: str
    role: AssignmentRole
    status: AssignmentStatus
    dispatched_at: datetime
    due_at: datetime
    accepted_at: datetime | None
    seconds: int | None
    on_time: bool | None
    owner: str | None
    by_system: bool
    reason: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class EventLine:
    at: datetime
    kind: str
    by: str
    detail: str


@dataclass(frozen=True, slots=True)
class PartLine:
    """A message of the ticket. `file_id` is set where there is a file to open."""

    at: datetime
    by: str
    part: str
    text: str
    type: MessageType
    file_id: int | None
    file_name: str


@dataclass(frozen=True, slots=True)
class TicketStory:
    ticket: Ticket
    unit: str
    room: str
    text: str
    phones: str  # empty unless `personal`
    people: str
    repeat_of: str | None
    duties: tuple[DutyLine, ...]
    events: tuple[EventLine, ...]
    parts: tuple[PartLine, ...]
    personal: bool  # personal data is in it: the view is logged


def story_of(session: Session, ctx: Context, ticket: Ticket, *, personal: bool) -> TicketStory:
    """All that is kept of a ticket; without `personal` every text is masked as in the groups."""
    district = ctx.district
    people = BLANKED if ticket.blanked_at else opened(ctx, ticket.people)
    known = [] if ticket.blanked_at else people.split()

    def shown(text: str) -> str:
        return text if personal else mask(text, people=known, keep_names=district.member_names)

    repeated = session.get(Ticket, ticket.repeat_of_id) if ticket.repeat_of_id else None
    duties = []
    for duty in tickets.assignments_of(session, ticket.id or 0):
        owner = district.member_by_id.get(duty.owner_id or 0)
        taken = duty.accepted_at
        duties.append(
            DutyLine(
                unit=district.unit_by_id[duty.unit_id].name,
                role=duty.role,
                status=duty.status,
                dispatched_at=duty.dispatched_at,
                due_at=duty.due_at,
                accepted_at=taken,
                seconds=int((taken - duty.dispatched_at).total_seconds()) if taken else None,
                on_time=duty.on_time,
                owner=owner.name if owner else duty.accepted_by,
                by_system=duty.assigned_by is AssignedBy.SYSTEM,
                reason=shown(duty.reason or ""),
                ended_at=duty.ended_at,
            )
        )
    events = tuple(
        EventLine(event.at, event.kind.value, event.by, shown(event.detail))
        for event in tickets.events_of(session, ticket.id or 0)
    )
    parts = []
    for part in tickets.parts_of(session, ticket.id or 0):
        message = session.get(InboxMessage, part.inbox_id)
        if message is not None:
            parts.append(_part(message, part.part, shown(message.text), shown(message.sender_name)))
    return TicketStory(
        ticket=ticket,
        unit=district.unit_by_id[ticket.unit_id].name if ticket.unit_id else "待定单位",
        room=district.room_by_id[ticket.room_id].topic if ticket.room_id in district.room_by_id else "",
        text=shown(ticket.text),
        phones=(BLANKED if ticket.blanked_at else opened(ctx, ticket.phones)) if personal else "",
        people=people if personal else "",
        repeat_of=repeated.no if repeated else None,
        duties=tuple(duties),
        events=events,
        parts=tuple(parts),
        personal=personal,
    )


def opened(ctx: Context, sealed: str | None) -> str:
    """Blank-separated values; empty where the key is missing, which `check` tells."""
    try:
        return ctx.vault.open(sealed) if sealed else ""
    except SealBroken:
        return ""


def _part(message: InboxMessage, part: str, text: str, sender: str) -> PartLine:
    return PartLine(
        at=message.sent_at,
        by=sender,
        part={"complaint": "诉求", "attachment": "附件", "evidence": "办理佐证"}.get(part, part),
        text=text,
        type=message.type,
        file_id=message.id if message.file else None,
        file_name=message.file_name or "",
    )
