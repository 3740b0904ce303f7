"""Questions to the bot: what waits, what is mine, how is number 12, help, the digest. Answers are masked and short."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from handlers import texts
from handlers.commands import Answer
from handlers.dispatching import shown_place
from handlers.policy import BEIJING
from handlers.reading.views import Act
from handlers.speaking import say
from storage import tickets
from storage.digests import latest_text
from storage.enums import AssignmentStatus, DigestKind, SayKind, UnitKind
from storage.tables import Assignment, Ticket

LIMIT = 600  # characters of one message; longer ones fail or are cut in WeChat
LINES = 12  # of a list in the group; more is counted and linked


def answer_question(session: Session, answer: Answer, *, now: datetime) -> bool:
    """Answer in the room, or in the private chat where it was asked."""
    match answer.intent.act:
        case Act.HELP:
            text = texts.help_text(answer.speaker.member.role if answer.speaker.member else None)
        case Act.STATUS:
            text = _status(session, answer)
        case Act.DAILY:
            text = latest_text(session, DigestKind.DAILY) or texts.no_digest_yet()
        case Act.MINE:
            text = _list(session, answer, mine=True, now=now)
        case _:
            text = _list(session, answer, mine=False, now=now)
    say(
        session,
        answer.ctx,
        room=answer.room,
        kind=SayKind.REPLY,
        text=text[:LIMIT],
        key=f"{answer.key}:reply",
        now=now,
        to_contact=answer.message.sender_id if answer.room is None else None,
        account=answer.message.channel if answer.room is None else None,
        to_member_id=answer.speaker.member.id if answer.room is None and answer.speaker.member else None,
    )
    return False  # an answer changes nothing


def _unit_of(answer: Answer) -> int | None:
    """Whose list is meant: the room's unit; in the centre's rooms and in private the speaker's own."""
    district = answer.ctx.district
    if answer.room and district.room_kind(answer.room) in (UnitKind.TOWN, UnitKind.AGENCY):
        return answer.room.unit_id
    return answer.speaker.member.unit_id if answer.speaker.member else None


def _list(session: Session, answer: Answer, *, mine: bool, now: datetime) -> str:
    district = answer.ctx.district
    unit_id = _unit_of(answer)
    if unit_id is None:
        return texts.unknown_sender(answer.speaker.shown)
    kind = district.unit_by_id[unit_id].kind
    everywhere = kind in (UnitKind.DISPATCH, UnitKind.SUPERVISION)
    if everywhere:
        rows = tickets.waiting_everywhere(session)
    else:
        rows = tickets.waiting_of_unit(session, unit_id)
    if mine:
        me = answer.speaker.member.id if answer.speaker.member else None
        rows = [(duty, ticket) for duty, ticket in rows if me is not None and duty.owner_id == me]
    if not rows:
        return texts.nothing_waiting()
    lines = [_line(answer, duty, ticket, now, everywhere=everywhere) for duty, ticket in rows[:LINES]]
    while len("\n".join(lines)) > LIMIT - 60:
        lines.pop()
    if len(lines) < len(rows):
        lines.append(texts.and_more(len(rows) - len(lines), answer.ctx.page_url))
    return "\n".join(lines)


def _line(answer: Answer, duty: Assignment, ticket: Ticket, now: datetime, *, everywhere: bool) -> str:
    """One duty: by its number in its unit's room, in the centre's rooms by the ticket's number there, with the unit."""
    district = answer.ctx.district
    owner = district.member_by_id.get(duty.owner_id or 0)
    waiting = duty.status is AssignmentStatus.WAITING
    state = texts.todo_waiting(duty.due_at, now) if waiting else texts.todo_owned(owner.name if owner else "")
    return texts.todo_line(
        short=answer.short(ticket.id) if everywhere else duty.short,
        no=ticket.no,
        unit=district.unit_by_id[duty.unit_id].name if everywhere else None,
        urgency=ticket.urgency,
        category=ticket.category,
        place=shown_place(ticket),
        state=state,
    )


def _status(session: Session, answer: Answer) -> str:
    intent = answer.intent
    if intent.targets:
        ticket: Ticket | None = session.get(Ticket, answer.tickets[intent.targets[0]])
    elif intent.number:
        ticket = tickets.by_no(session, intent.number) or tickets.by_order_no(session, intent.number)
    else:
        ticket = None
    if ticket is None:
        if intent.unknown_number is not None:
            return texts.no_such_number(intent.unknown_number)
        return texts.no_such_ticket(intent.number or "")
    duty = tickets.lead_of(session, ticket.id or 0)
    district = answer.ctx.district
    if duty and not _may_see(answer, ticket, duty):
        return texts.no_such_ticket(intent.number or "")
    owner = district.member_by_id.get(duty.owner_id or 0) if duty else None
    seconds = int((duty.accepted_at - duty.dispatched_at).total_seconds()) if duty and duty.accepted_at else None
    line = texts.status_line(
        no=ticket.no,
        short=answer.short(ticket.id),
        status=ticket.status.value,
        unit=district.unit_by_id[duty.unit_id].name if duty else "待定单位",
        owner=owner.name if owner else None,
        seconds=seconds,
    )
    created = ticket.created_at.astimezone(BEIJING)
    return f"{line}\n{created:%m月%d日%H:%M}上报｜{ticket.category}"


def _may_see(answer: Answer, ticket: Ticket, duty: Assignment) -> bool:
    """A number of the room may be asked for by everyone in it; a full number only by its units or the centres."""
    if answer.intent.targets:
        return True
    member = answer.speaker.member
    if member is None:
        return False
    kind = answer.ctx.district.unit_by_id[member.unit_id].kind
    return kind in (UnitKind.DISPATCH, UnitKind.SUPERVISION) or member.unit_id in (ticket.unit_id, duty.unit_id)
