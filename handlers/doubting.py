"""Which messages want a second opinion, and what of them a language model may see.

Only what the rules find doubtful (`handlers/reading/complaints.py`). What is sent is the message's own words and nothing
of who said them where: persons, numbers, houses, links and names with @ are hidden, members of the roster too. Villages,
streets and matters stay, since the answer hangs on them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import Session

from handlers.context import Context
from handlers.listening import READABLE, overhear, room_of
from handlers.privacy import mask
from handlers.reading import quotes
from handlers.reading.text import JUDGE_LIMIT, READ_LIMIT, fold
from storage import inbox
from storage.tables import InboxMessage

_LINK = re.compile(r"(?:https?://|www\.)[\x21-\x7e]+|[\w.+-]+@[\w-]+\.[\w.-]+", re.I)
_CALLED = re.compile(r"@[^\s@,。:;!?]{1,40}")
_HALF_HIDDEN = re.compile(r"[\dA-Za-z]*\*{2,}[\dA-Za-z]*")  # 138****5678
_NUMBER = re.compile(r"\d(?:[ \-.·]?\d){4,}[Xx]?")  # order numbers and what else is long; years and amounts stay
_KEPT = "\n\t"


@dataclass(frozen=True, slots=True)
class Question:
    """A doubtful message: the words to ask about, masked, and how far the rules are from the other verdict."""

    inbox_id: int
    text: str
    margin: float


def question(session: Session, ctx: Context, message: InboxMessage) -> Question | None:
    """What to ask about a message that waits; None if the rules are sure. Changes nothing."""
    if message.is_self or message.sender_name == ctx.bot_name or message.type not in READABLE:
        return None
    room = room_of(ctx, message)
    if room is None or (ctx.district.heard_twice(room.id) and inbox.twin(session, message, room.id)):
        return None
    if message in session:
        session.expunge(message)  # what is noted on it now must not be written
    message.room_id = room.id
    heard = overhear(session, ctx, message, room)
    if not heard.doubtful:
        return None
    assert heard.reading.margin is not None and message.id is not None
    words = hidden(quotes.split(message.text).body, ctx.district.member_names)
    return Question(message.id, words, heard.reading.margin)


def hidden(text: str, members: Collection[str] = ()) -> str:
    """A text as it may be shown to a language model: no persons, no numbers of theirs, at most JUDGE_LIMIT characters."""
    said = "".join(char if char in _KEPT or unicodedata.category(char)[0] != "C" else " " for char in text[:READ_LIMIT])
    said = _CALLED.sub("@某人", fold(_LINK.sub("（链接）", said)))
    said = mask(said, people=members)
    said = _NUMBER.sub("**", _HALF_HIDDEN.sub("**", said))
    return said[:JUDGE_LIMIT].strip()
