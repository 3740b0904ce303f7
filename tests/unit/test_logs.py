"""What a log line may hold, and the file that logs go to: turned over by Beijing's days, never in the bot's way."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.log_file import DailyFile
from bot.logs import formatter, set_up_logs
from bot.settings import Settings
from handlers.policy import BEIJING
from storage.sessions import make_engine

TOKEN = 'to"ken/übel-4711'
PHONE, IDENTITY = "13811112222", "110116199001014321"  # invented


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    before = logger.handlers[:], logger.level, logging.raiseExceptions
    yield logger
    logger.handlers[:], _, logging.raiseExceptions = before
    logger.setLevel(before[1])


def record(message: str, *args: object, at: datetime | None = None, **extra: object) -> logging.LogRecord:
    made = logging.getLogger("bot.somewhere").makeRecord("bot.somewhere", 40, __file__, 1, message, args, None, extra=extra)
    if at is not None:
        made.created = at.timestamp()
    return made


@pytest.mark.parametrize("plain", [False, True])
def test_a_secret_never_leaves_however_it_came(plain: bool) -> None:
    made = formatter([TOKEN], plain=plain)
    for each in (
        record(f"said {TOKEN}"),
        record("said %s", TOKEN),
        record("said", headers={"authorization": [TOKEN, {"deep": TOKEN}]}),
        record("said", about=SecretStr(TOKEN), other=Exception(TOKEN)),
        record("GET /x?key=to%22ken%2F%C3%BCbel-4711"),
    ):
        line = made.format(each)
        assert "4711" not in line, line
        assert plain or json.loads(line)["event"]
    try:
        raise ValueError(f"bad token {TOKEN}")
    except ValueError:
        failed = record("failed")
        failed.exc_info = __import__("sys").exc_info()
        assert "4711" not in made.format(failed) and "ValueError" in made.format(failed)


def test_a_citizens_number_never_leaves_and_ids_do() -> None:
    made = formatter()
    line = made.format(record("failed", reason=f"invalid literal: '{PHONE}'", card=f"身份证{IDENTITY}", inbox_id=13811112222))
    assert json.loads(line)["inbox_id"] == 13811112222
    assert f"'{PHONE}'" not in line and IDENTITY not in line and "***" in line
    assert "20260303-0001" in made.format(record("ticket 20260303-0001 of 1772500000.123456"))


def test_an_error_of_the_database_does_not_repeat_what_was_to_be_written(database_url: str) -> None:
    engine = make_engine(database_url)
    row, values = "INSERT INTO meta (key, value) VALUES (:key, :value)", {"key": f"市民钱样富 {PHONE}", "value": None}
    with pytest.raises(IntegrityError) as failed, engine.begin() as connection:
        connection.execute(text(row), values)
    engine.dispose()
    made = record("failed")
    made.exc_info = (failed.type, failed.value, failed.tb)
    line = formatter().format(made)
    assert "IntegrityError" in line and "钱样富" not in line and PHONE not in line


def test_every_secret_of_the_settings_is_cut_out_each_of_several_too() -> None:
    settings = Settings(
        _env_file=None, gateway_token="gate-token", data_key="", hash_key="hash-key-1",
        alarm_urls="mailtos://user77:pass%40word@example.org wecombot://robot-key-88",
        database_url="postgresql+psycopg://lingban:data%3Aword@127.0.0.1/lingban",
    )  # type: ignore[call-arg,arg-type]
    made = formatter(settings.secrets())
    for secret in ("gate-token", "hash-key-1", "pass%40word", "pass@word", "robot-key-88", "data:word"):
        assert secret not in made.format(record(f"<{secret}>"))
    assert "127.0.0.1" in made.format(record("127.0.0.1"))
    for name, field in Settings.model_fields.items():  # a new secret is hidden by its type alone
        if field.annotation is SecretStr and name != "data_key":
            assert f"of-{name}" in settings.model_copy(update={name: SecretStr(f"of-{name}")}).secrets()


# ---- the file --------------------------------------------------------------------------------------------------------


def at(text_: str) -> datetime:
    return datetime.fromisoformat(text_).replace(tzinfo=BEIJING)


def handler(path: Path, days: int = 190) -> DailyFile:
    made = DailyFile(path, keep=timedelta(days=days))
    made.setFormatter(logging.Formatter("%(message)s"))
    return made


def test_it_turns_over_at_midnight_beijing_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "log/lingban.log"
    file = handler(path)
    file.handle(record("evening", at=at("2026-03-03T23:59:59")))
    file.handle(record("night", at=at("2026-03-04T00:00:00")))
    file.handle(record("morning", at=at("2026-03-04T08:00:00")))  # midnight in UTC
    file.close()
    assert path.read_text() == "night\nmorning\n"
    assert (tmp_path / "log/lingban.log.2026-03-03").read_text() == "evening\n"
    assert {p.stat().st_mode & 0o777 for p in path.parent.iterdir()} == {0o600}


def test_a_bot_that_was_off_at_midnight_turns_over_at_its_next_line(tmp_path: Path) -> None:
    path = tmp_path / "lingban.log"
    path.write_text("before\n")
    path.chmod(0o644)
    os.utime(path, (at("2026-03-01T12:00:00").timestamp(),) * 2)
    file = handler(path)
    file.handle(record("after", at=at("2026-03-04T09:00:00")))
    file.close()
    assert path.read_text() == "after\n" and (tmp_path / "lingban.log.2026-03-01").read_text() == "before\n"
    again = handler(path)
    again.handle(record("again", at=datetime.now(BEIJING)))  # noqa: TID251 - as old as the file just written
    again.close()
    assert path.read_text() in ("after\nagain\n", "again\n")


def test_files_older_than_190_days_go_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "lingban.log"
    for name in ("lingban.log.2025-08-25", "lingban.log.2025-08-26", "lingban.log.2025-08-26.gz", "other.log.2020-01-01"):
        (tmp_path / name).write_text("old\n")
    file = handler(path)
    file.handle(record("today", at=at("2026-03-04T09:00:00")))  # 190 days after 26 August
    file.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "lingban.log", "lingban.log.2025-08-26", "lingban.log.2025-08-26.gz", "other.log.2020-01-01",
    ]  # fmt: skip


def test_a_full_disk_or_a_missing_right_is_said_once_a_minute_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lingban.log"
    file = handler(path)
    morning = at("2026-03-04T09:00:00")
    write = os.write

    def full(handle: int, line: bytes) -> int:
        if line == b"ond\n":
            raise OSError(28, "No space left on device")
        return write(handle, line[:3] if line.startswith(b"sec") else line)

    monkeypatch.setattr(os, "write", full)
    file.handle(record("first", at=morning))
    for seconds in (1, 2, 61):
        file.handle(record("second", at=morning + timedelta(seconds=seconds)))
    said = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["reason"] for line in said] == ["No space left on device"] * 2
    monkeypatch.setattr(os, "write", write)
    file.handle(record("third", at=morning + timedelta(seconds=90)))
    file.close()
    assert path.read_text().splitlines()[-1] == "third" and path.read_text().startswith("first\n")
    (tmp_path / "a file").write_text("")
    nowhere = handler(tmp_path / "a file/lingban.log")
    nowhere.handle(record("lost", at=morning))
    assert "log_file_not_written" in capsys.readouterr().err


def test_a_file_that_somebody_moved_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "lingban.log"
    file = handler(path)
    file.handle(record("one", at=at("2026-03-04T09:00:00")))
    path.rename(tmp_path / "moved")
    file.handle(record("two", at=at("2026-03-04T09:00:01")))
    file.close()
    assert path.read_text() == "two\n" and (tmp_path / "moved").read_text() == "one\n"


def test_logs_go_to_stderr_and_to_the_file(tmp_path: Path, root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("INFO", secrets=[TOKEN], file=tmp_path / "lingban.log", days=190)
    logging.getLogger("bot.x").info("started", extra={"token": TOKEN})
    logging.getLogger("httpx").info("HTTP Request: GET https://example.org/?key=secret")
    root.handlers[1].close()
    line = (tmp_path / "lingban.log").read_text()
    for said in (line, capsys.readouterr().err):
        assert {**json.loads(said), "timestamp": None} == {
            "event": "started", "level": "info", "logger": "bot.x", "timestamp": None, "token": "***",
        }  # fmt: skip
