"""`backup` and `restore` as an operator meets them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from storage.sessions import make_engine
from tests.process import prepare


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    shutil.copyfile(sqlite_template, tmp_path / "live.db")
    engine = make_engine(f"sqlite:///{tmp_path}/live.db")
    prepare(engine)
    engine.dispose()
    return f"sqlite:///{tmp_path}/live.db"


def lingban(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_back_up_restore_check_confirm(url: str, tmp_path: Path) -> None:
    made = lingban("backup", tmp_path / "b.db", "--database", url)
    assert made.exit_code == 0 and "rows: 0 inbox, 0 ticket" in made.stdout
    again = lingban("backup", tmp_path / "b.db", "--database", url)
    assert again.exit_code == 2 and "never overwrites" in again.stderr
    assert "is quiet" not in lingban("check", "--database", url).stdout
    done = lingban("restore", tmp_path / "b.db", "--database", url)
    assert done.exit_code == 0, done.stderr
    assert "the replaced database is kept" in done.stdout and "restore --confirm" in done.stdout
    checked = lingban("check", "--database", url)
    assert "and is quiet" in checked.stdout and "do: let the bot read the groups" in checked.stdout.replace("\n", " ")
    confirmed = lingban("restore", "--confirm", "--database", url)
    assert confirmed.exit_code == 0 and "the bot may speak again" in confirmed.stdout
    twice = lingban("restore", "--confirm", "--database", url)
    assert twice.exit_code == 1 and "is not quiet" in twice.stderr
    assert "is quiet" not in lingban("check", "--database", url).stdout


@pytest.mark.parametrize("words", [(), ("b.db", "--confirm")])
def test_a_restore_needs_a_file_or_the_word(url: str, words: tuple[str, ...]) -> None:
    refused = lingban("restore", *words, "--database", url)
    assert refused.exit_code == 2 and "either the FILE to restore or --confirm" in refused.stderr


def test_a_file_that_is_not_there_is_said(url: str, tmp_path: Path) -> None:
    refused = lingban("restore", tmp_path / "none.db", "--database", url)
    assert refused.exit_code == 2 and "there is no file" in refused.stderr
