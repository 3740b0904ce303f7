"""Log lines: one JSON object each, with a stable event name and ids; chat text and secrets never."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

import structlog

HIDDEN = "***"


def set_up_logs(level: str, *, secrets: tuple[str, ...] = (), plain: bool = False) -> None:
    """Send all logging to stderr as JSON lines (`plain`: as readable lines). `secrets` are cut out of every line."""
    hidden = tuple(secret for secret in secrets if secret)

    def hide(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for name, value in event.items():
            if isinstance(value, str):
                for secret in hidden:
                    value = value.replace(secret, HIDDEN)
                event[name] = value
        return event

    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=False) if plain else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            hide,
            renderer,
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("apscheduler", "alembic", "hpack", "matplotlib", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
