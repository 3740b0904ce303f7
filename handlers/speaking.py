"""What the bot says becomes rows of the outbox: masked, once by its key, in order of urgency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from handlers.context import Context, RoomInfo
from handlers.privacy import mask
from storage import outbox
from storage.enums import SayKind

LADDER_KINDS = (SayKind.PROMPT, SayKind.REMINDER, SayKind.ESCALATION, SayKind.OVERDUE)

CALLS = (SayKind.PROMPT, SayKind.REMINDER, SayKind.ESCALATION)  # they ask for somebody to take a duty

# 0 goes first: what the clock depends on; then answers; digests last.
PRIORITY = {kind: 1 for kind in SayKind} | {
    SayKind.PROMPT: 0,
    SayKind.REMINDER: 0,
    SayKind.ESCALATION: 0,
    SayKind.OVERDUE: 0,
    SayKind.ALERT: 0,
    SayKind.DIGEST: 2,
}
ANSWERS = (SayKind.CONFIRMATION, SayKind.QUESTION, SayKind.REFUSAL, SayKind.NOTICE, SayKind.REPLY)


def say(
    session: Session,
    ctx: Context,
    *,
    room: RoomInfo | None,
    kind: SayKind,
    text: str,
    key: str,
    now: datetime,
    mentions: Sequence[str] = (),
    tickets: Sequence[str] = (),
    assignment_id: int | None = None,
    attachments: Sequence[str] = (),
    to_contact: str | None = None,
    to_member_id: int | None = None,
    account: str | None = None,
) -> bool:
    """Put a message into the outbox; False when it is said already.

    A private message (`to_contact`) goes through `account`, whose contact it is. `key` names what is said, not the words:
    the same key is never said twice. Answers that would repeat the very words of the last minute in the same room are left
    out (spec: tone). Every text is masked here, as the last thing before it leaves the rules. The caller commits.
    """
    if room is None and to_contact is None:
        return False
    if outbox.exists(session, key):
        return False
    masked = mask(text, keep_names=ctx.district.member_names)
    room_id = room.id if room else None
    if (
        room
        and kind in ANSWERS
        and outbox.said_lately(session, room_id=room_id, text=masked, since=now - ctx.policy.equal_messages)
    ):
        return False
    outbox.add(
        session,
        dedup_key=key,
        room_id=room_id,
        to_contact=to_contact,
        account=account,
        to_member_id=to_member_id,
        kind=kind,
        priority=PRIORITY[kind],
        text=masked,
        mentions=list(dict.fromkeys(mentions)),
        tickets=list(tickets),
        attachments=list(attachments),
        assignment_id=assignment_id,
        created_at=now,
        not_before=now,
    )
    return True


def alert_supervision(
    session: Session, ctx: Context, *, text: str, key: str, now: datetime, tickets: Sequence[str] = ()
) -> bool:
    """Tell supervision that a person must look; False when it is told already, or no such room is known."""
    room = ctx.district.supervision_room
    return say(session, ctx, room=room, kind=SayKind.ALERT, text=text, key=key, now=now, tickets=tickets)


def hush(session: Session, assignment_id: int | None) -> None:
    """Drop what still waits to be sent and asks somebody to take a duty that is taken or gone."""
    outbox.drop_unsent(session, assignment_id=assignment_id or 0, kinds=CALLS)
