"""Deadlines: one pending row per waiting duty; due rows are taken in a stable order."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from storage.enums import AssignmentStatus, Step
from storage.tables import Assignment, Deadline

_ARMED = select(Deadline).where(
    Deadline.assignment_id == bindparam("assignment_id"),
    Deadline.step == bindparam("step"),
    Deadline.round == bindparam("round"),
)


def arm(session: Session, *, assignment_id: int, step: Step, due_at: datetime, round: int = 0) -> Deadline:
    """Let a step fall due; a step armed before is due anew."""
    known = session.exec(_ARMED, params={"assignment_id": assignment_id, "step": step, "round": round}).first()
    row = known or Deadline(assignment_id=assignment_id, step=step, round=round, due_at=due_at)
    row.due_at, row.fired_at, row.outcome, row.attempts, row.error = due_at, None, None, 0, None
    session.add(row)
    return row


def arm_first(session: Session, *, assignment_id: int, due_at: datetime) -> None:
    """The prompt of a new duty; nothing can be armed for it yet, so nothing is looked up."""
    session.add(Deadline(assignment_id=assignment_id, step=Step.PROMPT, due_at=due_at))


def due(session: Session, *, now: datetime, limit: int, steps: Collection[Step] | None = None) -> list[Deadline]:
    """Steps that fell due, by due time, then in order of arming.

    On PostgreSQL the rows are locked, so that two processes never fire the same one.
    """
    query = select(Deadline).where(col(Deadline.fired_at).is_(None), Deadline.due_at <= now)
    if steps is not None:
        query = query.where(col(Deadline.step).in_(list(steps)))
    query = query.order_by(col(Deadline.due_at), col(Deadline.id)).limit(limit)
    if session.get_bind().dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return list(session.exec(query).all())


def next_due(session: Session) -> datetime | None:
    """When the next step falls due, or None when nothing is armed."""
    return session.exec(
        select(Deadline.due_at).where(col(Deadline.fired_at).is_(None)).order_by(col(Deadline.due_at)).limit(1)
    ).first()


def mark(session: Session, deadline: Deadline, *, now: datetime, outcome: str) -> None:
    deadline.fired_at = now
    deadline.outcome = outcome
    session.add(deadline)


def count_parked(session: Session) -> int:
    """Steps that kept failing, of duties that still wait."""
    return len(parked(session))


def parked(session: Session) -> list[Deadline]:
    """Steps that kept failing, of duties that still wait, in the order of their ids."""
    query = (
        select(Deadline)
        .join(Assignment, col(Assignment.id) == col(Deadline.assignment_id))
        .where(Deadline.outcome == "parked", Assignment.status == AssignmentStatus.WAITING)
    )
    return list(session.exec(query.order_by(col(Deadline.id))).all())
