"""Each field of `/ready` and `/metrics` tells the truth, and each thing that can be wrong is named."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, update

from bot import health as health_module
from bot.channels.base import TemporaryError
from bot.clock import VirtualClock
from bot.health import Health, health_routes
from bot.knowledge import Knowledge
from storage import meta
from storage.enums import InboxState
from storage.sessions import transaction
from storage.tables import Deadline, InboxMessage
from tests import district
from tests.process import LAMP, NINE, Groups, Process, prepare

USAGE = namedtuple("USAGE", "total used free")
PLENTY = USAGE(10**12, 0, 10**12)
QUIET = "restored, and quiet until `python -m bot restore --confirm`"


class World:
    def __init__(self, engine: Engine, folder: Path) -> None:
        prepare(engine)
        self.engine, self.clock, self.groups = engine, VirtualClock(NINE), Groups()
        self.process = Process(engine, self.groups, self.clock, folder)
        self.troubles: dict[str, bool] = {"another process sends for the account one": False}
        self.health = Health(
            self.process.database, self.clock, Knowledge(), self.process.gate,
            last_tick=lambda: self.process.scheduler.last_tick, folders=[folder, folder / "not-there-yet"],
            silent_after=timedelta(minutes=3), troubles=lambda: self.troubles,
        )  # fmt: skip
        self.process.hear("东山镇", district.DISPATCHER, LAMP)

    def live(self, seconds: int = 1) -> None:
        """Time goes by, the gateway tells something, the bot does its work."""
        self.process.wait(seconds=seconds)
        self.health.heard(self.clock.now())


def stands_still(world: World) -> None:
    world.live(31)


def is_late(world: World) -> None:
    world.clock.move_to(NINE + timedelta(minutes=6, seconds=1))
    world.process.scheduler.last_tick = world.clock.now()
    world.health.heard(world.clock.now())


def cannot_send(world: World) -> None:
    def busy() -> None:
        raise TemporaryError("too often")

    world.groups.before = busy
    world.process.hear("东山镇", district.nick("东山镇", 3), "领1")
    world.process.step()
    world.live(61)
    world.process.scheduler.last_tick = world.clock.now()


def is_silent(world: World) -> None:
    world.clock.move_to(NINE + timedelta(minutes=3, seconds=1))
    world.process.scheduler.last_tick = world.clock.now()


def parks(world: World) -> None:
    world.process.database.write_now(
        lambda session: session.execute(update(InboxMessage).values(state=InboxState.PARKED))
    )


def parks_a_step(world: World) -> None:
    now = world.clock.now()
    world.process.database.write_now(
        lambda session: session.execute(update(Deadline).values(outcome="parked", fired_at=now))
    )


def is_quiet(world: World) -> None:
    with transaction(world.engine) as session:
        meta.put(session, meta.QUIET, meta.Quiet(NINE, 0).as_text())


def is_taken(world: World) -> None:
    world.troubles["another process sends for the account one"] = True


def is_away(world: World) -> None:
    world.process.gate.disconnect()


@pytest.mark.parametrize(
    ("happens", "named", "field", "value"),
    [
        (lambda world: None, None, "tick_age", 0),
        (stands_still, "the ticker stands still", "tick_age", 32),
        (is_late, "a step is late", "oldest_due_age", 61),
        (cannot_send, "a message could not be sent for a minute", "oldest_unsent_age", 61),
        (is_silent, "the gateway is silent", "minutes_without_event", 3),
        (parks, "messages are parked", "parked", 1),
        (parks_a_step, "steps of the ladder are parked", "parked_steps", 2),
        (is_quiet, QUIET, "quiet", True),
        (is_taken, "another process sends for the account one", "waiting", 0),
        (is_away, "not connected to WeChat", "connected", False),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_else(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, happens: Callable[[World], None], named: str | None,
    field: str, value: object,
) -> None:  # fmt: skip
    monkeypatch.setattr(health_module.shutil, "disk_usage", lambda _path: PLENTY)
    world = World(engine, tmp_path)
    await world.process.worker.drain()
    await world.process.scheduler.tick()
    await world.process.sender.drain()
    world.live()
    await_free(happens, world)
    report = await world.health.report()
    assert list(report.problems) == ([named] if named else [])
    if field == "tick_age" and not named:
        assert report.tick_age in (0, 1)
    else:
        assert getattr(report, field) == value


def await_free(happens: Callable[[World], None], world: World) -> None:
    """Steps of a process run their own loop, so they run in a thread of their own."""
    import threading

    failed: list[BaseException] = []

    def run() -> None:
        try:
            happens(world)
        except BaseException as error:  # a thread's error would be lost otherwise
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert failed == [] and not thread.is_alive()


async def test_a_probe_gets_the_status_and_a_graph_the_figures(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(engine, tmp_path)
    monkeypatch.setattr(health_module.shutil, "disk_usage", lambda _path: USAGE(10**9, 10**9, 100 * 2**20))
    app = FastAPI()
    app.include_router(health_routes(world.health))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bot") as probe:
        told = await probe.get("/ready")
        assert told.status_code == 503
        assert told.json()["problems"] == ["the ticker stands still", "less than 500 MB of disk are free"]
        assert (told.json()["free_disk_mb"], told.json()["waiting"], told.json()["tick_age"]) == (100, 1, None)
        figures = (await probe.get("/metrics")).text
    for line in (
        "lingban_connected 1.0", "lingban_tick_age_seconds -1.0", "lingban_inbox_waiting 1.0", "lingban_problems 2.0",
        "lingban_free_disk_megabytes 100.0", "lingban_steps_parked 0.0", "lingban_quiet 0.0", "lingban_inbox_parked 0.0",
        "lingban_oldest_due_age_seconds 0.0", "lingban_oldest_unsent_age_seconds 0.0", "lingban_minutes_without_event 0.0",
    ):  # fmt: skip
        assert line in figures.splitlines(), line
