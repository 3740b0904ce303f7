"""A clean stop ends every loop, also one whose first cancel was lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import Engine

from bot.app import Bot
from bot.clock import SystemClock
from bot.settings import Settings
from tests.process import Groups, prepare


async def test_a_loop_that_lost_a_cancel_is_ended_by_the_next(engine: Engine, tmp_path: Path) -> None:
    """Before: the stop then took its whole five seconds, and the process was killed by its supervisor."""
    prepare(engine)
    settings = Settings(
        _env_file=None, database_url=engine.url.render_as_string(hide_password=False), files_dir=tmp_path / "files"
    )  # type: ignore[call-arg]
    bot = Bot(settings, engine, Groups(), SystemClock())  # type: ignore[arg-type]
    lost: list[str] = []

    async def loses_one() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if lost:
                    raise
                lost.append("a cancel")

    async def serves() -> None:
        return None

    task = asyncio.create_task(loses_one())
    await bot.database.write(lambda session: None)  # the task has begun
    await asyncio.wait_for(bot._end([task], asyncio.create_task(serves())), 3)
    assert task.cancelled() and lost == ["a cancel"]
