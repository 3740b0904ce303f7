"""Which WeChat group is whose: by exact and unique topic, else by an administrator; never by a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from handlers import texts
from handlers.commands import Answer
from handlers.context import Context
from handlers.errors import IllegalMove, NotAllowed
from handlers.speaking import say
from storage import meta, people
from storage.enums import Role, SayKind


def rooms_listed(
    session: Session, ctx: Context, *, account: str, listed: Sequence[tuple[str, str]], now: datetime
) -> list[str]:
    """Take note of the gateway's rooms as (id, topic); bind what is exact and unique. What was held, in words.

    A bound id stays bound when its topic changes. After a re-login with new ids the same topics are bound again, if
    each is unique on both sides; otherwise the room is held for an administrator.
    """
    counts = Counter(topic for _, topic in listed)
    by_topic = {room.topic: room for room in ctx.district.rooms}
    present = {channel_id for channel_id, _ in listed}
    bound = {room_id: channel_id for (acc, channel_id), room_id in ctx.district.bound.items() if acc == account}
    held: list[str] = []
    for channel_id, topic in listed:
        why = None
        if (account, channel_id) not in ctx.district.bound:
            room = by_topic.get(topic)
            if room is None:
                why = "no unit has this topic"
            elif counts[topic] > 1:
                why = "several rooms have this topic"
            elif bound.get(room.id) in present:
                why = f"the room of {topic} is bound to another id that still exists"
            else:
                people.bind_room(
                    session, account=account, channel_room_id=channel_id, room_id=room.id, now=now, by="topic"
                )
        if why and topic in by_topic:
            held.append(f"{topic}: {why}")
            meta.warn_once(session, key=f"room-held:{account}:{channel_id}", text=f"room held: {topic}: {why}", now=now)
        people.see_room(session, account=account, channel_room_id=channel_id, topic=topic, now=now, held_because=why)
    return held


def bind_here(session: Session, ctx: Context, answer: Answer, *, now: datetime) -> bool:
    """`绑定 庙城镇` typed in a room by an administrator."""
    member = answer.speaker.member
    if member is None or member.role is not Role.ADMIN:
        raise NotAllowed(texts.only_admin())
    if not answer.intent.units:
        raise IllegalMove(texts.unit_unknown(answer.intent.reason))
    unit = ctx.district.unit_by_name[answer.intent.units[0]]
    room = ctx.district.room_of_unit.get(unit.id)
    if room is None:
        raise IllegalMove(texts.unit_unknown(unit.name))
    people.bind_room(
        session,
        account=ctx.account,
        channel_room_id=answer.message.channel_room_id,
        room_id=room.id,
        now=now,
        by=member.name,
    )
    say(
        session,
        ctx,
        room=room,
        kind=SayKind.CONFIRMATION,
        text=texts.room_bound(unit.name),
        key=f"{answer.key}:bound",
        now=now,
    )
    return False
