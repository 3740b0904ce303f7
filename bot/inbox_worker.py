"""Takes what waits in the inbox: one transaction and one savepoint for a batch. If a message of it fails, the batch is
undone and done again with a savepoint for each message, and the bad ones are parked."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from bot.clock import Clock
from bot.database import Database
from bot.doubts import Doubts
from bot.gate import Gate
from bot.knowledge import Knowledge
from handlers import registry
from handlers.troubles import tell_of_parked
from storage import inbox, opinions
from storage.enums import InboxState, Opinion
from storage.tables import InboxMessage

log = logging.getLogger(__name__)
BATCH = 100  # messages of one transaction
AT_ONCE = 0.5  # seconds of one transaction, after which what arrived meanwhile is stored first
SETTLED_TOGETHER = 16  # rows that wait to be written; each message looks through those that wait
ATTEMPTS = 3  # tries before a message is parked


class InboxWorker:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        knowledge: Knowledge,
        gate: Gate,
        *,
        batch: int = BATCH,
        doubts: Doubts | None = None,
    ) -> None:
        """`doubts` asks a language model about doubtful messages, where one is set."""
        self._doubts = doubts
        self._database = database
        self._clock = clock
        self._knowledge = knowledge
        self._gate = gate
        self._batch = batch

    async def take_batch(self) -> int:
        """Handle the oldest waiting messages, as many as go in half a second; how many were taken.

        A database error leaves all of them as they were. A doubtful message is left until its second opinion is there,
        and so is what follows it in its room.
        """
        only = await self._doubts.look(self._batch) if self._doubts else None
        if only == []:
            return 0
        return await self._database.write(partial(self._take, only=only))

    async def drain(self) -> None:
        while await self.take_batch() or (self._doubts and await self._doubts.wait()):
            pass

    def _take(self, session: Session, *, only: list[int] | None) -> int:
        now = self._clock.now()
        messages = inbox.take(session, self._batch, now=now, only=only)
        if len(messages) > 1:
            registry.recall(session, self._knowledge.context(session), messages)
        given = opinions.of(session, [message.id or 0 for message in messages]) if self._doubts else {}
        taken = self._together(session, messages, now, given)
        if taken is None:
            taken = self._one_by_one(session, messages, now, given)
        if taken and self._gate.is_open:
            registry.say_prompts(session, self._knowledge.context(session), now=now)
        return taken

    def _together(
        self, session: Session, messages: Sequence[InboxMessage], now: datetime, given: Mapping[int, Opinion]
    ) -> int | None:
        """Handle messages in one savepoint; how many, or None when one of them failed, and then nothing was done."""
        began, taken = self._clock.monotonic(), 0
        try:
            with session.begin_nested():
                for message in messages:
                    ctx, opinion = self._knowledge.context(session), given.get(message.id or 0)
                    became = registry.handle(session, ctx, message, now=now, opinion=opinion)
                    inbox.settle(session, message, became=became)
                    taken += 1
                    if self._clock.monotonic() - began >= AT_ONCE:
                        break
                    if taken % SETTLED_TOGETHER == 0:
                        session.flush()
        except OperationalError:
            raise  # the database, not a message: nothing of this batch is kept, all of it is tried again
        except Exception:
            return None
        return taken

    def _one_by_one(
        self, session: Session, messages: Sequence[InboxMessage], now: datetime, given: Mapping[int, Opinion]
    ) -> int:
        began, taken = self._clock.monotonic(), 0
        for message in messages:
            self._handle(session, message, now, given.get(message.id or 0))
            taken += 1
            if self._clock.monotonic() - began >= AT_ONCE:
                break
        return taken

    def _handle(self, session: Session, message: InboxMessage, now: datetime, opinion: Opinion | None) -> None:
        """Handle one message in a savepoint of its own, and park it if that keeps failing."""
        inbox_id = message.id
        assert inbox_id is not None
        try:
            with session.begin_nested():
                ctx = self._knowledge.context(session)
                became = registry.handle(session, ctx, message, now=now, opinion=opinion)
                inbox.settle(session, message, became=became)
        except OperationalError:
            raise
        except Exception:
            log.exception("message_failed", extra={"inbox_id": inbox_id})
            session.expire_all()
            if inbox.note_failure(session, inbox_id, error=traceback.format_exc(), attempts_allowed=ATTEMPTS):
                session.flush()
                parked = inbox.count_in(session, InboxState.PARKED)
                tell_of_parked(session, self._knowledge.context(session), inbox_id=inbox_id, count=parked, now=now)
