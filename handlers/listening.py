"""A message is heard: who speaks, what is open in the room, what is quoted, and whether it answers or complains."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from handlers.context import Context, RoomInfo
from handlers.identity import Speaker, identify
from handlers.policy import BEIJING
from handlers.reading import complaints, orders, quotes, replies
from handlers.reading.text import fold
from handlers.reading.views import Act, Intent, MessageView, Reading, RoomState, TicketView
from storage import inbox, outbox, tickets
from storage.enums import AssignmentStatus, TicketStatus, UnitKind
from storage.tables import Assignment, InboxMessage, Ticket

QUESTION_OPEN = timedelta(minutes=3)  # how long a bare answer still belongs to the bot's question
KNOWN_FOR = timedelta(days=1)  # how long a ticket's story is known to its room
PLAIN_COMPLAINT = 1.0  # log-odds above which a mere remark is read as a complaint rather than an answer
_NUMBER_OF_PROMPT = re.compile(r"^\s*(?:更正：)?(\d{1,4})号")


@dataclass(frozen=True)
class Heard:
    speaker: Speaker
    intent: Intent | None
    reading: Reading
    whole: Reading | None = None  # with what the sender told just before, for a supplement
    views: tuple[TicketView, ...] = ()
    ticket_ids: tuple[int, ...] = ()
    before: tuple[InboxMessage, ...] = ()


def listen(session: Session, ctx: Context, message: InboxMessage, room: RoomInfo, *, now: datetime) -> Heard:
    """Read a message as an answer and as a complaint, and decide which it is."""
    speaker = identify(session, ctx, message, room, now=now)
    view = view_of(ctx, message, room, speaker)
    gazetteer = ctx.district.gazetteer
    state, ids = room_state(session, ctx, message, room)
    intent = replies.read(view, state, gazetteer, message.sent_at.astimezone(BEIJING).date())
    if intent is not None and (intent.explicit or state.quoted is not None) and not _is_order(view):
        return Heard(speaker, intent, Reading(), views=state.tickets, ticket_ids=ids)
    before = _fragments(session, ctx, message)
    known = [ticket.text for ticket in tickets.recent_in_room(session, room.id, message.sent_at - KNOWN_FOR)]
    befores = [view_of(ctx, row, room, speaker) for row in before]
    reading = complaints.read(view, gazetteer, befores, known)
    if intent is not None and not (reading.complaints and reading.score >= PLAIN_COMPLAINT):
        return Heard(speaker, intent, reading, views=state.tickets, ticket_ids=ids)
    whole = _whole(session, ctx, message, room, view) if reading.supplement else None
    return Heard(speaker, None, reading, whole, before=tuple(before))


def listen_privately(session: Session, ctx: Context, message: InboxMessage, *, now: datetime) -> Heard:
    """Outside the groups only commands are heard."""
    speaker = identify(session, ctx, message, None, now=now)
    view = view_of(ctx, message, None, speaker)
    intent = replies.read(view, RoomState(), ctx.district.gazetteer, message.sent_at.astimezone(BEIJING).date())
    return Heard(speaker, intent, Reading())


def view_of(ctx: Context, message: InboxMessage, room: RoomInfo | None, speaker: Speaker) -> MessageView:
    """The message as the readers see it: without the quoted part, without the bot's own name."""
    district, member = ctx.district, speaker.member
    split = quotes.split(message.text)
    quoted = (message.quote or {}).get("text") or split.text
    return MessageView(
        text=split.body,
        type=message.type,
        room_kind=district.room_kind(room) if room else UnitKind.TOWN,
        room_unit=district.unit_by_id[room.unit_id].name if room else None,
        sender_name=message.sender_name,
        sender_unit=district.unit_by_id[member.unit_id].name if member else None,
        sender_role=member.role if member else None,
        mentions=tuple(name for name in message.mentions if name != ctx.bot_name),
        mentions_bot=message.mentions_bot or ctx.bot_name in message.mentions,
        quote_text=quoted,
    )


def _is_order(view: MessageView) -> bool:
    return bool(orders.find_orders(fold(view.text)))


def _fragments(session: Session, ctx: Context, message: InboxMessage) -> list[InboxMessage]:
    """What the sender said within two minutes before, that became nothing."""
    rows = inbox.recent_of_sender(
        session,
        room_id=message.room_id or 0,
        sender_name=message.sender_name,
        since=message.sent_at - ctx.policy.gather,
        until=message.sent_at,
        before_id=message.id or 0,
    )
    return [row for row in rows if row.became is None]


def _whole(session: Session, ctx: Context, message: InboxMessage, room: RoomInfo, view: MessageView) -> Reading | None:
    """A supplement read together with the complaint it adds to."""
    told = tickets.opened_by(
        session,
        room_id=room.id,
        sender_name=message.sender_name,
        since=message.sent_at - ctx.policy.gather,
        until=message.sent_at,
    )
    if not told:
        return None
    ticket = told[-1][0]
    return complaints.read(replace(view, text=f"{ticket.text}\n{view.text}"), ctx.district.gazetteer)


# ---- what is open in the room ----------------------------------------------------------------------------------------


def room_state(
    session: Session, ctx: Context, message: InboxMessage, room: RoomInfo
) -> tuple[RoomState, tuple[int, ...]]:
    """The room's tickets as its members remember them, and the ticket ids behind them."""
    members = ctx.district.entries_of.get(room.unit_id, ())
    today = message.sent_at.astimezone(BEIJING).date()
    known = tickets.numbered_in_room(session, room.id, today)
    if not known:
        return RoomState(members=members), ()
    latest = {number.short: (number, ticket) for number, ticket in known}  # the newest bearer of a number counts
    rows = sorted(latest.values(), key=lambda pair: pair[0].id or 0)
    duties = tickets.duties_in_room(session, [ticket.id or 0 for _, ticket in rows])
    views, ids = [], []
    for number, ticket in rows:
        views.append(_ticket_view(ctx, room, number.short, ticket, duties.get(ticket.id or 0, [])))
        ids.append(ticket.id or 0)
    quoted, quotes_bot = _quoted(session, ctx, message, room, views, ids)
    state = RoomState(
        tickets=tuple(views),
        quoted=quoted,
        quotes_bot=quotes_bot,
        members=members,
        just_asked=_just_asked(session, ctx, message, ids),
    )
    return state, tuple(ids)


def _ticket_view(ctx: Context, room: RoomInfo, short: int, ticket: Ticket, duties: Sequence[Assignment]) -> TicketView:
    district = ctx.district
    own = [duty for duty in duties if duty.unit_id == room.unit_id]
    duty = own[-1] if own else (duties[-1] if duties else None)
    in_unit_room = bool(own)
    status = ticket.status
    if own and own[-1].unit_id != ticket.unit_id:
        status = _as_ticket_status(own[-1].status, ticket.status)
    owner = district.member_by_id.get(duty.owner_id or 0) if duty else None
    accepted = duty is not None and duty.status is not AssignmentStatus.WAITING
    return TicketView(
        short=short,
        no=ticket.no,
        status=status,
        waiting=in_unit_room and duty is not None and duty.status is AssignmentStatus.WAITING,
        text=ticket.text,
        category=ticket.category,
        place=ticket.place,
        village=ticket.village,
        township=ticket.township,
        unit=district.unit_by_id[duty.unit_id].name if duty else None,
        owner=owner.name if owner and accepted else None,
        order_no=ticket.order_no,
    )


def _as_ticket_status(duty: AssignmentStatus, ticket: TicketStatus) -> TicketStatus:
    """A helper's duty in the words of a ticket."""
    return TicketStatus(duty.value) if duty.value in {status.value for status in TicketStatus} else ticket


# ---- what is quoted --------------------------------------------------------------------------------------------------


def _quoted(
    session: Session,
    ctx: Context,
    message: InboxMessage,
    room: RoomInfo,
    views: Sequence[TicketView],
    ids: Sequence[int],
) -> tuple[int | None, bool]:
    """The index of the ticket that the quoted message is about, and whether it is the bot's own message."""
    quote = message.quote or {}
    split = quotes.split(message.text)
    text, sender = quote.get("text") or split.text or "", quote.get("sender") or split.sender or ""
    by_bot = bool(sender) and sender == ctx.bot_name
    if quote.get("id"):
        numbers = tickets.of_outbox(session, room.id, quote["id"])
        if numbers:
            found = [index for index, view in enumerate(views) if view.no in numbers]
            return (found[0] if len(found) == 1 else None), True
        source = inbox.find(
            session, channel=message.channel, channel_room_id=message.channel_room_id, message_id=quote["id"]
        )
        if source is not None:
            told = {ticket.id for ticket, _ in tickets.parts_of_message(session, source.id or 0)}
            found = [index for index, ticket_id in enumerate(ids) if ticket_id in told]
            return (found[0] if len(found) == 1 else None), by_bot
    if not text:
        return None, by_bot
    return _quoted_by_text(session, room, views, text, by_bot)


def _quoted_by_text(
    session: Session, room: RoomInfo, views: Sequence[TicketView], text: str, by_bot: bool
) -> tuple[int | None, bool]:
    """Gateways without message ids: the words decide, the bot's own message first."""
    wanted = "".join(text.split())
    if len(wanted) >= 4:
        numbers = {
            no
            for row in outbox.recent_of_room(session, room.id)
            if "".join(row.text.split()).startswith(wanted[:60]) or wanted.startswith("".join(row.text.split())[:60])
            for no in row.tickets
        }
        found = [index for index, view in enumerate(views) if view.no in numbers]
        if len(found) == 1:
            return found[0], True
        found = [index for index, view in enumerate(views) if wanted[:60] in "".join(view.text.split())]
        if len(found) == 1:
            return found[0], by_bot
    if by_bot and (number := _NUMBER_OF_PROMPT.match(text)):
        found = [index for index, view in enumerate(views) if view.short == int(number.group(1))]
        return (found[0] if found else None), True
    return None, by_bot


def _just_asked(
    session: Session, ctx: Context, message: InboxMessage, ids: Sequence[int]
) -> tuple[Act, int | None] | None:
    """The bot's question to this sender's last message, if it is still open: the act, and the ticket's index."""
    rows = inbox.recent_of_sender(
        session,
        room_id=message.room_id or 0,
        sender_name=message.sender_name,
        since=message.sent_at - QUESTION_OPEN,
        until=message.sent_at,
        before_id=message.id or 0,
    )
    if not rows:
        return None
    asked = outbox.question_about(session, rows[-1].id or 0)
    if asked is None:
        return None
    act, ticket_id = asked
    index = ids.index(ticket_id) if ticket_id in ids else None
    return Act(act), index
