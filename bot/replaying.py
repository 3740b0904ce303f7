"""`python -m bot replay`: several transcripts in one process, each in a fresh database, each to its own result file."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, select

from bot.database import Database
from bot.importers.people import load
from bot.knowledge import Knowledge
from bot.replay import Replay, ReplaySettings
from bot.replay_output import result
from bot.roster import load_into
from bot.sender import Pace
from bot.settings import Settings
from bot.transcript import Line, read_transcript
from storage import tables
from storage.migrate import upgrade
from storage.sessions import make_engine, reading, transaction


class ReplayError(Exception):
    """The replay cannot start; str() says what is wrong and what to do."""


def replay_files(
    files: Sequence[Path],
    *,
    units: Path,
    out: Path,
    until: datetime | None,
    database: str | None,
    settings: Settings,
) -> list[Path]:
    """Replay each file; the result of `a/b.jsonl` is `out/b.json`. The result files, in order.

    Raises TranscriptError, RosterError or ReplayError; of a file that cannot be read nothing is written.
    """
    if database is not None and len(files) != 1:
        raise ReplayError("--database takes one FILE only, since each FILE needs a fresh database")
    roster = load(units)
    out.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="lingban-replay-") as folder:
        template = Path(folder) / "template.db"
        for path in files:
            lines = read_transcript(path)
            if database is not None:
                engine = _given_database(database)
            else:
                if not template.exists():
                    _make_template(template, roster, lines)
                copy = Path(folder) / "replay.db"
                shutil.copyfile(template, copy)
                engine = make_engine(f"sqlite:///{copy}", durable=False)
            if database is not None:
                with transaction(engine) as session:
                    load_into(session, roster, now=lines[0].at)
            written.append(_replay_one(path, lines, engine, out, until, settings))
            engine.dispose()
    return written


def _make_template(path: Path, roster: object, lines: Sequence[Line]) -> None:
    """The district's data once; each replay starts from a copy."""
    engine = make_engine(f"sqlite:///{path}", durable=False)
    SQLModel.metadata.create_all(engine)
    with transaction(engine) as session:
        load_into(session, roster, now=lines[0].at)  # type: ignore[arg-type]
    engine.dispose()


def _given_database(url: str) -> Engine:
    engine = make_engine(url)
    upgrade(engine)
    with reading(engine) as session:
        if (
            session.exec(select(tables.InboxMessage.id).limit(1)).first()
            or session.exec(select(tables.Unit.id).limit(1)).first()
        ):
            raise ReplayError(f"the database {engine.url.render_as_string()} is not empty; give an empty one")
    return engine


def _replay_one(
    path: Path, lines: Sequence[Line], engine: Engine, out: Path, until: datetime | None, settings: Settings
) -> Path:
    import asyncio

    database = Database(engine, inline=True)
    base = settings.context()
    pace = settings.pace() if settings.replay_pacing else Pace(on=False)
    files = out / f"{path.stem}.files"
    replay = Replay(database, lines, ReplaySettings(base, settings.digests(), pace, files), path.parent)
    asyncio.run(replay.run(until))

    def read(session: Session) -> object:
        return result(session, Knowledge(base).context(session))

    target = out / f"{path.stem}.json"
    text = json.dumps(database.read_now(read), ensure_ascii=False, indent=1)
    target.write_text(text + "\n", encoding="utf-8")
    return target
