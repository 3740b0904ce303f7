"""The whole bot over 企业微信: a complaint, its prompt and acceptance, a ladder that nobody answers, the digest, a crash."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from bot.app import Bot, open_database
from bot.channels.wework import WeworkChannel, WeworkRoom
from bot.clock import SpeedClock, SystemClock, VirtualClock
from bot.roster import load_into
from bot.sender import Pace, Sender, Waits
from bot.settings import Settings
from storage.enums import AssignmentStatus, OutboxState, SayKind
from storage.migrate import upgrade
from storage.sessions import reading, transaction
from storage.tables import Assignment, InboxMessage, OutboxMessage, RoomBinding, Ticket
from tests import district
from tests.gateway.bench import free_port, until
from tests.harness import fresh_database
from tests.process import LAMP, NINE, CrashNow, Process, prepare
from tests.wework.rig import make_channel
from tests.wework.robot import AES_KEY, TOKEN, Robot
from tests.wework.service import Said, Service

TOWN, DISPATCH, SUPERVISION = "东山镇", "派单", "督查"
KEYS = {name: f"key-{number:08d}" for number, name in enumerate((TOWN, DISPATCH, SUPERVISION))}
TOPICS = {TOWN: district.room(TOWN), DISPATCH: district.DISPATCH, SUPERVISION: district.SUPERVISION}
CHATS = {TOWN: "wr-dongshan", DISPATCH: "wr-dispatch", SUPERVISION: "wr-supervision"}
ROOMS = [WeworkRoom(TOPICS[name], CHATS[name], KEYS[name]) for name in KEYS]
USERS = {"甄甲": "ZhenJia", "甄乙": "ZhenYi", "甄丙": "ZhenBing", "安丙": "AnBing"}  # the others have no userid


def roster():  # type: ignore[no-untyped-def]
    given = district.roster()
    return replace(
        given, members=tuple(replace(member, contact_id=USERS.get(member.name)) for member in given.members)
    )


@dataclass
class World:
    bot: Bot
    service: Service
    robot: Robot
    clock: SpeedClock

    def rows(self, table: type) -> list:  # type: ignore[type-arg]
        with reading(self.bot.database.engine) as session:
            return list(session.exec(select(table)).all())

    def said(self, room: str) -> list[Said]:
        return [said for said in self.service.said if said.key == KEYS[room]]

    async def hears(self, room: str, *words: str, kind: str = "text") -> Said:
        def found() -> Said | None:
            matching = (s for s in self.said(room) if s.kind == kind and all(word in s.text for word in words))
            return next(matching, None)

        return await until(found, 15, f"{words} in {room}; said: {[s.text for s in self.said(room)]}")  # type: ignore[no-any-return]

    async def pass_minutes(self, minutes: float) -> None:
        """Step by step, as the ticker does it, each step said before the next."""
        end = self.clock.now() + timedelta(minutes=minutes)
        while (due := await self.bot.scheduler.next_wake()) is not None and due <= end:
            self.clock.jump_to(due)
            await self.bot.beat()
            await self.settled()
        self.clock.jump_to(end)
        await self.bot.beat()
        await self.settled()

    async def settled(self) -> None:
        """Until nothing waits to be said in a group that the robot is in."""
        waiting = (OutboxState.PENDING, OutboxState.SENDING, OutboxState.UNKNOWN)
        rooms = self.bound()
        await until(
            lambda: not any(row.state in waiting and row.room_id in rooms for row in self.rows(OutboxMessage)), 20
        )

    def bound(self) -> set[int]:
        return {row.room_id for row in self.rows(RoomBinding)}


@asynccontextmanager
async def world(folder: Path, start: datetime = NINE) -> AsyncIterator[World]:
    clock = SpeedClock(start)
    service = Service(set(KEYS.values()), clock.monotonic)
    given = Settings(
        _env_file=None, channel="wework", wework_token=TOKEN, wework_aes_key=AES_KEY, wework_rooms_file=folder / "g.csv",
        database_url=f"sqlite:///{folder}/x.db", files_dir=folder / "files", web_port=free_port(),
        backlog_settle_seconds=0, silent_gateway_minutes=24 * 60,
    )  # type: ignore[call-arg,arg-type]  # fmt: skip
    engine = open_database(given)
    upgrade(engine)
    with transaction(engine) as session:
        load_into(session, roster(), now=start)
    channel = make_channel(service, clock, given.files_dir, rooms=ROOMS)
    bot = Bot(given, engine, channel, clock, beats=SystemClock())
    stop = asyncio.Event()
    task = asyncio.create_task(bot.run(stop))
    try:
        await until(lambda: bot.gate.is_open or task.done(), 20, "the bot is ready")
        yield World(bot, service, Robot(channel._door.app, lambda: clock.now().timestamp()), clock)
        assert not task.done(), task
    finally:
        stop.set()
        await asyncio.wait_for(task, 8)


def no_errors(records: list[logging.LogRecord]) -> None:
    assert [record.getMessage() for record in records if record.levelno >= logging.ERROR] == []


async def test_a_complaint_told_to_the_robot_is_prompted_accepted_by_a_quote_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path) as w:
        answer = await w.robot.say(CHATS[TOWN], "AnBing", f"@派单助手 {LAMP}", id="m1")
        assert (answer.status_code, answer.content) == (200, b"")
        assert [row.message_id for row in w.rows(InboxMessage)] == ["m1"]  # stored before it was answered
        prompt = await w.hears(TOWN, "1号", "柳林村")
        assert prompt.mentioned == ("ZhenBing",)
        [ticket] = w.rows(Ticket)
        assert ticket.text == LAMP  # without @派单助手
        await w.robot.say(CHATS[TOWN], "AnBing", f"@派单助手 {LAMP}", id="m1")  # told again
        w.clock.jump_to(NINE + timedelta(minutes=2))
        await w.robot.say(CHATS[TOWN], "ZhenBing", "@派单助手 收到", quote=f"@甄丙 {prompt.text}")
        await w.hears(TOWN, "1号由甄丙领办")
        [duty] = w.rows(Assignment)
        assert duty.status is AssignmentStatus.ACCEPTED
        assert (await w.robot.say("wr-strange", "ZhenBing", "@派单助手 收到")).status_code == 200
        await w.settled()
        assert len(w.rows(Ticket)) == 1 and len(w.said(TOWN)) == 2
    no_errors(caplog.records)


async def test_nobody_answers_and_at_noon_the_digest_goes_out_with_its_picture_and_ledger(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path) as w:
        await w.robot.say(CHATS[TOWN], "AnBing", f"@派单助手 {LAMP}")
        await w.hears(TOWN, "1号", "柳林村")
        await w.pass_minutes(10.1)
        escalated = next(said for said in w.said(TOWN) if "ZhenJia" in said.mentioned)
        assert set(escalated.mentioned) >= {"ZhenJia", "ZhenYi"}
        await w.pass_minutes(5)
        assert any("东山镇" in said.text for said in w.said(SUPERVISION))
        w.clock.jump_to(NINE.replace(hour=12, minute=4, second=59))
        await w.settled()
        await w.pass_minutes(2)
        digests = [row for row in w.rows(OutboxMessage) if row.kind is SayKind.DIGEST and row.attachments]
        assert digests and all(row.state is OutboxState.SENT for row in digests if row.room_id in w.bound())
        kinds = [(said.kind, said.name.rsplit(".", 1)[-1]) for said in w.service.said if said.kind != "text"]
        assert ("image", "") in kinds and ("file", "xlsx") in kinds
    no_errors(caplog.records)


# ---- between the sending and the answer ------------------------------------------------------------------------------


def dying(error: BaseException) -> Callable[[], None]:
    def happen() -> None:
        raise error

    return happen


def test_a_process_killed_between_the_sending_and_the_answer_says_it_once_more_and_marked(tmp_path: Path) -> None:
    """No echo can tell whether it arrived: nothing is dropped, and people see that it may be the same."""
    engine, clock = fresh_database(tmp_path), VirtualClock(NINE)
    prepare(engine, "lingban")
    service = Service({"key-00000001"}, clock.monotonic)
    rooms = [WeworkRoom(district.room(TOWN), f"lingban:{district.room(TOWN)}", "key-00000001")]

    def process() -> Process:
        channel: WeworkChannel = make_channel(service, clock, tmp_path, rooms=rooms)
        made = Process(engine, channel, clock, tmp_path)  # type: ignore[arg-type]
        made.sender = Sender(
            made.database, clock, channel, made.gate, pace=Pace(on=False), waits=Waits(echo=timedelta(0))
        )
        return made

    first = process()
    first.hear(TOWN, district.DISPATCHER, LAMP)
    service.after = dying(CrashNow())
    with pytest.raises(CrashNow):
        first.step()
    assert len(service.said) == 1
    service.after = lambda: None
    second = process()
    second.recover()
    second.step()
    second.step()
    told = service.texts("key-00000001")
    assert told == [told[0], f"补发：{told[0]}"]
    with Session(engine) as session:
        assert [row.state for row in session.exec(select(OutboxMessage))] == [OutboxState.SENT]
