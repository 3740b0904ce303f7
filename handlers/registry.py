"""What happens with a message: one entry, and two literal tables from acts to handlers.

`handle` is called by the inbox worker inside its transaction, one savepoint per message. It says what the message
became: None means nothing (no ticket, no event, no attachment).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from handlers import asking, binding, claiming, closing, escalation, gathering, mishaps, passing, recalling, rota, texts
from handlers.commands import Answer
from handlers.context import Context
from handlers.errors import AskBack, RefusedError
from handlers.identity import say_who
from handlers.intake import take_complaints
from handlers.listening import KNOWN_FOR, READABLE, listen, listen_privately, room_of
from handlers.policy import BEIJING
from handlers.reading.views import Act
from handlers.room_memory import QUESTION_OPEN
from handlers.speaking import say
from storage import inbox, meta, outbox, room_tickets, tickets
from storage.enums import MessageType, Opinion, SayKind, Step, TicketStatus, UnitKind
from storage.tables import Assignment, InboxMessage, Ticket

DutyHandler = Callable[..., bool]

ON_DUTY: dict[Act, DutyHandler] = {
    Act.ACCEPT: claiming.accept,
    Act.ASSIGN: claiming.assign,
    Act.DECLINE: passing.decline,
    Act.WHISTLE: passing.whistle,
    Act.RESOLVE: closing.resolve,
    Act.EXTEND: closing.extend,
}

ON_TICKET: dict[Act, DutyHandler] = {
    Act.TRANSFER: passing.transfer,
    Act.KEEP: passing.keep,
    Act.AGREE: passing.agree,
    Act.REOPEN: closing.reopen,
    Act.URGE: closing.urge,
}

QUESTIONS = (Act.HELP, Act.STATUS, Act.TODO, Act.MINE, Act.DAILY)

VERBS = {
    Act.ACCEPT: "领",
    Act.ASSIGN: "指派",
    Act.DECLINE: "退",
    Act.WHISTLE: "吹哨",
    Act.RESOLVE: "办结",
    Act.EXTEND: "延期",
    Act.TRANSFER: "转",
    Act.KEEP: "维持",
    Act.AGREE: "同意",
    Act.REOPEN: "重办",
    Act.URGE: "催",
}

OTHERS_ECHO = timedelta(minutes=10)  # how late another account may hear what this bot said


def recall(session: Session, ctx: Context, messages: Sequence[InboxMessage]) -> None:
    """Read at once what the rooms and senders of a batch remember; each message alone would ask for its own."""
    heard = [(message, room) for message in messages if (room := room_of(ctx, message)) is not None]
    if not heard:
        return
    for message, room in heard:
        message.room_id = room.id
    earliest = min(message.sent_at for message, _ in heard)
    rooms = {room.id for _, room in heard}
    for today in {message.sent_at.astimezone(BEIJING).date() for message, _ in heard}:
        room_tickets.recall_rooms(session, rooms, today=today, since=earliest - KNOWN_FOR)
    senders = {(room.id, message.sender_name) for message, room in heard}
    inbox.recall_senders(session, senders, earliest - max(QUESTION_OPEN, ctx.policy.gather))


def handle(
    session: Session, ctx: Context, message: InboxMessage, *, now: datetime, opinion: Opinion | None = None
) -> str | None:
    """Understand one message and carry it out; what it became. Safe to call again after a roll-back.

    `opinion` is a language model's on a doubtful message, asked for before.
    """
    if message.is_self or message.sender_name == ctx.bot_name:
        return None
    if (lost := mishaps.content_lost(session, ctx, message, now=now)) is not None:
        return lost
    if message.channel_room_id == "":
        return _private(session, ctx, message, now=now)
    room = room_of(ctx, message)
    if room is None:
        return _unbound(session, ctx, message, now=now)
    if message.room_id != room.id:  # else it is in the session's list of changes for nothing
        message.room_id = room.id
    if ctx.district.heard_twice(room.id):
        if (twin := inbox.twin(session, message, room.id)) is not None:
            return f"{inbox.TWIN}{twin.id}"
        since = message.sent_at - OTHERS_ECHO
        if outbox.is_ours(session, room_id=room.id, text=message.text, since=since):
            return None  # what the other account's bot said
    if (copy := mishaps.came_before(session, message, room)) is not None:
        return copy
    if message.type is MessageType.RECALL:
        return recalling.recall(session, ctx, message, room, now=now)
    if message.type not in READABLE:
        return gathering.take_media(session, ctx, message, room, now=now)
    heard = listen(session, ctx, message, room, now=now, opinion=opinion)
    if heard.intent is not None:
        answer = Answer(message, room, heard.speaker, heard.intent, heard.views, heard.ticket_ids, ctx=ctx)
        became = [_answer(session, ctx, answer, now=now)]
        for part, intent in enumerate(heard.further, 1):
            became.append(_answer(session, ctx, replace(answer, intent=intent, part=part), now=now))
        return ",".join(filter(None, became)) or None
    if heard.reading.supplement:
        ticket = gathering.current_ticket(session, ctx, message, room)
        if ticket is not None:
            return gathering.add_words(session, ctx, ticket, message, heard.whole or heard.reading, now=now)
    if heard.reading.complaints:
        return take_complaints(session, ctx, message, room, heard.speaker, heard.reading, heard.before, now=now)
    if heard.speaker.member is not None:
        mishaps.ask_for_the_rest(session, ctx, message, room, now=now)
    return None


def _unbound(session: Session, ctx: Context, message: InboxMessage, *, now: datetime) -> str | None:
    """A room that is nobody's is ignored, with one warning; an administrator may bind it from inside."""
    meta.warn_once(
        session,
        key=f"room-ignored:{message.channel}:{message.channel_room_id}",
        text=f"messages of room {message.channel_room_id} are ignored: no unit has it",
        now=now,
    )
    if message.type is MessageType.TEXT and message.text.strip().startswith("绑定"):
        heard = listen_privately(session, ctx, message, now=now)
        if heard.intent is not None and heard.intent.act is Act.BIND:
            answer = Answer(message, None, heard.speaker, heard.intent, ctx=ctx)
            try:
                binding.bind_here(session, ctx, answer, now=now)
            except RefusedError as refusal:
                meta.warn_once(session, key=f"bind-refused:{message.id}", text=f"绑定 refused: {refusal}", now=now)
    return None


def _private(session: Session, ctx: Context, message: InboxMessage, *, now: datetime) -> str | None:
    """A private chat: questions of a member are answered there; nothing else is."""
    if message.type is not MessageType.TEXT:
        return None
    heard = listen_privately(session, ctx, message, now=now)
    if heard.speaker.member is None or heard.intent is None or heard.intent.act not in QUESTIONS:
        return None
    answer = Answer(message, None, heard.speaker, heard.intent, ctx=ctx)
    asking.answer_question(session, answer, now=now)
    return None


# ---- answers ---------------------------------------------------------------------------------------------------------


def _answer(session: Session, ctx: Context, answer: Answer, *, now: datetime) -> str | None:
    """Carry out an answer; what is refused or missing is said in one line and changes nothing."""
    intent = answer.intent
    try:
        with session.begin_nested():
            changed = _carry_out(session, ctx, answer, now=now)
    except RefusedError as refusal:
        if answer.speaker.ambiguous and answer.intent.explicit:
            _tell_once_who(session, answer, str(refusal), now=now)
        elif _may_be_told(answer):
            _reply(session, answer, SayKind.REFUSAL, str(refusal), now=now)
        return None
    except AskBack as question:
        asked = answer.tickets[intent.targets[0]] if len(intent.targets) == 1 else ""
        _reply(session, answer, SayKind.QUESTION, str(question), now=now, about=f":{intent.act.value}:{asked}")
        return None
    return intent.act.value if changed else None


def _may_be_told(answer: Answer) -> bool:
    """A mere remark of somebody who may not act is chatter; a command is told who may."""
    return answer.intent.explicit or answer.speaker.member is not None


def _tell_once_who(session: Session, answer: Answer, refusal: str, *, now: datetime) -> None:
    """Somebody whose name fits several people is told once in his room how to mend it, not at every word."""
    room = answer.room.id if answer.room else ""
    key = f"ambiguous:{room}:{answer.message.sender_id}:{answer.speaker.shown}"
    say(session, answer.ctx, room=answer.room, kind=SayKind.REFUSAL, text=refusal, key=key, now=now)


def _reply(session: Session, answer: Answer, kind: SayKind, text: str, *, now: datetime, about: str = "") -> None:
    """Answer the speaker; a question's key says what it is about, so that a bare answer to it is understood."""
    say(
        session,
        answer.ctx,
        room=answer.room,
        kind=kind,
        text=text,
        key=f"{answer.key}:{kind.value}{about}",
        now=now,
        mentions=[answer.speaker.name] if answer.speaker.member else [],
    )


def _carry_out(session: Session, ctx: Context, answer: Answer, *, now: datetime) -> bool:
    intent = answer.intent
    if intent.act in QUESTIONS:
        return asking.answer_question(session, answer, now=now)
    if intent.act is Act.DUTY and not intent.explicit:
        return False  # a greeting that tells who is on duty orders nothing
    if intent.act is Act.DUTY:
        return rota.set_duty(session, answer, now=now)
    if intent.act is Act.BIND:
        return binding.bind_here(session, ctx, answer, now=now)
    if intent.act is Act.CALL_BACK:
        return _call_back(session, ctx, answer, now=now)
    if answer.speaker.member is None and intent.explicit:
        raise RefusedError(say_who(answer.speaker))
    if intent.every and len(intent.targets) > 1:
        return _each(session, ctx, answer, now=now)
    target = _target(session, answer)
    if target is None:
        return False
    ticket, duty = target
    if intent.act in ON_TICKET:
        return ON_TICKET[intent.act](session, answer, ticket, now=now)
    if duty is None:
        raise RefusedError(texts.nothing_to_decide(answer.number(ticket)))
    changed = ON_DUTY[intent.act](session, answer, ticket, duty, now=now)
    if changed and intent.act is Act.RESOLVE:
        gathering.evidence_before(session, ctx, ticket, answer.message)
    return changed


def _each(session: Session, ctx: Context, answer: Answer, *, now: datetime) -> bool:
    """`领1、3`: each of them; what is refused of one does not keep the others from being done."""
    changed, refused = False, []
    for index in answer.intent.targets:
        one = replace(answer, intent=replace(answer.intent, targets=(index,), every=False))
        try:
            with session.begin_nested():
                changed |= _carry_out(session, ctx, one, now=now)
        except RefusedError as refusal:
            refused.append(str(refusal))
    if refused:
        _reply(session, answer, SayKind.REFUSAL, "；".join(refused), now=now)
    return changed


def _target(session: Session, answer: Answer) -> tuple[Ticket, Assignment | None] | None:
    """The one ticket that is meant, and this room's duty on it. Asks back when several can be meant."""
    intent = answer.intent
    if not intent.targets:
        if intent.unknown_number is not None:
            raise RefusedError(texts.no_such_number(intent.unknown_number))
        if intent.number:
            raise RefusedError(texts.no_such_ticket(intent.number))
        return None
    numbers = [answer.views[index].short or answer.views[index].no for index in intent.targets]
    if intent.unsure:
        raise AskBack(texts.is_it_this(numbers[0], VERBS[intent.act]))
    if len(numbers) > 1:
        raise AskBack(texts.which_one(numbers, VERBS[intent.act]))
    ticket = session.get_one(Ticket, answer.tickets[intent.targets[0]])
    return ticket, _duty_here(session, answer, ticket)


def _duty_here(session: Session, answer: Answer, ticket: Ticket) -> Assignment | None:
    """The duty that the room of the answer has on a ticket; in the centre's rooms the lead duty."""
    room, district = answer.room, answer.ctx.district
    if room is not None and district.room_kind(room) in (UnitKind.TOWN, UnitKind.AGENCY):
        return tickets.duty_of_unit(session, ticket.id or 0, room.unit_id)
    member = answer.speaker.member
    own = tickets.duty_of_unit(session, ticket.id or 0, member.unit_id) if member else None
    return own or tickets.lead_of(session, ticket.id or 0)


def _call_back(session: Session, ctx: Context, answer: Answer, *, now: datetime) -> bool:
    """回访未解决 with the number of a resolved ticket reopens it; with no such number it is nothing."""
    number = answer.intent.number
    ticket = None
    if number:
        ticket = tickets.by_order_no(session, number) or tickets.by_no(session, number)
    elif len(answer.intent.targets) == 1:
        ticket = session.get_one(Ticket, answer.tickets[answer.intent.targets[0]])
    if ticket is None or ticket.status is not TicketStatus.RESOLVED:
        return False
    return closing.call_back(
        session,
        ctx,
        order_no=ticket.order_no or ticket.no,
        at=answer.at,
        contacted=True,
        resolved=False,
        satisfaction=None,
        source="group",
        now=now,
        inbox_id=answer.message.id,
    )


def say_prompts(session: Session, ctx: Context, *, now: datetime) -> None:
    """The prompts of new duties, in the transaction that made them."""
    while escalation.fire_due(session, ctx, now=now, steps=(Step.PROMPT,)):
        pass


def climb(session: Session, ctx: Context, *, now: datetime, limit: int) -> int:
    """The steps of all ladders that fell due; how many were taken, at most `limit`."""
    return escalation.fire_due(session, ctx, now=now, limit=limit)
