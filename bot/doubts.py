"""Asks a language model about the messages that the rules find doubtful, before their turn comes and beside everything else.

No transaction is open while it waits. A message that is asked about keeps back only itself and what follows it in its own
room, so that the room's order stays, and for as long as the model's limit at most; then the rules read it alone. Every
answer, and that there was none, is a row of `second_opinion`: a message taken again reads the same, and none is asked
about twice. An address that fails is left alone for a while.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from bot.clock import Clock
from bot.database import Database
from bot.knowledge import Knowledge
from handlers.doubting import Question, question
from storage import inbox, opinions
from storage.enums import Opinion

if TYPE_CHECKING:
    from bot.language_model import Answer

log = logging.getLogger(__name__)
WINDOW = 200  # waiting messages looked at ahead, as many as go in LOOK seconds
LOOK = 0.5
AT_ONCE = 4  # questions under way
FAILURES = 3  # in a row, after which the address rests
REST = 300.0  # seconds

Room = tuple[str, str]  # account, its id of the room


class Model(Protocol):
    model: str
    limit: float  # seconds

    def is_far(self) -> bool: ...

    async def ask(self, text: str, categories: Sequence[str], *, within: float | None = None) -> Answer: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class _Found:
    waiting: tuple[tuple[int, Room], ...]  # in their order
    questions: tuple[Question, ...]
    categories: tuple[str, ...]


class Doubts:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        knowledge: Knowledge,
        model: Model,
        *,
        prompt: int,
        on_answer: Callable[[], None] = lambda: None,
    ) -> None:
        """`prompt` is the version of the question's wording; `on_answer` is told that messages may be taken now."""
        self._database = database
        self._clock = clock
        self._knowledge = knowledge
        self._model = model
        self._prompt = prompt
        self._on_answer = on_answer
        self._line = asyncio.Semaphore(AT_ONCE)
        self._asking: dict[int, asyncio.Task[None]] = {}
        self._looked: set[int] = set()
        self._failures = 0
        self._rests_until: float | None = None
        self.counts: Counter[Opinion] = Counter()

    @property
    def rests(self) -> bool:
        return self._rests_until is not None and self._clock.monotonic() < self._rests_until

    async def warn_of_a_far_address(self) -> None:
        if await asyncio.to_thread(self._model.is_far):
            log.warning("language_model_outside_the_district", extra={"model": self._model.model})

    async def look(self, limit: int) -> list[int] | None:
        """The waiting messages whose turn may come now, at most `limit`; None: all. Begins to ask about doubtful ones."""
        if self.rests and not self._asking:
            return None
        found = await self._database.read(partial(self._find, looked=self._looked | set(self._asking)))
        self._looked = {inbox_id for inbox_id, _ in found.waiting}
        for each in found.questions:
            if not self.rests:
                self._asking[each.inbox_id] = asyncio.create_task(self._ask(each, found.categories))
        ready, held = [], set[Room]()
        for inbox_id, room in found.waiting:
            if inbox_id in self._asking:
                held.add(room)
            if room not in held:
                ready.append(inbox_id)
        return ready[:limit]

    async def wait(self) -> bool:
        """Until an answer came; False when none is under way."""
        tasks = set(self._asking.values())
        if not tasks:
            return False
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        return True

    async def close(self) -> None:
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._model.close()

    # ---- looking -----------------------------------------------------------------------------------------------------

    def _find(self, session: Session, *, looked: set[int]) -> _Found:
        rows = inbox.waiting(session, WINDOW)
        ctx = self._knowledge.context(session)
        known = looked | opinions.of(session, [row.id or 0 for row in rows]).keys()
        began, waiting, questions = self._clock.monotonic(), list[tuple[int, Room]](), []
        for row in rows:
            if row.id not in known and self._clock.monotonic() - began >= LOOK:
                break
            waiting.append((row.id or 0, (row.channel, row.channel_room_id)))
            if row.id in known:
                continue
            try:
                asked = question(session, ctx, row)
            except OperationalError:
                raise
            except Exception:
                log.exception("doubt_failed", extra={"inbox_id": row.id})  # its own turn will show what is wrong
                continue
            if asked is not None:
                questions.append(asked)
        categories = tuple(entry.name for entry in ctx.district.gazetteer.categories)
        return _Found(tuple(waiting), tuple(questions), categories)

    # ---- asking ------------------------------------------------------------------------------------------------------

    async def _ask(self, asked: Question, categories: Sequence[str]) -> None:
        try:
            answer = await self._answer(asked, categories)
            if answer is not None:
                await self._database.write(partial(self._keep, asked=asked, answer=answer))
                self._note(asked, answer)
        except Exception:
            log.exception("second_opinion_failed", extra={"inbox_id": asked.inbox_id})
        finally:
            self._asking.pop(asked.inbox_id, None)
            self._on_answer()

    async def _answer(self, asked: Question, categories: Sequence[str]) -> Answer | None:
        """The answer within the limit, waiting in the line included; None if the question was not put."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._model.limit
        try:
            await asyncio.wait_for(self._line.acquire(), self._model.limit)
        except TimeoutError:
            self.counts[Opinion.TIMEOUT] += 1
            return None
        try:
            if self.rests:
                return None
            return await self._model.ask(asked.text, categories, within=until - loop.time())
        finally:
            self._line.release()

    def _keep(self, session: Session, *, asked: Question, answer: Answer) -> bool:
        return opinions.keep(
            session,
            asked.inbox_id,
            {
                "opinion": answer.opinion,
                "category": answer.category,
                "margin": asked.margin,
                "model": self._model.model,
                "prompt": self._prompt,
                "asked_at": self._clock.now(),
                "milliseconds": answer.milliseconds,
            },
        )

    def _note(self, asked: Question, answer: Answer) -> None:
        """Count, log, and let an address that keeps failing rest: one line when it begins, one when it is over."""
        self.counts[answer.opinion] += 1
        log.info(
            "second_opinion",
            extra={
                "inbox_id": asked.inbox_id,
                "opinion": answer.opinion.value,
                "margin": round(asked.margin, 2),
                "milliseconds": answer.milliseconds,
            },
        )
        rested = self._rests_until is not None
        if answer.came:
            self._failures, self._rests_until = 0, None
            if rested:
                log.info("language_model_back")
            return
        self._failures += 1
        if self._failures >= FAILURES:
            self._rests_until = self._clock.monotonic() + REST
            if not rested:
                log.warning("language_model_rests", extra={"minutes": int(REST // 60), "reason": answer.reason})
