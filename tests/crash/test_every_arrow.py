"""Two whole stories, and the process dies at every commit that writes and around every message that goes out.

Each act of a story is played from the database that the act before left, once for each moment to die in; then the rows
and the groups must be what they are when nothing dies. A transaction that writes nothing can lose nothing, so the process
is not stopped there.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session

from bot.clock import VirtualClock
from bot.sender import RESENT
from storage.enums import MessageType
from storage.sessions import make_engine
from storage.tables import Assignment, Deadline, Event, InboxMessage, OutboxMessage, RoomNumber, Ticket
from tests import district
from tests.process import LAMP, NINE, CrashingDatabase, CrashNow, Groups, Process, prepare

TOWN, OTHER = "东山镇", "西河镇"
SETTLED = timedelta(seconds=70)  # longer than a send of unknown outcome waits for its echo
HANDLER, DISPATCHER = district.nick(TOWN, 3), district.DISPATCHER

Act = tuple[int, int, tuple[str, str, str] | None]  # minute, second after nine; room, speaker, words if anybody speaks
LADDER: list[Act] = [
    (0, 0, (TOWN, DISPATCHER, LAMP)),
    (5, 0, None),
    (10, 0, None),
    (15, 2, None),
    (45, 0, None),
    (50, 0, (TOWN, HANDLER, "领1")),
    (55, 0, (TOWN, HANDLER, "办结1 灯换好了")),
]
PASSED_ON: list[Act] = [
    (0, 0, (OTHER, DISPATCHER, "市民反映，梁家庄村村口有人触电，情况紧急，请马上处理。")),
    (4, 0, (OTHER, district.nick(OTHER, 3), "退1 不归我镇管")),
    (6, 0, ("派单", DISPATCHER, "1 转 水务局")),
    (8, 0, ("区水务局", district.nick("区水务局", 3), "领1")),
    (10, 0, ("区水务局", district.nick("区水务局", 3), "recall")),
    (12, 0, ("区水务局", district.nick("区水务局", 1), "1 @尤丁 你去办")),
    (14, 0, ("区水务局", district.nick("区水务局", 3), "吹哨1 交通局 一起到场")),
]
STORIES = {"the ladder": LADDER, "passed on": PASSED_ON}


@dataclass(frozen=True)
class Point:
    """Where the process dies: around the n-th commit, or around the n-th message."""

    what: str  # "commit" or "message"
    number: int
    after: bool


class CountingDatabase(CrashingDatabase):
    """Also knows which of its transactions wrote anything."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.count = 0
        self.writing: list[int] = []

        @event.listens_for(engine, "before_cursor_execute")
        def seen(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            if statement.startswith(("INSERT", "UPDATE", "DELETE")) and self.writing[-1:] != [self.count]:
                self.writing.append(self.count)

    def write_now(self, work: Callable[[Session], Any]) -> Any:
        self.count += 1
        return super().write_now(work)


class Run:
    """One act, on a copy of the database that the acts before left."""

    def __init__(self, before: Path, folder: Path, number: int, act: Act, *, echoes: bool) -> None:
        self.path, self.folder, self.number, self.act, self.echoes = folder / "act.db", folder, number, act, echoes
        shutil.copyfile(before, self.path)
        self.engine = make_engine(f"sqlite:///{self.path}", durable=False)
        self.groups, self.echoed, self.deaths = Groups("one"), 0, 0
        self.clock = VirtualClock(NINE + timedelta(minutes=act[0], seconds=act[1]))
        self.process = Process(self.engine, self.groups, self.clock, folder)
        self.database = self.process.database = CountingDatabase(self.engine)
        for part in (self.process.receiver, self.process.worker, self.process.scheduler, self.process.sender):
            part._database = self.database
        self.process.scheduler._digesting._database = self.database

    def arm(self, point: Point) -> None:
        if point.what == "commit":
            setattr(self.database, "after_commit" if point.after else "before_commit", point.number)
        elif point.after:
            self.groups.after = lambda: self.die_at(point, len(self.groups.arrived))
        else:
            self.groups.before = lambda: self.die_at(point, len(self.groups.arrived) + 1)

    def die_at(self, point: Point, message: int) -> None:
        if message == point.number:
            raise CrashNow

    def surely(self, work: Callable[[], object]) -> None:
        """Do it; if the process dies of it, another one does it: the gateway delivers what was not taken."""
        try:
            work()
        except CrashNow:
            self.deaths += 1
            self.groups.before = self.groups.after = lambda: None
            self.process = Process(self.engine, self.groups, self.clock, self.folder)
            self.process.recover()
            work()

    def play(self) -> None:
        if self.act[2] is not None:
            self.surely(lambda: self.say(*(self.act[2] or ())))
        self.surely(lambda: self.process.step())
        self.clock.move_to(self.clock.now() + timedelta(seconds=1))
        self.surely(self.echo)
        self.clock.move_to(self.clock.now() + SETTLED)
        self.surely(lambda: self.process.step())
        self.engine.dispose()

    def say(self, room: str, speaker: str, text: str) -> None:
        more: dict[str, Any] = {"id": f"m{self.number}"}
        if text == "recall":
            text, more = "", {**more, "type": MessageType.RECALL, "recalls": f"m{self.number - 1}"}
        self.process.hear(room, speaker, text, **more)

    def echo(self) -> None:
        """The gateway tells us what arrived of our own."""
        rooms = {district.room(unit): unit for unit in (*district.TOWNS, *district.AGENCIES)}
        rooms |= {district.DISPATCH: "派单", district.SUPERVISION: "督查"}
        for index, (to, text) in enumerate(self.groups.arrived[self.echoed :], self.echoed):
            if self.echoes:
                said = "@甄丙\u2005" + text
                self.process.hear(
                    rooms[to.partition(":")[2]], "派单助手", said, id=f"own-{self.number}-{index}", is_self=True
                )
            self.echoed = index + 1

    def said(self) -> Counter[tuple[str, str]]:
        return Counter((to, text.removeprefix(RESENT)) for to, text in self.groups.arrived)

    def state(self) -> dict[str, Any]:
        rows = self.process.rows
        return {
            "tickets": [row.model_dump() for row in rows(Ticket)],
            "duties": [row.model_dump() for row in rows(Assignment)],
            "events": [row.model_dump() for row in rows(Event)],
            "deadlines": [row.model_dump() for row in rows(Deadline)],
            "numbers": [row.model_dump() for row in rows(RoomNumber)],
            "heard": [(row.id, row.message_id, row.state, row.became) for row in rows(InboxMessage) if not row.is_self],
            "said": [(row.dedup_key, row.state, row.text.removeprefix(RESENT)) for row in rows(OutboxMessage)],
        }


def moments(whole: Run, *, echoes: bool) -> Iterator[Point]:
    """Where an act can be cut; with echoes only the messages, since nothing else differs."""
    for number in range(1, len(whole.groups.arrived) + 1):
        yield from (Point("message", number, after) for after in (False, True))
    if not echoes:
        for number in whole.database.writing:
            yield from (Point("commit", number, after) for after in (False, True))


def compare(run: Run, whole: Run, point: Point) -> None:
    where = f"act {whole.number}, {point}"
    assert run.deaths == 1, where
    assert run.state() == whole.state(), where
    assert run.process.unsettled() == [], where
    assert not whole.said() - run.said(), where
    twice = run.said() - whole.said()
    arrived_unseen = point.after if point.what == "message" else not point.after
    assert twice.total() <= (arrived_unseen and not run.echoes), where
    again = [text for _, text in run.groups.arrived if text.startswith(RESENT)]
    assert len(again) >= twice.total(), where  # what is said again is marked


@pytest.mark.parametrize("echoes", [True, False], ids=["echoed", "never echoed"])
@pytest.mark.parametrize("name", STORIES)
def test_wherever_the_process_dies_the_rows_and_the_groups_end_the_same(
    sqlite_template: Path, tmp_path: Path, name: str, echoes: bool
) -> None:
    before = tmp_path / "before.db"
    shutil.copyfile(sqlite_template, before)
    engine = make_engine(f"sqlite:///{before}", durable=False)
    prepare(engine)
    engine.dispose()
    for folder in ("whole", "cut"):
        (tmp_path / folder).mkdir()
    tried, said = 0, 0
    for number, act in enumerate(STORIES[name]):
        whole = Run(before, tmp_path / "whole", number, act, echoes=echoes)
        whole.play()
        for point in moments(whole, echoes=echoes):
            run = Run(before, tmp_path / "cut", number, act, echoes=echoes)
            run.arm(point)
            run.play()
            compare(run, whole, point)
            tried += 1
        said += len(whole.groups.arrived)
        whole.engine.dispose()
        shutil.copyfile(whole.path, before)
    assert said == {"the ladder": 8, "passed on": 13}[name]
    assert tried == 2 * said if echoes else tried > 6 * said
