"""Which WeChat group is whose: by exact and unique topic, else by an administrator; never by a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from handlers import texts
from handlers.commands import Answer
from handlers.context import Context, District, RoomInfo
from handlers.errors import IllegalMove, NotAllowed
from handlers.speaking import say
from storage import meta, people
from storage.enums import Role, SayKind
from storage.tables import Room

BY_TOPIC = "topic"  # who bound it, where nobody did


def rooms_listed(
    session: Session, ctx: Context, *, account: str, listed: Sequence[tuple[str, str]], now: datetime
) -> list[str]:
    """Take note of the gateway's rooms as (id, topic); bind what is exact and unique. What was held, in words.

    A bound id stays bound when its topic changes. After a re-login with new ids the same topics are bound again, if
    each is unique on both sides; otherwise the room is held for an administrator.
    """
    why = _bind_exact(session, ctx.district, account=account, listed=dict(listed), now=now)
    for gone in people.held_rooms(session):
        if gone.account == account and gone.channel_room_id not in why:
            gone.held_because = None  # an id of an earlier login, or a group that the account left
            session.add(gone)
    for channel_id, topic in listed:
        people.see_room(
            session, account=account, channel_room_id=channel_id, topic=topic, now=now, held_because=why[channel_id]
        )
    topics = {room.topic for room in ctx.district.rooms}
    held = [(channel_id, topic) for channel_id, topic in listed if why[channel_id] and topic in topics]
    for channel_id, topic in held:
        text = f"room held: {topic}: {why[channel_id]}"
        meta.warn_once(session, key=f"room-held:{account}:{channel_id}", text=text, now=now)
    return [f"{topic}: {why[channel_id]}" for channel_id, topic in held]


def _bind_exact(
    session: Session, district: District, *, account: str, listed: Mapping[str, str], now: datetime
) -> dict[str, str | None]:
    """Bind, of the groups by id and topic, those that are exactly and only one unit's; why each other one is not."""
    counts = Counter(listed.values())
    by_topic = {room.topic: room for room in district.rooms}
    bound = {room_id: channel_id for (acc, channel_id), room_id in district.bound.items() if acc == account}
    reasons: dict[str, str | None] = {}
    for channel_id, topic in listed.items():
        room = by_topic.get(topic)
        reasons[channel_id] = None
        if (account, channel_id) in district.bound:
            continue
        if room is None:
            reasons[channel_id] = "no unit has this topic"
        elif counts[topic] > 1:
            reasons[channel_id] = "several rooms have this topic"
        elif bound.get(room.id) in listed:
            reasons[channel_id] = f"the room of {topic} is bound to another id that still exists"
        else:
            people.bind_room(
                session, account=account, channel_room_id=channel_id, room_id=room.id, now=now, by=BY_TOPIC
            )
    return reasons


def topics_changed(session: Session, district: District, *, changed: Collection[int], now: datetime) -> list[str]:
    """Look at the bindings again after the roster gave rooms (`changed`, their ids) other topics. Notes for a clerk.

    A group that the gateway lists under the topic of another unit is not heard as this unit's any longer, and one whose
    unit now names another group that is listed gives way to it. What a person bound stays, and is told of. What had been
    seen stays seen.
    """
    notes: list[str] = []
    last = people.last_listed(session)
    for account in sorted({seen.account for seen in last}):
        listed = {seen.channel_room_id: seen.topic for seen in last if seen.account == account}
        notes += _loosened(session, district, account, listed, changed)
        district = replace(
            district, bound={(b.account, b.channel_room_id): b.room_id for b in people.bindings(session)}
        )
        reasons = _bind_exact(session, district, account=account, listed=listed, now=now)
        for seen in last:
            if seen.account == account:
                seen.held_because = reasons[seen.channel_room_id]
                session.add(seen)
    return notes


def _loosened(
    session: Session, district: District, account: str, listed: Mapping[str, str], changed: Collection[int]
) -> list[str]:
    """End the bindings by topic that the roster contradicts; tell of those by hand."""
    by_topic = {room.topic: room for room in district.rooms}
    topics = set(listed.values())
    notes = []
    for binding in people.group_bindings(session):
        topic = listed.get(binding.channel_room_id)
        if binding.account != account or topic is None:
            continue
        room, named = district.room_by_id.get(binding.room_id), by_topic.get(topic)
        if named is not None and named.id != binding.room_id:
            owner = district.unit_by_id[named.unit_id].name
        elif room and room.id in changed and topic != room.topic and room.topic in topics:
            owner = "别的单位"
        else:
            continue
        if binding.bound_by == BY_TOPIC:
            people.unbind_room(session, account=account, channel_room_id=binding.channel_room_id)
        else:
            unit = district.unit_by_id[room.unit_id].name if room else "已撤的单位"
            notes.append(
                f"群“{topic}”按花名册应归{owner}，但由{binding.bound_by}手工绑定给了{unit}，没有改动；"
                "要改请用 python -m bot rooms bind"
            )
    return notes


def room_to_bind(session: Session, unit_id: int, name: str, *, topic: str) -> Room:
    """The unit's room; one whose row names no group gets one, called as the group is, if no other unit's is."""
    rooms = people.rooms(session)
    room = next((room for room in rooms if room.unit_id == unit_id), None)
    free = topic and topic not in {room.topic for room in rooms}
    return room or people.add_room(session, unit_id=unit_id, topic=topic if free else f"{name}（未登记群名）")


def bind_here(session: Session, ctx: Context, answer: Answer, *, now: datetime) -> bool:
    """`绑定 庙城镇` typed in a room by an administrator."""
    member = answer.speaker.member
    if member is None or member.role is not Role.ADMIN:
        raise NotAllowed(texts.only_admin())
    if not answer.intent.units:
        raise IllegalMove(texts.unit_unknown(answer.intent.reason))
    unit = ctx.district.unit_by_name[answer.intent.units[0]]
    account, channel_id = answer.message.channel, answer.message.channel_room_id
    here = (s.topic for s in people.seen_rooms(session) if (s.account, s.channel_room_id) == (account, channel_id))
    row = room_to_bind(session, unit.id, unit.name, topic=next(here, ""))
    room = RoomInfo(row.id or 0, unit.id, row.topic)
    people.bind_room(
        session,
        account=account,  # that which heard it; another process may understand it
        channel_room_id=channel_id,
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
