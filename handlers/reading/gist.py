"""One line that says what a ticket is about, as a good dispatcher would put it: where, what is wrong, what is wanted.

Not masked here: `handlers.privacy.mask` masks it like every outgoing text.
"""

from __future__ import annotations

import re

from handlers.reading.orders import find_orders
from handlers.reading.people import find_numbers
from handlers.reading.text import READ_LIMIT, fold
from handlers.reading.views import Complaint

GIST_LIMIT = 60  # characters

_SPEAKER = re.compile(r"^[^:：\n]{1,14}[:：][ ]?", re.M)
_HEADS = re.compile(
    r"^(?:[\s,，。;；:：、!！]|喂|那个|这个|嗯|啊|哎|欸|各位|急+|转(?=\s)|又来一个|还有一件|刚接一?电话|是这样|就是?这儿?|说是|早上好|领导|麻烦|帮派一下"
    r"|(?:刚才?|今天|早上|上午|下午|昨天|昨晚)?(?:刚?接(?:到)?)?(?:市民|群众|居民|村民|业主|家长|游客|乘客|住户|老乡|来电人|诉求人|有人|有位\S{2}|消费者)(?:来)?(?:电话|电)?"
    r"(?:反映|称|说|投诉|举报|咨询|来电|质疑|留言|打电话|表示)(?:其|说|称|反映)?|来电反映|反映|12345(?:转来|派来)的?(?:一件)?|【[^】\n]{1,12}】"
    r"|请?@\S{2,12}\s)+"
)
_NOTES = re.compile(
    r"[(（](?:已解释|音似|已解救|保密)[)）]|[。,，;；]?\s*(?:注[:：]|请区分中心|请及时向来电人|来电反映[^。]{2,30}的问题).*$|[。,，;；]?\s*(?:工单号?\s*)?(?:热线|怀柔)-?\d{6,8}-?\d{4,8}",
    re.S,
)
_CONTACT = re.compile(
    r"[,，;；。\s]*(?:(?:来电人|联系人|诉求人)[^,，。;；\s]{0,6})?(?:联系|来电|手机|回)?(?:电话|号码|手机|方式)?[:：]?\s*(?=\x00)\x00+[^\S\n]*(?:姓.)?"
)
_BREAK = re.compile(r"[,，。;；!！?？\n]")
_SPACES = re.compile(r"\s+")


def gist(complaint: Complaint) -> str:
    """Return the summary of a complaint in at most 60 characters, cut where a clause ends."""
    text = _core(complaint.text[:READ_LIMIT])
    if complaint.village and not _mentions(text, complaint):
        text = f"{complaint.place or complaint.village}{'' if text[:1] in '，,' else '，'}{text}"
    return _shorten(text) or complaint.category


def _core(text: str) -> str:
    """Return the telling part: an order's content or the text, without callers, contacts and notes."""
    folded = fold(text)
    orders = find_orders(folded)
    if orders:
        content = orders[0].first("content") or orders[0].first("title")
        if content is not None:
            begin, end = content.span
            text, folded = text[begin:end], folded[begin:end]
    elif "：" in text or ":" in folded:
        speakers = _SPEAKER.findall(folded)
        if len(speakers) >= 2 and "\n" in text:
            text = "，".join(line for line in _SPEAKER.sub("", text).splitlines() if line.strip())
            folded = fold(text)
    for found in reversed(find_numbers(folded)):
        begin, end = found.span
        text = text[:begin] + "\x00" * (end - begin) + text[end:]
    text = _CONTACT.sub("，", text).replace("\x00", "")
    text = _NOTES.sub("", text)
    previous = None
    while previous != text:
        previous, text = text, _HEADS.sub("", text, count=1)
    return _SPACES.sub(" ", text.replace("\n", "，")).strip(" ，,。;；")


def _mentions(text: str, complaint: Complaint) -> bool:
    village = complaint.village or ""
    short = village.removesuffix("社区").removesuffix("村")
    return bool(complaint.place and complaint.place in text) or bool(short and short[:2] in text)


def _shorten(text: str) -> str:
    """Cut at the last clause end that fits; mark a cut within a clause by …"""
    text = re.sub(r"[，,]{2,}", "，", text).strip(" ，,。;；")
    if len(text) <= GIST_LIMIT:
        return text
    cut = 0
    for mark in _BREAK.finditer(text, 0, GIST_LIMIT):
        if mark.start() >= GIST_LIMIT // 3:
            cut = mark.start()
    return text[:cut] if cut else text[: GIST_LIMIT - 1] + "…"
