"""What a remark says about a ticket, if it says anything: it accepts, reports the end, hands back, or none of these.

Read clause by clause, because a "not" or a "?" reaches no further than its clause, while a condition ("要是"
"没人去我去")
or a call to others ("收到的回复一下"
"") empties the whole message. A false acceptance is the worst error, so whatever is
doubtful is nothing. Which ticket is meant is not decided here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from handlers.reading import replies_done as d
from handlers.reading import replies_vetoes as v
from handlers.reading import replies_words as w
from handlers.reading.replies_text import REF, clauses, compact, trimmed

_WEAK_LONGEST = 24  # signs
_BROKEN = re.compile(r"[^\s，,。.；;！!？?、：:]+(?: +[^\s，,。.；;！!？?、：:]+){2,}")
_BROKEN_LONGEST = 40
_HEAD = 4  # clauses: an answer says it at once; what comes later in a long message tells something else


class Says(Enum):
    NOTHING = 0
    WEAK = 1  # ok, 1, 嗯: only with a quote or a number
    LATER = 2  # 下午过去: likewise
    ACK = 3  # a bare 收到
    GO = 4  # 马上去, 已安排人, 正在处理
    DONE = 5  # 已处理完毕
    NOT_OURS = 6  # 不归我们管


@dataclass(frozen=True, slots=True)
class Remark:
    says: Says
    content: str = ""  # the words that are not stock phrases: they may name the ticket
    must_name: bool = False  # 材料收到了: it only counts if these words name a ticket
    points: bool = False  # 东关那个: it points at one ticket by its words
    words: str = ""  # what decided


_NOTHING = Remark(Says.NOTHING)
# No answer lacks all of these; most chatter does. One cheap look saves the careful one.
_ANY_KEY = re.compile(
    "[收去来过到派接领办弄修好完了行嗯恩中妥是在知明管我联安正让叫核查处k1赶已走灭止劝成拆换挪撤人包可遵题转没用能看问出马这清通归属责"
    "搞拉跟盯跑上交包得嘞令]|ok"
)
_POINTS = re.compile(
    r"[\u4e00-\u9fff\d]{1,}(?:那个|这个|那单|这单|那件|这件|的事|那边|那儿|那里|那起|这起|那块|的问题|这边)|"
    r"^(?:那个|这个)[\u4e00-\u9fff]{2,}"
)
_SLIPS = (
    ("已收道", "已收到"),
    ("收道", "收到"),
    ("首到", "收到"),
    ("受到,", "收到,"),
    ("领半", "领办"),
    ("再处理", "在处理"),
    ("再路上", "在路上"),
    ("以安排", "已安排"),
    ("以联系", "已联系"),
    ("以处理", "已处理"),
    ("以派", "已派"),
    ("已经经", "已经"),
    ("处里", "处理"),
    ("马上曲", "马上去"),
    ("现厂", "现场"),
)
_SIGNS = re.compile(r"[\s，,。.!！~、]+")
_TWICE = re.compile(r"([\u4e00-\u9fff]{2,3})\1+")  # 接了接了, 收到收到
_STOCK = re.compile(
    r"我们|我这边|我单位|我|咱们?|俺们?|这就|马上|立刻|立即|现在|正在|已经|已|收到|领办|领了|接了|过去|"
    r"去看看|去看|过来|看看|看一下|去|来|赶|"
    r"处理完毕|处理完了|处理|完毕|完了|好了|安排人?|联系|核实|派人|人员|同志|领导|一下|一趟|跑|"
    r"回复|答复|反馈|市民|诉求人|来电人|满意|认可|电话|告知|表示|"
    r"那个|这个|那单|这单|那件|这件|那边|这边|的事儿?|问题|工单|吧|啊|了|的|呢|哈|呀|嗯+|好的|好嘞|行|ok|"
    r"收悉|办结|解决|弄好|修好|全部|都|把|给|也|先|就|再|还"
)


def read(text: str, *, firm: bool, boss: bool) -> Remark:
    """Classify a normalised text. `firm`: it quotes or numbers a ticket. `boss`: the sender gives orders, so that a
    bare "尽快处理" of his is an order and not a promise.
    """
    if not text or _ANY_KEY.search(text) is None:
        return _NOTHING
    for wrong, right in _SLIPS:
        if wrong in text:
            text = text.replace(wrong, right)
    text = _TWICE.sub(r"\1", text)
    whole = v.EXEMPT.sub("", compact(text))
    parts = _parts(text)
    if not parts or len(parts) > 30 or v.EXCLAIM.search(whole):
        return _NOTHING
    found = _together(text, whole, [_clause(p, firm=firm, boss=boss) for p in parts], firm)
    if found.says is Says.NOTHING and _BROKEN.fullmatch(text) and len(text) <= _BROKEN_LONGEST:
        # Voice input with blanks inside its phrases: 那个 器材 我 去 看看.
        one = [_clause(compact(w.FILLER.sub("", text)), firm=firm, boss=boss)]
        found = _together(text, whole, one, firm)
    return found


def _parts(text: str) -> list[str]:
    plain = w.FILLER.sub("", text)
    return [p for p in clauses(plain) if p]


@dataclass(frozen=True, slots=True)
class _Clause:
    says: Says = Says.NOTHING
    asks: bool = False
    office: bool = False
    refuses: bool = False
    must_name: bool = False
    words: str = ""


def _clause(part: str, *, firm: bool, boss: bool) -> _Clause:
    clean = v.EXEMPT.sub("", part)
    if not clean:
        return _Clause(Says.WEAK, words=part) if part in ("没问题", "没毛病") else _Clause()
    asks = v.QUESTION.search(clean) is not None
    office = v.OFFICE.search(clean) is not None
    if v.REFUSAL.search(clean):
        ours = d.NOT_OURS.search(clean)
        return _Clause(Says.NOT_OURS if ours and not asks else Says.NOTHING, asks, office, refuses=True)
    if asks or v.OTHER_DAY.search(clean):
        return _Clause(asks=asks, office=office)
    if found := d.NOT_OURS.search(clean):
        return _Clause(Says.NOT_OURS, words=found[0])
    if (done := _done(clean)) and (firm or v.TOLD.search(clean) is None):
        return _Clause(Says.DONE, office=office, words=done)
    bare = clean.lstrip(REF)
    if v.OTHERS.search(bare) or v.HEARSAY.search(clean):
        return _Clause(office=office)
    return _accepts(clean, office=office, firm=firm, boss=boss)


def _done(clean: str) -> str:
    found = d.DONE.search(clean)
    if found is None or d.NOT_DONE.search(clean) or d.DONE_THEN.search(clean) or d.GUESS.search(clean):
        return ""
    return found[0]


def _accepts(clean: str, *, office: bool, firm: bool, boss: bool) -> _Clause:
    if found := w.ACK_THEN.search(clean):
        return _Clause(Says.NOTHING if office else Says.ACK, office=office, words=found[0])
    if found := w.ACK.search(clean):
        return _Clause(Says.ACK, office=office, words=found[0])
    short = len(clean) <= _WEAK_LONGEST and clean.strip(REF) != ""  # a number alone says nothing
    if short and (w.WEAK.search(clean) or (not boss and w.WEAK_ORDER.search(clean))):
        return _Clause(Says.WEAK, words=clean)
    if office:
        return _Clause(office=True)
    if (boss or not firm) and v.ORDER.search(clean.lstrip(REF)) and not v.BY_MYSELF.search(clean):
        return _Clause()
    doubtful = ""
    for pattern in (w.CLAIM, w.GO_NOW, w.GO_SELF, w.GO_ARRANGED, w.GO_DOING):
        found = pattern.search(clean)
        if found is None or _denied(clean, found) or _foreign(clean, found):
            continue
        if boss and _orders(clean, found[0]):
            continue
        if firm or w.BEFORE.fullmatch(clean, 0, found.start()):
            return _Clause(Says.GO, words=found[0])
        doubtful = doubtful or found[0]
    if doubtful:
        return _Clause(Says.GO, must_name=True, words=doubtful)
    if (found := w.GO_THERE.search(clean)) and not _denied(clean, found) and not _foreign(clean, found):
        return _Clause(Says.GO, must_name=True, words=found[0])
    if (found := w.ACK_LATE.search(clean)) and not _denied(clean, found):
        return _Clause(Says.ACK, must_name=True, words=found[0])
    if (
        firm
        and not boss
        and any(pattern.search(clean) for pattern in (w.WEAK_LATER, w.WEAK_LOOK, w.WENT))
        and not v.FOREIGN.search(clean)
    ):
        return _Clause(Says.LATER, words=clean)
    return _Clause()


def _denied(clean: str, found: re.Match[str]) -> bool:
    """A negation shortly before or within what was found."""
    return v.NEGATED.search(clean[max(0, found.start() - 6) : found.end()]) is not None


def _foreign(clean: str, found: re.Match[str]) -> bool:
    return v.FOREIGN.search(clean[: found.end()]) is not None and "我" not in clean


def _orders(clean: str, words: str) -> bool:
    """立即处理 of a leader is an order; his 马上去 is taken as a promise."""
    if v.ORDER_UNLESS_GOING.search(clean) is None or v.BY_MYSELF.search(clean):
        return False
    return not words.endswith(("去", "到", "来", "现场", "赶"))


def _together(text: str, whole: str, said: list[_Clause], firm: bool) -> Remark:
    """The one thing a message of several clauses says."""
    if not firm:
        said = [c if i < _HEAD else _Clause(asks=c.asks, office=c.office) for i, c in enumerate(said)]
    kinds = [c.says for c in said]
    content = _content(text)
    if Says.NOT_OURS in kinds:
        return Remark(Says.NOT_OURS, content, words=_words(said, Says.NOT_OURS))
    if any(c.says is Says.DONE and (firm or not c.office) for c in said) and not any(c.asks for c in said):
        never = v.NEVER.search(whole)
        if never is None or firm:
            return Remark(Says.DONE, content, points=bool(_POINTS.search(whole)), words=_words(said, Says.DONE))
    if any(c.refuses for c in said) and Says.GO not in kinds:
        return _NOTHING
    if _never(whole, kinds):
        return _NOTHING
    if any(c.refuses for c in said):
        # "我去不了，让小王马上去": who goes is not the sender.
        return _NOTHING
    return _positive(whole, said, kinds, content, firm)


def _never(whole: str, kinds: list[Says]) -> bool:
    found = v.NEVER.search(whole)
    if found is None:
        return False
    # 收到，如果联系不上再报: the condition comes after a plain 收到 and is about the matter, not about who goes.
    first = kinds[0] if kinds else Says.NOTHING
    late = found.start() >= 3 and first is Says.ACK and found[0] in v.NEVER_LATE
    return not late


def _positive(whole: str, said: list[_Clause], kinds: list[Says], content: str, firm: bool) -> Remark:
    points = bool(_POINTS.search(whole))
    if Says.GO in kinds:
        if whole.endswith(("?", "？")) and Says.ACK not in kinds:
            return _NOTHING
        must = all(c.must_name for c in said if c.says in (Says.GO, Says.ACK))
        return Remark(Says.GO, content, must_name=must, points=points, words=_words(said, Says.GO))
    if Says.ACK in kinds:
        if any(c.office for c in said) or (not firm and v.THANKS.search(whole)):
            return _NOTHING
        must = all(c.must_name for c in said if c.says is Says.ACK)
        return Remark(Says.ACK, content, must_name=must, points=points, words=_words(said, Says.ACK))
    if w.GO_READY.search(_SIGNS.sub("", whole)):
        return Remark(Says.GO, content, points=points, words=whole)
    if not firm or any(c.asks for c in said):
        return _NOTHING
    for kind in (Says.LATER, Says.WEAK):
        if kind in kinds and not any(c.office for c in said):
            return Remark(kind, content, words=_words(said, kind))
    return _NOTHING


def _words(said: list[_Clause], kind: Says) -> str:
    return next((c.words for c in said if c.says is kind), "")


def _content(text: str) -> str:
    return trimmed(_STOCK.sub(" ", text))
