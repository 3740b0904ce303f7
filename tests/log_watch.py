"""Every line that the whole suite logs is looked at: no secret of the tests, no citizen's number, no chat text.

A record is looked at as the bot's own formatter writes it, but without the formatter's nets: what they would have to catch
is a mistake already. Bots that tests start as processes log into a file of this run too (`LOG_FILE`). The test during which
something leaked fails. Known secrets are those that tests name (`secret`), every `SecretStr`, every key of a
vault, every password that is hashed and every cookie that is made while the tests run.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.logs import NOISY, NUMBERS, formatter

SHORTEST = 8  # characters; shorter ones are words
CHAT = ("市民反映", "来电反映")  # what the tests' complaints say
# A traceback shows the lines of a test through which it came, with what the test says; in JSON, so with \\" and \\n.
TESTS_OWN = re.compile(r'(File \\"[^"]*/tests/[^"]*\\", line \d+, in \S+)\\n.*?(?=\\n)')
SHOWN = 400  # characters of a line that leaked


class Watch:
    def __init__(self) -> None:
        self._starts: dict[str, set[str]] = defaultdict(set)  # a secret's first characters: the secrets
        self._leaks: list[str] = []
        self._format = formatter(nets=False).format
        self._busy = False

    def secret(self, value: str) -> str:
        """Know a secret from now on; the value itself, so that a constant can be named where it is made."""
        for part in {value, *value.split(",")}:
            if len(part) >= SHORTEST:
                self._starts[part[:SHORTEST]].add(part)
        return value

    def look(self, line: str, where: str) -> None:
        """Look at a line, or at all that a process said."""
        found, line = "", TESTS_OWN.sub(r"\1", line)
        for at in range(len(line) - SHORTEST + 1):
            for known in self._starts.get(line[at : at + SHORTEST], ()):
                if line.startswith(known, at):
                    found = "a secret"
        found = found or ("a citizen's number" if NUMBERS.search(line) else "")
        found = found or ("chat text" if any(words in line for words in CHAT) else "")
        if found:
            self._leaks.append(f"{found} in a log line of {where}: {line[:SHOWN]}")

    def record(self, record: logging.LogRecord) -> None:
        if self._busy or record.levelno < logging.INFO:
            return
        self._busy = True  # what formatting logs is not looked at again
        try:
            self.look(self._format(record), record.name)
        finally:
            self._busy = False

    @contextmanager
    def planted(self) -> Iterator[None]:
        """What is logged in the block is there to try the formatter's nets; at least one line must hold something."""
        before, self._leaks = self._leaks, []
        yield
        assert self._leaks, "nothing was planted"
        self._leaks = before

    def taken(self) -> list[str]:
        """What leaked since it was asked last."""
        leaks, self._leaks = self._leaks, []
        return leaks


class ProcessLogs:
    """The file into which bots write that tests start as processes: it stands in the environment they get."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._folder = Path(tempfile.mkdtemp(prefix="lingban-logs-"))
        self._seen = 0
        os.environ["LOG_FILE"] = str(self._folder / "bots.log")  # noqa: TID251 - of the test run, no setting of the bot

    def look(self) -> None:
        path = self._folder / "bots.log"
        if path.exists() and path.stat().st_size > self._seen:
            with path.open("rb") as file:
                file.seek(self._seen)
                said = file.read()
            self._seen += len(said)
            for line in said.decode("utf-8", "replace").splitlines():
                self._watch.look(line, "a bot's process")

    def end(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


WATCH = Watch()
secret = WATCH.secret


def start() -> None:
    """Look at everything that is logged in this process from now on, from INFO on as in the bot."""
    logging.getLogger().setLevel(logging.INFO)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    _before(logging.Logger, "handle", lambda _logger, record: WATCH.record(record))
    _know_secrets()


def _know_secrets() -> None:
    import secrets

    import argon2
    import pydantic

    from handlers.vault import Vault

    _before(pydantic.SecretStr, "__init__", lambda _self, value: secret(value) if isinstance(value, str) else None)
    _before(Vault, "__init__", lambda _self, keys=(): [secret(key) for key in keys])
    _before(argon2.PasswordHasher, "hash", lambda _self, password, **_more: secret(str(password)))
    made = secrets.token_urlsafe
    secrets.token_urlsafe = lambda nbytes=None: secret(made(nbytes))


def _before(owner: type, name: str, first: Callable[..., Any]) -> None:
    """Let `first` see the arguments of every call of a method."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def watched(*given: Any, **more: Any) -> Any:
        first(*given, **more)
        return original(*given, **more)

    setattr(owner, name, watched)
