"""Crashes at the arrows around storing, the overdue step, a recall, a message in parts, and a digest with its files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.channels.base import TemporaryError
from bot.clock import VirtualClock
from handlers import speaking
from storage.enums import MessageType, OutboxState, SayKind
from storage.sessions import transaction
from storage.tables import Assignment, Digest, InboxMessage, OutboxMessage, Ticket
from tests import district
from tests.process import LAMP, NINE, CrashNow, Groups, Process, lost_answer, prepare

HANDLER = district.nick("东山镇", 3)
DIGEST_AT = NINE.replace(hour=12, minute=5)


class World:
    """One database, one clock and the groups; `process` is the bot that lives in them now."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        prepare(engine)
        self.engine, self.folder = engine, folder
        self.groups, self.clock = Groups(), VirtualClock(NINE)
        self.process = Process(engine, self.groups, self.clock, folder)

    def dies(self, work: Callable[[], object]) -> None:
        with pytest.raises(CrashNow):
            work()
        self.groups.before = self.groups.after = lambda: None
        self.process = Process(self.engine, self.groups, self.clock, self.folder)
        self.process.recover()

    def echo(self, index: int) -> None:
        """The gateway tells us what we said, with the @ before it."""
        self.process.wait(seconds=1)
        room, text = self.groups.arrived[index]
        self.process.hear(room.partition(":")[2].removesuffix("工作群"), "派单助手", "@甄丙\u2005" + text, is_self=True)

    def later(self) -> None:
        """Long enough for a send of unknown outcome to be settled."""
        self.process.wait(seconds=121)
        self.process.step()


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> World:
    return World(engine, tmp_path)


def die() -> None:
    raise CrashNow


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
def test_a_crash_while_storing_keeps_the_message_once_when_it_is_delivered_again(world: World, point: str) -> None:
    setattr(world.process.database, point, 1)
    world.dies(lambda: world.process.hear("东山镇", district.DISPATCHER, LAMP, id="m1"))
    assert len(world.process.rows(InboxMessage)) == (0 if point == "before_commit" else 1)
    world.process.hear("东山镇", district.DISPATCHER, LAMP, id="m1")
    world.process.step()
    assert len(world.process.rows(InboxMessage)) == len(world.process.rows(Ticket)) == 1
    assert len(world.groups.said("请在09:15前领办")) == 1


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
def test_a_crash_around_the_overdue_step_names_one_owner_and_says_it_once(world: World, point: str) -> None:
    world.process.hear("东山镇", district.DISPATCHER, LAMP)
    world.process.step()
    world.clock.move_to(NINE.replace(minute=15, second=2))
    asyncio.run(world.process.worker.drain())
    setattr(world.process.database, point, 1)
    world.dies(lambda: asyncio.run(world.process.scheduler.tick()))
    world.process.step()
    world.later()
    (duty,) = world.process.rows(Assignment)
    assert duty.owner_id is not None and duty.overdue_at == NINE.replace(minute=15, second=2)
    assert len(world.groups.said("由系统指派甄丙")) == 1 and len(world.groups.said("【超时】")) == 1
    assert world.process.unsettled() == []


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
def test_a_crash_around_a_recall_takes_it_back_once(world: World, point: str) -> None:
    world.process.hear("东山镇", district.DISPATCHER, LAMP, id="m1")
    world.process.step()
    world.process.hear("东山镇", district.DISPATCHER, "", type=MessageType.RECALL, recalls="m1")
    setattr(world.process.database, point, 1)
    world.dies(world.process.step)
    world.process.step()
    world.later()
    assert [ticket.status.value for ticket in world.process.rows(Ticket)] == ["已撤销"]
    assert len(world.groups.said("发布人已撤回")) == 1


def say_in_parts(world: World, kind: SayKind = SayKind.NOTICE, files: tuple[str, ...] = ()) -> list[str]:
    """Put a message of three parts into the outbox; its lines."""
    told = [f"第{number:03}行" + "好" * 40 for number in range(36)]
    with transaction(world.engine) as session:
        from bot.knowledge import Knowledge

        ctx = Knowledge().context(session)
        room = ctx.district.supervision_room if kind is SayKind.DIGEST else ctx.district.rooms[0]
        speaking.say(
            session, ctx, room=room, kind=kind, text="\n".join(told), key="long", now=world.clock.now(), attachments=files
        )
    return told


def said_lines(world: World) -> list[str]:
    return [line for _, text in world.groups.arrived for line in text.split("\n") if line.startswith("第")]


@pytest.mark.parametrize("echoed", [True, False])
def test_a_crash_between_the_parts_of_a_message_loses_none_of_them(world: World, echoed: bool) -> None:
    """Before: the echo of the first part settled the whole message, and the others were never sent."""
    told = say_in_parts(world)
    world.groups.after = lambda: None if len(world.groups.arrived) < 2 else die()
    world.dies(world.process.step)
    assert len(world.groups.arrived) == 2  # the outcome of the second is unknown
    if echoed:
        world.echo(1)
    world.later()
    assert sorted(set(said_lines(world))) == told
    assert (said_lines(world) == told) is echoed  # without an echo the second part is said once more
    assert world.process.unsettled() == []


def test_a_part_that_is_refused_for_now_is_tried_again_and_those_before_it_are_not(world: World) -> None:
    told = say_in_parts(world)

    def busy() -> None:
        if len(world.groups.arrived) == 1:
            raise TemporaryError("too often")

    world.groups.before = busy
    world.process.step()
    world.groups.before = lambda: None
    world.process.wait(seconds=31)
    world.process.step()
    assert said_lines(world) == told


def a_digest_is_due(world: World) -> None:
    world.process.hear("东山镇", district.DISPATCHER, LAMP)
    world.process.hear("东山镇", HANDLER, "领1")
    world.process.step()
    world.clock.move_to(DIGEST_AT)


def files_and_texts(world: World) -> tuple[list[str], list[str]]:
    said = [text for room, text in world.groups.arrived if district.SUPERVISION in room]
    files = [text for text in said if text.endswith((".png", ".xlsx"))]
    return files, [text for text in said if text not in files]


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
def test_a_crash_between_the_files_of_a_digest_and_its_row_posts_it_once(world: World, point: str) -> None:
    a_digest_is_due(world)
    setattr(world.process.database, point, 2)  # the tick's own commit is the first
    world.dies(lambda: asyncio.run(world.process.scheduler.tick()))
    world.process.step()
    world.later()
    files, texts = files_and_texts(world)
    assert len(texts) == 1 and "见诉领办日报" in texts[0]
    assert sorted(Path(name).suffix for name in files) == [".png", ".xlsx"]
    assert len(world.process.rows(Digest)) == 1 and world.process.unsettled() == []


def test_a_crash_between_the_text_of_a_digest_and_its_picture_sends_the_files_and_no_second_text(world: World) -> None:
    """Before: the echo of the text settled the digest, and its picture and its ledger never came."""
    a_digest_is_due(world)
    world.groups.after = lambda: die() if "日报" in world.groups.arrived[-1][1] else None
    world.dies(world.process.step)
    world.process.wait(seconds=1)
    world.process.hear("督查", "派单助手", world.groups.arrived[-1][1], is_self=True)
    world.process.step()
    world.later()
    files, texts = files_and_texts(world)
    assert len(texts) == 1 and sorted(Path(name).suffix for name in files) == [".png", ".xlsx"]
    assert world.process.unsettled() == []


def test_a_digest_whose_outcome_stays_unknown_is_not_repeated_and_supervision_is_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    a_digest_is_due(world)
    world.groups.before = lost_answer
    world.process.step()
    world.groups.before = lambda: None
    world.later()
    world.later()
    files, texts = files_and_texts(world)
    assert files == []
    assert texts == ["有一份日报可能没有送达，机器人不自动重发；请在本群核对，需要时回“日报”"]
    states = {row.state for row in world.process.rows(OutboxMessage) if row.kind is SayKind.DIGEST}
    assert states == {OutboxState.FAILED}
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == ["digest_outcome_unknown"]
