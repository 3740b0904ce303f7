"""A message is heard: who speaks, and whether it answers or complains.

Hearing only looks; `listen` also learns who speaks. So a message can be heard before its turn, to find out whether a
second opinion is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from handlers.context import Context, RoomInfo
from handlers.identity import Speaker, identify, recognise
from handlers.policy import BEIJING
from handlers.reading import complaints, orders, quotes, replies
from handlers.reading.text import fold
from handlers.reading.views import Intent, MessageView, Reading, RoomState, TicketView
from handlers.room_memory import OF_QUOTED, Memory, remember
from storage import inbox, room_tickets, tickets
from storage.enums import MessageType, Opinion, UnitKind
from storage.tables import InboxMessage

KNOWN_FOR = timedelta(days=1)  # how long a ticket's story is known to its room
READABLE = (
    MessageType.TEXT,
    MessageType.URL,
    MessageType.CHAT_HISTORY,
    MessageType.MINI_PROGRAM,
)
PLAIN_COMPLAINT = 1.0  # log-odds above which a mere remark is read as a complaint rather than an answer


@dataclass(frozen=True)
class Heard:
    speaker: Speaker
    intent: Intent | None
    reading: Reading
    whole: Reading | None = None  # with what the sender told just before, for a supplement
    views: tuple[TicketView, ...] = ()
    ticket_ids: tuple[int, ...] = ()
    before: tuple[InboxMessage, ...] = ()
    further: tuple[Intent, ...] = ()  # what the message orders besides: 领1，2退单

    @property
    def doubtful(self) -> bool:
        """No answer, nothing that adds to a complaint just told, and near to what makes a complaint."""
        return self.intent is None and self.whole is None and self.reading.doubtful


def room_of(ctx: Context, message: InboxMessage) -> RoomInfo | None:
    """The room that a message was said in, None where it is nobody's."""
    room_id = ctx.district.bound.get((message.channel, message.channel_room_id))
    return ctx.district.room_by_id.get(room_id) if room_id is not None else None


def listen(
    session: Session,
    ctx: Context,
    message: InboxMessage,
    room: RoomInfo,
    *,
    now: datetime,
    opinion: Opinion | None = None,
) -> Heard:
    """Read a message as an answer and as a complaint, and decide which it is.

    `opinion` is what a language model said of it; it counts where the rules alone are in doubt.
    """
    return _hear(session, ctx, message, room, identify(session, ctx, message, room, now=now), opinion)


def overhear(session: Session, ctx: Context, message: InboxMessage, room: RoomInfo) -> Heard:
    """How a message would be understood by the rules alone, now; changes nothing."""
    return _hear(session, ctx, message, room, recognise(ctx, message, room), None)


def _hear(
    session: Session, ctx: Context, message: InboxMessage, room: RoomInfo, speaker: Speaker, opinion: Opinion | None
) -> Heard:
    view = view_of(ctx, message, room, speaker)
    gazetteer = ctx.district.gazetteer
    memory = remember(session, ctx, message, room, view.text)
    intents = _answered(ctx, message, room, view, memory)
    intent = intents[0] if intents else None
    heard = Heard(speaker, intent, Reading(), views=memory.views, ticket_ids=memory.ids, further=intents[1:])
    if intent is not None and (intent.explicit or memory.state.quoted is not None) and not _is_order(view):
        return heard
    before = _fragments(session, ctx, message)
    known = room_tickets.recent_texts(session, room.id, message.sent_at - KNOWN_FOR)
    befores = [view_of(ctx, row, room, speaker) for row in before]
    reading = complaints.read(view, gazetteer, befores, known)
    if intent is not None and (_names_an_open_one(intent, speaker, room) or not _complains(reading)):
        return replace(heard, reading=reading)
    whole = _whole(session, ctx, message, room, view) if reading.supplement else None
    alone = Heard(speaker, None, reading, whole, before=tuple(before))
    if opinion is None or not alone.doubtful:
        return alone
    return replace(alone, reading=complaints.read(view, gazetteer, befores, known, opinion))


def _complains(reading: Reading) -> bool:
    return bool(reading.complaints) and reading.score >= PLAIN_COMPLAINT


def _names_an_open_one(intent: Intent, speaker: Speaker, room: RoomInfo) -> bool:
    """下元村污水井马上安排抽水车: a member of the unit names one ticket and says what he does about it."""
    of_unit = speaker.member is not None and speaker.member.unit_id == room.unit_id
    return of_unit and len(intent.targets) == 1 and len(intent.words) > 1 and bool(intent.words[1])


def _answered(
    ctx: Context, message: InboxMessage, room: RoomInfo, view: MessageView, memory: Memory
) -> tuple[Intent, ...]:
    """The message as an answer, or several; a full ticket number in it is read like a short one."""
    today = message.sent_at.astimezone(BEIJING).date()
    intents: tuple[Intent, ...] = ()
    if memory.text != view.text and not _is_order(view):
        intents = replies.read_all(replace(view, text=memory.text), memory.state, ctx.district.gazetteer, today)
    if not intents or not intents[0].explicit:
        intents = replies.read_all(view, memory.state, ctx.district.gazetteer, today)
    return tuple(_as_written(intent, memory) for intent in intents if not _merely_quoted(intent, memory))


def _as_written(intent: Intent, memory: Memory) -> Intent:
    full = memory.unknown.get(intent.unknown_number or 0)
    return replace(intent, unknown_number=None, number=full) if full else intent


def _merely_quoted(intent: Intent, memory: Memory) -> bool:
    """收到 under a notice in the supervision room claims nothing."""
    quoted = memory.state.quoted
    return quoted in memory.lent and intent.targets == (quoted,) and intent.act not in OF_QUOTED


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
