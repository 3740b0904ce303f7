"""The whole life of tickets under random people, words, times, recalls and restarts; what must hold whatever happens."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlmodel import SQLModel

from bot.channels.base import QuoteRef, UnknownResult
from bot.clock import VirtualClock
from bot.sender import Waits
from handlers import digests
from handlers.digest_windows import DigestSettings
from storage.enums import (
    AssignedBy,
    AssignmentRole,
    AssignmentStatus,
    DigestKind,
    EventKind,
    MessageType,
    OutboxState,
    SayKind,
    TicketStatus,
)
from storage.sessions import make_engine, reading
from storage.tables import Assignment, Deadline, Event, InboxMessage, OutboxMessage, RoomNumber, Ticket
from storage.tickets import ALIVE
from tests import district
from tests.process import NINE, Groups, Process, prepare
from tests.property.trail import told_by

TOWN, OTHER = "东山镇", "区水务局"
PEOPLE = st.sampled_from([(TOWN, 3), (TOWN, 3), (TOWN, 4), (TOWN, 1), (OTHER, 3)])
NUMBERS = st.sampled_from([1, 1, 2])  # of tickets; mostly the first, so that its life goes on
ACCEPTS = st.sampled_from(["领{n}", "收到", "马上去"])
REMARKS = st.sampled_from(["退{n}", "办结{n}", "待办", "没收到", "延期{n} 到3月9日 等材料", "谢谢"])
ORDERS = st.sampled_from(
    ["{n} 转 水务局", "{n} 转 水务局", "{n} 转 东山镇", "{n} 维持", "{n} 同意", "重办{n} 回访说没弄好", "催{n}"]
)
GRACE = timedelta(seconds=2)  # overdue fires this long after the due time


class TicketLife(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.engine = make_engine(f"sqlite:///{self.folder.name}/life.db", durable=False)
        SQLModel.metadata.create_all(self.engine)
        prepare(self.engine)
        self.groups, self.clock, self.told = Groups(), VirtualClock(NINE), 0
        self.missed: list[tuple[str, str, str, dict[str, object]]] | None = None  # while the connection is lost
        self.recalls = 0
        self.said: list[tuple[str, str, str, dict[str, object]]] = []  # what can be recalled, or come twice
        self.breaks: list[tuple[datetime, datetime]] = []
        self.lost_since = NINE
        self.lost_answers = 0  # of messages that arrived
        self.start()
        self.somebody_complains()

    def start(self) -> None:
        self.process = Process(self.engine, self.groups, self.clock, Path(self.folder.name))
        if self.missed is not None:
            self.process.gate.disconnect()
        self.process.recover()

    def pass_time(self, **length: float) -> None:
        """Stop at everything that falls due on the way, as the ticker does."""
        end = self.clock.now() + timedelta(**length)
        while (due := asyncio.run(self.process.scheduler.next_wake())) is not None and due < end:
            self.clock.move_to(due)
            self.process.step()
        self.clock.move_to(end)
        self.process.step()

    def hear(self, unit: str, sender: str, text: str, **more: object) -> None:
        """Said in the group now; the bot hears it now, or at its return."""
        self.pass_time(seconds=1)
        said = {"id": f"h{len(self.said)}", "sent_at": self.clock.now(), **more}
        self.said.append((unit, sender, text, said))
        self.deliver(unit, sender, text, said)

    def deliver(self, unit: str, sender: str, text: str, said: dict[str, object]) -> None:
        if self.missed is not None:
            self.missed.append((unit, sender, text, said))
            return
        self.process.hear(unit, sender, text, **said)
        self.process.step()

    @precondition(lambda self: self.told < 2)
    @rule()
    def somebody_complains_again(self) -> None:
        self.somebody_complains()

    def somebody_complains(self) -> None:
        self.told += 1
        self.hear(TOWN, district.DISPATCHER, f"市民反映，东山镇柳林村第{self.told}根电线杆旁路灯坏了，请尽快维修。")

    @rule(who=PEOPLE, words=ACCEPTS, number=NUMBERS)
    def somebody_accepts(self, who: tuple[str, int], words: str, number: int) -> None:
        self.hear(who[0], district.nick(*who), words.format(n=number))

    @rule(who=PEOPLE, number=NUMBERS)
    def somebody_declines(self, who: tuple[str, int], number: int) -> None:
        self.hear(who[0], district.nick(*who), f"退{number} 不在我单位职责范围")

    @rule(who=PEOPLE, number=NUMBERS)
    def somebody_resolves(self, who: tuple[str, int], number: int) -> None:
        self.hear(who[0], district.nick(*who), f"办结{number} 已处理完毕，现场清理干净")

    @rule(number=NUMBERS)
    def the_lead_whistles(self, number: int) -> None:
        self.hear(TOWN, district.nick(TOWN, 3), f"吹哨{number} 水务局 一起到场")

    @rule(number=NUMBERS)
    def the_head_assigns(self, number: int) -> None:
        self.hear(TOWN, district.nick(TOWN, 1), f"{number} @甄丁 你去办")

    @rule(who=PEOPLE, words=REMARKS, number=NUMBERS)
    def somebody_remarks(self, who: tuple[str, int], words: str, number: int) -> None:
        self.hear(who[0], district.nick(*who), words.format(n=number))

    @rule(words=ORDERS, number=NUMBERS, room=st.sampled_from([TOWN, TOWN, "派单"]))
    def the_dispatcher_decides(self, words: str, number: int, room: str) -> None:
        self.hear(room, district.DISPATCHER, words.format(n=number))

    @precondition(lambda self: bool(self.groups.arrived))
    @rule(who=st.sampled_from([3, 4]), data=st.data())
    def somebody_quotes(self, who: int, data: st.DataObject) -> None:
        index = data.draw(st.integers(1, len(self.groups.arrived)))
        quoted = QuoteRef(f"one-{index}", "派单助手", "")
        self.hear(TOWN, district.nick(TOWN, who), "收到，马上去", quote=quoted)

    @precondition(lambda self: bool(self.said))
    @rule(data=st.data())
    def something_is_recalled(self, data: st.DataObject) -> None:
        unit, sender, _, said = data.draw(st.sampled_from(self.said))
        self.pass_time(seconds=1)
        self.recalls += 1
        taken_back = {"type": MessageType.RECALL, "recalls": said["id"], "sent_at": self.clock.now()}
        self.deliver(unit, sender, "", {**taken_back, "id": f"recall{self.recalls}"})

    @precondition(lambda self: self.missed is None)
    @rule(data=st.data())
    def something_is_delivered_again(self, data: st.DataObject) -> None:
        before = [len(self.process.rows(table)) for table in (InboxMessage, Ticket, Event, OutboxMessage)]
        unit, sender, text, said = data.draw(st.sampled_from(self.said))
        self.deliver(unit, sender, text, said)
        assert before == [len(self.process.rows(table)) for table in (InboxMessage, Ticket, Event, OutboxMessage)]

    @rule(arrives=st.booleans())
    def the_next_answer_of_the_gateway_is_lost(self, arrives: bool) -> None:
        def lost() -> None:
            self.groups.before = self.groups.after = lambda: None
            self.lost_answers += arrives
            raise UnknownResult("no answer within 15 s")

        setattr(self.groups, "after" if arrives else "before", lost)

    @precondition(lambda self: self.missed is None)
    @rule()
    def the_connection_is_lost(self) -> None:
        self.missed, self.lost_since = [], self.clock.now()
        self.process.gate.disconnect()

    @precondition(lambda self: self.missed is not None)
    @rule()
    def the_connection_is_back(self) -> None:
        """What was missed comes at once, in the order of its own times, and is taken before the ladder speaks."""
        missed, self.missed = self.missed or [], None
        self.breaks.append((self.lost_since, self.clock.now()))
        self.process.gate.connect(self.clock.now())
        for unit, sender, text, said in missed:
            self.process.hear(unit, sender, text, **said)
        self.process.step()

    @rule(minutes=st.sampled_from([1, 4, 6, 11, 20, 45]))
    def time_passes(self, minutes: int) -> None:
        self.pass_time(minutes=minutes)

    @rule()
    def the_process_is_restarted(self) -> None:
        self.start()
        self.process.step()

    @invariant()
    def at_most_one_lead_lives_and_its_unit_leads(self) -> None:
        alive = [d for d in self.process.rows(Assignment) if d.status in ALIVE and d.role is AssignmentRole.LEAD]
        assert len({duty.ticket_id for duty in alive}) == len(alive)
        leads = {duty.ticket_id: duty.unit_id for duty in alive}
        for ticket in self.process.rows(Ticket):
            if ticket.status in (TicketStatus.WAITING, TicketStatus.ACCEPTED, TicketStatus.REOPENED):
                assert leads.get(ticket.id) == ticket.unit_id
            else:
                assert ticket.id not in leads

    @invariant()
    def whoever_waits_past_the_due_time_has_an_owner(self) -> None:
        if self.missed is not None:
            return  # nothing is known of what happens now
        for duty in self.process.rows(Assignment):
            if duty.status is AssignmentStatus.WAITING and self.clock.now() >= duty.due_at + GRACE:
                assert duty.overdue_at is not None and duty.on_time is False
                assert duty.owner_id is not None and duty.assigned_by is AssignedBy.SYSTEM
            elif duty.status is AssignmentStatus.ACCEPTED:
                assert duty.owner_id is not None and duty.accepted_at is not None

    def heard_at(self, at: datetime) -> datetime:
        """When the bot can know of an instant: then, or at its return."""
        return next((end for start, end in self.breaks if start <= at < end), at)

    @invariant()
    def overdue_is_said_two_seconds_after_the_due_time_or_when_it_can_be_known(self) -> None:
        recalls: dict[int | None, list[datetime]] = {}
        for event in self.process.rows(Event):
            if event.kind is EventKind.RECALLED:
                recalls.setdefault(event.assignment_id, []).append(event.at)
        for duty in self.process.rows(Assignment):
            if duty.overdue_at is not None:
                first = self.heard_at(duty.due_at + GRACE)
                later = [self.heard_at(at) for at in recalls.get(duty.id, []) if self.heard_at(at) > first]
                assert duty.overdue_at in [first, *later]

    @invariant()
    def one_step_pends_for_whoever_waits(self) -> None:
        """While anything is left to be said of it; what is taken or gone has nothing to say."""
        if self.missed is not None:
            return
        pending = Counter(row.assignment_id for row in self.process.rows(Deadline) if row.fired_at is None)
        for duty in self.process.rows(Assignment):
            over = self.clock.now() >= duty.due_at + timedelta(minutes=120)
            if duty.status is AssignmentStatus.WAITING:
                assert pending[duty.id] == (0 if over else 1)

    @invariant()
    def a_rooms_numbers_are_used_once_a_day(self) -> None:
        numbers = Counter((row.room_id, row.day, row.short) for row in self.process.rows(RoomNumber))
        assert all(count == 1 for count in numbers.values())

    @invariant()
    def the_time_to_accept_is_the_messages_own(self) -> None:
        stamps = {row.id: row.sent_at for row in self.process.rows(InboxMessage)}
        for duty in self.process.rows(Assignment):
            if duty.accepted_at is not None:
                assert duty.accepted_at == max(stamps[duty.accepted_inbox_id], duty.dispatched_at)
                assert duty.on_time is (duty.accepted_at <= duty.due_at)

    @invariant()
    def every_change_of_a_duty_has_an_event(self) -> None:
        told = told_by(self.process.rows(Event))
        assert told == {duty.id: duty.status for duty in self.process.rows(Assignment)}

    @invariant()
    def what_is_said_arrives_once_and_what_may_have_arrived_once_more(self) -> None:
        rows = self.process.rows(OutboxMessage)
        assert sum(row.parts_sent for row in rows) + self.lost_answers == len(self.groups.arrived)
        if self.missed is not None:
            return
        opened = self.process.gate.opened_at or NINE
        for row in self.process.unsettled():
            if row.state is OutboxState.FAILED:
                assert row.kind is SayKind.DIGEST  # is never said again by itself
            else:
                assert row.state is OutboxState.UNKNOWN
                assert self.clock.now() - max(row.sending_since, opened) < Waits().echo

    @invariant()
    def the_digest_counts_what_the_events_say(self) -> None:
        start, end = NINE.replace(hour=0), self.clock.now() + timedelta(days=1)
        with reading(self.engine) as session:
            numbers = digests.compute(
                session, kind=DigestKind.SPECIAL, start=start, end=end, now=end, settings=DigestSettings()
            )
        told = Counter(told_by(self.process.rows(Event)).values())
        taken: dict[int | None, bool] = {}
        for event in self.process.rows(Event):
            if event.kind in (EventKind.ACCEPTED, EventKind.ASSIGNED, EventKind.RECALLED):
                taken[event.assignment_id] = event.kind is not EventKind.RECALLED
        totals = numbers["totals"]
        assert totals["dispatched"] == told.total() - told[AssignmentStatus.WITHDRAWN]
        assert totals["accepted"] == sum(taken.values())
        assert totals["declined"] == told[AssignmentStatus.DECLINED]
        assert totals["transferred"] == told[AssignmentStatus.TRANSFERRED]

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.dispose()
            self.folder.cleanup()


TestTicketLife = TicketLife.TestCase
TestTicketLife.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
