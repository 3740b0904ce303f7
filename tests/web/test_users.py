"""Users of the page from the command line."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from bot.cli import app
from tests.web.site import Site

LONG = "a long enough one"


@pytest.fixture
def command(quick_site: Site, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(quick_site.folder)
    monkeypatch.setenv("DATABASE_URL", quick_site.url)
    return CliRunner()


def test_a_user_is_added_gets_a_new_password_and_is_removed(command: CliRunner, quick_site: Site) -> None:
    done = command.invoke(app, ["user", "add", "新人", "--role", "单位", "--unit", "东山镇"], input=f"{LONG}\n")
    assert done.exit_code == 0 and LONG not in done.output
    assert "新人\t单位\t东山镇" in command.invoke(app, ["user", "list"]).output
    client = quick_site.client()
    assert client.post("/login", data={"name": "新人", "password": LONG}).status_code == 303
    assert command.invoke(app, ["user", "password", "新人"], input="another long one\n").exit_code == 0
    assert client.get("/tickets").status_code == 303  # the old login ended
    assert client.post("/login", data={"name": "新人", "password": LONG}).status_code == 401
    assert client.post("/login", data={"name": "新人", "password": "another long one"}).status_code == 303
    assert command.invoke(app, ["user", "remove", "新人"]).exit_code == 0
    assert client.get("/tickets").status_code == 303
    told = quick_site.client("管理甲").get("/changes").text
    assert told.count("用户 新人") == 3 and "命令行" in told
    assert "新人\t单位\t东山镇\tremoved" in command.invoke(app, ["user", "list"]).output


@pytest.mark.parametrize(
    "words, given, said",
    [
        (["add", "新人", "--role", "督查"], "short\n", "at least 10 characters"),
        (["add", "督查甲", "--role", "督查"], f"{LONG}\n", "is there already"),
        (["add", "新人", "--role", "单位"], f"{LONG}\n", "--unit goes with"),
        (["add", "新人", "--role", "督查", "--unit", "东山镇"], f"{LONG}\n", "--unit goes with"),
        (["add", "新人", "--role", "单位", "--unit", "火星镇"], f"{LONG}\n", "there is no unit"),
        (["add", " ", "--role", "督查"], f"{LONG}\n", "printable"),
        (["password", "没有的人"], f"{LONG}\n", "nobody is called"),
        (["remove", "没有的人"], "", "nobody is called"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(
    command: CliRunner, words: list[str], given: str, said: str
) -> None:
    before = command.invoke(app, ["user", "list"]).output
    done = command.invoke(app, ["user", *words], input=given)
    assert done.exit_code == 2 and said in done.output
    assert command.invoke(app, ["user", "list"]).output == before
