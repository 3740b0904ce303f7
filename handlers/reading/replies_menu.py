"""The fixed words: 待办, 我的, 帮助, 日报, 查 with an order number, 绑定"
", and a call-back with an order number."""

from __future__ import annotations

import re

from handlers.reading import replies_units
from handlers.reading.replies_answer import Answer
from handlers.reading.replies_text import trimmed
from handlers.reading.views import Act, Intent

_WORDS: dict[str, Act] = {
    **dict.fromkeys(
        ("待办", "待办事项", "待办列表", "待办工单", "查待办", "看待办", "未办", "未领", "待领", "待领办"),
        Act.TODO,
    ),
    **dict.fromkeys(("我的", "我的工单", "我的待办", "我的单子", "查我的", "看我的"), Act.MINE),
    **dict.fromkeys(("帮助", "help", "使用说明", "使用帮助", "怎么用", "菜单", "指令", "命令"), Act.HELP),
    **dict.fromkeys(("日报", "今日日报", "今天日报", "查日报", "看日报", "发日报", "看看日报"), Act.DAILY),
}
_ONLY_TO_BOT = frozenset(("怎么用", "菜单", "指令", "命令", "未办", "未领", "待领"))
# Ticket numbers (20260303-0001), hotline numbers (热线-250916-054555, 怀柔2025…) and long digits that are no phone.
ORDER_NO = re.compile(
    r"[\u4e00-\u9fff]{2,4}-\d{6}-\d{3,8}|(?<!\d)\d{8}-\d{3,6}(?!\d)|[\u4e00-\u9fff]{2}\d{8,20}(?!\d)|"
    r"[a-z]{1,4}-?\d{8,20}(?!\d)|"
    r"(?<!\d)(?!1[3-9]\d{9}(?!\d))\d{8,20}(?!\d)"
)
_LOOK = re.compile(r"^(?:查询|查看|查一下|查查|查|看看|看)\s*(?:工单|单号|编号|订单)?\s*[:：#]?\s*")
_CALLED = re.compile(r"不满意|未解决|没解决|没有解决|不认可|未得到解决|没有得到解决|仍未解决")
_BIND = re.compile(r"^绑定\s*[:：]?\s*(.{2,20})$")
_LONGEST = 200


def read(answer: Answer) -> Intent | None:
    """One of the fixed words alone in the message; None if it is anything else."""
    text = trimmed(answer.plain).strip("?？ ")
    if not text or len(text) > _LONGEST:
        return None
    act = _WORDS.get(text.replace(" ", ""))
    if act is Act.MINE and answer.quoted is not None:
        return None  # 我的 under a prompt: it is mine
    if act is not None and (answer.view.mentions_bot or text not in _ONLY_TO_BOT):
        return Intent(act, explicit=True, words=(text,))
    return _bind(answer, text) or _numbered(answer, text)


def _bind(answer: Answer, text: str) -> Intent | None:
    match = _BIND.match(text)
    if match is None:
        return None
    wanted = match[1].strip()
    found = replies_units.at(wanted, 0, answer.units, short=True)
    units = (found[0],) if found is not None and found[1] == len(wanted) else ()
    return Intent(Act.BIND, explicit=True, units=units, number=wanted)


def _numbered(answer: Answer, text: str) -> Intent | None:
    match = ORDER_NO.search(text)
    if match is None:
        return None
    number = match[0]
    look = _LOOK.match(text)
    if look is not None and not trimmed(text[look.end() :].replace(number, "", 1)):
        return Intent(Act.STATUS, targets=_of(answer, number), explicit=True, number=number)
    rest = trimmed(text.replace(number, " ", 1))
    if _CALLED.search(rest) and ("回访" in rest or answer.routes) and len(rest) <= 120:
        return Intent(Act.CALL_BACK, targets=_of(answer, number), explicit=True, number=number, reason=rest)
    return None


def _of(answer: Answer, number: str) -> tuple[int, ...]:
    """The ticket of this room with that number, if it is here."""
    return tuple(i for i, t in enumerate(answer.room.tickets) if number in (t.no.lower(), (t.order_no or "").lower()))[
        :1
    ]
