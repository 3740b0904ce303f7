"""Carries the outbox to the groups: paced, cut, marked before the call, its outcome kept. Decides nothing."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlmodel import Session

from bot.backoff import delay
from bot.channels.base import Channel, Mention, PermanentError, TemporaryError, UnknownResult
from bot.clock import Clock
from bot.cutting import LIMIT, cut
from bot.database import Database
from bot.gate import Gate
from bot.holding import Holding, unsay
from bot.lease import AccountLease
from storage import inbox, meta, outbox, people
from storage.enums import OutboxState, SayKind
from storage.tables import OutboxMessage

log = logging.getLogger(__name__)
STALE = timedelta(seconds=60)  # a part marked `sending` this long ago belongs to a process that died
ROOM_SECONDS = 60.0  # in which a room gets at most `Pace.per_room` messages
MERGED = 5  # prompts of one message at most
BETWEEN = "\n\n"  # two prompts of one message
RESENT = "补发："  # marks a message whose first sending may have arrived
AGAIN, AGAIN_AT_MOST = timedelta(seconds=30), timedelta(minutes=15)  # between repeats where no echo can tell


@dataclass(frozen=True, slots=True)
class Pace:
    """Rate limits as data (guide: safe rate). `on=False` sends everything at once, for replays."""

    between: timedelta = timedelta(seconds=3)  # two messages of the account
    per_room: int = 10  # messages of a room within a minute
    on: bool = True


@dataclass(frozen=True, slots=True)
class Waits:
    send: float = 15.0  # seconds; a call that takes longer has an unknown outcome
    echo: timedelta = timedelta(seconds=60)  # for our own message to come back before it is said again; 0: none comes
    lease: timedelta = timedelta(seconds=6)  # an account's process that stopped is replaced after this

    @property
    def stale(self) -> timedelta:
        return max(STALE, 2 * timedelta(seconds=self.send))


@dataclass(frozen=True, slots=True)
class Parcel:
    """One call to the channel: one outbox row, or several prompts of one room in one message."""

    rows: tuple[int, ...]
    attempts: tuple[int, ...]  # of each row; another number there means that somebody else sends it now
    to: str
    room_id: int | None
    text: str
    mentions: tuple[Mention, ...]
    attachments: tuple[str, ...]
    parts_sent: int


class Sender:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        channel: Channel,
        gate: Gate,
        *,
        holder: str | None = None,
        pace: Pace | None = None,
        waits: Waits | None = None,
        on_lost_digest: Callable[[Session], None] = lambda session: None,
        on_refused: Callable[[Session, int], None] = lambda session, room_id: None,
    ) -> None:
        """`holder` names this process for the account's lease; None: no lease is asked for (replays).

        `on_lost_digest` is called, within the transaction, when a digest may not have arrived and is given up;
        `on_refused` likewise, when a room takes a message neither now nor later.
        """
        self._database = database
        self._clock = clock
        self._channel = channel
        self._gate = gate
        self._lease = AccountLease(channel.name, holder, clock, (waits or Waits()).lease) if holder else None
        self._pace = pace or Pace()
        self._waits = waits or Waits()
        self._on_lost_digest = on_lost_digest
        self._on_refused = on_refused
        # Paces are lengths, so they are measured with a clock that no one sets back.
        self._last_sent: float | None = None
        self._room_sent: dict[int, deque[float]] = defaultdict(deque)
        self.holding = Holding(clock)

    @property
    def refused_by(self) -> str | None:
        """The other process that holds the account."""
        return self._lease.taken_by if self._lease else None

    # ---- whose account it is -----------------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Hold the account, whether or not there is anything to send; also while a call hangs."""
        await self._database.write(self._may_send)

    def release(self, session: Session) -> None:
        if self._lease:
            self._lease.release(session)

    async def recover(self) -> None:
        """Rows that a dead process left in `sending` have an unknown outcome. With a lease, taking it does this."""
        await self._database.write(self._recover)

    def _recover(self, session: Session) -> None:
        for row in outbox.in_state(session, OutboxState.SENDING):
            if row.taken_by == self._channel.name:
                row.state = OutboxState.UNKNOWN
                session.add(row)

    # ---- one step ----------------------------------------------------------------------------------------------------

    async def drain(self) -> None:
        while await self.step():
            pass

    async def step(self) -> bool:
        """Send one message; False when nothing may be sent now."""
        if not self._gate.connected:
            return False
        now = self._clock.now()
        if self.wait_seconds() > 0:
            return False
        parcel = await self._database.write(lambda session: self._pick(session, now))
        if parcel is None:
            return False
        await self._deliver(parcel)
        return True

    def wait_seconds(self) -> float:
        """How long the pace, or WeChat, holds the next message back."""
        if not self._pace.on or self._last_sent is None:
            return self.holding.seconds
        paced = self._last_sent + self._pace.between.total_seconds() - self._clock.monotonic()
        return max(self.holding.seconds, paced)

    def hold_back(self, session: Session, *, channel_room_id: str, at: datetime) -> None:
        """WeChat shows no more for a while, and did not show what was last said in that room."""
        count = unsay(session, account=self._channel.name, channel_room_id=channel_room_id, at=at, mark=RESENT)
        log.error("held_back", extra={"account": self._channel.name, "unsaid": count})
        self.holding.begin()

    def _pick(self, session: Session, now: datetime) -> Parcel | None:
        """Choose what goes next and mark it `sending`, committed before the call."""
        if not self._may_send(session) or meta.quiet(session) is not None:
            return None
        rooms = people.rooms_of(session, self._channel.name)
        self._settle_unknown(session, now, rooms)
        free = [room_id for room_id in rooms if self._room_is_free(room_id)]  # a full room holds no other back
        waiting = outbox.pending(session, now=now, limit=50, account=self._channel.name, rooms=free)
        if not waiting:
            return None
        merged = self._with_others(waiting[0], waiting)
        for each in merged:
            each.state, each.sending_since, each.attempts = OutboxState.SENDING, now, each.attempts + 1
            each.taken_by = self._channel.name
            session.add(each)
        return self._parcel(session, merged, rooms)

    def _may_send(self, session: Session) -> bool:
        if self._lease is None:
            return True
        before = self._lease.taken_by
        if not self._lease.hold(session):
            if self._lease.taken_by != before:
                log.error("account_is_taken", extra={"account": self._channel.name, "holder": self._lease.taken_by})
            return False
        if self._lease.is_new:
            self._recover(session)  # what the process before left
        return True

    def _room_is_free(self, room_id: int) -> bool:
        if not self._pace.on:
            return True
        sent = self._room_sent[room_id]
        while sent and self._clock.monotonic() - sent[0] > ROOM_SECONDS:
            sent.popleft()
        return len(sent) < self._pace.per_room

    def _with_others(self, row: OutboxMessage, waiting: Sequence[OutboxMessage]) -> list[OutboxMessage]:
        """Several waiting prompts of one room go out as one message (only when paced), as many as need no cutting."""
        if not self._pace.on or row.kind is not SayKind.PROMPT or row.parts_sent:
            return [row]
        merged, length = [row], len(row.text)
        for other in waiting:
            if other is row or other.kind is not SayKind.PROMPT or other.room_id != row.room_id or other.parts_sent:
                continue
            length += len(BETWEEN) + len(other.text)
            if length > LIMIT or len(merged) == MERGED:
                break
            merged.append(other)
        return merged

    def _parcel(self, session: Session, rows: Sequence[OutboxMessage], rooms: dict[int, str]) -> Parcel:
        first = rows[0]
        names = list(dict.fromkeys(name for row in rows for name in row.mentions))
        by_name = people.contacts_of(session, names)
        return Parcel(
            rows=tuple(row.id or 0 for row in rows),
            attempts=tuple(row.attempts for row in rows),
            to=rooms[first.room_id] if first.room_id is not None else (first.to_contact or ""),
            room_id=first.room_id,
            text=BETWEEN.join(row.text for row in rows),
            mentions=tuple(Mention(name, by_name.get(name)) for name in names),
            attachments=tuple(path for row in rows for path in row.attachments),
            parts_sent=first.parts_sent,
        )

    # ---- the call ----------------------------------------------------------------------------------------------------

    async def _deliver(self, parcel: Parcel) -> None:
        texts = cut(parcel.text)
        total = len(texts) + len(parcel.attachments)
        message_id: str | None = None
        done = parcel.parts_sent
        try:
            for index in range(done, total):
                if not await self._is_ours(parcel):
                    log.error("sending_left_to_another", extra={"rows": parcel.rows, "parts": index})
                    return
                if index < len(texts):
                    mentions = parcel.mentions if index == 0 else ()
                    message_id = await self._call(self._channel.send_text(parcel.to, texts[index], mentions))
                    self._count(parcel.room_id)
                else:
                    path = Path(parcel.attachments[index - len(texts)])
                    await self._call(self._channel.send_file(parcel.to, path))
                done = index + 1
                if done < total:
                    await self._database.write(partial(self._note_parts, parcel=parcel, parts=done))
        except TemporaryError as error:
            await self._record(parcel, OutboxState.PENDING, error=str(error), parts=done, wait=error.wait)
        except PermanentError as error:
            log.error("message_refused", extra={"rows": parcel.rows, "reason": str(error)})
            await self._record(parcel, OutboxState.FAILED, error=str(error), parts=done)
        except UnknownResult as error:
            await self._record(parcel, OutboxState.UNKNOWN, error=str(error), parts=done)
        else:
            await self._record(parcel, OutboxState.SENT, message_id=message_id, parts=done)

    async def _is_ours(self, parcel: Parcel) -> bool:
        """Looked at before each call: a process that stood still for a while may have been replaced meanwhile."""
        if self._lease is None or self._lease.is_fresh:
            return True
        return await self._database.write(
            lambda session: self._may_send(session) and all(self._marked(session, parcel))
        )

    def _marked(self, session: Session, parcel: Parcel) -> list[bool]:
        """For each row whether it is still as this call marked it."""
        rows = [session.get_one(OutboxMessage, row_id) for row_id in parcel.rows]
        return [
            row.state is OutboxState.SENDING and row.attempts == attempt
            for row, attempt in zip(rows, parcel.attempts, strict=True)
        ]

    async def _call(self, sending: Awaitable[str | None]) -> str | None:
        try:
            return await asyncio.wait_for(sending, self._waits.send)
        except TimeoutError:
            raise UnknownResult(f"no answer within {self._waits.send:g} s") from None

    def _count(self, room_id: int | None) -> None:
        now = self._clock.monotonic()
        self._last_sent = now
        if room_id is not None:
            self._room_sent[room_id].append(now)

    def _note_parts(self, session: Session, parcel: Parcel, parts: int) -> None:
        for row_id, is_ours in zip(parcel.rows, self._marked(session, parcel), strict=True):
            row = session.get_one(OutboxMessage, row_id)
            if is_ours:
                row.parts_sent, row.sending_since = parts, self._clock.now()
            session.add(row)

    async def _record(
        self,
        parcel: Parcel,
        state: OutboxState,
        *,
        message_id: str | None = None,
        error: str = "",
        parts: int,
        wait: float = 0.0,
    ) -> None:
        """`wait`: seconds that the channel asks for before another try."""
        now = self._clock.now()

        def write(session: Session) -> None:
            for row_id, is_ours in zip(parcel.rows, self._marked(session, parcel), strict=True):
                row = session.get_one(OutboxMessage, row_id)
                if not is_ours and (state is not OutboxState.SENT or row.state is OutboxState.SENDING):
                    continue  # somebody else took it over; only that it did arrive is news to them
                row.state, row.error, row.parts_sent = state, error or None, parts
                if state is OutboxState.SENT:
                    row.sent_at, row.message_id = now, message_id or row.message_id
                if state is OutboxState.PENDING:
                    row.not_before = now + timedelta(seconds=max(wait, delay(row.attempts, _no_jitter)))
                session.add(row)
            if state is OutboxState.FAILED and parcel.room_id is not None:
                self._on_refused(session, parcel.room_id)

        await self._database.write(write)

    # ---- unknown outcomes --------------------------------------------------------------------------------------------

    def _settle_unknown(self, session: Session, now: datetime, rooms: dict[int, str]) -> None:
        """Our own echo proves a sending; without one it is said once more, marked; a digest never is."""
        for row in outbox.in_state(session, OutboxState.SENDING):
            if now - (row.sending_since or now) > self._waits.stale:
                row.state = OutboxState.UNKNOWN
                session.add(row)
        for row in outbox.in_state(session, OutboxState.UNKNOWN):
            if row.room_id in rooms or (row.room_id is None and row.account in (None, self._channel.name)):
                self._settle(session, row, rooms.get(row.room_id or 0), now)
                session.add(row)

    def _settle(self, session: Session, row: OutboxMessage, bound: str | None, now: datetime) -> None:
        """`bound` is the channel's id of the row's room, None for a private message."""
        since = row.sending_since or row.created_at
        texts = cut(row.text)
        is_text = row.parts_sent < len(texts)
        words = texts[row.parts_sent] if is_text else ""
        if words and bound and self._arrived_there(session, row, bound, words, since):
            _arrived(row, len(texts), since)
        elif now - max(filter(None, [since, self._gate.opened_at])) < self._waits.echo:
            return
        elif row.kind is not SayKind.DIGEST:
            row.state = OutboxState.PENDING
            if not row.text.startswith(RESENT):
                row.text = RESENT + row.text
            elif not self._waits.echo:
                row.not_before = now + min(AGAIN_AT_MOST, AGAIN * 2 ** max(0, min(row.attempts - 2, 8)))
        elif is_text:
            row.state, row.error = OutboxState.FAILED, "outcome unknown; a digest is not repeated by itself"
            log.error("digest_outcome_unknown", extra={"row": row.id})
            self._on_lost_digest(session)
        else:
            _arrived(row, len(texts), since)  # a file that may have arrived is not sent twice; the next one is sent

    def _arrived_there(self, session: Session, row: OutboxMessage, bound: str, words: str, since: datetime) -> bool:
        """Whether a message is in the room: our own echo tells, and what another account of ours sent, we heard."""
        if inbox.own_echo(session, channel_room_id=bound, text=words, since=since):
            return True
        name = self._channel.name
        return row.taken_by not in (None, name) and bool(
            inbox.heard_by(session, channel=name, channel_room_id=bound, text=words, since=since)
        )


def _arrived(row: OutboxMessage, texts: int, at: datetime) -> None:
    """The part whose outcome was unknown counts as sent; what follows it is still to be sent."""
    row.parts_sent += 1
    whole = row.parts_sent >= texts + len(row.attachments)
    row.state = OutboxState.SENT if whole else OutboxState.PENDING
    row.sent_at = at if whole else None


def _no_jitter() -> float:
    """One sender per account: nobody to keep out of step with."""
    return 0.0
