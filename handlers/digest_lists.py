"""The lists of a digest: what presses, what waits, and what was passed on. Pure; numbers, units and times only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handlers.digest_counts import Tally, accepted_by, is_overdue, seconds_to_accept, state_at
from handlers.policy import BEIJING
from storage.digest_facts import Duty, Sibling
from storage.enums import AssignmentRole, AssignmentStatus, Urgency


@dataclass(frozen=True, slots=True)
class Context:
    """The window's end (exclusive), unit names by id, and the other assignments of each assignment's ticket."""

    end: datetime
    names: Mapping[int, str]
    siblings: Mapping[int, Sequence[Sibling]]

    def before(self, duty: Duty) -> Sibling | None:
        """The lead assignment of the ticket that went before this one."""
        earlier = [
            other
            for other in self.siblings.get(duty.id, ())
            if other.role is AssignmentRole.LEAD and other.id < duty.id
        ]
        return max(earlier, key=lambda other: other.id, default=None)

    def after(self, duty: Duty) -> Sibling | None:
        """The lead assignment that followed, as far as it existed at the end."""
        later = [
            other
            for other in self.siblings.get(duty.id, ())
            if other.role is AssignmentRole.LEAD and other.id > duty.id and other.dispatched_at < self.end
        ]
        return min(later, key=lambda other: other.id, default=None)

    def is_reopen(self, duty: Duty) -> bool:
        """A lead duty whose forerunner had been resolved: 重办."""
        before = self.before(duty) if duty.role is AssignmentRole.LEAD else None
        return before is not None and before.status is AssignmentStatus.RESOLVED

    def waited(self, duty: Duty) -> int:
        """Whole seconds from dispatch to the acceptance, to its end unaccepted, or to the window's end."""
        until = duty.accepted_at if accepted_by(duty, self.end) else None
        until = until or (duty.ended_at if duty.ended_at and duty.ended_at < self.end else self.end)
        return int((until - duty.dispatched_at).total_seconds())


def iso(at: datetime) -> str:
    """Beijing time, ISO 8601."""
    return at.astimezone(BEIJING).isoformat()


def _entry(duty: Duty, context: Context, *, carried: bool) -> dict[str, Any]:
    return {
        "no": duty.no,
        "unit": context.names[duty.unit_id],
        "short": duty.short,
        "role": duty.role.value,
        "urgency": duty.urgency.value,
        "category": None if duty.urgency is Urgency.SENSITIVE else duty.category,
        "state": state_at(duty, context.end).value,
        "dispatched_at": iso(duty.dispatched_at),
        "seconds": context.waited(duty),
        "minutes": context.waited(duty) // 60,
        "overdue": is_overdue(duty, context.end),
        "on_time": duty.on_time if accepted_by(duty, context.end) else None,
        "carried": carried,
    }


def waiting_list(counted: Iterable[Duty], before: Iterable[Duty], context: Context) -> list[dict[str, Any]]:
    """What nobody had accepted at the end, the longest first; `carried` came in before the window."""
    waiting = [duty for duty in counted if state_at(duty, context.end) is AssignmentStatus.WAITING]
    return [_entry(duty, context, carried=True) for duty in before] + [
        _entry(duty, context, carried=False) for duty in waiting
    ]


def urgent_list(
    counted: Iterable[Duty], before: Iterable[Duty], gists: Mapping[int, str], context: Context
) -> list[dict[str, Any]]:
    """One entry per urgent or sensitive complaint, by its latest lead duty; unaccepted first, 敏感 before 紧急.

    `gist` is masked, and null for 敏感: their text is never repeated.
    """
    latest: dict[int, tuple[Duty, bool]] = {}
    for duty, carried in [*((duty, True) for duty in before), *((duty, False) for duty in counted)]:
        known = latest.get(duty.ticket_id)
        if duty.urgency is not Urgency.NORMAL and (known is None or _weight(duty) > _weight(known[0])):
            latest[duty.ticket_id] = duty, carried
    entries = [
        {**_entry(duty, context, carried=carried), "gist": gists.get(duty.ticket_id) if _shown(duty) else None}
        for duty, carried in latest.values()
    ]
    waiting = AssignmentStatus.WAITING.value
    sensitive = Urgency.SENSITIVE.value
    return sorted(
        entries, key=lambda e: (e["state"] != waiting, e["urgency"] != sensitive, e["dispatched_at"], e["no"])
    )


def _weight(duty: Duty) -> tuple[bool, int]:
    return duty.role is AssignmentRole.LEAD, duty.id


def _shown(duty: Duty) -> bool:
    return duty.urgency is not Urgency.SENSITIVE


def decline_list(counted: Iterable[Duty], context: Context) -> list[dict[str, Any]]:
    """Declined duties: `unit` gave it back at `at`; `to` leads next, null while no unit does."""
    return _passed_on(counted, AssignmentStatus.DECLINED, context)


def transfer_list(counted: Iterable[Duty], context: Context) -> list[dict[str, Any]]:
    """Transferred duties: from `unit` to `to` at `at`."""
    return _passed_on(counted, AssignmentStatus.TRANSFERRED, context)


def _passed_on(counted: Iterable[Duty], status: AssignmentStatus, context: Context) -> list[dict[str, Any]]:
    entries = []
    for duty in counted:
        if duty.ended_at is None or state_at(duty, context.end) is not status:
            continue
        after = context.after(duty) if duty.role is AssignmentRole.LEAD else None
        entries.append(
            {
                "no": duty.no,
                "unit": context.names[duty.unit_id],
                "role": duty.role.value,
                "at": iso(duty.ended_at),
                "before_due": duty.ended_at < duty.due_at,
                "to": context.names[after.unit_id] if after else None,
            }
        )
    return entries


def reopen_list(counted: Iterable[Duty], context: Context) -> list[dict[str, Any]]:
    return [
        {"no": duty.no, "unit": context.names[duty.unit_id], "at": iso(duty.dispatched_at)}
        for duty in counted
        if context.is_reopen(duty)
    ]


def whistles(counted: Iterable[Duty], repeated: set[int], context: Context) -> dict[str, Any]:
    """吹哨报到, both sides timed: `calling` units, `answering` units, and every call in `list`.

    `repeated` are 协办 that nobody whistled for: the same order reported in a second room.
    """
    calls = [duty for duty in counted if duty.role is AssignmentRole.HELPER and duty.id not in repeated]
    calling: dict[int, dict[str, Any]] = {}
    answering: dict[int, Tally] = {}
    listed = []
    for duty in calls:
        lead = _lead_of(duty, context)
        answering.setdefault(duty.unit_id, Tally()).add(duty, context.end)
        if lead is not None:
            side = calling.setdefault(lead.unit_id, {"calls": 0, "answered": 0})
            side["calls"] += 1
            side["answered"] += accepted_by(duty, context.end)
        listed.append(
            {
                "no": duty.no,
                "from": context.names[lead.unit_id] if lead else None,
                "to": context.names[duty.unit_id],
                "at": iso(duty.dispatched_at),
                "state": state_at(duty, context.end).value,
                "seconds": seconds_to_accept(duty) if accepted_by(duty, context.end) else None,
                "on_time": duty.on_time if accepted_by(duty, context.end) else None,
                "lead_seconds": _lead_seconds(lead, context.end),
            }
        )
    order = list(context.names)
    return {
        "calling": [{"unit": context.names[unit], **calling[unit]} for unit in order if unit in calling],
        "answering": [
            {"unit": context.names[unit], **answering[unit].numbers()} for unit in order if unit in answering
        ],
        "list": listed,
    }


def _lead_of(duty: Duty, context: Context) -> Sibling | None:
    """The lead duty that was alive when this 协办 was dispatched."""
    leads = [
        other
        for other in context.siblings.get(duty.id, ())
        if other.role is AssignmentRole.LEAD
        and other.id < duty.id
        and (other.ended_at is None or other.ended_at >= duty.dispatched_at)
    ]
    return max(leads, key=lambda other: other.id, default=None)


def _lead_seconds(lead: Sibling | None, end: datetime) -> int | None:
    if lead is None or lead.accepted_at is None or lead.accepted_at >= end:
        return None
    return int((lead.accepted_at - lead.dispatched_at).total_seconds())
