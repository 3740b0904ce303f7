"""A process that was dead is an outage of its account, also when the process of another account went on meanwhile."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import select

from bot.app import Bot
from bot.clock import VirtualClock
from bot.settings import Settings
from storage.sessions import reading
from storage.tables import Outage
from tests.process import NINE, Groups, prepare


async def test_the_downtime_of_one_of_two_processes_is_recorded(engine: Engine, tmp_path: Path) -> None:
    """Before: both wrote the same sign of life, so that a dead one was not missed while the other lived."""
    prepare(engine, "one", "two")
    clock = VirtualClock(NINE)
    settings = Settings(
        _env_file=None, database_url=engine.url.render_as_string(hide_password=False), files_dir=tmp_path / "files"
    )  # type: ignore[call-arg]

    def bot(account: str) -> Bot:
        return Bot(settings, engine, Groups(account), clock)  # type: ignore[arg-type]

    one, two = bot("one"), bot("two")
    await one.scheduler.tick()
    for _ in range(20):
        clock.move_to(clock.now() + timedelta(seconds=30))
        await two.scheduler.tick()
    for each in (bot("one"), bot("two")):  # both start anew
        await each.database.write(each._note_downtime)
    with reading(engine) as session:
        outages = session.exec(select(Outage).order_by(Outage.account)).all()  # type: ignore[arg-type]
        told = [(row.account, row.kind.value, row.started_at, row.ended_at) for row in outages]
    assert told == [
        ("one", "down", NINE, None),
        ("two", "offline", NINE + timedelta(minutes=10), None),  # until WeChat is connected
    ]
    for each in (one, two):
        each.database.close()
