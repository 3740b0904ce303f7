"""What belongs to a complaint told just now: further words of the same sender, pictures, files, places, voice."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlmodel import Session

from handlers import texts
from handlers.context import Context, RoomInfo
from handlers.intake import MEDIA, attach_media
from handlers.privacy import mask, phone_hash
from handlers.reading.views import Complaint, Reading
from handlers.speaking import say
from storage import inbox, tickets
from storage.enums import EventKind, MessageType, SayKind, TicketStatus, Urgency
from storage.tables import InboxMessage, Ticket

_CALL_FOR_HELP = re.compile(r"救命|快来|来人|出事|急|帮帮|帮忙|有人吗|怎么办")


def current_ticket(session: Session, ctx: Context, message: InboxMessage, room: RoomInfo) -> Ticket | None:
    """The ticket that this sender told of in this room within the last two minutes, if it is still alive."""
    told = tickets.opened_by(
        session,
        room_id=room.id,
        sender_name=message.sender_name,
        since=message.sent_at - ctx.policy.gather,
        until=message.sent_at + timedelta(seconds=0),
    )
    alive = [ticket for ticket, _ in told if ticket.status is not TicketStatus.WITHDRAWN]
    return alive[-1] if alive else None


def add_words(
    session: Session, ctx: Context, ticket: Ticket, message: InboxMessage, reading: Reading, *, now: datetime
) -> str:
    """Append a later message to its complaint; missing fields are filled, urgency can only rise."""
    tickets.attach(session, ticket.id or 0, message, "complaint")
    ticket.text = f"{ticket.text}\n{message.text}"
    told = reading.complaints[0] if reading.complaints else None
    if told is not None:
        _fill(ctx, ticket, told)
        _raise_urgency(session, ctx, ticket, told, now=now)
    session.add(ticket)
    tickets.record(
        session,
        ticket_id=ticket.id or 0,
        kind=EventKind.REPORTED,
        at=message.sent_at,
        by=message.sender_name,
        detail="补充",
        inbox_id=message.id,
    )
    return f"ticket:{ticket.no}"


def _fill(ctx: Context, ticket: Ticket, told: Complaint) -> None:
    """`told` is the reading of the whole text so far, so that what was there stays."""
    if told.phones and ticket.phones is None:
        ticket.phones = ctx.vault.seal(" ".join(told.phones))
        ticket.phone_hash = phone_hash(told.phones[0], ctx.hash_key)
    if told.people and ticket.people is None:
        ticket.people = ctx.vault.seal(" ".join(told.people))
    if told.place and not ticket.place:
        ticket.place = mask(told.place, people=told.people, keep_names=ctx.district.member_names)
    if told.village and not ticket.village:
        ticket.village, ticket.township = told.village, told.township


def _raise_urgency(session: Session, ctx: Context, ticket: Ticket, told: Complaint, *, now: datetime) -> None:
    order = list(Urgency)
    if order.index(told.urgency) <= order.index(ticket.urgency):
        return
    ticket.urgency = told.urgency
    ticket.urgency_words = list(told.urgency_words)
    duty = tickets.lead_of(session, ticket.id or 0)
    unit = ctx.district.unit_by_id.get(duty.unit_id) if duty else None
    say(
        session, ctx, room=ctx.district.supervision_room, kind=SayKind.ALERT,
        text=texts.alert(
            unit=unit.name if unit else "待定单位", no=ticket.no, urgency=ticket.urgency, category=ticket.category,
            place=ticket.village or ticket.township, gist=ticket.gist,
        ),
        key=f"ticket:{ticket.id}:alert:{told.urgency.value}", now=now, tickets=[ticket.no],
    )  # fmt: skip


def take_media(session: Session, ctx: Context, message: InboxMessage, room: RoomInfo, *, now: datetime) -> str | None:
    """A picture, video, file, place or voice: kept with the complaint or the result told just before, else nothing."""
    if message.type not in MEDIA:
        return None
    ticket = current_ticket(session, ctx, message, room)
    if ticket is not None:
        attach_media(session, ticket, message)
        return message.became
    done = tickets.resolved_by(
        session,
        room_id=room.id,
        sender_name=message.sender_name,
        since=message.sent_at - ctx.policy.gather,
        until=message.sent_at,
    )
    if done:
        attach_media(session, done[-1], message, "evidence")
        return message.became
    if message.type is MessageType.AUDIO:
        _ask_for_text(session, ctx, message, room, now=now)
    return None


def _ask_for_text(session: Session, ctx: Context, message: InboxMessage, room: RoomInfo, *, now: datetime) -> None:
    """A voice message alone right after a call for help: asked once for a line of text."""
    before = inbox.recent_of_sender(
        session,
        room_id=message.room_id or 0,
        sender_name=message.sender_name,
        since=message.sent_at - ctx.policy.gather,
        until=message.sent_at,
        before_id=message.id or 0,
    )
    calls = [row for row in before if row.became is None and _CALL_FOR_HELP.search(row.text)]
    if calls:
        say(
            session,
            ctx,
            room=room,
            kind=SayKind.QUESTION,
            text=texts.voice_needs_text(),
            key=f"message:{calls[0].id}:voice",
            now=now,
            mentions=[],
        )


def evidence_before(session: Session, ctx: Context, ticket: Ticket, message: InboxMessage) -> None:
    """Pictures that the sender posted within two minutes before reporting the result are its evidence."""
    recent = inbox.recent_of_sender(
        session,
        room_id=message.room_id or 0,
        sender_name=message.sender_name,
        since=message.sent_at - ctx.policy.gather,
        until=message.sent_at,
        before_id=message.id or 0,
    )
    for row in recent:
        if row.type in MEDIA and row.became is None:
            attach_media(session, ticket, row, "evidence")
