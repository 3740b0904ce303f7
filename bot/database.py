"""One writer: every write transaction runs in one thread, so that the event loop never touches the database itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from storage.sessions import reading, transaction

T = TypeVar("T")


class Database:
    """`inline=True` runs everything in the caller's thread, for replays and tests: same calls, no hand-over."""

    def __init__(self, engine: Engine, *, inline: bool = False) -> None:
        self.engine = engine
        self._inline = inline
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._readers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="reader")

    def write_now(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one transaction, in this thread."""
        with transaction(self.engine) as session:
            return work(session)

    def read_now(self, work: Callable[[Session], T]) -> T:
        with reading(self.engine) as session:
            return work(session)

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one transaction, in the writer's thread, after what was asked for before."""
        if self._inline:
            return self.write_now(work)
        return await asyncio.get_running_loop().run_in_executor(self._writer, self.write_now, work)

    async def read(self, work: Callable[[Session], T]) -> T:
        if self._inline:
            return self.read_now(work)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, work)

    def close(self) -> None:
        self._writer.shutdown(wait=True, cancel_futures=True)
        self._readers.shutdown(wait=True, cancel_futures=True)
        self.engine.dispose()
