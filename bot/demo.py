"""The terminal demo: a morning in six groups, played by the whole bot against a virtual clock, told line by line."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from bot.clock import Clock
from bot.database import Database
from bot.importers.people import load
from bot.replay import Replay, ReplaySettings
from bot.roster import load_into
from bot.sender import Pace
from bot.settings import Settings
from bot.transcript import read_transcript
from handlers.policy import BEIJING
from storage.migrate import upgrade
from storage.sessions import make_engine

SAMPLE = Path(__file__).parent / "sample"
UNTIL = datetime(2026, 3, 3, 12, 6, tzinfo=BEIJING)  # a minute after the digest
PAUSE_SECONDS = 0.45  # between two messages, so that they can be read
COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_red", "bright_green", "bright_cyan")


class Screen:
    """Prints what the groups and the bot say, each group in a colour of its own."""

    def __init__(self, console: Console, clock: Clock, pause: float) -> None:
        self._console = console
        self._clock = clock
        self._pause = pause
        self._colours: dict[str, str] = {}

    async def heard(self, at: datetime, room: str, sender: str, text: str) -> None:
        await self._line(at, room, sender.split("-", 1)[-1], text, bot=False)

    async def said(self, at: datetime, room: str, text: str, mentions: list[str]) -> None:
        called = " ".join(f"@{name}" for name in mentions)
        await self._line(at, room, "派单助手", f"{called} {text}" if called else text, bot=True)

    async def file(self, at: datetime, room: str, name: str) -> None:
        await self._line(at, room, "派单助手", f"[文件] {name}", bot=True)

    async def _line(self, at: datetime, room: str, who: str, text: str, *, bot: bool) -> None:
        colour = self._colours.setdefault(room, COLOURS[len(self._colours) % len(COLOURS)])
        group = room.replace("见诉领办工作群", "").replace("区接诉即办", "")
        head = Text.assemble(
            (f"{at.astimezone(BEIJING):%H:%M:%S} ", "dim"),
            (f"{group} ", colour),
            (f"{who}：", "bold" if bot else ""),
        )
        body = Text(text.replace("\n", "\n" + " " * 9), style="bold" if bot else "")
        self._console.print(head + body, soft_wrap=False)
        await self._clock.sleep(self._pause)


async def run_demo(settings: Settings, clock: Clock, *, folder: Path, console: Console, fast: bool = False) -> Path:
    """Play the sample morning into a fresh database under `folder`; the database's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "demo.db"
    for old in (path, path.with_name("demo.db-wal"), path.with_name("demo.db-shm")):
        old.unlink(missing_ok=True)
    engine = make_engine(f"sqlite:///{path}")
    upgrade(engine)
    database = Database(engine, inline=True)
    lines = read_transcript(SAMPLE / "morning.jsonl")
    database.write_now(lambda session: load_into(session, load(SAMPLE / "district"), now=lines[0].at))
    console.print(Panel("领办：群里的每件诉求，15分钟内都有人接。六个群的一个上午，加速播放。", expand=False))
    screen = Screen(console, clock, 0.0 if fast else PAUSE_SECONDS)
    base = replace(settings.context(), page_url="")
    given = ReplaySettings(base, settings.digests(), Pace(on=False), folder / "digests")
    await Replay(database, lines, given, SAMPLE, watcher=screen).run(UNTIL)
    database.close()
    return path


def farewell(path: Path) -> str:
    """What to try next."""
    url = f"sqlite:///{path}"
    return "\n".join(
        [
            f"数据库 The database: {path}    日报的图和台账 picture and ledger: {path.parent / 'digests'}",
            "下一步 Try next:",
            f"  python -m bot show 20260303-0004 --database {url}",
            f"  python -m bot digest --date 2026-03-03 --database {url}",
            '  python -m bot explain "口头村东口的井盖丢了，晚上看不见，请赶紧补上" --room 桥梓镇',
            "  python -m bot replay bot/sample/morning.jsonl --units bot/sample/district --out data/replay",
        ]
    )
