"""A call for somebody whose sending has an unknown outcome, and the answer comes before the outcome is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.clock import VirtualClock
from storage.enums import MessageType, OutboxState, SayKind
from storage.tables import OutboxMessage
from tests import district
from tests.process import LAMP, NINE, Groups, Process, lost_answer, prepare

HANDLER = district.nick("东山镇", 3)


@pytest.fixture
def process(engine: Engine, tmp_path: Path) -> Process:
    """The prompt of the first ticket went out, perhaps."""
    prepare(engine)
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    process.hear("东山镇", district.DISPATCHER, LAMP, id="m1")
    process.groups.before = lost_answer
    process.step()
    process.groups.before = lambda: None
    return process


@pytest.mark.parametrize("word", ["领1", "办结1 灯换好了", "退1 不归镇里管", "recall"])
def test_a_call_that_may_have_arrived_is_not_said_again_once_it_is_answered(process: Process, word: str) -> None:
    """Before: 补发 called for somebody to take a ticket that had been taken, handed back or withdrawn."""
    process.wait(seconds=30)
    if word == "recall":
        process.hear("东山镇", district.DISPATCHER, "", type=MessageType.RECALL, recalls="m1")
    else:
        process.hear("东山镇", HANDLER, word)
    process.step()
    process.wait(minutes=2)
    process.step()
    assert process.groups.said("请在09:15前领办，回复") == []
    assert {row.state for row in process.rows(OutboxMessage) if row.kind is SayKind.PROMPT} == {OutboxState.DROPPED}


def test_a_prompt_of_unknown_outcome_that_a_break_overtakes_is_told_within_the_one_message(process: Process) -> None:
    """Before: after the break the prompt was said as well, 补发, after the step that had overtaken it."""
    process.gate.disconnect()
    process.wait(minutes=12)
    process.gate.connect(process.clock.now())
    process.step()
    process.wait(minutes=2)
    process.step()
    (said,) = [text for room, text in process.groups.arrived if "东山镇" in room]
    assert "请领导安排" in said and "夜里看不见路" in said
