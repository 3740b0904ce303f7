"""A log file that is turned over at midnight, Beijing time, and thrown away after some days. It never stops the bot.

`lingban.log` holds today; `lingban.log.2026-03-03` that day. Days are those of the lines themselves, so a bot that was off
at midnight turns over at its next line. What cannot be written (a full disk, no right) is lost here, told once a minute on
stderr, where every line also goes.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path

from handlers.policy import BEIJING

PRIVATE = 0o600
TELL_AGAIN = 60.0  # seconds between two complaints about the same file


class DailyFile(logging.Handler):
    def __init__(self, path: Path, *, keep: timedelta) -> None:
        super().__init__()
        self._path = path
        self._keep = keep
        self._file: int | None = None
        self._identity: tuple[int, int] | None = None
        self._day: date | None = None
        self._whole = True  # the last line was written to its end
        self._told = float("-inf")

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record) + "\n"
            self._be_open(datetime.fromtimestamp(record.created, BEIJING).date())
            self._write(line.encode("utf-8", "backslashreplace"))
        except Exception as error:
            self._close()
            self._complain(error, record.created)

    def close(self) -> None:
        self._close()
        super().close()

    def _write(self, line: bytes) -> None:
        assert self._file is not None
        if not self._whole:
            line = b"\n" + line
        self._whole = False
        while line:
            line = line[os.write(self._file, line) :]
        self._whole = True

    def _be_open(self, day: date) -> None:
        """The file of that day; opened anew where somebody else moved or removed it."""
        if self._file is not None and (self._day != day or self._identity != _identity(self._path)):
            self._close()
        if self._file is not None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            of = self._day or datetime.fromtimestamp(self._path.stat().st_mtime, BEIJING).date()
            aside = self._path.with_name(f"{self._path.name}.{of}")
            if of < day and not aside.exists():
                os.rename(self._path, aside)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        with suppress(OSError):  # a file of somebody else's that may be written
            os.fchmod(self._file, PRIVATE)
        self._identity = _identity(self._path)
        self._day = day
        self._throw_away(day - self._keep)

    def _throw_away(self, before: date) -> None:
        name = re.compile(re.escape(self._path.name) + r"\.(\d{4}-\d{2}-\d{2})")
        for path in self._path.parent.iterdir():
            with suppress(ValueError, OSError):
                if (found := name.fullmatch(path.name)) and date.fromisoformat(found.group(1)) < before:
                    path.unlink()

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
        self._file = None

    def _complain(self, error: Exception, at: float) -> None:
        if at - self._told >= TELL_AGAIN and sys.stderr is not None:
            self._told = at
            with suppress(OSError, ValueError):
                reason = getattr(error, "strerror", None) or type(error).__name__
                sys.stderr.write(f'{{"event": "log_file_not_written", "level": "error", "reason": "{reason}"}}\n')


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
