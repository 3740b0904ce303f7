"""The outbox: said once by its key, sent in order of priority, its outcome kept."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update
from sqlmodel import Session, col, func, select

from storage.enums import OutboxState, SayKind
from storage.tables import OutboxMessage

_BY_KEY = select(OutboxMessage.id).where(OutboxMessage.dedup_key == bindparam("key"))


def exists(session: Session, dedup_key: str) -> bool:
    return session.exec(_BY_KEY, params={"key": dedup_key}).first() is not None


def add(session: Session, **values: Any) -> OutboxMessage:
    row = OutboxMessage(**values)
    session.add(row)
    return row


def said_lately(session: Session, *, room_id: int | None, text: str, since: datetime) -> bool:
    """Whether a room was told exactly this since a time."""
    return (
        session.exec(
            select(OutboxMessage.id).where(
                OutboxMessage.room_id == room_id,
                OutboxMessage.created_at >= since,
                OutboxMessage.text == text,
            )
        ).first()
        is not None
    )


def is_ours(session: Session, *, room_id: int, text: str, since: datetime) -> bool:
    """Whether a text of a room is something that the bot said there since a time, with or without @ before it."""
    heard = "".join(text.split())
    rows = session.exec(
        select(OutboxMessage.text).where(
            OutboxMessage.room_id == room_id, OutboxMessage.created_at >= since, OutboxMessage.attempts > 0
        )
    ).all()
    return any("".join(said.split())[:80] in heard for said in rows)


def pending(
    session: Session, *, now: datetime, limit: int, account: str, rooms: Collection[int]
) -> list[OutboxMessage]:
    """What an account may send now into `rooms` and privately: priority first, then the order of saying.

    What was said in the future was said before the clock was set back; it does not wait for that time to come again.
    """
    ready = (col(OutboxMessage.not_before) <= now) | (col(OutboxMessage.created_at) > now)
    query = select(OutboxMessage).where(OutboxMessage.state == OutboxState.PENDING, ready)
    private = col(OutboxMessage.room_id).is_(None) & (func.coalesce(OutboxMessage.account, account) == account)
    query = query.where(col(OutboxMessage.room_id).in_(rooms) | private)
    query = query.order_by(col(OutboxMessage.priority), col(OutboxMessage.id)).limit(limit)
    if session.get_bind().dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return list(session.exec(query).all())


_OF_ASSIGNMENT = select(OutboxMessage).where(
    OutboxMessage.assignment_id == bindparam("assignment_id"),
    col(OutboxMessage.state).in_(bindparam("states", expanding=True)),
)


def of_assignment(session: Session, assignment_id: int, states: Collection[OutboxState]) -> list[OutboxMessage]:
    """What is or was to be said of a duty, in these states."""
    return list(session.exec(_OF_ASSIGNMENT, params={"assignment_id": assignment_id, "states": list(states)}).all())


def in_state(session: Session, state: OutboxState) -> list[OutboxMessage]:
    return list(
        session.exec(select(OutboxMessage).where(OutboxMessage.state == state).order_by(col(OutboxMessage.id))).all()
    )


def drop_unsent(session: Session, *, assignment_id: int, kinds: Sequence[SayKind]) -> bool:
    """Drop messages of a duty that are overtaken or answered, and those that would be said again; True if any was."""
    unsent = [
        row.id
        for row in of_assignment(session, assignment_id, [OutboxState.PENDING, OutboxState.UNKNOWN])
        if row.parts_sent == 0 and row.kind in kinds
    ]
    if unsent:
        session.execute(
            update(OutboxMessage).where(col(OutboxMessage.id).in_(unsent)).values(state=OutboxState.DROPPED)
        )
    return bool(unsent)


def oldest_pending(session: Session) -> datetime | None:
    return session.exec(
        select(func.min(OutboxMessage.created_at)).where(
            col(OutboxMessage.state).in_([OutboxState.PENDING, OutboxState.SENDING, OutboxState.UNKNOWN])
        )
    ).one()


def next_not_before(session: Session) -> datetime | None:
    return session.exec(
        select(func.min(OutboxMessage.not_before)).where(OutboxMessage.state == OutboxState.PENDING)
    ).one()


def recent_of_room(session: Session, room_id: int, limit: int = 100) -> list[OutboxMessage]:
    """What the bot said in a room about tickets, newest first, without what was blanked."""
    return list(
        session.exec(
            select(OutboxMessage)
            .where(OutboxMessage.room_id == room_id, col(OutboxMessage.blanked_at).is_(None))
            .order_by(col(OutboxMessage.id).desc())
            .limit(limit)
        ).all()
    )


def last_sent_into(session: Session, *, room_id: int, account: str, since: datetime) -> list[OutboxMessage]:
    """What an account said last in a room since a time: one message, which may be several rows."""
    rows = session.exec(
        select(OutboxMessage).where(
            OutboxMessage.room_id == room_id,
            OutboxMessage.taken_by == account,
            OutboxMessage.state == OutboxState.SENT,
            col(OutboxMessage.sent_at) >= since,
        )
    ).all()
    last = max((row.sent_at for row in rows if row.sent_at), default=None)
    return [row for row in rows if row.sent_at == last]


def question_about(session: Session, inbox_id: int) -> tuple[str, int | None] | None:
    """The question asked about a message: its act and ticket id, from the key `message:ID:question:ACT:TICKET`."""
    prefix = f"message:{inbox_id}:question:"
    key = session.exec(select(OutboxMessage.dedup_key).where(col(OutboxMessage.dedup_key).startswith(prefix))).first()
    if key is None:
        return None
    act, _, ticket = key[len(prefix) :].partition(":")
    return act, int(ticket) if ticket else None


def last_about(session: Session, room_id: int, ticket_no: str) -> OutboxMessage | None:
    """The bot's latest sent message in a room about a ticket."""
    rows = session.exec(
        select(OutboxMessage)
        .where(OutboxMessage.room_id == room_id, OutboxMessage.state == OutboxState.SENT)
        .order_by(col(OutboxMessage.sent_at).desc(), col(OutboxMessage.id).desc())
    ).all()
    return next((row for row in rows if ticket_no in row.tickets), None)


def last_id(session: Session) -> int:
    """The newest row's id; 0 where there is none."""
    return session.exec(select(func.max(OutboxMessage.id))).one() or 0
