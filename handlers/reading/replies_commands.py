"""Commands: a key word with a ticket's number, or with a quote, or at the head of the message.

`退12 原因`, `12退，原因`, `申请转派2到…`, `吹哨1 城管委 水务局 事由`, `办结12 结果`,
`延期12 到3月5日`, `重办12`, `催12`, `查12`.
A key word elsewhere in a sentence is talk. What is left of the sentence is the reason, result or matter.
"""

from __future__ import annotations

import re

from handlers.reading import replies_dates, replies_units
from handlers.reading import replies_keys as k
from handlers.reading import replies_vetoes as v
from handlers.reading.replies_answer import WHO, Answer
from handlers.reading.replies_targets import aim
from handlers.reading.replies_text import REF, trimmed
from handlers.reading.views import Act, Intent

_COUNTED = re.compile(r"(?:已经?|共|今天|昨天|上午|下午|还有|剩)领?了?\s*\d+单|领了\d+单")
_NOT_FOR = re.compile(r"(?:别|不要|不用|先不|暂不|不能|没|不|甭|不得|不许|不予|无法)$")
_BY_OTHERS = re.compile(r"(?:他|她|他们|你们|人家|谁|大家|有人|领导说|说)(?:已经|已|都|要|让|也)*$")
_PROPOSAL = re.compile(
    r"(?:归|转|转派|转到|转给|改派|派给|派|属于|应由|应该由|应该是|应|由|是|建议|该|找|给)(?:给|到|至|派|由|"
    r"转|让|区)*"
)


def menu(answer: Answer) -> Intent | None:
    """Questions about a numbered ticket, and the short words that only a dispatcher or supervisor uses."""
    text = answer.text
    numbered = bool(answer.refs)
    if numbered and k.STATUS.search(text):
        return aim(answer, Act.STATUS, waiting=None)
    if numbered and k.URGE.search(text) and not k.ENDS_ASKING.search(text):
        return aim(answer, Act.URGE, waiting=None)
    if answer.quoted is not None and answer.routes and k.URGE_QUOTED.search(text):
        return aim(answer, Act.URGE, waiting=None)
    if (numbered or (answer.quoted is not None and answer.routes)) and (found := k.KEEP.search(text)):
        return aim(answer, Act.KEEP, waiting=None, reason=trimmed(text[found.end() :]))
    if numbered and (found := k.AGREE.search(text)) and not k.ENDS_ASKING.search(text):
        return aim(answer, Act.AGREE, waiting=None, reason=trimmed(text[found.end() :]))
    if answer.quoted is not None and answer.routes and k.AGREE_QUOTED.search(text):
        return aim(answer, Act.AGREE, waiting=None)
    return None


def accept(answer: Answer) -> Intent | None:
    """领12, 接单 12, 收到1."""
    if not answer.refs:
        return None
    found = k.ACCEPT_BEFORE.search(answer.text)
    if found is None:
        return None
    if _COUNTED.search(answer.plain):
        return None
    rest = answer.text[found.end() :]
    if k.ENDS_ASKING.search(answer.text) or k.BACK_OUT.search(rest) or re.match(r"\s*(?:的(?!事)|没|不)", rest):
        return None
    return aim(answer, Act.ACCEPT, waiting=True, reason=trimmed(rest), explicit=True)


def command(answer: Answer) -> Intent | None:
    """The first key word that commands; None if none does."""
    found = [(span, order) for order, key in enumerate(k.KEYS) if (span := _find(answer, key)) is not None]
    for span, order in sorted(found, key=lambda f: (f[0][0], f[1])):
        made = _MAKE[k.KEYS[order].act](answer, span)
        if made is not None:
            return made
    return None


def _find(answer: Answer, key: k.Key) -> tuple[int, int] | None:
    """Where the key word stands, if it stands where a command has it."""
    text = answer.text
    anchored = bool(answer.refs) or answer.quoted is not None
    if not anchored:
        # Without number and quote it must come from those who may, and not answer some other message.
        heard = (answer.member or answer.routes) and not answer.quotes_other
        match = key.alone.search(text) if heard else None
        if match is None or _asked(text, match.start(), match.end()):
            return None
        word = key.near.search(text, 0, match.end())
        return (word.start() if word else match.start(), match.end())
    for match in key.near.finditer(text):
        if not answer.known and answer.quoted is None and not _LEAD_ONLY.match(text[: match.start()]):
            break  # 昨日已办结52件: only at the head is an unknown number a slip of the thumb
        if _stands(text, match.start(), match.end(), bool(answer.refs)) and not _asked(
            text, match.start(), match.end()
        ):
            return match.start(), match.end()
    return None


_SHORT = 30  # signs: a transfer without number and quote; longer texts are complaints with a destination
_LEAD_ONLY = re.compile(r"^" + k.LEAD + r"$")
_LINKED = re.compile(REF + k.LINK + r"$")
_NEXT_REF = re.compile(r"\s*(?:了|单|第|[:：])?\s*" + REF)


def _stands(text: str, start: int, end: int, numbered: bool) -> bool:
    """The word leads the message, or a clause, or is tied to the number."""
    before = text[:start]
    if _NOT_FOR.search(before) or _BY_OTHERS.search(before.rstrip()):
        return False
    if numbered and (_NEXT_REF.match(text, end) or _LINKED.search(before)):
        clause = before[max(before.rfind(c) for c in "，,。；;\n ") + 1 :].replace(REF, "")
        return bool(_LEAD_ONLY.match(clause)) or bool(_LINKED.search(before))
    clause = before[max(before.rfind(c) for c in "，,。；;\n :：") + 1 :]
    return bool(_LEAD_ONLY.match(clause)) and text[start:end] != "转" or bool(_LEAD_ONLY.match(before))


def _asked(text: str, start: int, end: int) -> bool:
    """A question or a supposition in the clause of the word, or a short message that ends as a question."""
    left = max(text.rfind(c, 0, start) for c in "，,。；;\n ") + 1
    right = min((p for c in "，,。；;\n " if (p := text.find(c, end)) >= 0), default=len(text))
    clause = text[left:right]
    if re.search(r"[?？]|吗|要不要|能不能|是不是|谁(?=来|去|给|负)|可不可以|行不行|该不该|是否|怎么|如何", clause):
        return True
    if re.search(r"^(?:要是|如果|假如|万一|若)|的话", clause):
        return True
    return bool(k.ENDS_ASKING.search(text)) and len(text) - end <= 12


def _rest(text: str, span: tuple[int, int]) -> str:
    """What the sentence says besides the key word and the number."""
    return trimmed((text[: span[0]] + " " + text[span[1] :]).replace(REF, " ").replace(WHO, ""))


def _reason(answer: Answer, span: tuple[int, int]) -> str:
    rest = _rest(answer.text, span)
    rest = re.sub(
        r"^(?:[\s，,。:：]|请|麻烦|申请|工单|那个|这个|号|单|把|将|原因是?|理由是?|因为|由于|吧|了|啊)+",
        "",
        rest,
    )
    rest = re.sub(r"(?:[\s，,]|申请|请|把|将|那个|要)+$", "", rest)
    return rest


def _whistle(answer: Answer, span: tuple[int, int]) -> Intent | None:
    after = re.sub("[" + REF + WHO + "]", " ", answer.text[span[1] :])
    own = _own(answer)
    found = replies_units.head(after.lstrip(" :：，,"), answer.units, own)
    units, rest = found.names, after.lstrip(" :：，,")[found.end :] if found.names else after
    if not units:
        units = replies_units.anywhere(answer.text, answer.units, own)
    if not units and not answer.refs and answer.quoted is None:
        return None
    return aim(answer, Act.WHISTLE, waiting=False, units=units, reason=trimmed(rest), explicit=True)


def _reopen(answer: Answer, span: tuple[int, int]) -> Intent | None:
    return aim(answer, Act.REOPEN, waiting=None, reason=_reason(answer, span), explicit=True)


def _extend(answer: Answer, span: tuple[int, int]) -> Intent | None:
    rest = answer.text[span[0] :].replace(REF, " ")
    until = replies_dates.until(rest, answer.today)
    if until is None and not answer.refs and answer.quoted is None:
        return None
    return aim(answer, Act.EXTEND, waiting=False, until=until, reason=_reason(answer, span), explicit=True)


def _transfer(answer: Answer, span: tuple[int, int]) -> Intent | None:
    after = re.sub("[" + REF + WHO + "]", " ", answer.text[span[1] :])
    found = replies_units.head(after, answer.units, () if answer.routes else _own(answer))
    if not found.names:
        bare = not trimmed(after) and bool(answer.refs)
        if not bare:
            return None
    units = found.names[:1]
    if not answer.refs and answer.quoted is None and len(answer.text) > _SHORT:
        return None
    if answer.routes:
        return aim(answer, Act.TRANSFER, waiting=None, units=units, reason=trimmed(after[found.end :]), explicit=True)
    past = answer.text[: span[0]].rstrip().endswith(("已", "已经"))
    if (answer.refs or answer.quoted is not None) and not past:
        # A unit's own member cannot transfer: he asks for it, which is a 退单 with a proposal (behaviour 6).
        reason = trimmed(answer.text.replace(REF, " ").replace(WHO, "")) if units else ""
        return aim(answer, Act.DECLINE, waiting=None, units=units, reason=reason, explicit=True)
    return None


def _decline(answer: Answer, span: tuple[int, int]) -> Intent | None:
    word = answer.text[span[0] : span[1]]
    after = answer.text[span[1] :]
    if word == "退" and not re.match(r"\s*(?:$|[，,。.:：；;了吧\s]|" + REF + ")", after):
        return None
    if word.startswith("退了") and v.QUESTION.search(after[:6]):
        return None
    return aim(
        answer,
        Act.DECLINE,
        waiting=None,
        units=proposal(answer, answer.text),
        reason=_reason(answer, span),
        explicit=True,
    )


def proposal(answer: Answer, text: str) -> tuple[str, ...]:
    """The unit that a declining sentence says it belongs to: 归交通局养护, 建议转派水务局."""
    own = _own(answer)
    for match in _PROPOSAL.finditer(text):
        found = replies_units.at(text, match.end(), answer.units, short=True)
        if found is not None and found[0] not in own:
            return (found[0],)
    return ()


def _resolve(answer: Answer, span: tuple[int, int]) -> Intent | None:
    before, after = answer.text[: span[0]], answer.text[span[1] :]
    if re.match(r"\s*(?:不了|了吗|没|要求|时间|前|率)", after):
        return None
    if re.search(
        r"(?:正在|准备|尽快|争取|马上|预计|等|待|今天|明天|下午|要|得|能|可以|什么时候|何时|按时|及时)$",
        before.rstrip(),
    ):
        return None
    reason = _reason(answer, span)
    if not reason and re.search(r"已经?\s*$", before):
        reason = trimmed(answer.plain)
    return aim(answer, Act.RESOLVE, waiting=False, reason=reason, explicit=True)


def call_back(answer: Answer) -> Intent | None:
    """2号回访未解决, 回访1 不满意: said by those who call back, or with the word 回访."""
    if not answer.refs and answer.quoted is None:
        return None
    found = k.CALL_BACK.search(answer.text)
    if found is None or k.ENDS_ASKING.search(answer.text) or not (answer.routes or k.CALLED.search(answer.text)):
        return None
    return aim(answer, Act.CALL_BACK, waiting=None, reason=trimmed(answer.text.replace(REF, " ")), explicit=True)


def _own(answer: Answer) -> tuple[str, ...]:
    unit = answer.view.room_unit
    return (unit,) if unit else ()


_MAKE = {
    Act.WHISTLE: _whistle,
    Act.REOPEN: _reopen,
    Act.EXTEND: _extend,
    Act.TRANSFER: _transfer,
    Act.DECLINE: _decline,
    Act.RESOLVE: _resolve,
}
