"""Two real processes on one database; one is killed in the middle of its work."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import Engine

from bot.clock import VirtualClock
from storage.enums import Step
from storage.tables import Deadline
from tests import district
from tests.process import NINE, Groups, Process, prepare

UNITS = (*district.TOWNS, *district.AGENCIES)
TICKETS = 300
DEADLINE = 120  # seconds of the real clock that anything here may take


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def test_three_hundred_deadlines_fire_once_each_though_one_of_two_processes_is_killed(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    """faults: apscheduler#129."""
    prepare(engine, "one", "two")
    here = Process(engine, Groups("one"), VirtualClock(NINE), tmp_path)
    for number in range(TICKETS):
        text = f"市民反映，第{number}根电线杆旁的路灯坏了，请尽快维修。"
        here.hear(UNITS[number % len(UNITS)], district.DISPATCHER, text)
    here.step()
    out = tmp_path / "said.txt"
    since = NINE.replace(minute=5, second=1).isoformat()
    start = [sys.executable, "-m", "tests.races.loops", database_url]
    one, two = (subprocess.Popen([*start, account, str(out), since]) for account in ("one", "two"))
    try:
        while len(lines(out)) < TICKETS // 3:  # each look waits for the process it looks at
            try:
                one.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            break
        one.kill()
        one.wait(DEADLINE)
        assert two.wait(DEADLINE) == 0
    finally:
        for process in (one, two):
            process.kill()
            process.wait(DEADLINE)
    reminders = [line for line in lines(out) if "还没人领办" in line]
    once = Counter(line.replace(" 补发：", " ").split("号")[0] for line in reminders)
    each = range(1, TICKETS // len(UNITS) + 1)
    assert set(once) == {f"{district.room(unit)} {n}" for unit in UNITS for n in each}
    again = [line for line in reminders if " 补发：" in line]
    assert len(again) <= 1 and sum(once.values()) - TICKETS <= len(again)  # the one that was on its way at the kill
    fired = [row for row in here.rows(Deadline) if row.step is Step.REMINDER]
    assert len(fired) == TICKETS and {row.outcome for row in fired} == {"said"}
