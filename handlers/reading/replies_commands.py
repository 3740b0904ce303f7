"""Commands: a key word with a ticket's number, or with a quote, or at the head of the message.

`退12 原因`, `12退，原因`, `申请转派2到…`, `吹哨1 城管委 水务局 事由`, `办结12 结果`,
`延期12 到3月5日`, `重办12`, `催12`, `查12`.
A key word elsewhere in a sentence is talk. What is left of the sentence is the reason, result or matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from handlers.reading import replies_dates, replies_units
from handlers.reading import replies_vetoes as v
from handlers.reading.replies_answer import WHO, Answer
from handlers.reading.replies_targets import aim
from handlers.reading.replies_text import REF, trimmed
from handlers.reading.views import Act, Intent

_LEAD = (
    r"(?:请|麻烦|申请|我们这边|我们|我|先|再|把|将|那个|这个|这单|那单|此单|该单|此件|该件|工单|需要|需|要|"
    r"就|给|也|得|应该|应|呃|嗯|好的|你好|您好|领导|老师|各位|"
    r"建议|还是|已经|已|可以|想|拟|特此|关于|对|单|件|号|的|[\s，,:：]|"
    + WHO
    + r"(?=\s*[，,:：\s])|"
    + REF
    + r")*"
)
_LINK = (
    r"(?:请|麻烦|申请|我们|我|先|再|需要|需|要|就|给|也|建议|还是|已经|已|可以|想|拟|单|件|号|工单|这个|那个|"
    r"这单|啊|呃|嗯|予以|全部|现在|现|我单位|我镇|我局|可|由|应|"
    r"[\s，,:：。-])*"
)


@dataclass(frozen=True, slots=True)
class Key:
    """`near`: the word beside a number or leading a quoting message; `alone`: with neither, at the very head."""

    act: Act
    near: re.Pattern[str]
    alone: re.Pattern[str] | None = None
    before: re.Pattern[str] | None = None  # the word only in front of the number: 领3, 查3


def _key(act: Act, near: str, alone: str | None = None, before: str | None = None) -> Key:
    return Key(
        act,
        re.compile("(?:" + near + ")"),
        re.compile(r"^" + _LEAD + "(?:" + alone + ")") if alone else None,
        re.compile("(?:" + before + ")") if before else None,
    )


_STOP_TUI = (
    r"(?!款|费|卡|休|货|钱|订|伍|役|税|押|学|房|票|群|出|还|后|烧|步|一步|下来|路|耕|热|缩|居|换|赔|"
    r"给|伍|线|潮|场)"
)
KEYS: tuple[Key, ...] = (
    _key(
        Act.WHISTLE,
        r"(?:申请|发起)?吹(?:个|一下)?哨(?:报到)?(?!人|机制|的|工作|制度)",
        r"吹(?:个|一下)?哨(?:报到)?(?!人|机制|的|工作|制度)",
    ),
    _key(
        Act.REOPEN,
        r"退回重办|打回重办|重办|重新办理|重新处理|返工重办|打回去?重新",
        r"(?:重办|退回重办|打回重办)(?!率|的|情况|件|数)",
    ),
    _key(
        Act.EXTEND,
        r"(?:申请)?(?:办理)?(?:延期|延长|延后|延到|延至|延(?=[\d一二三四五六七八九十两]+[天日周个])|宽限|"
        r"展期|顺延|推迟|缓期|缓(?=到|至|[\d一二三四五六七八九十两]+天))(?:办理|处理|办结)?",
        r"(?:申请)?(?:延期|展期|延到|延至)",
    ),
    _key(
        Act.TRANSFER,
        r"(?:转派|转办|转给|转到|转至|转交(?!通)|转往|转去|改派|改转|派给|派到|派往|移交(?!通)|移送|划转|划给|交给|"
        r"推给|"
        r"转)(?!告|达|发|账|运|弯|移了|一下|圈|身|过去|天|年|让)",
        r"(?:转派|转办|转给|转到|转至|转交(?!通)|改派|转)(?!告|达|发|账|运|弯|移|一下|圈|身|天|年|让|\d)",
    ),
    _key(
        Act.DECLINE,
        r"退单|退回去?|退件|退掉|退了(?!款|费|休)|拒收|拒单|拒签|退" + _STOP_TUI,
        r"(?:退单|退回去?工单|退件|[^，,。\x01]{1,12}?(?:那个|这个|那单|这单|那件|这件)\s*(?:先|就|给|我们)*(?:退单|"
        r"退回|退了吧|退掉))"
        r"(?!率|的|数|情况|原因|流程|标准|要|须|需|时|后|有)",
    ),
    _key(
        Act.RESOLVE,
        r"办结(?!\d|率|时|情况|数|量|材料|期限|的|标准|不)|结案(?!率)|完结|销号|销单|闭环(?!管理)|结单",
        r"(?:办结|结案|销号)(?!\d|要|须|需|工作|及|率|时|情况|数|量|材料|期限|的|标准|不|了的)",
    ),
)
_ACCEPT_BEFORE = re.compile(
    r"^"
    + _LEAD
    + r"(?:领办|领单|领下|领走|领取|领|接单|接办|接下|接|认领|承办|签收|收到|已收到|抢|揽)(?:了|下|单|第|到|"
    r"[\s:：])*" + REF
)
_BACK_OUT = re.compile(r"算了|不领|领错|发错|打错|点错|搞错|按错|作废|撤回|不对|说错|是不是|还是不")
_KEEP = re.compile(
    r"^"
    + _LEAD
    + REF
    + r"?"
    + _LINK
    + r"(?:维持|维持原派|维持原单位|还是维持|不同意(?:退单|转派|退)?|驳回)(?![^，,。]{0,4}秩序)|^"
    + _LEAD
    + r"维持(?:原派|原单位|原承办)?\s*"
    + REF
)
_AGREE = re.compile(
    r"^"
    + _LEAD
    + REF
    + _LINK
    + r"(?:同意|准了?|批准)(?!的|书|不)|^"
    + _LEAD
    + r"(?:同意|批准)(?:转派|退单|转)?\s*"
    + REF
)
_AGREE_QUOTED = re.compile(r"^\s*(?:我)?(?:同意|批准)(?:转派|转|退单|你们的意见|意见)?[。!！\s]*$")
_URGE = re.compile(
    r"^"
    + _LEAD
    + r"(?:催办|催单|催一下|催催|再催一?下?|催促|催)\s*"
    + REF
    + r"|"
    + REF
    + _LINK
    + r"(?:催办|催一下|催催|再催|催促|催)(?!什么|啥|了)|"
)
_URGE_QUOTED = re.compile(r"^\s*(?:再)?(?:催办|催一下|催单|催催|催)[。!！\s]*$")
_STATUS = re.compile(
    r"^"
    + _LEAD
    + r"(?:查询|查看|查一下|查查|查|看看|看一下|看)\s*"
    + REF
    + r"\s*(?:的)?(?:进度|进展|状态|情况|办理情况|怎么样了?|到哪了?)?[。?？!！\s]*$|"
    r"^\s*"
    + REF
    + r"\s*(?:的)?(?:查询|查一下|查|进度|进展|状态|什么情况|办到哪了?|到哪一步了?|怎么样了|现在什么情况|"
    r"办得怎么样了?)[。?？!！\s]*$"
)
_ENDS_ASKING = re.compile(r"(?:[?？]|吗|么|行不行|可以不|行吗|没有|是不是|能不能)[。!！\s]*$")
_CALL_BACK = re.compile(
    r"(?:回访|复访|电话回访|市民|诉求人|群众|来电人|居民|回访人)?[^，,。]{0,8}?(?:不满意|未解决|没解决|"
    r"没有解决|不认可|还没解决|没有得到解决|未得到解决|仍未|没给解决|没处理|没修好|没弄好)"
)
_CALLED = re.compile(r"回访|复访|回电")
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
    if numbered and _STATUS.search(text):
        return aim(answer, Act.STATUS, waiting=None)
    if numbered and (found := _URGE.search(text)) and found[0] and not _ENDS_ASKING.search(text):
        return aim(answer, Act.URGE, waiting=None)
    if answer.quoted is not None and answer.routes and _URGE_QUOTED.search(text):
        return aim(answer, Act.URGE, waiting=None)
    if (numbered or (answer.quoted is not None and answer.routes)) and (found := _KEEP.search(text)):
        return aim(answer, Act.KEEP, waiting=None, reason=trimmed(text[found.end() :]))
    if numbered and (found := _AGREE.search(text)) and not _ENDS_ASKING.search(text):
        return aim(answer, Act.AGREE, waiting=None, reason=trimmed(text[found.end() :]))
    if answer.quoted is not None and answer.routes and _AGREE_QUOTED.search(text):
        return aim(answer, Act.AGREE, waiting=None)
    return None


def accept(answer: Answer) -> Intent | None:
    """领12, 接单 12, 收到1."""
    if not answer.refs:
        return None
    found = _ACCEPT_BEFORE.search(answer.text)
    if found is None:
        return None
    rest = answer.text[found.end() :]
    if _ENDS_ASKING.search(answer.text) or _BACK_OUT.search(rest) or re.match(r"\s*(?:的(?!事)|没|不)", rest):
        return None
    return aim(answer, Act.ACCEPT, waiting=True, reason=trimmed(rest), explicit=True)


def command(answer: Answer) -> Intent | None:
    """The first key word that commands; None if none does."""
    for key in KEYS:
        span = _find(answer, key)
        if span is not None:
            made = _MAKE[key.act](answer, span)
            if made is not None:
                return made
    return None


def _find(answer: Answer, key: Key) -> tuple[int, int] | None:
    """Where the key word stands, if it stands where a command has it."""
    text = answer.text
    anchored = bool(answer.refs) or answer.quoted is not None
    if not anchored:
        # Without number and quote it must come from those who may, and not answer some other message.
        heard = (answer.member or answer.routes) and not answer.quotes_other
        match = key.alone.search(text) if key.alone and heard else None
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
_LEAD_ONLY = re.compile(r"^" + _LEAD + r"$")
_LINKED = re.compile(REF + _LINK + r"$")
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
    if re.search(
        r"[?？]|吗|要不要|能不能|是不是|谁(?=来|去|给|负)|可不可以|行不行|该不该|是否|怎么|如何", clause
    ):
        return True
    if re.search(r"^(?:要是|如果|假如|万一|若)|的话", clause):
        return True
    return bool(_ENDS_ASKING.search(text)) and len(text) - end <= 12


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
        return aim(
            answer, Act.TRANSFER, waiting=None, units=units, reason=trimmed(after[found.end :]), explicit=True
        )
    if answer.refs or answer.quoted is not None:
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
    found = _CALL_BACK.search(answer.text)
    if (
        found is None
        or _ENDS_ASKING.search(answer.text)
        or not (answer.routes or _CALLED.search(answer.text))
    ):
        return None
    return aim(
        answer, Act.CALL_BACK, waiting=None, reason=trimmed(answer.text.replace(REF, " ")), explicit=True
    )


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
