"""The ladder: prompt, reminder, escalation, overdue, again. Safe to run twice and safe to run late.

After a break each waiting duty gets one message, of the highest step reached; it says how late it is and carries the
prompt's content if the prompt itself was missed (spec: behaviour 5).
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from handlers import texts
from handlers.context import Context, MemberInfo
from handlers.dispatching import shown_place, ticket_body
from handlers.speaking import LADDER_KINDS, alert_supervision, say
from storage import deadlines, outbox, tickets
from storage.enums import (
    AssignedBy,
    AssignmentRole,
    AssignmentStatus,
    EventKind,
    OutboxState,
    SayKind,
    Step,
    Urgency,
)
from storage.tables import Assignment, Deadline, Ticket

log = logging.getLogger(__name__)
LATE_AFTER = timedelta(seconds=30)  # a step this much after its own time says so

TRY_AGAIN = (timedelta(seconds=5), timedelta(seconds=20))  # after the first and the second failure of a step
STEP_NAMES = {
    Step.PROMPT: "派单提示",
    Step.REMINDER: "提醒",
    Step.ESCALATION: "升级",
    Step.OVERDUE: "逾期",
    Step.AGAIN: "逾期再提醒",
}

EVENT_OF_STEP = {
    Step.REMINDER: EventKind.REMINDED,
    Step.ESCALATION: EventKind.ESCALATED,
    Step.OVERDUE: EventKind.OVERDUE,
}
KIND_OF_STEP = {
    Step.PROMPT: SayKind.PROMPT,
    Step.REMINDER: SayKind.REMINDER,
    Step.ESCALATION: SayKind.ESCALATION,
    Step.OVERDUE: SayKind.OVERDUE,
    Step.AGAIN: SayKind.OVERDUE,
}


def fire_due(
    session: Session, ctx: Context, *, now: datetime, limit: int = 200, steps: Collection[Step] | None = None
) -> int:
    """Take the steps that fell due, in the order of their due times; how many rows were taken.

    A step that fails is tried again a little later; one that keeps failing is parked, supervision is told, and the ladder
    goes on with the step after it: one ticket never holds others up.
    """
    rows = deadlines.due(session, now=now, limit=limit, steps=steps)
    held = tickets.duties_with_tickets(session, [row.assignment_id for row in rows]) if rows else []
    for row in rows:
        row_id = row.id
        assert row_id is not None
        try:
            with session.begin_nested():
                fire(session, ctx, row, now=now)
        except OperationalError:
            raise  # the database, not the step
        except Exception:
            log.exception("step_failed", extra={"deadline": row_id})
            session.expire_all()
            _put_aside(session, ctx, row_id, error=traceback.format_exc(), now=now)
    del held  # the session knows a row without asking as long as somebody holds it
    return len(rows)


def _put_aside(session: Session, ctx: Context, row_id: int, *, error: str, now: datetime) -> None:
    failed = session.get_one(Deadline, row_id)
    failed.attempts, failed.error = failed.attempts + 1, error[-4000:]
    if failed.attempts <= len(TRY_AGAIN):
        failed.due_at = now + TRY_AGAIN[failed.attempts - 1]
        session.add(failed)
        return
    deadlines.mark(session, failed, now=now, outcome="parked")
    assignment = session.get_one(Assignment, failed.assignment_id)
    arm_after(session, ctx, assignment, failed.step, failed.round)
    ticket = session.get_one(Ticket, assignment.ticket_id)
    alert_supervision(
        session,
        ctx,
        text=texts.step_parked(
            no=ticket.no, unit=ctx.district.unit_by_id[assignment.unit_id].name, step=STEP_NAMES[failed.step]
        ),
        key=f"step-parked:{row_id}",
        now=now,
        tickets=[ticket.no],
    )


def fire(session: Session, ctx: Context, row: Deadline, *, now: datetime) -> None:
    """Take one step of one duty. A duty that no longer waits does nothing."""
    if row.fired_at is not None:
        return  # an earlier row of the same duty reached further and took this one along
    assignment = session.get_one(Assignment, row.assignment_id)
    if assignment.status is not AssignmentStatus.WAITING:
        deadlines.mark(session, row, now=now, outcome="settled")
        return
    ticket = session.get_one(Ticket, assignment.ticket_id)
    step, round_ = _highest_reached(ctx, assignment, row, now)
    if (step, round_) == (row.step, row.round):
        deadlines.mark(session, row, now=now, outcome="said")
    else:
        deadlines.mark(session, row, now=now, outcome="overtaken")
        assert assignment.id is not None
        due_at = _due(ctx, assignment, step, round_)
        reached = deadlines.arm(session, assignment_id=assignment.id, step=step, round=round_, due_at=due_at)
        deadlines.mark(session, reached, now=now, outcome="said")
    if Step.OVERDUE in _passed(row.step, step) and assignment.overdue_at is None:
        _give_owner(session, ctx, ticket, assignment, now)
        _speak(session, ctx, ticket, assignment, Step.OVERDUE, 0, now)  # its repetitions have nothing to repeat yet
    else:
        _speak(session, ctx, ticket, assignment, step, round_, now)
    arm_after(session, ctx, assignment, step, round_)


def arm_after(session: Session, ctx: Context, assignment: Assignment, step: Step, round_: int) -> None:
    """Arm the step after this one at its own time, counted from the dispatch, never from now."""
    following = ctx.policy.next_step(step, round_, assignment.urgency)
    if following:
        assert assignment.id is not None
        deadlines.arm(
            session,
            assignment_id=assignment.id,
            step=following[0],
            round=following[1],
            due_at=_due(ctx, assignment, *following),
        )


def wait_again(session: Session, ctx: Context, assignment: Assignment, *, now: datetime) -> None:
    """Re-arm a duty whose acceptance was undone: later steps at their own times, missed ones not, except overdue."""
    step, round_ = Step.PROMPT, 0
    while following := ctx.policy.next_step(step, round_, assignment.urgency):
        step, round_ = following
        due_at = _due(ctx, assignment, step, round_)
        missed_overdue = step is Step.OVERDUE and assignment.overdue_at is None
        if due_at > now or missed_overdue:
            assert assignment.id is not None
            deadlines.arm(session, assignment_id=assignment.id, step=step, round=round_, due_at=due_at)
            return


def _due(ctx: Context, assignment: Assignment, step: Step, round_: int) -> datetime:
    return ctx.policy.step_at(
        step, round_, dispatched_at=assignment.dispatched_at, due_at=assignment.due_at, urgency=assignment.urgency
    )


def _highest_reached(ctx: Context, assignment: Assignment, row: Deadline, now: datetime) -> tuple[Step, int]:
    """The last step whose time has come."""
    step, round_ = row.step, row.round
    while following := ctx.policy.next_step(step, round_, assignment.urgency):
        if _due(ctx, assignment, *following) > now:
            break
        step, round_ = following
    return step, round_


def _passed(first: Step, last: Step) -> list[Step]:
    """The steps from one to another, both included."""
    order = list(Step)
    return order[order.index(first) : order.index(last) + 1]


def _give_owner(session: Session, ctx: Context, ticket: Ticket, assignment: Assignment, now: datetime) -> None:
    """Nobody took it: the system names an owner, once. The clock runs on until a person accepts."""
    owner = choose_owner(session, ctx, assignment.unit_id, now)
    assignment.on_time = False
    assignment.overdue_at = now
    if owner and assignment.owner_id is None:
        assignment.owner_id = owner.id
        assignment.assigned_by = AssignedBy.SYSTEM
        assignment.assigned_at = now
    session.add(assignment)
    assert ticket.id is not None
    tickets.record(
        session,
        ticket_id=ticket.id,
        assignment_id=assignment.id,
        kind=EventKind.OVERDUE,
        at=now,
        by="系统",
        detail=f"系统指派 {owner.name}" if owner else "无人可指派",
    )


def choose_owner(session: Session, ctx: Context, unit_id: int, now: datetime) -> MemberInfo | None:
    """On duty with the fewest open duties, then roster order; nobody on duty: handlers, then heads."""
    for group in (
        ctx.district.on_duty(unit_id, now),
        ctx.district.handlers(unit_id),
        ctx.district.heads(unit_id),
        ctx.district.leaders(unit_id),
    ):
        if group:
            loads = tickets.open_loads(session, [member.id for member in group])
            return min(group, key=lambda member: (loads.get(member.id, 0), member.position))
    return None


def _speak(
    session: Session, ctx: Context, ticket: Ticket, assignment: Assignment, step: Step, round_: int, now: datetime
) -> None:
    prompt_missed = step is not Step.PROMPT and not _content_is_out(session, ticket, assignment)
    outbox.drop_unsent(session, assignment_id=assignment.id or 0, kinds=LADDER_KINDS)
    text = _words(session, ctx, ticket, assignment, step, now, with_body=prompt_missed)
    lateness = (now - _due(ctx, assignment, step, round_)).total_seconds()
    if lateness > LATE_AFTER.total_seconds():
        text = f"{text}\n{texts.late_note(lateness)}"
    room = ctx.district.room_of_unit.get(assignment.unit_id)
    suffix = f":{round_}" if step is Step.AGAIN else ""
    say(
        session,
        ctx,
        room=room,
        kind=KIND_OF_STEP[step],
        text=text,
        key=f"assignment:{assignment.id}:{step.value}{suffix}",
        now=now,
        mentions=_mentions(ctx, assignment, step, now),
        tickets=[ticket.no],
        assignment_id=assignment.id,
    )
    if step in EVENT_OF_STEP and step is not Step.OVERDUE:
        tickets.record(
            session, ticket_id=ticket.id or 0, assignment_id=assignment.id, kind=EVENT_OF_STEP[step], at=now, by="系统"
        )
    _tell_supervision(session, ctx, ticket, assignment, step, now)


def _content_is_out(session: Session, ticket: Ticket, assignment: Assignment) -> bool:
    """Whether the room surely has what the prompt says, by itself or with a later step.

    What only may have arrived is overtaken like what did not.
    """
    head = texts.ticket_head(short=assignment.short, urgency=ticket.urgency, category=ticket.category)
    said = outbox.of_assignment(session, assignment.id or 0, [OutboxState.SENDING, OutboxState.SENT])
    return any(row.kind in LADDER_KINDS and head in row.text for row in said)


def _words(
    session: Session,
    ctx: Context,
    ticket: Ticket,
    assignment: Assignment,
    step: Step,
    now: datetime,
    *,
    with_body: bool,
) -> str:
    body = ""
    if step is Step.PROMPT or with_body:
        helper = assignment.role is AssignmentRole.HELPER
        lead = ctx.district.unit_by_id[ticket.unit_id].name if helper and ticket.unit_id else None
        body = ticket_body(session, ticket, short=assignment.short, helper=helper, lead=lead)
    if step is Step.PROMPT:
        return texts.prompt(body, short=assignment.short, due_at=assignment.due_at)
    waited = (now - assignment.dispatched_at).total_seconds()
    place = shown_place(ticket)
    owner = _owner_name(ctx, assignment)
    match step:
        case Step.REMINDER:
            said = texts.reminder(short=assignment.short, place=place, waited=waited, due_at=assignment.due_at)
        case Step.ESCALATION:
            said = texts.escalation(short=assignment.short, place=place, waited=waited, due_at=assignment.due_at)
        case Step.OVERDUE:
            said = texts.overdue(
                short=assignment.short,
                place=place,
                waited=waited,
                window=(assignment.due_at - assignment.dispatched_at).total_seconds(),
                owner=owner,
            )
        case _:
            said = texts.overdue_again(short=assignment.short, place=place, waited=waited, owner=owner)
    return f"{said}\n{body}" if body else said


def _owner_name(ctx: Context, assignment: Assignment) -> str | None:
    member = ctx.district.member_by_id.get(assignment.owner_id or 0)
    return member.name if member else None


def _mentions(ctx: Context, assignment: Assignment, step: Step, now: datetime) -> list[str]:
    district, unit_id = ctx.district, assignment.unit_id
    called = district.called(unit_id, now)
    leaders = district.leaders(unit_id)
    if step in (Step.PROMPT, Step.REMINDER) and not district.on_duty(unit_id, now):
        unit = district.unit_by_id[unit_id].name
        log.info("nobody_on_duty", extra={"unit": unit, "step": step.value, "called": ctx.names(called)})
    owner = district.member_by_id.get(assignment.owner_id or 0)
    match step:
        case Step.PROMPT:
            return ctx.names(called if assignment.urgency is Urgency.NORMAL else [*called, *leaders])
        case Step.REMINDER:
            return ctx.names(called)
        case Step.ESCALATION:
            return ctx.names(leaders or called)
        case Step.OVERDUE:
            return ctx.names([owner] if owner else leaders)
        case Step.AGAIN:
            return ctx.names([*([owner] if owner else []), *district.heads(unit_id)])


def _tell_supervision(
    session: Session, ctx: Context, ticket: Ticket, assignment: Assignment, step: Step, now: datetime
) -> None:
    """The alert of a pressing ticket, at once or with the first step that could be said; and what is overdue."""
    unit = ctx.district.unit_by_id[assignment.unit_id].name
    if assignment.overdue_at == now:
        waited = (now - assignment.dispatched_at).total_seconds()
        kind, key = SayKind.OVERDUE, f"assignment:{assignment.id}:overdue:supervision"
        text = texts.overdue_report(
            unit=unit,
            no=ticket.no,
            urgency=ticket.urgency,
            category=ticket.category,
            waited=waited,
            owner=_owner_name(ctx, assignment),
        )
    elif assignment.urgency is not Urgency.NORMAL and step is not Step.AGAIN:
        kind, key = SayKind.ALERT, f"assignment:{assignment.id}:alert"
        text = texts.alert(
            unit=unit,
            no=ticket.no,
            urgency=ticket.urgency,
            category=ticket.category,
            place=shown_place(ticket),
            gist=ticket.gist,
        )
    else:
        return
    say(session, ctx, room=ctx.district.supervision_room, kind=kind, text=text, key=key, now=now, tickets=[ticket.no])
