"""Short answers to the bot's own question: "which one?" is answered by 2, "why?" by a bare reason."""

from __future__ import annotations

import re
from dataclasses import replace

from handlers.reading import numbers, replies_dates, replies_match, replies_units
from handlers.reading.replies_answer import Answer
from handlers.reading.replies_targets import position
from handlers.reading.replies_text import REF, compact, trimmed
from handlers.reading.views import Act, Intent

_EMPTY = re.compile(
    r"^(?:ok|好的?|好嘞|嗯+|哦+|行|知道了?|明白了?|收到|谢谢|辛苦了?|稍等|等等|等下|一会儿?|哈+|呵+|是的?|对|"
    r"不是|没有|算了|不用了?|不退了|取消|撤销|啥|什么|怎么|"
    r"为什么|怎么退|在吗|[\d\s]+)+[啊呀吧了哈的!！。?？~]*$"
)
_CANCEL = re.compile(r"算了|取消|不(?:退|领|转|延|办)了|搞错|发错")
_ASKING = re.compile(r"[?？]|吗$|谁|怎么|什么意思")
_LONGEST = 300
_FREE_REASON = (Act.DECLINE, Act.RESOLVE, Act.REOPEN, Act.EXTEND, Act.KEEP)


def read(answer: Answer, asked: tuple[Act, int | None]) -> Intent | None:
    """The answer to "which one?" (`asked` holds no index) or to "why?" / "with what result?" / "to whom?"."""
    act, index = asked
    text = trimmed(answer.plain)
    if not text or len(text) > _LONGEST or _ASKING.search(text) or _CANCEL.search(text):
        return None
    if index is None or not 0 <= index < len(answer.room.tickets):
        return _which(answer, act, text)
    return _what(answer, act, index, text)


def _which(answer: Answer, act: Act, text: str) -> Intent | None:
    known = answer.known
    if known:
        rest = trimmed(answer.text.replace(REF, " "))
        return Intent(act, targets=known[:1], explicit=True, reason=rest)
    bare = numbers.value_of(compact(text).removesuffix("号").removesuffix("吧"))
    if bare is not None:
        index = next((i for i, t in enumerate(answer.room.tickets) if t.short == bare), None)
        if index is None:
            return Intent(act, explicit=True, unknown_number=bare)
        return Intent(act, targets=(index,), explicit=True)
    pool = answer.pool(waiting=True) if act in (Act.ACCEPT, Act.ASSIGN) else tuple(range(len(answer.room.tickets)))
    spot = position(answer, pool)
    if spot is None:
        spot = replies_match.named(text, answer.room.tickets, pool).index if len(text) <= 20 else None
    return Intent(act, targets=(spot,), explicit=True) if spot is not None else None


def _what(answer: Answer, act: Act, index: int, text: str) -> Intent | None:
    known = answer.known
    if known and known != (index,):
        return None
    base = Intent(act, targets=(index,), explicit=True, reason=text)
    if act in (Act.TRANSFER, Act.WHISTLE):
        rest = re.sub("^(?:转派?|给|派|到|吹哨)+", "", text)
        units = replies_units.head(rest, answer.units).names
        return replace(base, units=units if act is Act.WHISTLE else units[:1]) if units else None
    if act is Act.ASSIGN:
        return replace(base, member=answer.people[0].name) if answer.people else None
    if act is Act.EXTEND:
        return replace(base, until=replies_dates.until(answer.plain, answer.today))
    if act not in _FREE_REASON or _EMPTY.match(compact(text)) or len(text) < 2:
        return None
    return base
