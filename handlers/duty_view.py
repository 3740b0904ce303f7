"""Who is on duty in a unit now, and who comes next and when. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from handlers.context import District, MemberInfo
from handlers.policy import BEIJING

LOOK_AHEAD = timedelta(days=8)  # a weekly rota repeats within it


def next_on_duty(district: District, unit_id: int, now: datetime) -> tuple[datetime, list[MemberInfo]] | None:
    """The next moment at which other people are on duty, and who; None if nothing changes within eight days."""
    ready = {member.id for member in district.on_duty(unit_id, now)}
    for moment in _changes(district, unit_id, now):
        then = district.on_duty(unit_id, moment)
        if {member.id for member in then} != ready:
            return moment, then
    return None


def _changes(district: District, unit_id: int, now: datetime) -> list[datetime]:
    """When a line of the rota may begin or end, in time order."""
    clocks = {clock for line in district.duties if line.unit_id == unit_id for clock in (line.starts, line.ends)}
    today = now.astimezone(BEIJING).date()
    moments = (
        datetime.combine(today + timedelta(days=ahead), clock, BEIJING)
        for ahead in range(LOOK_AHEAD.days + 1)
        for clock in clocks
    )
    return sorted(moment for moment in moments if now < moment <= now + LOOK_AHEAD)
