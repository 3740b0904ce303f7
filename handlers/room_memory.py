"""What the room's members remember: which tickets are open in it, which one is quoted, which one is named in full.

A ticket that the room has no number for is named by its full number (20260303-0001), by the hotline's order number, or
by quoting what the bot told of it. The readers know short numbers only, so such a ticket is lent one of the room's
free numbers while the message is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlmodel import Session

from handlers.context import Context, RoomInfo
from handlers.policy import BEIJING
from handlers.reading import quotes
from handlers.reading.numbers import MAX_SHORT
from handlers.reading.replies_menu import ORDER_NO
from handlers.reading.text import fold
from handlers.reading.views import Act, RoomState, TicketView
from storage import inbox, outbox, room_tickets, tickets
from storage.enums import AssignmentStatus, TicketStatus, UnitKind
from storage.room_tickets import DutyOf, Known
from storage.tables import InboxMessage, Ticket

QUESTION_OPEN = timedelta(minutes=3)  # how long a bare answer still belongs to the bot's question
_NUMBER_OF_PROMPT = re.compile(r"^\s*(?:更正：)?(\d{1,4})号")
_OWN_NUMBER = re.compile(r"(?<!\d)20\d{6}-\d{4}(?!\d)")  # the form of our own numbers; an order's number has many
# What is said of a ticket by quoting it in a room that has no number for it; 收到 there claims nothing.
OF_QUOTED = (Act.ASSIGN, Act.TRANSFER, Act.KEEP, Act.AGREE, Act.REOPEN, Act.URGE)


@dataclass(frozen=True)
class Memory:
    """The tickets that a message can mean, and the message's text with short numbers in place of full ones."""

    state: RoomState
    ids: tuple[int, ...]  # of the tickets, index by index
    text: str
    lent: frozenset[int]  # indexes of tickets that the room has no number for
    unknown: dict[int, str]  # short numbers that stand for full ones of no ticket the room may name

    @property
    def views(self) -> tuple[TicketView, ...]:
        """The tickets as the room numbers them; 0 where it does not."""
        return tuple(
            replace(view, short=0) if index in self.lent else view for index, view in enumerate(self.state.tickets)
        )


def remember(session: Session, ctx: Context, message: InboxMessage, room: RoomInfo, text: str) -> Memory:
    """What a message in a room can be about; `text` is its own, without the quoted part."""
    today = message.sent_at.astimezone(BEIJING).date()
    numbered = room_tickets.numbered_in_room(session, room.id, today)
    shown = list(numbered.items())
    quote = _quoted(session, message, room, shown, ctx.bot_name)
    quoted = _stranger(session, ctx, room, quote)
    asked = _just_asked(session, message)
    named = {full: _by_full_number(session, ctx, room, full) for full in _full_numbers(text)}
    short_of = {ticket.id: short for short, ticket in shown}
    free = (short for short in range(MAX_SHORT, 0, -1) if short not in numbered)
    for ticket in (*named.values(), quoted, session.get(Ticket, asked[1]) if asked and asked[1] else None):
        if ticket is not None and ticket.id not in short_of:
            assert ticket.id is not None
            short_of[ticket.id] = next(free)
            shown.append((short_of[ticket.id], room_tickets.as_known(ticket)))
    unknown = {next(free): full for full, ticket in named.items() if ticket is None and _OWN_NUMBER.fullmatch(full)}
    written = {full: short_of[ticket.id or 0] for full, ticket in named.items() if ticket is not None}
    ids = tuple(ticket.id for _, ticket in shown)
    duties = room_tickets.duties_in_room(session, ids) if ids else {}
    about = quoted.id if quoted else quote.ticket_id
    state = RoomState(
        tickets=tuple(_ticket_view(ctx, room, short, t, duties.get(t.id, [])) for short, t in shown),
        quoted=ids.index(about) if about in ids else None,
        quotes_bot=quote.by_bot,
        members=ctx.district.entries_of.get(room.unit_id, ()),
        just_asked=(Act(asked[0]), ids.index(asked[1]) if asked[1] in ids else None) if asked else None,
    )
    said = _with_short_numbers(text, written | {full: short for short, full in unknown.items()})
    return Memory(state, ids, said, frozenset(range(len(numbered), len(shown))), unknown)


def _full_numbers(text: str) -> list[str]:
    """Ticket and order numbers as written, ours first: in 办结20260303-0001 the word is no part of the number."""
    folded = fold(text)
    ours: list[str] = _OWN_NUMBER.findall(folded)
    return list(dict.fromkeys([*ours, *ORDER_NO.findall(_OWN_NUMBER.sub(" ", folded))]))


def _with_short_numbers(text: str, written: dict[str, int]) -> str:
    if not written:
        return text
    for full, short in written.items():
        text = fold(text).replace(full, f"{short}号")
    return text


def _by_full_number(session: Session, ctx: Context, room: RoomInfo, full: str) -> Ticket | None:
    """The ticket of a full number, if it may be named here: a unit's room knows its own, the centre's rooms all."""
    written = full.upper()
    ticket = tickets.by_no(session, written) or tickets.by_order_no(session, written)
    if ticket is None or _is_centre(ctx, room):
        return ticket
    return ticket if tickets.duty_of_unit(session, ticket.id or 0, room.unit_id) else None


def _is_centre(ctx: Context, room: RoomInfo) -> bool:
    return ctx.district.room_kind(room) in (UnitKind.DISPATCH, UnitKind.SUPERVISION)


def _ticket_view(ctx: Context, room: RoomInfo, short: int, ticket: Known, duties: Sequence[DutyOf]) -> TicketView:
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


@dataclass(frozen=True)
class _Quoted:
    ticket_id: int | None = None  # of a ticket that the room numbers
    by_bot: bool = False
    told: tuple[str, ...] = ()  # ticket numbers of the bot's message that is quoted


def _quoted(
    session: Session, message: InboxMessage, room: RoomInfo, shown: Sequence[tuple[int, Known]], bot_name: str
) -> _Quoted:
    """What the quoted message is about: found by its id, else by its words."""
    quote, split = message.quote or {}, quotes.split(message.text)
    text, sender = quote.get("text") or split.text or "", quote.get("sender") or split.sender or ""
    by_bot = bool(sender) and sender == bot_name
    if quote.get("id"):
        told = tickets.of_outbox(session, room.id, quote["id"])
        if told:
            return _Quoted(_only(t for _, t in shown if t.no in told), True, tuple(told))
        source = inbox.find(
            session, channel=message.channel, channel_room_id=message.channel_room_id, message_id=quote["id"]
        )
        if source is not None:
            parts = {ticket.id for ticket, _ in tickets.parts_of_message(session, source.id or 0)}
            return _Quoted(_only(t for _, t in shown if t.id in parts), by_bot)
    return _quoted_by_words(session, room, shown, text, by_bot) if text else _Quoted(by_bot=by_bot)


def _quoted_by_words(
    session: Session, room: RoomInfo, shown: Sequence[tuple[int, Known]], text: str, by_bot: bool
) -> _Quoted:
    """Gateways without message ids: the words decide, the bot's own message first."""
    wanted = "".join(text.split())
    if len(wanted) >= 4:
        said = ((row, "".join(row.text.split())) for row in outbox.recent_of_room(session, room.id))
        told = tuple(
            dict.fromkeys(
                no
                for row, words in said
                if words.startswith(wanted[:60]) or wanted.startswith(words[:60])
                for no in row.tickets
            )
        )
        ours = [ticket for _, ticket in shown if ticket.no in told]
        if len(ours) == 1 or (not ours and len(told) == 1):
            return _Quoted(_only(ours), True, told)
        found = _only(ticket for _, ticket in shown if wanted[:60] in "".join(ticket.text.split()))
        if found is not None:
            return _Quoted(found, by_bot)
    if by_bot and (number := _NUMBER_OF_PROMPT.match(text)):
        return _Quoted(_only(ticket for short, ticket in shown if short == int(number.group(1))), True)
    return _Quoted(by_bot=by_bot)


def _only(found: Iterable[Known]) -> int | None:
    """The id of the one ticket found; None for none and for several."""
    ids = [ticket.id for ticket in found]
    return ids[0] if len(ids) == 1 else None


def _stranger(session: Session, ctx: Context, room: RoomInfo, quote: _Quoted) -> Ticket | None:
    """The ticket of a notice that the bot posted to a room of the centre, which has no number for it."""
    if quote.ticket_id is not None or len(quote.told) != 1 or not _is_centre(ctx, room):
        return None
    return tickets.by_no(session, quote.told[0])


def _just_asked(session: Session, message: InboxMessage) -> tuple[str, int | None] | None:
    """The bot's question to this sender's last message, if it is still open: the act, and the ticket's id."""
    rows = inbox.recent_of_sender(
        session,
        room_id=message.room_id or 0,
        sender_name=message.sender_name,
        since=message.sent_at - QUESTION_OPEN,
        until=message.sent_at,
        before_id=message.id or 0,
    )
    return outbox.question_about(session, rows[-1].id or 0) if rows else None
