"""When and by whom old data is blanked: the running bot at night, the command; files by their own age; what is said."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select
from typer.testing import CliRunner

from bot import retention as keeping
from bot.app import Bot
from bot.backup import write_backup
from bot.cli import app
from bot.database import Database
from bot.order_folder import DONE, FAILED
from bot.restore import restore
from bot.settings import Settings
from handlers.texts import BLANKED
from storage import page_users
from storage.page_tables import Audit
from storage.sessions import make_engine, transaction
from storage.tables import Ticket
from tests import district
from tests.backup.test_nightly import Once, Slept
from tests.keeping.world import World, everything
from tests.process import NINE, Groups

LITTER = "市民钱样富反映，石桥村垃圾没人清运，电话13811112222"


@pytest.fixture
def quick(sqlite_template: Path, tmp_path: Path) -> World:
    (tmp_path / "quick.db").write_bytes(sqlite_template.read_bytes())
    made = World(make_engine(f"sqlite:///{tmp_path}/quick.db", durable=False), tmp_path)
    made.say("东山镇", "转发员", LITTER)
    made.say("东山镇", district.nick("东山镇", 3), "1已办结，垃圾已清走")
    return made


def bot_of(world: World, clock: Once, days: int | None) -> Bot:
    settings = Settings(
        _env_file=None, database_url=str(world.engine.url), files_dir=world.files, retention_days=days
    )  # type: ignore[call-arg]
    return Bot(settings, world.engine, Groups(), clock)  # type: ignore[arg-type]


async def look(bot: Bot) -> None:
    assert bot._retention is not None
    with pytest.raises(Slept):
        await bot._retention.watch()


async def test_the_bot_blanks_once_a_night_at_ten_past_four_and_writes_down_how_much(
    quick: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "BREATH", 0)
    clock = Once(NINE + timedelta(days=400))  # 09:00: a database that was restored just now is not blanked at once
    monkeypatch.setattr(clock, "sleep", nap := Nap(clock))
    bot = bot_of(quick, clock, 300)
    await look(bot)
    assert [t.blanked_at for t in quick.tickets()] == [None]
    clock.move_to(NINE + timedelta(days=400, hours=19, minutes=9))  # 04:09
    await look(bot)
    assert [t.blanked_at for t in quick.tickets()] == [None]
    clock.move_to(NINE + timedelta(days=400, hours=19, minutes=10))
    await look(bot)
    assert [t.text for t in quick.tickets()] == [BLANKED]
    await look(bot)
    (entry,) = quick.process.rows(Audit)
    assert (entry.user_name, entry.subject, entry.before) == ("系统", "按期清除", None)
    assert entry.after == {
        "tickets": 1, "messages": 2, "said": 2, "digests": 0, "accesses": 0, "files": 0, "ledgers": 0, "orders": 0,
    }  # fmt: skip
    assert nap.last == keeping.LOOK and not any("blanked" in each for each in (await bot.health.report()).problems)
    bot.database.close()


class Nap:
    """Ends the loop at its pause, not at the breath between two batches."""

    def __init__(self, clock: Once) -> None:
        self.clock, self.last = clock, 0.0

    async def __call__(self, seconds: float) -> None:
        if seconds:
            self.last = seconds
            raise Slept


async def test_a_night_that_fails_is_shown_and_tried_again(
    quick: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Once(NINE + timedelta(days=400))
    nap = Nap(clock)
    monkeypatch.setattr(clock, "sleep", nap)
    monkeypatch.setattr(keeping, "BREATH", 0)
    bot = bot_of(quick, clock, 300)
    clock.move_to(NINE + timedelta(days=401))

    def full(*_given: object, **_more: object) -> None:
        raise OperationalError("UPDATE ticket", {"text": LITTER}, Exception("disk full"))

    with monkeypatch.context() as broken:
        broken.setattr(keeping.retention, "blank_tickets", full)
        await look(bot)
    assert nap.last == keeping.AGAIN
    assert "old personal data cannot be blanked" in (await bot.health.report()).problems
    assert {r.getMessage() for r in caplog.records if r.levelname == "ERROR"} == {"retention_failed"}
    assert "13811112222" not in caplog.text
    await look(bot)
    assert "old personal data cannot be blanked" not in (await bot.health.report()).problems
    assert [t.text for t in quick.tickets()] == [BLANKED]
    bot.database.close()


def test_without_a_number_of_days_nothing_ever_goes(quick: World) -> None:
    clock = Once(NINE)
    bot = bot_of(quick, clock, None)
    assert bot._retention is None
    bot.database.close()


def put(path: Path, *, days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("13811112222", encoding="utf-8")
    when = (NINE + timedelta(days=days)).timestamp()
    os.utime(path, (when, when))
    return path


def test_old_files_go_by_their_own_age_and_only_ours(quick: World) -> None:
    old = [
        put(quick.files / "00112233aabbccdd-face.jpg", days=0),  # of a message that a crash lost
        put(quick.files / ".part-x7", days=0),
        put(quick.files / "digests/月报-20260319.xlsx", days=0),
        put(quick.files / "digests/7-1772500000/专报-x.xlsx", days=0),
        put(quick.orders / DONE / "orders.xlsx", days=0),
        put(quick.orders / DONE / "orders.xlsx.报告.txt", days=1),
        put(quick.orders / FAILED / "bad.csv", days=0),
    ]
    kept = [
        put(quick.files / "lingban.db", days=0),  # whatever else somebody keeps there
        put(quick.files / "digests/日报-20260303.png", days=0),  # numbers
        put(quick.files / "00112233aabbccdd-new.jpg", days=390),
        put(quick.orders / "not taken yet.xlsx", days=0),
        put(quick.orders / DONE / "last year's.xlsx", days=-300),
        put(quick.orders / DONE / "last year's.xlsx.报告.txt", days=390),  # put away ten days ago
    ]
    quick.clock.move_to(NINE + timedelta(days=400))
    counts = quick.count().counts
    assert (counts["files"], counts["ledgers"], counts["orders"]) == (2, 2, 2)
    assert quick.blank().counts == counts
    assert [path for path in old if path.exists()] == [] and [path for path in kept if not path.exists()] == []


def test_a_file_that_two_messages_share_stays_until_both_are_old(quick: World) -> None:
    shared = put(quick.files / "0123456789abcdef-same.jpg", days=400)
    for days in (1, 200):
        quick.clock.move_to(NINE + timedelta(days=days))
        quick.say("东山镇", "转发员", "", type="image", file=shared, file_name="same.jpg")
    quick.clock.move_to(NINE + timedelta(days=400))
    quick.blank()
    assert shared.exists()
    quick.clock.move_to(NINE + timedelta(days=600))
    quick.blank()
    assert not shared.exists()


def test_a_name_in_the_database_deletes_nothing_elsewhere(quick: World, tmp_path: Path) -> None:
    elsewhere = put(tmp_path / "elsewhere/0123456789abcdef-mine.txt", days=0)
    quick.say("东山镇", "转发员", "", type="file", file=elsewhere, file_name="mine.txt")
    quick.say("东山镇", "转发员", "", type="file", file=quick.files / "../elsewhere" / elsewhere.name)
    quick.clock.move_to(NINE + timedelta(days=400))
    quick.blank()
    assert elsewhere.exists()


def test_a_file_that_cannot_be_deleted_is_told_of(quick: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = put(quick.files / "0123456789abcdef-stuck.jpg", days=0)
    quick.say("东山镇", "转发员", "", type="image", file=stuck)
    quick.clock.move_to(NINE + timedelta(days=400))

    def refuse(path: Path, **_more: object) -> None:
        raise PermissionError(path)

    keeper = quick.retention()
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", refuse)
        assert asyncio.run(keeper.run(by="测试")).stuck == 1 and keeper.trouble
    done = asyncio.run(keeper.run(by="测试"))
    assert (done.stuck, done.counts["files"], keeper.trouble, stuck.exists()) == (0, 1, False, False)


def test_who_saw_what_is_known_for_190_days_at_least(quick: World) -> None:
    with transaction(quick.engine) as session:
        page_users.note_access(session, user_name="督查甲", address="10.1.1.1", what="工单 1", now=NINE)
    quick.clock.move_to(NINE + timedelta(days=189))
    assert quick.blank(days=30).counts["accesses"] == 0
    quick.clock.move_to(NINE + timedelta(days=191))
    assert quick.blank(days=30).counts["accesses"] == 1


def test_the_command_says_what_it_would_do_and_does_it(
    quick: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/quick.db")
    lingban = CliRunner()
    refused = lingban.invoke(app, ["retain"])
    assert refused.exit_code == 2 and "RETENTION_DAYS is empty" in refused.stderr
    monkeypatch.setenv("RETENTION_DAYS", "29")
    assert "RETENTION_DAYS" in lingban.invoke(app, ["retain"]).stderr
    monkeypatch.setenv("RETENTION_DAYS", "30")
    monkeypatch.setattr("bot.cli_keeping.SystemClock", lambda: quick.clock)
    quick.clock.move_to(NINE + timedelta(days=400))
    before = everything(quick.engine)
    said = lingban.invoke(app, ["retain", "--dry-run"]).output.splitlines()
    assert said[0] == "1  tickets (texts, phones, names, places)" and said[1] == "2  messages of the groups"
    assert said[-1] == "older than 30 days: would be blanked; nothing was changed"
    assert everything(quick.engine) == before
    done = lingban.invoke(app, ["retain"])
    assert done.exit_code == 0 and done.output.splitlines()[0] == said[0]
    assert [entry.user_name for entry in quick.process.rows(Audit)] == ["命令行"]
    shown = lingban.invoke(app, ["show", quick.tickets()[0].no]).output
    assert BLANKED in shown and "13811112222" not in shown
    assert "0  tickets" in lingban.invoke(app, ["retain"]).output


def test_a_restored_backup_is_blanked_again_in_the_next_night(quick: World, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/quick.db"
    quick.clock.move_to(NINE + timedelta(days=400))
    backup = write_backup(url, tmp_path / "kept", now=quick.clock.now()).path
    quick.blank()
    quick.database.close()
    restore(url, backup, now=quick.clock.now())
    quick.engine = make_engine(url)
    quick.database = Database(quick.engine, inline=True)
    keeper = quick.retention()
    assert [t.text for t in rows(quick)] == [LITTER]
    assert not quick.database.read_now(lambda session: keeper._is_due(session, now=quick.clock.now()))
    quick.clock.move_to(NINE + timedelta(days=400, hours=20))
    assert quick.database.read_now(lambda session: keeper._is_due(session, now=quick.clock.now()))
    asyncio.run(keeper.run(by="系统"))
    assert [t.text for t in rows(quick)] == [BLANKED]
    assert not quick.database.read_now(lambda session: keeper._is_due(session, now=quick.clock.now()))


def rows(world: World) -> list[Ticket]:
    return world.database.read_now(lambda session: list(session.exec(select(Ticket)).all()))
