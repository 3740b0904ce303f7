"""Log lines: one JSON object each, with a stable event name and ids; chat text and secrets never.

The nets lie at the very end, over the finished line: whatever way a secret or a citizen's number came into it (an argument,
a nested value, an exception's words), it does not leave.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, MutableMapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog

from bot.log_file import DailyFile

HIDDEN = "***"
NOISY = ("apscheduler", "alembic", "hpack", "matplotlib", "httpx", "httpcore", "apprise")  # they name addresses
SHORTEST_SECRET = 6  # characters; hiding shorter ones would eat the words of every line
# A mobile phone or identity number, but not a number that a line gives as a value of its own: an id.
NUMBERS = re.compile(r'(?<![\d.])(?<!": )(?:1[3-9]\d{9}|[1-9]\d{5}(?:19|20)\d{9}[\dXx])(?![\d.])')
_DETAIL = re.compile(r"DETAIL:.*?(?=\n\[SQL|\n\nThe above|\n\nDuring|\Z)", re.S)  # PostgreSQL repeats the row there


def set_up_logs(
    level: str, *, secrets: Iterable[str] = (), plain: bool = False, file: Path | None = None, days: int = 190
) -> None:
    """Send all logging to stderr as JSON lines (`plain`: as readable lines), and to `file`, turned over every day.

    `secrets` are cut out of every line. A file that cannot be written is said on stderr and stops nothing.
    """
    made = formatter(secrets, plain=plain)
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if file is not None:
        handlers.append(DailyFile(file, keep=timedelta(days=days)))
    for handler in handlers:
        handler.setFormatter(made)
    root = logging.getLogger()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = False  # it would print a record that cannot be written as it is, past the nets
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def formatter(secrets: Iterable[str] = (), *, plain: bool = False, nets: bool = True) -> logging.Formatter:
    """What makes a line of a record. Without `nets` nothing is cut out: for the test that looks at what comes in."""
    hidden = _spellings(secrets)
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=False) if plain else structlog.processors.JSONRenderer(ensure_ascii=False)
    )

    def hide(_logger: Any, _method: str, line: Any) -> Any:
        for secret in hidden:
            line = line.replace(secret, HIDDEN)
        return NUMBERS.sub(HIDDEN, line)

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            *([_without_detail] if nets else []),
            renderer,
            *([hide] if nets else []),  # after the renderer: over the whole line
        ],
    )


def _without_detail(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if isinstance(told := event.get("exception"), str):
        event["exception"] = _DETAIL.sub(f"DETAIL: {HIDDEN}", told)
    return event


def _spellings(secrets: Iterable[str]) -> list[str]:
    """Each secret as it is, as JSON writes it and as an address does; the longest first."""
    given = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]
    found = {*given, *(json.dumps(each)[1:-1] for each in given), *(quote(each, safe="") for each in given)}
    found |= {json.dumps(each, ensure_ascii=False)[1:-1] for each in given}
    return sorted(found, key=len, reverse=True)
