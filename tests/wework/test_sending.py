"""A channel without an echo: what it asks to wait is waited, what is unknown is said again at once, then ever more rarely."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from bot.channels.base import TemporaryError, UnknownResult
from bot.clock import VirtualClock
from bot.cutting import cut
from bot.sender import Pace, Sender, Waits
from storage.enums import OutboxState
from storage.tables import OutboxMessage
from tests import district
from tests.harness import fresh_database
from tests.process import LAMP, NINE, Groups, Process, prepare


@pytest.fixture
def process(tmp_path: Path) -> Process:
    engine = fresh_database(tmp_path)
    prepare(engine)
    made = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    made.sender = Sender(
        made.database, made.clock, made.groups, made.gate,  # type: ignore[arg-type]
        pace=Pace(on=False), waits=Waits(echo=timedelta(0)),
    )  # fmt: skip
    made.hear("东山镇", district.DISPATCHER, LAMP)
    asyncio.run(made.worker.take_batch())
    return made


def row(process: Process) -> OutboxMessage:
    return process.database.read_now(lambda session: session.exec(select(OutboxMessage)).first())


def raising(error: Exception) -> Callable[[], None]:
    def happen() -> None:
        raise error

    return happen


def test_what_the_channel_asks_to_wait_is_waited_and_not_dropped(process: Process) -> None:
    process.groups.before = raising(TemporaryError("its twenty of the minute", wait=60.0))
    asyncio.run(process.sender.step())
    held = row(process)
    assert (held.state, held.not_before) == (OutboxState.PENDING, process.clock.now() + timedelta(seconds=60))
    process.groups.before = lambda: None
    process.clock.move_to(NINE + timedelta(seconds=59))
    asyncio.run(process.sender.drain())
    assert process.groups.arrived == []
    process.clock.move_to(NINE + timedelta(seconds=60))
    asyncio.run(process.sender.drain())
    assert len(process.groups.arrived) == 1 and row(process).state is OutboxState.SENT


def test_an_unknown_outcome_is_said_once_more_at_once_and_marked(process: Process) -> None:
    process.groups.after = raising(UnknownResult("no answer"))
    asyncio.run(process.sender.step())
    process.groups.after = lambda: None
    asyncio.run(process.sender.drain())
    first, second = [text for _, text in process.groups.arrived]
    assert (second, row(process).state) == (f"补发：{first}", OutboxState.SENT)


def test_a_service_that_never_answers_is_asked_ever_more_rarely_and_never_given_up(process: Process) -> None:
    process.groups.after = raising(UnknownResult("no answer"))
    tried = []
    for second in (0, 1, 2, 31, 32, 33, 92, 93, 94, 213, 214):
        process.clock.move_to(NINE + timedelta(seconds=second))
        if asyncio.run(process.sender.step()):
            tried.append(second)
    # at once, then 30 s after that was found unknown, then twice as long each time
    assert tried == [0, 1, 32, 93, 214]
    assert {text.count("补发：") for _, text in process.groups.arrived} == {0, 1}


def test_600_emoji_are_cut_so_that_each_part_fits_2048_bytes_with_room_for_names() -> None:
    parts = cut("😀" * 600)
    assert [len(part.encode()) <= 1900 for part in parts] == [True, True]
    assert sum(part.count("😀") for part in parts) == 600
    assert cut("水" * 600) == ["水" * 600]
