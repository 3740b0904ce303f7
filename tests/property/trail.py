"""What the audit trail alone tells of every duty."""

from __future__ import annotations

from storage.enums import AssignmentStatus, EventKind
from storage.tables import Event

# What an event makes of the duty that it is of; the other kinds leave it as it is.
MAKES = {
    EventKind.DISPATCHED: AssignmentStatus.WAITING,
    EventKind.ACCEPTED: AssignmentStatus.ACCEPTED,
    EventKind.ASSIGNED: AssignmentStatus.ACCEPTED,
    EventKind.RESOLVED: AssignmentStatus.RESOLVED,
    EventKind.DECLINED: AssignmentStatus.DECLINED,
    EventKind.TRANSFERRED: AssignmentStatus.TRANSFERRED,
    EventKind.RECALLED: AssignmentStatus.WAITING,
}


def told_by(events: list[Event]) -> dict[int, AssignmentStatus]:
    """The status of every duty as the audit trail alone tells it."""
    status: dict[int, AssignmentStatus] = {}
    of_ticket: dict[int, set[int]] = {}
    for event in sorted(events, key=lambda row: row.id or 0):
        duties = of_ticket.setdefault(event.ticket_id, set())
        if event.kind is EventKind.WITHDRAWN:
            status |= {d: AssignmentStatus.WITHDRAWN for d in duties if status[d] is AssignmentStatus.WAITING}
        elif event.assignment_id is not None and event.kind in MAKES:
            duties.add(event.assignment_id)
            status[event.assignment_id] = MAKES[event.kind]
    return status
