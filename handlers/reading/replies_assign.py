"""A member is named as the one to do it: 12 @李四 你去办, 12 李四办, 收到，安排李四去现场, 李四你跑一趟."""

from __future__ import annotations

import re

from handlers.reading import replies_remark, replies_vetoes
from handlers.reading.replies_answer import WHO, Answer
from handlers.reading.replies_text import REF
from handlers.reading.views import MemberEntry

_TITLE = r"(?:同志|主任|书记|队长|站长|所长|科长|镇长|局长|老师|哥|姐)?"
_ABOUT = (
    r"(?:" + REF + r"|这个事?|那个|这单|那单|这件事?|[^，。,\x02]{1,12}?(?:那个|这个|的事儿?|那边|那单|这单|那件))?"
)
_HOW = (
    r"(?:先|赶紧|赶快|抓紧|马上|立即|立刻|现在|辛苦|麻烦|具体|来|牵头|带人|带队|亲自|速|快|尽快|今天|下午|"
    r"上午|明天|明早|晚上|今晚|就|也|再|给|"
    r"你|您|一块|一起|负责|安排人|安排|到现场|到村里|下村|,|，|\s)*"
)
_VERB = (
    r"(?:去(?!了|过|年|不|没)|来(?=办|处理|负责|跟|盯|牵|弄|接|领|落实|对接|解决|管|做)|跑|盯|办(?!公|了|完|"
    r"过|会)|负责(?!人)|处理(?!了|完|过|好)|跟(?!我|你|他|大)|"
    r"牵头|落实(?!了)|对接(?!了)|看(?=一下(?!群|手机|消息|通知)|看|下(?!群)|着)|接(?!电话|孩|人|站|待|送|了|"
    r"到)|领(?!导|了|取)|处置|联系(?!我|了|过|不)|核实(?!了)|"
    r"到现场(?!了)|带队|带人|弄(?!完|好|了)|解决(?!了)|管(?!不|了|他)|协调(?!了)|跟进|过去(?!了|过)|速办|"
    r"承办|辛苦|走一趟|做(?=一下|$|好)|查(?!收|完|了|过))"
)
_AFTER = re.compile(
    WHO
    + r"(?:[、和跟]\s*"
    + WHO
    + ")*"
    + _TITLE
    + r"\s*[，,:：]?\s*(?:"
    + REF
    + ")?"
    + r"\s*"
    + _ABOUT
    + r"\s*"
    + _HOW
    + _VERB
)
_BEFORE = re.compile(
    r"(?:安排|指派|派|让|叫|请|由|交给|交由|交|分给|转给|转|改派|改由|改成|改|指定|换成|换|还是|责任人|"
    r"经办人|承办人|负责人|主办人?|给|辛苦|麻烦)"
    r"(?:了|为|是|给|:|：|\s)*" + WHO
)
_ALONE = re.compile(
    r"^\s*(?:指派|派|分派)?\s*"
    + REF
    + r"\s*[，,:：]?\s*(?:指派|派)?\s*"
    + WHO
    + _TITLE
    + r"\s*[。.!！]?$"
    + r"|^\s*"
    + WHO
    + r"\s*"
    + REF
    + r"\s*$"
)
# Under a quote a leader needs no verb: @某 抓紧.
_QUOTED = re.compile(
    r"^\s*"
    + WHO
    + _TITLE
    + r"[\s，,]*(?:请|抓紧|尽快|赶紧|马上|立即|速)*\s*(?:处理|办理|核实|落实|跟进|去)?[。!！\s]*$"
)
_NOT_HIM = re.compile(
    WHO + _TITLE + r"(?:说|已|去了|去过|在|到了|请假|没|不|刚|的|反馈|那边|休|病|回来|办完|处理完|正|也在|值班|替)"
)
_PROMISE = re.compile(r"收到|已|正在|好的|马上|这就|了$|了[，,。]")
_NOT_WORK = re.compile(
    r"你?(?:过来|来一下|来我|来趟|来办公室|上来|看群|回电|回个|接电话|联系我|发我|签|参加|替我|帮我)"
)


def assignee(answer: Answer) -> MemberEntry | None:
    """The member that the message puts in charge; None if it names nobody or only talks of somebody."""
    if not answer.people or WHO not in answer.text:
        return None
    text = answer.text
    if _NOT_WORK.search(text) or replies_vetoes.OFFICE.search(text):
        return None
    quoted = (_QUOTED,) if answer.boss and answer.quoted is not None else ()
    for pattern in (_ALONE, *quoted, _AFTER, _BEFORE):
        match = pattern.search(text)
        if match is None:
            continue
        clause = _clause_around(text, match.start(), match.end())
        if replies_vetoes.QUESTION.search(clause) or _denied(clause) or _NOT_HIM.search(clause):
            continue
        which = text[: match.end()].count(WHO) - text[match.start() : match.end()].count(WHO)
        return answer.people[min(which, len(answer.people) - 1)]
    return None


def promises(answer: Answer) -> bool:
    """收到，安排李四去现场"
    ", said by a handler: he answers for his unit and tells who goes; he gives no order."""
    text = answer.text.replace(WHO, "他")
    if _BEFORE.search(answer.text) is None or _PROMISE.search(text) is None:
        return False
    said = replies_remark.read(text.replace(REF, " "), firm=True, boss=False).says
    return said in (replies_remark.Says.ACK, replies_remark.Says.GO)


def _clause_around(text: str, start: int, end: int) -> str:
    left = max(text.rfind(c, 0, start) for c in "，,。；;\n") + 1
    right = min((p for c in "，,。；;\n" if (p := text.find(c, end)) >= 0), default=len(text))
    return text[left : right + 1]


def _denied(clause: str) -> bool:
    return re.search(r"(?:别|不要|不用|甭|没|不是|不)(?:再)?(?:让|叫|派|安排|请|给|指派|去)", clause) is not None


def stranger(answer: Answer) -> MemberEntry | None:
    """Somebody of another unit whom a leader puts in charge of a numbered ticket: he must be told that it cannot be."""
    if not answer.boss or not answer.known or answer.people:
        return None
    for member in answer.gazetteer.members:
        if member.name in answer.plain and re.search(
            re.escape(member.name) + _TITLE + r"[\s，,]*[你您]?(?:" + _VERB + ")", answer.plain
        ):
            return member
    return None
