"""A restored database in the groups that went on without it: quiet, then one statement for what is still open."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.backup import write_backup
from bot.channels.base import TemporaryError
from bot.clock import VirtualClock
from bot.knowledge import Knowledge
from bot.restore import restore
from handlers import restoring
from storage import meta, outbox
from storage.enums import OutboxState, SayKind
from storage.sessions import make_engine, transaction
from storage.tables import Assignment, Digest, Lease, Outage, OutboxMessage, Ticket
from tests import district
from tests.process import NINE, Groups, Process, prepare

HANDLER = district.nick("东山镇", 3)


def lamp(number: int) -> str:
    return f"市民反映，东山镇柳林村第{number}根电线杆旁的路灯坏了，请尽快维修。"


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return NINE.replace(hour=hour, minute=minute, second=second)


def confirm(engine: Engine, now: datetime) -> restoring.Confirmed | None:
    with transaction(engine) as session:
        return restoring.confirm(session, Knowledge().context(session), now=now)


class World:
    """The groups, whose life goes on, and the bot on a database that is put back to an earlier state."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        prepare(engine)
        self.engine, self.folder = engine, folder
        self.groups, self.clock = Groups(), VirtualClock(NINE)
        self.process = Process(engine, self.groups, self.clock, folder)
        self.backup: Path | None = None

    def back_up(self, *, when: datetime) -> None:
        self.clock.move_to(when)
        self.backup = write_backup(str(self.engine.url), self.folder / "backups", now=when).path

    def dies_and_is_restored(self, *, at: datetime) -> None:
        assert self.backup is not None
        self.process.database.close()
        self.clock.move_to(at)
        restore(str(self.engine.url), self.backup, now=at)
        self.engine = make_engine(str(self.engine.url))
        self.process = Process(self.engine, self.groups, self.clock, self.folder)
        self.process.gate.disconnect()
        self.process.gate.connect(at)
        self.process.recover()
        self.before = len(self.groups.arrived)

    @property
    def news(self) -> list[str]:
        """What the bot said since it was restored."""
        return [text for _, text in self.groups.arrived[self.before :]]

    def confirmed(self, *, at: datetime) -> restoring.Confirmed:
        self.clock.move_to(at)
        done = confirm(self.engine, at)
        assert done is not None
        return done


@pytest.fixture
def world(sqlite_template: Path, tmp_path: Path) -> World:
    path = tmp_path / "live.db"
    path.write_bytes(sqlite_template.read_bytes())
    return World(make_engine(f"sqlite:///{path}"), tmp_path)


def test_after_a_restore_the_bot_reads_and_is_quiet_then_says_one_step_for_what_is_open(world: World) -> None:
    for number in (1, 2, 3):
        world.process.hear("东山镇", district.DISPATCHER, lamp(number))
    world.process.step()
    world.back_up(when=at(9, 3))
    world.clock.move_to(at(9, 4))
    taken = world.process.hear("东山镇", HANDLER, "领1")
    world.process.step()
    world.clock.move_to(at(9, 5))
    world.process.step()  # two reminders that the backup knows nothing of
    world.dies_and_is_restored(at=at(9, 20))
    world.process.step()
    world.process.hear("东山镇", HANDLER, "领1", id=taken, sent_at=at(9, 4))  # the gateway tells it again
    world.process.hear("东山镇", HANDLER, "领2")
    world.process.hear("东山镇", HANDLER, "待办")
    for minute in range(21, 30):
        world.clock.move_to(at(9, minute))
        world.process.step()
    assert world.news == []
    duties = world.process.rows(Assignment)
    assert [(duty.status.value, duty.on_time) for duty in duties] == [("已领办", True), ("已领办", False), ("待领办", None)]
    done = world.confirmed(at=at(9, 30))
    assert (done.backup_at, done.kept) == (at(9, 3), 0)
    world.process.step()
    town = [text for to, text in world.groups.arrived[world.before :] if "东山镇" in to]
    assert [text[:2] for text in town] == ["3号"] and "已由系统指派" in town[0] and "迟" in town[0]
    rest = [text for text in world.news if text not in town]
    assert sorted(text[:4] for text in rest) == ["【超时】", "机器人已"]
    assert any("03月03日09:03的备份恢复，此后至03月03日09:30的记录可能不全" in text for text in rest)
    world.clock.move_to(at(9, 44))
    world.process.step()
    assert len(world.news) == 3 and world.process.unsettled() == []
    assert [row.holder for row in world.process.rows(Lease)] == []


def test_what_the_backup_still_had_to_say_is_said_once_more_only_if_nobody_has_it_and_no_echo_proves_it(
    world: World,
) -> None:
    def busy() -> None:
        raise TemporaryError("too often")

    for number in (1, 2, 3):
        world.process.hear("东山镇", district.DISPATCHER, lamp(number))
    world.groups.before = busy
    world.process.step()
    assert [row.state for row in world.process.rows(OutboxMessage)] == [OutboxState.PENDING] * 3
    world.back_up(when=at(9, 1))
    world.groups.before = lambda: None
    world.clock.move_to(at(9, 2))
    world.process.step()
    prompts = list(world.groups.arrived)
    assert len(prompts) == 3
    world.dies_and_is_restored(at=at(9, 2, 20))
    world.process.hear("东山镇", "派单助手", "@甄丙\u2005" + prompts[0][1], is_self=True)
    world.process.hear("东山镇", HANDLER, "领2")
    world.process.step()
    done = world.confirmed(at=at(9, 2, 40))
    assert (done.kept, done.dropped) == (2, 1)  # the prompts of 1 and 3; the confirmation of 领2
    for second in (41, 59):
        world.clock.move_to(at(9, 2, second))
        world.process.step()
    assert [text[:6] for text in world.news] == ["机器人已用0"]
    world.clock.move_to(at(9, 3, 42))
    world.process.step()
    assert [text[:5] for text in world.news[1:]] == ["补发：3号"]
    assert world.process.unsettled() == []


def test_a_step_that_was_reached_meanwhile_overtakes_what_the_backup_still_had_to_say(world: World) -> None:
    world.process.hear("东山镇", district.DISPATCHER, lamp(1))
    world.groups.before = lambda: (_ for _ in ()).throw(TemporaryError("too often"))
    world.process.step()
    world.back_up(when=at(9, 1))
    world.groups.before = lambda: None
    world.dies_and_is_restored(at=at(9, 6))
    world.confirmed(at=at(9, 11))
    for minute in (11, 13):
        world.clock.move_to(at(9, minute))
        world.process.step()
    assert len([text for text in world.news if "柳林村" in text]) == 1
    (said,) = [text for text in world.news if "请领导安排" in text]
    assert "第1根电线杆" in said  # nobody ever saw the prompt, so the escalation carries it


def test_digests_that_fell_due_before_the_confirmation_are_stored_and_not_posted(world: World) -> None:
    world.process.hear("东山镇", district.DISPATCHER, lamp(1))
    world.process.hear("东山镇", HANDLER, "领1")
    world.process.step()
    world.back_up(when=at(11, 0))
    world.dies_and_is_restored(at=at(12, 30))
    world.process.step()
    world.confirmed(at=at(12, 40))
    world.process.step()
    assert [(row.kind.value, row.posted) for row in world.process.rows(Digest)] == [("日报", False)]
    assert [text for text in world.news if "日报｜" in text] == []
    world.clock.move_to(NINE.replace(day=4, hour=12, minute=5))
    world.process.step()
    assert [(row.kind.value, row.posted) for row in world.process.rows(Digest)] == [("日报", False), ("日报", True)]


def test_a_complaint_told_during_the_quiet_is_not_lost(world: World) -> None:
    world.back_up(when=at(9, 0, 1))
    world.dies_and_is_restored(at=at(9, 10))
    world.process.hear("东山镇", district.DISPATCHER, lamp(1))
    world.process.step()
    assert world.news == [] and len(world.process.rows(Ticket)) == 1
    world.confirmed(at=at(9, 12))
    world.process.step()
    assert len([text for text in world.news if text.startswith("1号") and "请在09:25前领办" in text]) == 1


def test_on_any_database_the_mark_keeps_the_sender_and_the_ladder_quiet(engine: Engine, tmp_path: Path) -> None:
    """PostgreSQL too, where its own tools restore and we set the mark."""
    prepare(engine)
    groups, clock = Groups(), VirtualClock(NINE)
    process = Process(engine, groups, clock, tmp_path)
    process.hear("东山镇", district.DISPATCHER, lamp(1))
    process.step()
    process.hear("东山镇", HANDLER, "查1")
    asyncio.run(process.worker.take_batch())
    with transaction(engine) as session:
        meta.put(session, meta.QUIET, meta.Quiet(clock.now(), outbox.last_id(session)).as_text())
    process.gate.disconnect()
    process.gate.connect(clock.now())
    clock.move_to(at(9, 16))
    process.step()
    assert len(groups.arrived) == 1
    assert confirm(engine, clock.now()) is not None
    assert confirm(engine, clock.now()) is None
    process.step()
    assert sorted(text[:2] for _, text in groups.arrived[1:]) == ["1号", "【超", "机器"]
    states = {row.state for row in process.rows(OutboxMessage) if row.kind is SayKind.REPLY}
    assert states == {OutboxState.DROPPED}
    assert process.rows(Outage) == []
