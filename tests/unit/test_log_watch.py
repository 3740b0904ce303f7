"""The watch over the suite's own logs can fail: what is planted is found, and fails the run."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.log_watch import Watch

PLANTED = "plan" + "ted-secret-4711"  # in two pieces: a traceback shows the lines of this file


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"sent with {PLANTED}", "a secret"),
        (f'{{"headers": ["x{PLANTED}x"]}}', "a secret"),
        ("13811112222 called", "a citizen's number"),
        ("身份证110116199001014321", "a citizen's number"),
        ("ValueError: 市民反映，路灯坏了", "chat text"),
        ('{"inbox_id": 13811112222}', ""),
        ("ticket 20260303-0001 at 1772500000.25 in 19:gw-7731290@chatroom", ""),
    ],
)
def test_what_must_not_be_in_a_log_is_found(line: str, found: str) -> None:
    watch = Watch()
    watch.secret(f"{PLANTED},older-secret-0815")
    watch.look(line, "here")
    assert [leak.split(" in a log")[0] for leak in watch.taken()] == ([found] if found else [])
    assert watch.taken() == []


def test_a_secret_is_found_in_arguments_nested_values_and_exceptions() -> None:
    watch = Watch()
    watch.secret(PLANTED)

    def logged(message: str, *args: object, **more: object) -> None:
        record = logging.getLogger("x").makeRecord("x", 20, __file__, 1, message, args, None, extra=more)
        watch.record(record)

    logged("said %s", PLANTED)
    logged("said", deep={"a": [{"b": PLANTED}]})
    logged("said", error=ValueError(PLANTED))
    assert len(watch.taken()) == 3
    logged("said %s", "nothing", room="19:room@chatroom")
    assert watch.taken() == []


def test_a_traceback_may_show_what_a_test_itself_says_and_no_exception_may() -> None:
    watch = Watch()

    def logged(failing: Callable[[], object]) -> list[str]:
        record = logging.getLogger("x").makeRecord("x", 40, __file__, 1, "failed", (), None)
        try:
            failing()
        except (ValueError, ZeroDivisionError):
            record.exc_info = sys.exc_info()
        watch.record(record)
        return watch.taken()

    words = "市民" + "反映，路灯坏了"
    assert logged(lambda: len("市民反映") / 0) == []
    assert len(logged(lambda: int(words))) == 1


STORY = '''
import logging, os, subprocess, sys
from pydantic import SecretStr

def test_good(): logging.getLogger("bot.x").info("started", extra={"rooms": 3})
def test_nested(): logging.getLogger("bot.x").info("said", extra={"deep": [SecretStr("of-a-setting-1").get_secret_value()]})
def test_process():
    with open(os.environ["LOG_FILE"], "a") as file: file.write("from a process: 13811112222\\n")
def test_good_again(): pass
'''


def test_a_run_in_which_something_leaks_fails_and_says_where(tmp_path: Path) -> None:
    (tmp_path / "test_story.py").write_text(STORY, encoding="utf-8")
    (tmp_path / "conftest.py").write_text("from tests.conftest import *  # the hooks\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", "/dev/null", str(tmp_path)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "a secret in a log line of bot.x" in done.stdout
    assert "a citizen's number in a log line of a bot's process" in done.stdout
    assert "FAILED" not in "".join(line for line in done.stdout.splitlines() if "test_good" in line)
