"""A doubtful message, the worker, the database and a model's double: what comes of it, whatever the model does."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.clock import VirtualClock
from bot.doubts import AT_ONCE, FAILURES, REST, Doubts
from bot.health import Health, Report, _metrics
from bot.inbox_worker import InboxWorker
from bot.knowledge import Knowledge
from bot.language_model import PROMPT, Answer
from storage.enums import InboxState, Opinion
from storage.sessions import make_engine
from storage.tables import InboxMessage, SecondOpinion, Ticket
from tests import district
from tests.llm.double import Double, raw, says, verdict
from tests.process import LAMP, NINE, CrashNow, Groups, Process, prepare

BELOW = "刚路过石桥村，路边堆了点土"  # the rules let it go, by little
ABOVE = "石桥村噪音那户我们上门了，设备移到屋里了"  # the rules take it, by little
NICK = district.nick("东山镇", 4)


@pytest.fixture
def lite(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """SQLite alone, for what no database makes different."""
    shutil.copyfile(sqlite_template, tmp_path / "lite.db")
    engine = make_engine(f"sqlite:///{tmp_path}/lite.db", durable=False)
    yield engine
    engine.dispose()


class Asked(Process):
    """A process with a language model; `double` stands for it."""

    def __init__(self, engine: Engine, groups: Groups, clock: VirtualClock, folder: Path, double: Double) -> None:
        super().__init__(engine, groups, clock, folder)
        knowledge = Knowledge()
        self.doubts = Doubts(self.database, clock, knowledge, double.model(), prompt=PROMPT)
        self.worker = InboxWorker(self.database, clock, knowledge, self.gate, doubts=self.doubts)


class World:
    def __init__(self, engine: Engine, folder: Path, double: Double) -> None:
        prepare(engine)
        self.engine, self.folder, self.double = engine, folder, double
        self.groups, self.clock = Groups(), VirtualClock(NINE)
        self.process = self.start()

    def start(self) -> Asked:
        self.process = Asked(self.engine, self.groups, self.clock, self.folder, self.double)
        return self.process

    def say(self, text: str, unit: str = "东山镇", sender: str = NICK) -> None:
        self.process.hear(unit, sender, text)

    @property
    def tickets(self) -> list[Ticket]:
        return self.process.rows(Ticket)

    @property
    def opinions(self) -> list[SecondOpinion]:
        return self.process.rows(SecondOpinion)

    @property
    def states(self) -> list[InboxState]:
        return [row.state for row in self.process.rows(InboxMessage)]


def world(engine: Engine, folder: Path, *replies: object, **more: object) -> World:
    return World(engine, folder, Double(*replies, **more))  # type: ignore[arg-type]


def test_a_doubtful_message_that_the_model_calls_a_complaint_becomes_a_ticket(engine: Engine, tmp_path: Path) -> None:
    told = world(engine, tmp_path, verdict("complaint", "供水排水"))
    told.say(BELOW)
    told.process.step()
    [ticket], [row] = told.tickets, told.opinions
    assert ticket.text == BELOW
    assert ticket.category == "道路市政"  # the rules' word; the model's is only kept
    assert len(told.groups.said("请在09:15前领办")) == 1
    assert (row.opinion, row.category, row.model, row.prompt) == (Opinion.COMPLAINT, "供水排水", "small", PROMPT)
    assert -1.5 <= row.margin < 0 and row.asked_at == NINE
    assert told.double.texts == ["刚路过石桥村,路边堆了点土"]


def test_one_that_it_calls_none_makes_none(lite: Engine, tmp_path: Path) -> None:
    told = world(lite, tmp_path, verdict("not"))
    told.say(ABOVE)
    told.process.step()
    assert (told.tickets, told.groups.arrived, told.states) == ([], [], [InboxState.DONE])
    assert [row.opinion for row in told.opinions] == [Opinion.NOT]
    assert told.opinions[0].margin >= 0


@pytest.mark.parametrize(
    "double",
    [
        Double(verdict("unsure")),
        Double(says("好的，这是诉求")),
        Double(raw(b"", 500)),
        Double(hangs=True, limit=0.05),
    ],
    ids=["unsure", "prose", "error", "silence"],
)
def test_without_an_opinion_the_rules_verdict_stands(lite: Engine, tmp_path: Path, double: Double) -> None:
    told = World(lite, tmp_path, double)
    told.say(BELOW)
    told.say(ABOVE, "西河镇", district.nick("西河镇", 4))
    told.process.step()
    assert [ticket.text for ticket in told.tickets] == [ABOVE]
    assert len(told.opinions) == 2


@pytest.mark.parametrize("opinion", ["complaint", "not"])
def test_what_the_rules_are_sure_of_is_not_asked(lite: Engine, tmp_path: Path, opinion: str) -> None:
    told = world(lite, tmp_path, verdict(opinion))
    for text in (
        LAMP,
        "收到",
        "领1",
        "下午两点开会，三楼会议室，请准时参加",
        "工单编号：热线-260303-090001\n诉求内容：柳林村路灯不亮\n联系电话：13800001234\n办理时限：7天",
    ):
        told.say(text)
        told.process.step()
    assert (told.double.requests, told.opinions) == ([], [])
    assert len(told.tickets) == 2


def test_it_cannot_talk_the_bot_out_of_a_threat(lite: Engine, tmp_path: Path) -> None:
    told = world(lite, tmp_path, verdict("not"))
    told.say("她说再不管就从楼上跳下去")
    told.process.step()
    assert len(told.tickets) == 1 and told.double.requests == []


def test_the_same_message_is_asked_about_once_though_the_process_dies(engine: Engine, tmp_path: Path) -> None:
    told = world(engine, tmp_path, verdict("complaint"), verdict("not"))
    told.say(BELOW)
    told.process.database.before_commit = 2  # the opinion is kept, the ticket is not
    with pytest.raises(CrashNow):
        told.process.step()
    assert ([row.opinion for row in told.opinions], told.tickets) == ([Opinion.COMPLAINT], [])
    told.start().step()
    assert len(told.tickets) == 1 and len(told.double.requests) == 1


def test_a_crash_between_the_answer_and_its_commit_asks_once_more(engine: Engine, tmp_path: Path) -> None:
    told = world(engine, tmp_path, verdict("complaint"))
    told.say(BELOW)
    told.process.database.before_commit = 1
    with pytest.raises(CrashNow):
        told.process.step()
    assert (told.opinions, told.tickets) == ([], [])
    told.start().step()
    assert len(told.tickets) == 1 and len(told.double.requests) == 2
    assert len(told.groups.said("请在09:15前领办")) == 1


def health_of(told: World) -> tuple[Report, str]:
    process = told.process
    health = Health(
        process.database, told.clock, Knowledge(), process.gate, last_tick=lambda: process.scheduler.last_tick,
        folders=[told.folder], silent_after=timedelta(minutes=3), doubts=process.doubts,
    )  # fmt: skip
    report = asyncio.run(health.report())
    return report, _metrics(report).decode()


class Slow:
    """A model whose answers wait until they are let go."""

    model = "slow"

    def __init__(self, limit: float = 5.0) -> None:
        self.limit = limit
        self.go = asyncio.Event()
        self.under_way = self.most = 0

    async def ask(self, text: str, categories: Sequence[str], *, within: float | None = None) -> Answer:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.wait_for(self.go.wait(), within)
        except TimeoutError:
            return Answer(Opinion.TIMEOUT)
        finally:
            self.under_way -= 1
        return Answer(Opinion.COMPLAINT)

    def is_far(self) -> bool:
        return False

    async def close(self) -> None:
        return None


def slow(told: World, model: Slow) -> InboxWorker:
    process, knowledge = told.process, Knowledge()
    process.doubts = Doubts(process.database, told.clock, knowledge, model, prompt=PROMPT)
    return InboxWorker(process.database, told.clock, knowledge, process.gate, doubts=process.doubts)


def test_while_a_model_thinks_other_rooms_go_on_and_its_own_keeps_its_order(engine: Engine, tmp_path: Path) -> None:
    told = world(engine, tmp_path)
    told.say(BELOW)
    told.say(LAMP)  # behind it in the same room
    told.say("市民反映，梁家庄村垃圾成堆，请清运", "西河镇", district.nick("西河镇", 4))

    async def run() -> list[list[str]]:
        model = Slow()
        worker, seen = slow(told, model), []
        await worker.take_batch()
        seen.append([ticket.text for ticket in told.tickets])
        await asyncio.wait_for(told.process.scheduler.tick(), 1)  # deadlines do not wait either
        assert await worker.take_batch() == 0
        model.go.set()
        await worker.drain()
        seen.append([ticket.text for ticket in told.tickets])
        return seen

    during, after = asyncio.run(run())
    assert during == ["市民反映，梁家庄村垃圾成堆，请清运"]
    assert after == ["市民反映，梁家庄村垃圾成堆，请清运", BELOW, LAMP]


def test_thirty_doubtful_ones_wait_no_longer_than_one(lite: Engine, tmp_path: Path) -> None:
    told = world(lite, tmp_path)
    for number in range(30):
        told.say(f"{BELOW}，{number}")

    async def run() -> tuple[float, int]:
        model = Slow(limit=0.3)
        worker, loop = slow(told, model), asyncio.get_running_loop()
        await worker.take_batch()
        began = loop.time()
        while await told.process.doubts.wait():
            pass
        waited = loop.time() - began
        await worker.drain()
        return waited, model.most

    waited, most = asyncio.run(run())
    assert waited < 5 and most == AT_ONCE  # one after the other it would have been 30 × 0.3 s
    assert told.states == [InboxState.DONE] * 30 and told.tickets == []


def test_an_address_that_keeps_failing_rests_and_is_tried_again(
    lite: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    told = world(lite, tmp_path, *[raw(b"", 503)] * (FAILURES + 1), verdict("complaint"))

    def one_more() -> bool:
        before = len(told.double.requests)
        told.say(f"{BELOW}，{told.clock.now():%H%M%S}")
        told.process.step()
        told.process.wait(seconds=1)
        return len(told.double.requests) > before

    assert [one_more() for _ in range(FAILURES + 2)] == [True] * FAILURES + [False] * 2
    report, metrics = health_of(told)
    assert report.language_model == "rests" and not any("model" in problem for problem in report.problems)
    assert "lingban_language_model_rests 1.0" in metrics
    assert f'lingban_second_opinions_total{{answer="failed"}} {FAILURES}.0' in metrics
    told.process.wait(seconds=REST)
    assert [one_more(), one_more()] == [True, False]  # one failure more, and it rests again
    told.process.wait(seconds=REST)
    assert one_more() and not told.process.doubts.rests
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("language_model")]
    assert lines == ["language_model_rests", "language_model_back"]
    assert told.process.doubts.counts == {Opinion.FAILED: FAILURES + 1, Opinion.COMPLAINT: 1}
    assert told.states == [InboxState.DONE] * (FAILURES + 5)


def test_the_log_holds_no_text_and_no_key(lite: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = world(lite, tmp_path, says(f"{BELOW} secret-key"))
    told.say(BELOW)
    told.process.step()
    ours = [str(vars(record)) for record in caplog.records if record.name.startswith(("bot", "httpx", "httpcore"))]
    assert any("second_opinion" in line for line in ours)
    assert not any("堆了点土" in line or "secret-key" in line for line in ours)


def test_an_opinion_that_comes_after_the_message_was_understood_is_nothing(engine: Engine, tmp_path: Path) -> None:
    """Another process, without a model, took it meanwhile."""
    told = world(engine, tmp_path)
    told.say(BELOW)

    async def run() -> None:
        model = Slow()
        worker = slow(told, model)
        await worker.take_batch()
        await InboxWorker(told.process.database, told.clock, Knowledge(), told.process.gate).drain()
        model.go.set()
        await worker.drain()

    asyncio.run(run())
    assert (told.opinions, told.tickets, told.states) == ([], [], [InboxState.DONE])


def test_a_text_that_only_adds_to_a_complaint_just_told_is_not_asked_about(lite: Engine, tmp_path: Path) -> None:
    told = world(lite, tmp_path, verdict("complaint"))
    told.say(LAMP, sender=district.DISPATCHER)
    told.process.step()
    told.process.clock.move_to(NINE + timedelta(seconds=30))
    told.say("补充：就在柳林村口那个小卖部旁边", sender=district.DISPATCHER)
    told.process.step()
    assert len(told.tickets) == 1 and told.double.requests == []
