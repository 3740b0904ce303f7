"""The inbox: stored once, taken in order, parked when understanding keeps failing."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, true, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from storage import remembered
from storage.enums import InboxState, MessageType
from storage.tables import InboxMessage

TWIN = "twin:"  # `became` of a message that another account in the room heard first, before that row's id


def insert_or_nothing(session: Session, table: Any, values: Sequence[dict[str, Any]]) -> int:
    """Insert rows, leaving out those that a unique constraint already holds; how many were new."""
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = make(table).on_conflict_do_nothing().returning(*table.__table__.primary_key)
    # What came back is counted: PostgreSQL's driver tells no row count for such an insert.
    return sum(len(session.execute(statement.values(row)).all()) for row in values)


def add_once(session: Session, messages: Sequence[dict[str, Any]]) -> set[tuple[str, str]]:
    """Store messages of one account, in their order; room and message id of those that were new.

    An id seen before in its room is left out.
    """
    if not messages:
        return set()
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        make(InboxMessage)
        .on_conflict_do_nothing()
        .returning(col(InboxMessage.channel_room_id), col(InboxMessage.message_id))
    )
    values = [{"state": InboxState.NEW, "attempts": 0, **message} for message in messages]
    return {(room, message_id) for room, message_id in session.execute(statement, values)}


def waiting(session: Session, limit: int) -> list[InboxMessage]:
    """The oldest messages that wait, only looked at."""
    return list(session.exec(_oldest(limit)).all())


def _oldest(limit: int) -> SelectOfScalar[InboxMessage]:
    return select(InboxMessage).where(InboxMessage.state == InboxState.NEW).order_by(col(InboxMessage.id)).limit(limit)


def take(session: Session, limit: int, *, now: datetime, only: Collection[int] | None = None) -> list[InboxMessage]:
    """The oldest messages that wait, in the order they were stored; with `only`, those of these ids.

    On PostgreSQL the rows are locked, so that two processes never take the same one.
    """
    query = _oldest(limit)
    if only is not None:
        query = query.where(col(InboxMessage.id).in_(only))
    if session.get_bind().dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return list(session.exec(query).all())


def settle(session: Session, message: InboxMessage, *, became: str | None) -> None:
    message.state = InboxState.DONE
    message.became = became
    message.error = None
    session.add(message)
    said: _Said | None = remembered.peek(session, _said_key(message.room_id or 0, message.sender_name))
    if said is not None and message.sent_at >= said.since:
        said.rows.append(message)


def note_failure(session: Session, inbox_id: int, *, error: str, attempts_allowed: int) -> bool:
    """Count a failed try; True when the row is now parked."""
    message = session.get_one(InboxMessage, inbox_id)
    message.attempts += 1
    message.error = error[-4000:]
    if message.attempts >= attempts_allowed:
        message.state = InboxState.PARKED
    session.add(message)
    return message.state is InboxState.PARKED


def find(session: Session, *, channel: str, channel_room_id: str, message_id: str) -> InboxMessage | None:
    """A message by its id in its room; what a second account heard stands for what was heard first."""
    found = session.exec(
        select(InboxMessage).where(
            InboxMessage.channel == channel,
            InboxMessage.channel_room_id == channel_room_id,
            InboxMessage.message_id == message_id,
        )
    ).first()
    if found is not None and found.became and found.became.startswith(TWIN):
        return session.get(InboxMessage, int(found.became.removeprefix(TWIN)))
    return found


def recent_of_sender(
    session: Session,
    *,
    room_id: int,
    sender_name: str,
    since: datetime,
    until: datetime,
    before_id: int,
) -> list[InboxMessage]:
    """What a sender said in a room within a time, oldest first, without the message `before_id` and later ones."""
    said: _Said | None = remembered.peek(session, _said_key(room_id, sender_name))
    if said is None or said.since > since:
        said = _Said(since, _said_since(session, [(room_id, sender_name)], since))
        remembered.keep(session, _said_key(room_id, sender_name), said, of=())
    found = [row for row in said.rows if since <= row.sent_at <= until and (row.id or 0) < before_id]
    return sorted(found, key=lambda row: (row.sent_at, row.id))


class _Said(NamedTuple):
    """What a sender said in a room since a time; `settle` adds to it."""

    since: datetime
    rows: list[InboxMessage]


def _said_key(room_id: int, sender_name: str) -> tuple[str, int, str]:
    return ("said", room_id, sender_name)


_SAID_SINCE = (
    select(InboxMessage)
    .where(
        tuple_(col(InboxMessage.room_id), col(InboxMessage.sender_name)).in_(bindparam("senders", expanding=True)),
        InboxMessage.sent_at >= bindparam("since"),
        InboxMessage.state == InboxState.DONE,
    )
    .order_by(col(InboxMessage.id))
)


def _said_since(session: Session, senders: Sequence[tuple[int, str]], since: datetime) -> list[InboxMessage]:
    return list(session.exec(_SAID_SINCE, params={"senders": senders, "since": since}).all())


def recall_senders(session: Session, senders: Collection[tuple[int, str]], since: datetime) -> None:
    """Read at once what several senders (room, name) said since a time, for `recent_of_sender` to find."""
    said = {sender: _Said(since, []) for sender in senders}
    for row in _said_since(session, list(senders), since):
        said[row.room_id or 0, row.sender_name].rows.append(row)
    for (room_id, sender_name), rows in said.items():
        remembered.keep(session, _said_key(room_id, sender_name), rows, of=())


_SAME_TEXT = (
    select(InboxMessage)
    .where(
        InboxMessage.room_id == bindparam("room_id"),
        InboxMessage.sent_at >= bindparam("since"),
        InboxMessage.sent_at <= bindparam("until"),
        InboxMessage.text == bindparam("text"),
        col(InboxMessage.id) < bindparam("before_id"),
        col(InboxMessage.type).in_([MessageType.TEXT, MessageType.URL, MessageType.CHAT_HISTORY]),
    )
    .order_by(col(InboxMessage.id).desc())
)


def same_text(
    session: Session, *, room_id: int, text: str, since: datetime, until: datetime, before_id: int
) -> list[InboxMessage]:
    """Messages with exactly this text in a room within a time, newest first."""
    given = {"room_id": room_id, "text": text, "since": since, "until": until, "before_id": before_id}
    return list(session.exec(_SAME_TEXT, params=given).all())


def twin(session: Session, message: InboxMessage, room_id: int) -> InboxMessage | None:
    """The same message as another account in the same room heard it; ids differ, the stamp is WeChat's own."""
    second = timedelta(seconds=1)
    return session.exec(
        select(InboxMessage).where(
            InboxMessage.room_id == room_id,
            InboxMessage.sender_name == message.sender_name,
            InboxMessage.sent_at >= message.sent_at - second,
            InboxMessage.sent_at <= message.sent_at + second,
            InboxMessage.channel != message.channel,
            InboxMessage.type == message.type,
            InboxMessage.text == message.text,
            InboxMessage.state == InboxState.DONE,
            col(InboxMessage.became).is_(None) | col(InboxMessage.became).not_like(f"{TWIN}%"),
        )
    ).first()


def first_of(session: Session, message: InboxMessage, room_id: int) -> InboxMessage | None:
    """The same words of the same sender with the same stamp, heard before by the same account under another id."""
    return session.exec(
        select(InboxMessage)
        .where(
            InboxMessage.room_id == room_id,
            InboxMessage.sender_name == message.sender_name,
            InboxMessage.sent_at == message.sent_at,
            InboxMessage.channel == message.channel,
            InboxMessage.text == message.text,
            col(InboxMessage.id) < (message.id or 0),
        )
        .order_by(col(InboxMessage.id))
    ).first()


def own_echo(session: Session, *, channel_room_id: str, text: str, since: datetime) -> InboxMessage | None:
    """Our own message as the gateway echoed it; it proves that a send of unknown outcome arrived.

    The echo carries the @ names before the text, and of a cut text only the first part; so the beginning decides.
    """
    wanted = "".join(text.split())[:80]
    echoes = session.exec(
        select(InboxMessage).where(
            InboxMessage.channel_room_id == channel_room_id,
            col(InboxMessage.is_self) == true(),
            InboxMessage.received_at >= since,
        )
    ).all()
    return next((echo for echo in echoes if wanted in "".join(echo.text.split())), None)


def heard_by(
    session: Session, *, channel: str, channel_room_id: str, text: str, since: datetime
) -> InboxMessage | None:
    """What another account of ours said, as this one heard it lately: to this one it is somebody else's message."""
    wanted = "".join(text.split())[:80]
    latest = session.exec(
        select(InboxMessage)
        .where(InboxMessage.channel == channel, InboxMessage.channel_room_id == channel_room_id)
        .order_by(col(InboxMessage.id).desc())
        .limit(200)
    ).all()
    return next((m for m in latest if m.received_at >= since and wanted in "".join(m.text.split())), None)


def requeue(session: Session, inbox_id: int) -> bool:
    """Give a parked row another chance (an operator's command)."""
    done = session.execute(
        update(InboxMessage)
        .where(col(InboxMessage.id) == inbox_id, col(InboxMessage.state) == InboxState.PARKED)
        .values(state=InboxState.NEW, attempts=0)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def count_in(session: Session, state: InboxState) -> int:
    return session.exec(select(func.count()).select_from(InboxMessage).where(InboxMessage.state == state)).one()


def first_sent(session: Session) -> datetime | None:
    return session.exec(select(func.min(InboxMessage.sent_at))).one()


def newest(session: Session) -> InboxMessage | None:
    """The message that came last."""
    return session.exec(select(InboxMessage).order_by(col(InboxMessage.id).desc()).limit(1)).first()


def files(session: Session) -> list[str]:
    """Where the files of the groups lie that messages refer to."""
    return [name for name in session.exec(select(InboxMessage.file).where(col(InboxMessage.file).is_not(None))) if name]


def waits_since(session: Session) -> datetime | None:
    """When the message was received that waits longest to be understood."""
    oldest = select(func.min(InboxMessage.id)).where(InboxMessage.state == InboxState.NEW).scalar_subquery()
    return session.exec(select(InboxMessage.received_at).where(InboxMessage.id == oldest)).first()
