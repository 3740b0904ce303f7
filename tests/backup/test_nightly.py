"""The nightly backup of the whole bot: made beside everything else; one that fails is told of and tried again."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from bot.app import Bot
from bot.clock import VirtualClock
from bot.settings import Settings
from storage.tables import OutboxMessage
from tests.process import NINE, Groups, prepare


class Slept(Exception):
    """The loop came to its pause."""


class Once(VirtualClock):
    """Ends a loop at its first pause."""

    pause = 0.0

    async def sleep(self, seconds: float) -> None:
        self.pause = seconds
        raise Slept


def made(engine: Engine, folder: Path, clock: Once, backups: Path) -> Bot:
    settings = Settings(
        _env_file=None, database_url=engine.url.render_as_string(hide_password=False), files_dir=folder / "files",
        backup_dir=backups,
    )  # type: ignore[call-arg]
    return Bot(settings, engine, Groups(), clock)  # type: ignore[arg-type]


@pytest.fixture
def live(sqlite_template: Path, tmp_path: Path) -> Engine:
    from storage.sessions import make_engine

    (tmp_path / "live.db").write_bytes(sqlite_template.read_bytes())
    engine = make_engine(f"sqlite:///{tmp_path}/live.db")
    prepare(engine)
    return engine


async def test_it_is_made_once_a_night_and_all_is_well(live: Engine, tmp_path: Path) -> None:
    clock = Once(NINE)
    bot = made(live, tmp_path, clock, tmp_path / "backups")
    for _ in range(2):
        with pytest.raises(Slept):
            await bot._back_up()
    assert [path.name for path in (tmp_path / "backups").iterdir()] == ["lingban-20260303-090000.db"]
    assert clock.pause == 30.0 and "the last backup failed" not in (await bot.health.report()).problems
    bot.database.close()


async def test_one_that_fails_is_told_of_once_a_day_shown_and_tried_again(
    live: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "backups").write_text("a file where the folder should be")
    clock = Once(NINE)
    bot = made(live, tmp_path, clock, tmp_path / "backups")
    for _ in range(2):
        with pytest.raises(Slept):
            await bot._back_up()
    assert clock.pause == 600.0 and "the last backup failed" in (await bot.health.report()).problems
    said = bot.database.read_now(lambda session: list(session.exec(select(OutboxMessage.text)).all()))
    assert said == ["机器人的每日备份没有做成，请管理员查看日志"]
    assert {r.getMessage() for r in caplog.records if r.levelname == "ERROR"} == {"backup_failed"}
    (tmp_path / "backups").unlink()
    with pytest.raises(Slept):
        await bot._back_up()
    assert "the last backup failed" not in (await bot.health.report()).problems
    bot.database.close()
