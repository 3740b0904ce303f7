"""The rota changed in the group: 今晚李四值班, 明天张三替李四. By a leader of the unit, with a confirmation."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from handlers import texts
from handlers.commands import Answer
from handlers.context import LEADERS
from handlers.errors import AskBack, IllegalMove, NotAllowed
from handlers.policy import BEIJING
from handlers.reading import duty_words
from handlers.speaking import say
from storage import people
from storage.enums import SayKind
from storage.tables import Duty


def set_duty(session: Session, answer: Answer, *, now: datetime) -> bool:
    """Write a dated line of the rota. Raises NotAllowed for anyone but a leader of the room's unit."""
    ctx, member, room = answer.ctx, answer.speaker.member, answer.room
    if room is None or member is None or member.role not in LEADERS or member.unit_id != room.unit_id:
        raise NotAllowed(texts.only_leader_duty())
    unit = ctx.district.unit_by_id[room.unit_id]
    today = answer.at.astimezone(BEIJING).date()
    told = duty_words.parse(answer.message.text, ctx.district.entries_of.get(room.unit_id, ()), today, me=member.name)
    if told is None:
        raise AskBack(texts.name_the_member())
    everyone = {m.name: m for m in ctx.district.members_of.get(room.unit_id, ())}
    if told.who not in everyone:
        raise IllegalMove(texts.not_in_unit(told.who, unit.name))
    ready = [everyone[told.who]]
    if told.replaces:  # the others on duty then stay on duty
        start = told.start.replace(tzinfo=BEIJING)
        ready += [m for m in ctx.district.on_duty(room.unit_id, start) if m.name not in (told.who, told.replaces)]
    day = told.start.date()
    while datetime.combine(day, told.start.time()) < told.end:
        for each in ready:
            session.add(
                Duty(
                    unit_id=room.unit_id,
                    member_id=each.id,
                    day=day,
                    starts=told.start.time(),
                    ends=told.end.time(),
                    source=f"group: {member.name}",
                )
            )
        day += timedelta(days=1)
    people.touch_roster(session)
    say(
        session,
        ctx,
        room=room,
        kind=SayKind.CONFIRMATION,
        text=texts.duty_set(member=told.who, when=told.when),
        key=f"{answer.key}:duty",
        now=now,
        mentions=[told.who],
    )
    return False
