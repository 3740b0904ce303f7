"""What a digest is counted from: plain tuples of what lies in a window.

A window is half-open, [start, end), aware UTC. Columns hold the state of now; callers take the state at the window's
end from the times beside it. Every read of assignments goes through `ix_assignment_window` or `ix_assignment_open`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, case, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from storage.enums import (
    AssignedBy,
    AssignmentRole,
    AssignmentStatus,
    EventKind,
    OutageKind,
    Satisfaction,
    UnitKind,
    Urgency,
)
from storage.tables import Assignment, CallBack, Catalogue, Event, Member, Outage, Ticket, Unit

STREAM_ROWS = 2_000  # rows fetched at a time where the ledger streams


class UnitRow(NamedTuple):
    id: int
    name: str
    kind: UnitKind
    active: bool


class Duty(NamedTuple):
    """One assignment with what a digest needs of its ticket. `status` and `on_time` are of now."""

    id: int
    ticket_id: int
    unit_id: int
    short: int
    role: AssignmentRole
    status: AssignmentStatus
    urgency: Urgency
    dispatched_at: datetime
    due_at: datetime
    accepted_at: datetime | None
    on_time: bool | None
    ended_at: datetime | None
    assigned_by: AssignedBy | None
    no: str
    category: str
    repeat_of_id: int | None


class Clock(NamedTuple):
    """What the counting reads of one assignment. `status` and `on_time` are of now."""

    unit_id: int
    role: AssignmentRole
    status: AssignmentStatus
    urgency: Urgency
    dispatched_at: datetime
    due_at: datetime
    accepted_at: datetime | None
    on_time: bool | None
    ended_at: datetime | None


class Sibling(NamedTuple):
    """Another assignment of the ticket of `of`, an assignment of the window."""

    of: int
    id: int
    unit_id: int
    role: AssignmentRole
    status: AssignmentStatus
    dispatched_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None


class TrendRow(NamedTuple):
    """Counts of one day as at its own end."""

    day: int  # index of the window in the argument
    dispatched: int
    accepted: int
    in_time: int  # of the answerable
    answerable: int


class CallBackRow(NamedTuple):
    unit_id: int | None
    contacted: bool
    resolved: bool
    satisfaction: Satisfaction | None
    excluded: bool


class OutageRow(NamedTuple):
    kind: OutageKind
    account: str
    started_at: datetime
    ended_at: datetime | None


class LedgerRow(NamedTuple):
    """One assignment for the 台账. `gist` is masked already; `reason` is as told."""

    unit: str
    no: str
    order_no: str | None
    short: int
    role: AssignmentRole
    status: AssignmentStatus
    urgency: Urgency
    category: str
    gist: str
    source: str
    dispatched_at: datetime
    due_at: datetime
    accepted_at: datetime | None
    on_time: bool | None
    owner: str | None
    assigned_by: AssignedBy | None
    ended_at: datetime | None
    reason: str | None
    repeated: bool
    ticket_id: int
    id: int


_A = Assignment.__table__.c  # type: ignore[attr-defined]
_T = Ticket.__table__.c  # type: ignore[attr-defined]
# A complaint that is 敏感 by now is so in every list, whatever its ladder was.
_URGENCY = case(
    (_T.urgency == Urgency.SENSITIVE, literal(Urgency.SENSITIVE, type_=_A.urgency.type)), else_=_A.urgency
).label("urgency")
_DUTY = (
    *(_A.id, _A.ticket_id, _A.unit_id, _A.short, _A.role, _A.status, _URGENCY, _A.dispatched_at, _A.due_at),
    *(_A.accepted_at, _A.on_time, _A.ended_at, _A.assigned_by, _T.no, _T.category, _T.repeat_of_id),
)

_CLOCK = (
    *(_A.unit_id, _A.role, _A.status, _URGENCY, _A.dispatched_at, _A.due_at),
    *(_A.accepted_at, _A.on_time, _A.ended_at),
)


def _in_window(start: datetime, end: datetime, unit_id: int | None = None) -> Any:
    window = and_(_A.dispatched_at >= start, _A.dispatched_at < end)
    return window if unit_id is None else and_(_A.unit_id == unit_id, window)


def _rows(session: Session, query: Any) -> Iterable[Any]:
    return session.connection().execute(query)


def units(session: Session) -> list[UnitRow]:
    """Every unit, the district's order."""
    table = select(col(Unit.id), col(Unit.name), col(Unit.kind), col(Unit.active))
    rows = _rows(session, table.order_by(col(Unit.position), col(Unit.id)))
    return [UnitRow(*row) for row in rows]


def categories(session: Session) -> list[str]:
    """The catalogue's categories in its order."""
    query = select(col(Catalogue.category)).order_by(col(Catalogue.position))
    return [row[0] for row in _rows(session, query)]


def clocks(session: Session, start: datetime, end: datetime, unit_id: int | None = None) -> list[Clock]:
    """The clocks of the assignments dispatched in [start, end), of all units or one, by time."""
    query = select(*_CLOCK).join(Ticket, _T.id == _A.ticket_id).where(_in_window(start, end, unit_id))
    return [Clock(*row) for row in _rows(session, query.order_by(_A.dispatched_at, _A.id))]


def duties(session: Session, start: datetime, end: datetime) -> list[Duty]:
    """The assignments dispatched in [start, end), by time."""
    query = select(*_DUTY).join(Ticket, _T.id == _A.ticket_id).where(_in_window(start, end))
    rows = _rows(session, query.order_by(_A.dispatched_at, _A.id))
    return [Duty(*row) for row in rows]


def waiting_before(session: Session, start: datetime, *, at: datetime, exact_since: datetime) -> list[Duty]:
    """The assignments dispatched before `start` that waited at `at`.

    Those dispatched since `exact_since` are judged by their times, older ones by waiting still.
    """
    waited = and_(or_(_A.accepted_at.is_(None), _A.accepted_at >= at), or_(_A.ended_at.is_(None), _A.ended_at >= at))
    recent = and_(_in_window(exact_since, start), waited)
    listed = select(col(Unit.id))  # makes ix_assignment_open usable: (unit_id, status)
    older = and_(_A.unit_id.in_(listed), _A.status == AssignmentStatus.WAITING, _A.dispatched_at < exact_since)
    found: list[Duty] = []
    for condition in (older, recent):
        query = select(*_DUTY).join(Ticket, _T.id == _A.ticket_id).where(condition)
        rows = _rows(session, query.order_by(_A.dispatched_at, _A.id))
        found += [Duty(*row) for row in rows]
    return found


def siblings(session: Session, start: datetime, end: datetime) -> list[Sibling]:
    """The other assignments of the tickets that were dispatched in [start, end), by time."""
    other = aliased(Assignment)
    query = (
        select(
            *(_A.id, col(other.id), col(other.unit_id), col(other.role), col(other.status)),
            *(col(other.dispatched_at), col(other.accepted_at), col(other.ended_at)),
        )
        .join(other, and_(col(other.ticket_id) == _A.ticket_id, col(other.id) != _A.id))
        .where(_in_window(start, end))
        .order_by(col(other.dispatched_at), col(other.id))
    )
    return [Sibling(*row) for row in _rows(session, query)]


def gists(session: Session, start: datetime, end: datetime) -> dict[int, str]:
    """Masked lines of the tickets dispatched as 紧急 in [start, end), by ticket id. 敏感 ones are never read."""
    query = select(_T.id, _T.gist).join(Assignment, _A.ticket_id == _T.id)
    query = query.where(_in_window(start, end), _A.urgency == Urgency.URGENT, _T.urgency != Urgency.SENSITIVE)
    return {row[0]: row[1] for row in _rows(session, query)}


def repeated_reports(session: Session, start: datetime, end: datetime) -> set[int]:
    """Ids of the 协办 assignments of [start, end) that come from the same order reported in a second room.

    Such a duty begins with the message that is its ticket's event 再次派发; a whistle has no such event.
    """
    query = (
        select(_A.id)
        .join(Event, and_(col(Event.ticket_id) == _A.ticket_id, col(Event.at) == _A.dispatched_at))
        .where(_in_window(start, end), _A.role == AssignmentRole.HELPER)
        .where(col(Event.kind) == EventKind.REPORTED_AGAIN)
    )
    return {row[0] for row in _rows(session, query)}


def past_their_limit(session: Session, *, at: datetime) -> list[tuple[str, int | None, datetime]]:
    """Number, leading unit and end of each ticket whose order's own limit had passed at `at` while it was not done."""
    query = (
        select(_T.no, _T.unit_id, _T.limit_at)
        .where(_T.limit_at < at, _T.created_at < at)
        .where(or_(_T.closed_at.is_(None), _T.closed_at >= at))
        .order_by(_T.limit_at, _T.id)
    )
    return [(no, unit_id, limit_at) for no, unit_id, limit_at in _rows(session, query)]


def unrouted(session: Session, *, at: datetime) -> list[tuple[str, datetime]]:
    """Number and first time of each ticket that no unit led at `at`, by time."""
    lead = aliased(Assignment)
    lead_resolved = col(lead.status) == AssignmentStatus.RESOLVED
    led = (
        select(literal(1))
        .where(col(lead.ticket_id) == _T.id, col(lead.role) == AssignmentRole.LEAD, col(lead.dispatched_at) < at)
        .where(or_(col(lead.ended_at).is_(None), col(lead.ended_at) >= at, lead_resolved))
        .exists()
    )
    routed_since = select(_A.ticket_id).where(_A.dispatched_at >= at, _A.role == AssignmentRole.LEAD)
    query = (
        select(_T.no, _T.created_at)
        .where(or_(_T.unit_id.is_(None), _T.id.in_(routed_since)), _T.created_at < at)
        .where(or_(_T.closed_at.is_(None), _T.closed_at >= at), ~led)
        .order_by(_T.created_at, _T.id)
    )
    return [(row[0], row[1]) for row in _rows(session, query)]


def trend(session: Session, days: Sequence[tuple[datetime, datetime]]) -> list[TrendRow]:
    """Counts per window, each as at its own end, in one statement; a window without assignments has no row."""
    if not days:
        return []
    return [
        TrendRow(*row)
        for row in session.connection().execute(
            union_all(*(_trend_of(number, start, end) for number, (start, end) in enumerate(days)))
        )
    ]


def _trend_of(number: int, start: datetime, end: datetime) -> Any:
    ended = _A.ended_at < end
    withdrawn = and_(_A.status == AssignmentStatus.WITHDRAWN, ended)
    passed_on = _A.status.in_([AssignmentStatus.DECLINED, AssignmentStatus.TRANSFERRED])
    left_early = and_(passed_on, ended, _A.ended_at < _A.due_at)
    accepted = _A.accepted_at < end

    def count(*conditions: Any) -> Any:
        """Rows that meet the last condition and none of the earlier; an unknown (null) condition is not met."""
        *none_of, wanted = conditions
        return func.sum(case(*((condition, 0) for condition in (withdrawn, *none_of)), (wanted, 1), else_=0))

    return (
        select(
            *(literal(number), count(literal(True)), count(accepted)),
            count(left_early, and_(accepted, _A.on_time.is_(True))),
            count(left_early, or_(accepted, _A.due_at < end)),
        )
        .where(_in_window(start, end))
        .having(func.count() > 0)
    )


def outages(session: Session, start: datetime, end: datetime) -> list[OutageRow]:
    """The outages that touch [start, end), by start; `ended_at` is null while one lasts."""
    query = (
        select(col(Outage.kind), col(Outage.account), col(Outage.started_at), col(Outage.ended_at))
        .where(col(Outage.started_at) < end, or_(col(Outage.ended_at).is_(None), col(Outage.ended_at) > start))
        .order_by(col(Outage.started_at), col(Outage.id))
    )
    return [OutageRow(*row) for row in _rows(session, query)]


def call_backs(session: Session, start: datetime, end: datetime) -> list[CallBackRow]:
    """The call-back results of [start, end), by their own time."""
    query = (
        select(
            *(col(CallBack.unit_id), col(CallBack.contacted), col(CallBack.resolved)),
            *(col(CallBack.satisfaction), col(CallBack.excluded)),
        )
        .where(col(CallBack.at) >= start, col(CallBack.at) < end)
        .order_by(col(CallBack.at), col(CallBack.id))
    )
    return [CallBackRow(*row) for row in _rows(session, query)]


def ledger_rows(session: Session, start: datetime, end: datetime, unit_id: int | None = None) -> Iterator[LedgerRow]:
    """Stream the assignments of [start, end), of all units or one, with unit, ticket and owner, by time."""
    query = (
        select(
            *(col(Unit.name), _T.no, _T.order_no, _A.short, _A.role, _A.status, _URGENCY, _T.category),
            *(_T.gist, _T.source, _A.dispatched_at, _A.due_at, _A.accepted_at, _A.on_time),
            *(col(Member.name), _A.assigned_by, _A.ended_at, _A.reason),
            *(_T.repeat_of_id.is_not(None), _A.ticket_id, _A.id),
        )
        .join(Ticket, _T.id == _A.ticket_id)
        .join(Unit, col(Unit.id) == _A.unit_id)
        .outerjoin(Member, col(Member.id) == _A.owner_id)
        .where(_in_window(start, end, unit_id))
        .order_by(_A.dispatched_at, _A.id)
        .execution_options(yield_per=STREAM_ROWS)
    )
    for row in _rows(session, query):
        yield LedgerRow(*row)
