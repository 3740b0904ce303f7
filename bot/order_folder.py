"""A watched folder: the hotline's files that are put into it are taken by themselves, each once.

Only files whose size and time have stood still are touched. What was taken goes to `done/`, what cannot be read to
`failed/`, each with a report beside it; supervision is told once of a file, or of rows of it, that could not be taken.
"""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from bot.clock import Clock
from bot.database import Database
from bot.importers.orders import OrdersImportError
from bot.knowledge import Knowledge
from bot.order_import import Imported, NoDispatchRoom, OrderFile, digest_of_file, import_files, read_file
from handlers.policy import BEIJING
from handlers.troubles import tell_of_bad_orders

log = logging.getLogger(__name__)
LOOK = 10.0  # seconds between two looks
STILL = 3  # looks at which size and time must be the same, so that a slow copy is whole
DONE, FAILED = "done", "failed"
UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".download")  # endings of what is still being written


@dataclass(frozen=True, slots=True)
class _Stamp:
    size: int
    changed: int  # nanoseconds


class OrderFolder:
    def __init__(self, database: Database, clock: Clock, knowledge: Knowledge, folder: Path) -> None:
        self._database = database
        self._clock = clock
        self._knowledge = knowledge
        self._folder = folder
        self._seen: dict[Path, tuple[_Stamp, int]] = {}
        self._given_up: dict[Path, _Stamp] = {}  # what could not be put away; looked at again when it changes
        self._waiting_for = ""  # what keeps all files from being taken

    @property
    def trouble(self) -> bool:
        """Whether the folder, or a file in it, cannot be worked on."""
        return bool(self._waiting_for or self._given_up)

    async def watch(self) -> None:
        while True:
            await self.look()
            await self._clock.sleep(LOOK)

    async def look(self) -> None:
        """Take every file that has stood still. A file that fails stops no other."""
        try:
            found = await asyncio.to_thread(self._list)
        except OSError as error:
            self._wait_for(f"the folder cannot be read ({type(error).__name__})")
            return
        if found and not await self._database.read(self._can_dispatch):
            self._wait_for("no room of the dispatch centre or of supervision")
            return
        self._waiting_for = ""
        for path in found:
            await self._take(path)

    def _wait_for(self, what: str) -> None:
        """Logged when it begins, not at every look."""
        if what != self._waiting_for:
            log.error("orders_folder_waits", extra={"folder": str(self._folder), "reason": what})
        self._waiting_for = what

    def _can_dispatch(self, session: Session) -> bool:
        return self._knowledge.context(session).district.dispatch_room is not None

    def _list(self) -> list[Path]:
        """The files that have been the same for some looks, in the order of their names."""
        now: dict[Path, tuple[_Stamp, int]] = {}
        for path in sorted(self._folder.iterdir()):
            if path.suffix.lower() in UNFINISHED or path.name.startswith((".", "~$")):
                continue
            try:
                if path.is_symlink() or not path.is_file():
                    continue
                stamp = _stamp(path)
            except OSError:  # gone meanwhile
                continue
            before = self._seen.get(path)
            now[path] = (stamp, before[1] + 1 if before and before[0] == stamp else 1)
        self._seen = now
        self._given_up = {
            path: stamp for path, stamp in self._given_up.items() if path in now and now[path][0] == stamp
        }
        return [path for path, (_, looks) in now.items() if looks >= STILL and path not in self._given_up]

    async def _take(self, path: Path) -> None:
        stamp = self._seen[path][0]
        try:
            file = await asyncio.to_thread(read_file, path)
        except OrdersImportError as error:
            await self._refuse(path, stamp, error)
            return
        now = self._clock.now()
        try:
            done = await self._database.write(lambda session: self._import(session, file, now))
        except NoDispatchRoom:  # it went just now; the next look says so
            return
        log.info("orders_taken", extra={"new": len(done.new), "known": len(done.known), "odd": len(file.odd)})
        await self._put_away(path, stamp, DONE, _report(file, done))

    def _import(self, session: Session, file: OrderFile, now: datetime) -> Imported:
        ctx = self._knowledge.context(session)
        done = import_files(session, ctx, [file], now=now)
        if file.lost and not done.taken_before:
            tell_of_bad_orders(session, ctx, name=file.name, rows=file.lost, key=file.digest, now=now)
        return done

    async def _refuse(self, path: Path, stamp: _Stamp, error: OrdersImportError) -> None:
        now = self._clock.now()
        try:
            if await asyncio.to_thread(_stamp, path) != stamp:  # written on meanwhile; taken when it stands still again
                return
            key = await asyncio.to_thread(digest_of_file, path)
        except OSError:
            key = f"{path.name}:{stamp.size}:{stamp.changed}"

        def tell(session: Session) -> None:
            tell_of_bad_orders(session, self._knowledge.context(session), name=path.name, rows=0, key=key, now=now)

        log.error("orders_file_refused", extra={"reason": error.what})
        await self._database.write(tell)
        await self._put_away(path, stamp, FAILED, f"没有导入：{error}\n改好后请重新放入文件夹。\n")

    async def _put_away(self, path: Path, stamp: _Stamp, kind: str, report: str) -> None:
        now = self._clock.now()
        try:
            await asyncio.to_thread(_move, path, stamp, self._folder / kind, report, now)
        except OSError as error:
            log.error("orders_file_not_moved", extra={"folder": str(self._folder), "reason": type(error).__name__})
            self._given_up[path] = stamp


def _stamp(path: Path) -> _Stamp:
    status = path.stat()
    return _Stamp(status.st_size, status.st_mtime_ns)


def _move(path: Path, stamp: _Stamp, folder: Path, report: str, now: datetime) -> None:
    """Put a file away with its report; one that has grown meanwhile stays, and is taken when it stands still again."""
    if _stamp(path) != stamp:
        return
    folder.mkdir(exist_ok=True)
    target = folder / path.name
    if target.exists():
        target = folder / f"{path.stem}-{now.astimezone(BEIJING):%Y%m%d-%H%M%S}{path.suffix}"
    target.with_name(f"{target.name}.报告.txt").write_text(report, encoding="utf-8-sig")
    os.replace(path, target)


def _report(file: OrderFile, done: Imported) -> str:
    lines = ["这个文件以前导入过，没有变化。" if done.taken_before else f"已导入：{done.sentence}。"]
    lines += [str(odd) for odd in file.odd]
    return "\n".join(lines) + "\n"
