"""How long accepting took before the bot: the groups' history is read by the same rules, with a bot that says nothing.

Everything happens in a temporary database. Nothing falls due in it and nothing is said, so that only people accept.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import delete, update
from sqlmodel import Session, SQLModel, col, select

from bot.database import Database
from bot.digest_files import write_files
from bot.importers.roster import Roster
from bot.knowledge import Knowledge
from bot.replay import Replay, ReplaySettings
from bot.roster import load_into
from bot.sender import Pace
from bot.transcript import Line, read_transcript
from handlers import digests
from handlers.context import Context, District
from handlers.digest_windows import DigestSettings, DueWindow, special_window
from handlers.policy import BEIJING
from handlers.reading import names
from handlers.reading.views import Act
from storage import inbox
from storage.enums import AssignmentStatus, DigestKind, InboxState, SayKind
from storage.sessions import make_engine, reading
from storage.tables import Assignment, InboxMessage, OutboxMessage, Room

STALE = timedelta(days=1)  # what was reported before that is answered by a quotation or by its name only …
BARE = 6  # … not by so few characters: 收到, 好的, 马上去
FRESH = timedelta(hours=2)  # a bare 收到 where several wait is for the one reported so recently, if only one was
ONE_TEXT = 1_000_000  # characters: not cut into messages, since nobody posts it
TOLD_EVERY = 500  # messages, of the progress
NAMES_SHOWN = 10  # of those that are not in the roster
COMPARED = "【对比】"  # there is nothing before the history to compare with


class BaselineError(Exception):
    """Nothing can be counted; str() says why and what to do."""


@dataclass(frozen=True, slots=True)
class Baseline:
    text: str
    seconds: int | None  # the mean time-to-accept, whole seconds; None if nobody accepted
    numbers: digests.Numbers
    files: tuple[Path, ...] = ()
    missing: str = ""  # why there is no picture


@dataclass
class LeftOut:
    """What the history holds and the numbers do not."""

    of_no_unit: Counter[str] = field(default_factory=Counter)  # messages by the room's topic
    of_bot: int = 0
    not_talk: int = 0  # lines that tell of a connection
    undecided: int = 0  # replies that could be for several
    failed: int = 0  # messages that the rules could not handle
    strangers: Counter[str] = field(default_factory=Counter)  # messages by nickname, of nobody in the roster
    to_the_minute: bool = False


def measure(
    transcripts: Sequence[Path],
    roster: Roster,
    base: Context,
    settings: DigestSettings,
    *,
    window: tuple[str, str] | None = None,
    out: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Baseline:
    """Read the history and count it: all of it, or what was dispatched in `window` (start, end), ISO times.

    With `out`, text, picture and Excel are written there. `progress` hears now and then how many messages of all were
    read. Raises TranscriptError or BaselineError.
    """
    left_out = LeftOut()
    lines = _gathered(transcripts, roster, base.bot_name, left_out)
    end = lines[-1].at + timedelta(seconds=1)
    settings = replace(settings, baseline_seconds=None)
    wanted = _window(window, lines[0].at, end, settings)
    with tempfile.TemporaryDirectory(prefix="lingban-baseline-") as folder:
        engine = make_engine(f"sqlite:///{folder}/history.db", durable=False)
        SQLModel.metadata.create_all(engine)
        database = Database(engine, inline=True)
        database.write_now(lambda session: load_into(session, roster, now=lines[0].at))
        given = ReplaySettings(base, settings, Pace(on=False), Path(folder))
        history = History(database, lines, given, Path(folder))
        if progress is not None:
            history.progress = partial(_of, progress, len(lines))
        asyncio.run(history.run(end))
        left_out.undecided = history.undecided
        with reading(engine) as session:
            district = Knowledge(base).context(session).district
            _note(session, district, left_out)
            found = _counted(session, district, wanted, settings, left_out, now=end, out=out)
        database.close()
    return found


def _of(progress: Callable[[int, int], None], everything: int, taken: int) -> None:
    progress(taken, everything)


def _window(said: tuple[str, str] | None, first: datetime, end: datetime, settings: DigestSettings) -> DueWindow:
    """What is counted: the history from its first line to its last, or the part of it that was asked for."""
    if said is None:
        return DueWindow(DigestKind.SPECIAL, first, end, post=False)
    asked = special_window(*said, settings, now=datetime.max.replace(tzinfo=UTC))
    start, until = max(asked.start, first), min(asked.end, end)
    if start >= until:
        known = " 至 ".join(f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}" for at in (first, end))
        raise BaselineError(f"聊天记录是 {known} 的，要算的那段时间不在里面；请改 --month 或补上聊天记录")
    return DueWindow(DigestKind.SPECIAL, start, until, post=False)


class History(Replay):
    """A replay without a clock and without a voice."""

    undecided = 0
    taken = 0
    progress: Callable[[int], None] | None = None

    async def _advance(self, to: datetime, *, including: bool) -> None:
        """Nothing falls due: the bot was not there."""

    async def _take(self, line: Line) -> None:
        self.taken += 1
        if self.progress is not None and self.taken % TOLD_EVERY == 0:
            self.progress(self.taken)
        await super()._take(line)

    async def _settle(self) -> None:
        """Understand the message, and forget at once what the bot would have said."""
        aside = self._database.write_now(_set_stale_aside)
        asked = await self._understood(aside)
        if asked is not None:
            aside = self._database.write_now(partial(_set_older_aside, inbox_id=asked))
            if aside:  # else as many are fresh, or none is: nobody can tell
                asked = await self._understood(aside)
            self.undecided += asked is not None

    async def _understood(self, aside: list[int]) -> int | None:
        await self._worker.take_batch()
        return self._database.write_now(partial(_unsaid, aside=aside))


def _unsaid(session: Session, *, aside: list[int]) -> int | None:
    """Empty the outbox; the message by whose side the bot would have asked which of several tickets was meant."""
    which = f":{SayKind.QUESTION.value}:{Act.ACCEPT.value}:"
    said = session.exec(select(OutboxMessage.dedup_key)).all()
    if said:
        session.execute(delete(OutboxMessage))
    if aside:
        waits = update(Assignment).where(col(Assignment.id).in_(aside)).values(status=AssignmentStatus.WAITING)
        session.execute(waits)
    asked = [key for key in said if key.endswith(which)]
    return int(asked[0].split(":")[1]) if asked else None  # message:ID:question:accept:


def _set_stale_aside(session: Session) -> list[int]:
    """A bare word is for nothing that was reported more than a day ago; quoted or named, it may be."""
    reply = session.exec(select(InboxMessage).where(InboxMessage.state == InboxState.NEW)).first()
    if reply is None or reply.quote or not 0 < len(reply.text.strip()) <= BARE:
        return []
    return _aside(session, [duty for duty in _waiting(session, reply) if duty.dispatched_at < reply.sent_at - STALE])


def _set_older_aside(session: Session, inbox_id: int) -> list[int]:
    """Where only one duty of the unit was reported lately, take the older ones out of the question: their ids.

    The reply is read again then. Before the bot, what nobody answered would wait for ever and make each 收到 doubtful.
    """
    reply = session.get_one(InboxMessage, inbox_id)
    waiting = _waiting(session, reply)
    older = [duty for duty in waiting if duty.dispatched_at < reply.sent_at - FRESH]
    if len(waiting) - len(older) != 1:
        return []
    reply.state = InboxState.NEW
    session.add(reply)
    return _aside(session, older)


def _waiting(session: Session, reply: InboxMessage) -> list[Assignment]:
    room = session.exec(select(Room).where(Room.topic == reply.channel_room_id)).one()  # a replay's ids are topics
    query = select(Assignment).where(Assignment.unit_id == room.unit_id, Assignment.status == AssignmentStatus.WAITING)
    return list(session.exec(query).all())


def _aside(session: Session, duties: list[Assignment]) -> list[int]:
    for duty in duties:
        duty.status = AssignmentStatus.WITHDRAWN
        session.add(duty)
    return [duty.id or 0 for duty in duties]


# ---- what is read ----------------------------------------------------------------------------------------------------


def _gathered(paths: Sequence[Path], roster: Roster, bot_name: str, left_out: LeftOut) -> list[Line]:
    """The talk of all transcripts in order of time, numbered anew; of rooms that a unit has."""
    topics = {unit.room for unit in roster.units if unit.room}
    talk: list[Line] = []
    for path in paths:
        for line in read_transcript(path):
            room = line.data.get("room")
            if line.kind in ("offline", "online", "crash", "restart"):
                left_out.not_talk += 1
            elif room is not None and room not in topics:
                left_out.of_no_unit[str(room)] += 1
            elif line.data.get("sender") == bot_name:
                left_out.of_bot += 1
            else:
                talk.append(replace(line, data={**line.data, "received_at": None, "file": None}))
    if not any(line.kind == "message" for line in talk):
        rooms = "、".join(left_out.of_no_unit)
        why = f"文件里的群（{rooms}）都不是花名册“群名”里的" if rooms else "文件里没有群里的消息"
        raise BaselineError(f"{why}；请核对 --units 的群名和 import chat 的 --room")
    talk.sort(key=lambda line: line.at)
    left_out.to_the_minute = all(line.at.second == 0 for line in talk)
    return [replace(line, number=number) for number, line in enumerate(talk, 1)]


def _note(session: Session, district: District, left_out: LeftOut) -> None:
    left_out.failed = inbox.count_in(session, InboxState.PARKED)
    unit_of = {room.topic: district.unit_by_id[room.unit_id].name for room in district.rooms}
    said = Counter(session.exec(select(InboxMessage.channel_room_id, InboxMessage.sender_name)).all())
    for (room, sender), count in said.items():
        if names.identify(sender, district.gazetteer, unit_of.get(room)).member is None:
            left_out.strangers[sender] += count


# ---- what is told ----------------------------------------------------------------------------------------------------


def _counted(
    session: Session,
    district: District,
    window: DueWindow,
    settings: DigestSettings,
    left_out: LeftOut,
    *,
    now: datetime,
    out: Path | None,
) -> Baseline:
    numbers = digests.compute(
        session, kind=DigestKind.SPECIAL, start=window.start, end=window.end, now=now, settings=settings
    )
    (told,) = digests.render_text(numbers, limit=ONE_TEXT, rank_size=settings.rank_size, top=settings.top_categories)
    mean = numbers["totals"]["mean_seconds"]
    seconds = None if mean is None else round(mean)
    lines = [line for line in told.split("\n") if not line.startswith(COMPARED)]
    text = "\n".join(
        [
            "机器人启用前的领办情况（按群聊记录推算，没有提醒、没有升级、没有系统指派）",
            *lines,
            *_told(left_out, numbers),
        ]
    )
    if out is None:
        return Baseline(text, seconds, numbers)
    files = write_files(session, numbers, window, out, settings, keep_names=district.member_names)
    written = files.ledger.with_suffix(".txt")
    figure = "" if seconds is None else f"\n\nBASELINE_SECONDS={seconds}"
    written.write_text(text + figure + "\n", encoding="utf-8")
    made = tuple(path for path in (written, files.picture, files.ledger) if path)
    return Baseline(text, seconds, numbers, made, files.missing or "")


def _told(left_out: LeftOut, numbers: digests.Numbers) -> list[str]:
    """What the numbers leave out, a line each; the figure is only as good as this list is short."""
    totals = numbers["totals"]
    lines = []
    if never := totals["dispatched"] - totals["accepted"]:
        lines.append(f"没有人在群里应答的 {never} 件：不进平均用时")
    if left_out.undecided:
        lines.append(f"分不清是答哪一件的回复 {left_out.undecided} 条：不算领办")
    if left_out.strangers:
        shown = "、".join(name for name, _ in left_out.strangers.most_common(NAMES_SHOWN))
        more = " 等" if len(left_out.strangers) > NAMES_SHOWN else ""
        lines.append(
            f"不在花名册里的 {len(left_out.strangers)} 人（{shown}{more}），发言 {left_out.strangers.total()} 条："
            "他们的应答不算领办；是本单位的人，请把群昵称写进花名册的“别名”再算一次"
        )
    for room, count in left_out.of_no_unit.most_common():
        lines.append(f"群“{room}”的 {count} 条：花名册里没有这个群名，没有算")
    if left_out.of_bot:
        lines.append(f"机器人自己的 {left_out.of_bot} 条：没有算；机器人已经在群里的日子不能作启用前的比较")
    if left_out.failed:
        lines.append(f"没能读懂的 {left_out.failed} 条：没有算")
    if left_out.not_talk:
        lines.append(f"不是群聊的 {left_out.not_talk} 行：没有算")
    if left_out.to_the_minute:
        lines.append("记录的时间只到分钟，每件的用时可能差一分钟")
    return ["【没有算进去的】" + ("无" if not lines else ""), *lines]
