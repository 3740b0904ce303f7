"""A restored database may speak again: what it still held to say is old, and most of it was said since the backup."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from handlers import texts
from handlers.context import Context
from handlers.speaking import alert_supervision
from storage import meta, outbox, tickets
from storage.enums import AssignmentStatus, OutboxState, SayKind, TicketStatus
from storage.meta import Quiet
from storage.tables import Assignment, OutboxMessage

UNSENT = (OutboxState.PENDING, OutboxState.SENDING, OutboxState.UNKNOWN)
ANSWERS_OF_THEN = (SayKind.CONFIRMATION, SayKind.REFUSAL, SayKind.REPLY, SayKind.DIGEST)
NOBODY_HAS_IT = (TicketStatus.WAITING, TicketStatus.REOPENED, TicketStatus.UNROUTED)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What became of the unsent messages."""

    backup_at: datetime
    kept: int  # may have been said by the database before: our own echo decides, else said once, marked 补发
    dropped: int


def confirm(session: Session, ctx: Context, *, now: datetime) -> Confirmed | None:
    """End the quiet after a restore; None when the database is not quiet.

    What still asks for somebody stays; answers of then, digests, and what is settled are dropped. The ladder itself then
    goes on as after an outage: one statement of the highest step reached for each duty that still waits.
    """
    quiet = meta.quiet(session)
    if quiet is None:
        return None
    kept = dropped = 0
    for row in [row for state in UNSENT for row in outbox.in_state(session, state)]:
        if not _is_wanted(session, row, quiet):
            row.state = OutboxState.DROPPED
            dropped += 1
        elif _is_of_backup(row, quiet):
            row.state = OutboxState.UNKNOWN
            kept += 1
        session.add(row)
    meta.end_quiet(session, now=now)
    alert_supervision(
        session,
        ctx,
        text=texts.restored(backup_at=quiet.backup_at, now=now),
        key=f"restored:{int(now.timestamp())}",
        now=now,
    )
    return Confirmed(quiet.backup_at, kept, dropped)


def _is_of_backup(row: OutboxMessage, quiet: Quiet) -> bool:
    return (row.id or 0) <= quiet.last_said


def _is_wanted(session: Session, row: OutboxMessage, quiet: Quiet) -> bool:
    if row.kind in ANSWERS_OF_THEN:
        return False
    if row.assignment_id is not None:
        return session.get_one(Assignment, row.assignment_id).status is AssignmentStatus.WAITING
    if row.tickets:
        found = (tickets.by_no(session, no) for no in row.tickets)
        return any(ticket is not None and ticket.status in NOBODY_HAS_IT for ticket in found)
    return row.kind is SayKind.ALERT and not _is_of_backup(row, quiet)
