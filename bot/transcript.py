"""A transcript read and checked (spec: replay.md): known kinds, fields of the right type, in time order."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from storage.enums import MessageType, Satisfaction

KINDS = ("message", "recall", "offline", "online", "crash", "restart", "callback")
TYPES = tuple(
    kind.value for kind in MessageType if kind not in (MessageType.RECALL, MessageType.UNKNOWN)
)  # those that a transcript may name


class TranscriptError(Exception):
    """str() is `FILE:LINE: what is wrong`."""


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    at: datetime
    kind: str
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def received_at(self) -> datetime:
        return self.data.get("received_at") or self.at


def read_transcript(path: Path) -> list[Line]:
    """The lines of a transcript. Raises TranscriptError at the first that is malformed or out of order."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TranscriptError(f"{path}:0: cannot be read: {error.strerror}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        broken = raw[: error.start].count(b"\n") + 1
        raise TranscriptError(f"{path}:{broken}: not UTF-8; save the file as UTF-8") from None
    lines: list[Line] = []
    for number, source in enumerate(text.split("\n"), 1):
        if not source.strip():
            continue
        try:
            line = _parse(source, number)
        except ValueError as error:
            raise TranscriptError(f"{path}:{number}: {error}") from None
        if lines and line.at < lines[-1].at:
            raise TranscriptError(
                f"{path}:{number}: at {line.at.isoformat()} is before the line above; sort the lines by `at`"
            )
        lines.append(line)
    if not lines:
        raise TranscriptError(f"{path}:1: the transcript has no line")
    return lines


def _parse(source: str, number: int) -> Line:
    try:
        data = json.loads(source)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("not JSON: nested too deeply") from None
    if not isinstance(data, dict):
        raise ValueError("a line is a JSON object")
    at = _time(data, "at", required=True)
    assert at is not None
    kind = data.get("kind", "message")
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is unknown; allowed: {', '.join(KINDS)}")
    checked = {**data, "received_at": _time(data, "received_at", required=False)}
    if checked["received_at"] is not None and checked["received_at"] < at:
        raise ValueError("received_at is before at")
    if kind == "message":
        _check_message(checked)
    elif kind == "recall":
        _strings(checked, required=("id", "room"), optional=("sender", "sender_id"))
    elif kind == "callback":
        _check_callback(checked)
    return Line(number, at, kind, checked)


def _time(data: dict[str, Any], name: str, *, required: bool) -> datetime | None:
    value = data.get(name)
    if value is None:
        if required:
            raise ValueError(f"`{name}` is missing")
        return None
    if not isinstance(value, str):
        raise ValueError(f"`{name}` must be an ISO 8601 time, not {value!r}")
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"`{name}` is no ISO 8601 time: {value!r}") from None
    if not 1970 <= at.year <= 9000:
        raise ValueError(f"`{name}` must be a time from 1970 on: {value!r}")
    if at.tzinfo is None:
        raise ValueError(f"`{name}` needs an offset, such as +08:00: {value!r}")
    return at


def _strings(data: dict[str, Any], *, required: tuple[str, ...], optional: tuple[str, ...]) -> None:
    for name in (*required, *optional):
        value = data.get(name)
        if value is None:
            if name in required:
                raise ValueError(f"`{name}` is missing")
        elif not isinstance(value, str):
            raise ValueError(f"`{name}` must be a string, not {value!r}")


def _check_message(data: dict[str, Any]) -> None:
    _strings(data, required=("id", "room", "sender"), optional=("sender_id", "text", "file"))
    kind = data.get("type", "text")
    if kind not in TYPES:
        raise ValueError(f"type {kind!r} is unknown; allowed: {', '.join(TYPES)}")
    mentions = data.get("mentions") or []
    if not isinstance(mentions, list) or not all(isinstance(name, str) for name in mentions):
        raise ValueError("`mentions` must be a list of strings")
    quote = data.get("quote")
    if quote is not None:
        if not isinstance(quote, dict):
            raise ValueError("`quote` must be an object")
        _strings(quote, required=(), optional=("id", "sender", "text", "prompt_of"))


def _check_callback(data: dict[str, Any]) -> None:
    _strings(data, required=("order_no",), optional=("satisfaction",))
    for name in ("contacted", "resolved"):
        if not isinstance(data.get(name), bool):
            raise ValueError(f"`{name}` must be true or false")
    allowed = [member.value for member in Satisfaction]
    if data.get("satisfaction") is not None and data["satisfaction"] not in allowed:
        raise ValueError(f"satisfaction {data['satisfaction']!r} is unknown; allowed: {', '.join(allowed)}")
