"""A complaint becomes a ticket: routed, numbered, its repeats linked, its pictures gathered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from rapidfuzz import fuzz
from sqlmodel import Session

from handlers import texts
from handlers.context import Context, RoomInfo, UnitInfo
from handlers.dispatching import open_duty, ticket_body
from handlers.identity import Speaker
from handlers.limits import limit_at
from handlers.policy import BEIJING
from handlers.privacy import mask, phone_hash
from handlers.reading import gist as gists
from handlers.reading import routing
from handlers.reading.views import Complaint, Reading, Route
from handlers.speaking import say
from storage import inbox, repeats, room_tickets, tickets
from storage.enums import AssignmentRole, EventKind, MessageType, SayKind, TicketStatus, UnitKind
from storage.repeats import Earlier
from storage.tables import InboxMessage, Ticket
from storage.tickets import ALIVE

MEDIA = (MessageType.IMAGE, MessageType.VIDEO, MessageType.FILE, MessageType.LOCATION, MessageType.AUDIO)
_NUMBERED_HOME = re.compile(r"\d+(?=号楼|号院|单元|栋|幢|门)")


def take_complaints(
    session: Session,
    ctx: Context,
    message: InboxMessage,
    room: RoomInfo,
    speaker: Speaker,
    reading: Reading,
    before: Sequence[InboxMessage],
    *,
    now: datetime,
) -> str | None:
    """Make a ticket of each complaint of a message; what the message became, None if it only repeats another."""
    if _told_already(session, ctx, message):
        return None
    fragments = [before[index] for index in reading.used_before if before[index].type not in MEDIA]
    became: list[str] = []
    for position, complaint in enumerate(reading.complaints):
        known = tickets.by_order_no(session, complaint.order_no) if complaint.order_no else None
        if known is not None:
            _reported_again(session, ctx, message, room, speaker, known, now=now)
            became.append(f"event:{known.no}")
            continue
        parts = [*fragments, message] if position == 0 else [message]
        ticket = _open_ticket(session, ctx, room, speaker, complaint, parts, now=now)
        became.append(f"ticket:{ticket.no}")
    return ",".join(became) or None


def _told_already(session: Session, ctx: Context, message: InboxMessage) -> bool:
    """The same text in the same room within ten minutes, unless what it made was withdrawn since."""
    same = inbox.same_text(
        session,
        room_id=message.room_id or 0,
        text=message.text,
        since=message.sent_at - ctx.policy.same_text,
        until=message.sent_at,
        before_id=message.id or 0,
    )
    for earlier in same:
        made = tickets.parts_of_message(session, earlier.id or 0)
        if any(ticket.status is not TicketStatus.WITHDRAWN for ticket, _ in made):
            return True
        if (earlier.became or "").startswith("event:"):
            return True
    return False


def _open_ticket(
    session: Session,
    ctx: Context,
    room: RoomInfo,
    speaker: Speaker,
    complaint: Complaint,
    parts: Sequence[InboxMessage],
    *,
    now: datetime,
) -> Ticket:
    first, last = parts[0], parts[-1]
    route = _route(ctx, complaint, room)
    unit = ctx.district.unit_by_name.get(route.unit) if route.unit else None
    pictures = _media_before(session, ctx, last)
    earliest = min([part.sent_at for part in [*parts, *pictures]])
    created_at = earliest
    keep = ctx.district.member_names
    ticket = Ticket(
        no=tickets.next_no(session, created_at.astimezone(BEIJING).date()),
        order_no=complaint.order_no,
        room_id=room.id,
        unit_id=unit.id if unit else None,
        source=complaint.source,
        category=complaint.category,
        runner_up=complaint.runner_up,
        urgency=complaint.urgency,
        urgency_words=list(complaint.urgency_words),
        place=mask(complaint.place, people=complaint.people, keep_names=keep) if complaint.place else None,
        village=complaint.village,
        township=complaint.township,
        phones=ctx.vault.seal(" ".join(complaint.phones)) if complaint.phones else None,
        people=ctx.vault.seal(" ".join(complaint.people)) if complaint.people else None,
        phone_hash=phone_hash(complaint.phones[0], ctx.hash_key) if complaint.phones else None,
        text=complaint.text,
        gist=mask(gists.gist(complaint), people=complaint.people, keep_names=keep),
        time_limit=complaint.time_limit,
        limit_at=limit_at(complaint.time_limit, last.sent_at),
        status=TicketStatus.WAITING if unit else TicketStatus.UNROUTED,
        note=_note(ctx, complaint, room),
        created_at=created_at,
    )
    repeated = _repeat_of(session, ctx, ticket, complaint, at=last.sent_at)
    ticket.repeat_of_id = repeated.id if repeated else None
    session.add(ticket)
    session.flush()
    if ticket.order_no:
        tickets.claim_call_backs(session, ticket)
    _keep_parts(session, ctx, ticket, parts, pictures)
    tickets.record(
        session,
        ticket_id=ticket.id or 0,
        kind=EventKind.REPORTED,
        at=first.sent_at,
        by=speaker.name,
        detail=f"重复反映 {repeated.no}" if repeated else "",
        inbox_id=last.id,
    )
    today = last.sent_at.astimezone(BEIJING).date()
    if unit is None:
        short = room_tickets.number_in_room(session, room_id=room.id, ticket_id=ticket.id or 0, today=today)
        _ask_dispatcher(session, ctx, ticket, room, route, short, last, now=now)
        return ticket
    in_unit_room = room.unit_id == unit.id
    if not in_unit_room:
        room_tickets.number_in_room(session, room_id=room.id, ticket_id=ticket.id or 0, today=today)
    open_duty(
        session,
        ctx,
        ticket=ticket,
        unit=unit,
        role=AssignmentRole.LEAD,
        dispatched_at=last.sent_at if in_unit_room else now,
        now=now,
        by=speaker.name,
        inbox_id=last.id,
    )
    return ticket


def _route(ctx: Context, complaint: Complaint, room: RoomInfo) -> Route:
    """In a unit's room its unit leads, whatever the text names; elsewhere the complaint is routed."""
    kind = ctx.district.room_kind(room)
    if kind in (UnitKind.TOWN, UnitKind.AGENCY):
        return Route(ctx.district.unit_by_id[room.unit_id].name, "room")
    return routing.route(complaint, ctx.district.gazetteer, None)


def _note(ctx: Context, complaint: Complaint, room: RoomInfo) -> str | None:
    """The 疑似… line of a prompt in a unit's room."""
    if ctx.district.room_kind(room) not in (UnitKind.TOWN, UnitKind.AGENCY):
        return None
    elsewhere = routing.belongs_elsewhere(complaint, ctx.district.gazetteer, ctx.district.unit_by_id[room.unit_id].name)
    if elsewhere is None:
        return None
    return texts.suspected(kind=elsewhere.kind, unit=elsewhere.unit)


def _ask_dispatcher(
    session: Session,
    ctx: Context,
    ticket: Ticket,
    room: RoomInfo,
    route: Route,
    short: int,
    message: InboxMessage,
    *,
    now: datetime,
) -> None:
    """Nothing decides the unit: the dispatcher is asked, in the room where the complaint was posted or in their own."""
    asked = ctx.district.dispatch_room if ctx.district.room_kind(room) is UnitKind.SUPERVISION else room
    if asked is None:
        return
    if asked != room:
        today = message.sent_at.astimezone(BEIJING).date()
        short = room_tickets.number_in_room(session, room_id=asked.id, ticket_id=ticket.id or 0, today=today)
    body = ticket_body(session, ticket, short=short)
    say(
        session,
        ctx,
        room=asked,
        kind=SayKind.QUESTION,
        text=texts.ask_unit(short=short, body=body, options=route.options),
        key=f"ticket:{ticket.id}:unrouted",
        now=now,
        mentions=ctx.names(ctx.district.dispatchers(now)),
        tickets=[ticket.no],
    )


def _media_before(session: Session, ctx: Context, message: InboxMessage) -> list[InboxMessage]:
    """Pictures, videos, files, places that the sender posted just before and that belong to nothing yet."""
    recent = inbox.recent_of_sender(
        session,
        room_id=message.room_id or 0,
        sender_name=message.sender_name,
        since=message.sent_at - ctx.policy.gather,
        until=message.sent_at,
        before_id=message.id or 0,
    )
    return [row for row in recent if row.type in MEDIA and row.became is None]


def _keep_parts(
    session: Session, ctx: Context, ticket: Ticket, parts: Sequence[InboxMessage], pictures: Sequence[InboxMessage]
) -> None:
    assert ticket.id is not None
    for part in parts:
        tickets.attach(session, ticket.id, part, "complaint")
        if part is not parts[-1]:
            part.became = f"ticket:{ticket.no}"
            session.add(part)
    for picture in pictures:
        if picture not in parts:
            attach_media(session, ticket, picture)


def attach_media(session: Session, ticket: Ticket, media: InboxMessage, part: str = "attachment") -> None:
    """Keep a picture, file or place with its ticket; a place fills an address that is missing."""
    tickets.attach(session, ticket.id or 0, media, part)
    media.became = f"{part}:{ticket.no}"
    session.add(media)
    if media.type is MessageType.LOCATION and media.text and not ticket.place:
        ticket.place = mask(media.text)
        session.add(ticket)
    if media.file_problem:
        tickets.record(
            session,
            ticket_id=ticket.id or 0,
            kind=EventKind.REPORTED,
            at=media.sent_at,
            by=media.sender_name,
            detail=f"{texts.file_missing()}：{media.file_problem}",
            inbox_id=media.id,
        )


def _reported_again(
    session: Session,
    ctx: Context,
    message: InboxMessage,
    room: RoomInfo,
    speaker: Speaker,
    ticket: Ticket,
    *,
    now: datetime,
) -> None:
    """An order number seen before: an event; in another unit's room also a helper's duty of that unit."""
    tickets.record(
        session,
        ticket_id=ticket.id or 0,
        kind=EventKind.REPORTED_AGAIN,
        at=message.sent_at,
        by=speaker.name,
        detail=room.topic,
        inbox_id=message.id,
    )
    unit: UnitInfo = ctx.district.unit_by_id[room.unit_id]
    if unit.kind not in (UnitKind.TOWN, UnitKind.AGENCY) or room.id == ticket.room_id or unit.id == ticket.unit_id:
        return
    duty = tickets.duty_of_unit(session, ticket.id or 0, unit.id)
    if duty is not None and duty.status in ALIVE:
        return
    open_duty(
        session,
        ctx,
        ticket=ticket,
        unit=unit,
        role=AssignmentRole.HELPER,
        dispatched_at=message.sent_at,
        now=now,
        by=speaker.name,
        inbox_id=message.id,
    )


def _repeat_of(session: Session, ctx: Context, ticket: Ticket, complaint: Complaint, *, at: datetime) -> Earlier | None:
    """The ticket that this one repeats: same call-back number, or same place with nearly the same text, in 7 days."""
    candidates = repeats.candidates(
        session,
        since=at - ctx.policy.repeat,
        until=at,
        phone_hash=ticket.phone_hash,
        village=ticket.village,
        township=ticket.township,
        unit_id=ticket.unit_id,
    )
    for earlier in candidates:
        if earlier.status is TicketStatus.WITHDRAWN:
            continue
        if ticket.phone_hash and earlier.phone_hash == ticket.phone_hash:
            return earlier
        same_home = set(_NUMBERED_HOME.findall(earlier.text)) == set(_NUMBERED_HOME.findall(ticket.text))
        likeness = fuzz.ratio(earlier.text, ticket.text)
        needed = ctx.policy.repeat_likeness if ticket.village else ctx.policy.repeat_likeness_without_place
        if same_home and likeness >= needed:
            return earlier
    return None
