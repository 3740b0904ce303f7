"""A story over the replay: who says what when, then what the bot must have said. Anything else it said is a failure.

    told = story("09:00 东山镇 @D m1: 市民反映，柳林村路灯坏了三盏，请维修。", "09:02 东山镇 @3: 领1")
    told.says("09:00", "东山镇", "prompt", "柳林村", to=["甄丙"])

A line is `TIME ROOM SPEAKER [ID]: TEXT`, or `TIME offline|online|crash|restart`, or `TIME recall ROOM ID`. The room is a
unit's name, 派单 or 督查. `@3` is the unit's third person, `@D` the dispatcher, `@S` the supervisor, else a nickname.
"""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from bot.database import Database
from bot.importers.roster import Roster
from bot.knowledge import Knowledge
from bot.replay import Replay, ReplaySettings
from bot.replay_output import result
from bot.roster import load_into
from bot.sender import Pace
from bot.settings import Settings
from bot.transcript import read_transcript
from handlers.policy import BEIJING
from tests import district
from tests.databases import fresh

DAY = "2026-03-03"
SPEAKERS = {"@D": district.DISPATCHER, "@S": district.SUPERVISOR}


def at(clock: str) -> datetime:
    """`09:00`, `09:00:30`, or with days to come: `+1 09:00`."""
    days, _, rest = clock.rpartition(" ")
    whole = rest if rest.count(":") == 2 else f"{rest}:00"
    return datetime.fromisoformat(f"{DAY}T{whole}").replace(tzinfo=BEIJING) + timedelta(days=int(days or 0))


def room_of(name: str) -> str:
    return {"派单": district.DISPATCH, "督查": district.SUPERVISION}.get(name) or (
        district.room(name) if name in district.SURNAMES else name
    )


def line(source: str | dict[str, Any], number: int) -> dict[str, Any]:
    if isinstance(source, dict):
        return {**source, "at": at(source["at"]).isoformat()}
    parts = source.split(" ")
    clock = f"{parts.pop(0)} {parts.pop(0)}" if parts[0].startswith("+") else parts.pop(0)
    if parts[0] in ("offline", "online", "crash", "restart"):
        return {"at": at(clock).isoformat(), "kind": parts[0]}
    if parts[0] == "recall":
        return {"at": at(clock).isoformat(), "kind": "recall", "room": room_of(parts[1]), "id": parts[2]}
    head, _, text = " ".join(parts).partition(": ")
    room, speaker, *ids = head.split(" ")
    sender = SPEAKERS.get(speaker) or (
        district.nick(room, int(speaker[1:])) if speaker.startswith("@") else speaker
    )
    return {
        "at": at(clock).isoformat(),
        "id": ids[0] if ids else f"l{number}",
        "room": room_of(room),
        "sender": sender,
        "text": text,
    }


@dataclass
class Told:
    """What a story came to."""

    out: dict[str, Any]
    unexpected: list[dict[str, Any]] = field(default_factory=list)

    def says(self, clock: str, room: str, kind: str, *words: str, to: list[str] | None = None) -> str:
        """The bot said one such message at that second; it is taken off the list of what is to be explained."""
        for index, sent in enumerate(self.unexpected):
            same_place = sent.get("room") == room_of(room) and sent["kind"] == kind
            if same_place and datetime.fromisoformat(sent["at"]) == at(clock) and all(w in sent["text"] for w in words):
                if to is not None:
                    assert sent["mentions"] == to, sent
                return str(self.unexpected.pop(index)["text"])
        raise AssertionError(f"not said: {clock} {room} {kind} {words}; said: {self._shown()}")

    def nothing_else(self) -> None:
        assert not self.unexpected, self._shown()

    def drop(self, kind: str) -> None:
        """Leave messages of a kind out of what must be explained."""
        self.unexpected = [sent for sent in self.unexpected if sent["kind"] != kind]

    def _shown(self) -> str:
        return "\n" + "\n".join(
            f"{s['at'][11:19]} {s.get('room')} {s['kind']} {s['mentions']} {s['text']!r}" for s in self.unexpected
        )

    @property
    def tickets(self) -> list[dict[str, Any]]:
        return self.out["tickets"]  # type: ignore[no-any-return]

    def duty(self, ticket: int = 0, duty: int = 0) -> dict[str, Any]:
        return self.tickets[ticket]["assignments"][duty]  # type: ignore[no-any-return]

    def kinds(self, ticket: int = 0) -> list[str]:
        return [event["kind"] for event in self.tickets[ticket]["events"]]


class Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record.getMessage())


def story(*lines: str | dict[str, Any], until: str | None = None, roster: Roster | None = None, **env: Any) -> Told:
    """Play the lines in a fresh database; ERROR lines of the log are failures."""
    errors = Errors()
    logging.getLogger().addHandler(errors)
    try:
        with tempfile.TemporaryDirectory() as folder:
            out = asyncio.run(_play(Path(folder), lines, until, roster or district.roster(), env))
    finally:
        logging.getLogger().removeHandler(errors)
    assert errors.seen == []
    return Told(out, list(out["sent"]))


def fresh_database(folder: Path) -> Engine:
    """Where a story is played; `scenarios/conftest.py` puts PostgreSQL in its place."""
    return fresh(folder / "story.db")


async def _play(
    folder: Path, lines: tuple[str | dict[str, Any], ...], until: str | None, roster: Roster, env: dict[str, Any]
) -> dict[str, Any]:
    path = folder / "story.jsonl"
    told = [line(source, number) for number, source in enumerate(lines, 1)]
    path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in told), encoding="utf-8")
    read = read_transcript(path)
    engine = fresh_database(folder)
    database = Database(engine, inline=True)
    database.write_now(lambda session: load_into(session, roster, now=read[0].at))
    settings = Settings(_env_file=None, **env)
    base = settings.context()
    given = ReplaySettings(base, settings.digests(), Pace(on=False), folder / "files")
    await Replay(database, read, given, folder).run(at(until) if until else None)
    out = database.read_now(lambda session: result(session, Knowledge(base).context(session)))
    database.close()
    return out
