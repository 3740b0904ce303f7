"""How urgent: 敏感 before 紧急 before 一般, with the words that decided; and whether an official is accused.

敏感: threats to oneself or others, group incidents, media, an official accused. 紧急: danger to life or property, and
water, power, gas or heat out (停暖; 不热 alone is 一般). The words are data (`data/urgency_words.txt`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from handlers.reading.views import Span
from handlers.reading.words import WordHits
from storage.enums import Urgency

_CROWD = re.compile(
    r"(?:[二三四五六七八九]{0,2}十[一二三四五六七八九]?|几十|几百|[一两三]?百|上百|好几十|七八|\d{2,3})(?:来|多|几|余)?(?:个|名|户|位|口子?|号)?"
    r"(?:[\u4e00-\u9fff]{1,4}的?)?(?:人|业主|村民|租户|家长|商户|老人|群众|职工|司机|居民|住户|家)(?!次|份)"
)
_MEDIA = re.compile(
    r"(?:发|传|转|上|挂|捅)(?:了|到|在|出)?.{0,3}(?:抖音|快手|短视频|微博|小红书|网上|视频号|朋友圈|网络)"
    r"|(?:抖音|快手|短视频|微博|小红书|网上).{0,6}(?:发|火|评论|转|曝|传)|发了?视频|手机直播|开直播"
)
_DIE = re.compile(
    r"死(?:在|到).{0,6}(?:政府|门口|镇|区|单位|你们)|(?:跳|喝|炸|烧|砍|杀).{0,4}(?:给你们看|了你们)|不解决就死|死给"
    r"|(?:楼顶|天台|房顶|桥栏|塔吊|窗台|信号塔|护栏外).{0,20}(?:不下来|不肯下|要跳|往下跳|想不开)|砍(?:谁|你|他|了他)"
)
_AMBULANCE = re.compile(r"(?:打|叫|拨)了?1(?:19|20)|1(?:19|20)(?:已|都|来|去)")
_COLD = re.compile(r"(?:暖气|供暖|地暖|供热).{0,10}(?:全停|停了|冰凉|停供|没了)|(?:屋里|家里).{0,4}冰凉")
_NO_WATER = re.compile(
    r"(?:水|电|暖|气)(?:都|就|也|全)?(?:停了|没有|断了|没了)(?!人|用|说|解|灯)|(?:滴|口|点)水(?:都|也)?(?:没|不)"
)
_OTHER_WORD = re.compile(r"电[梯话视脑影动工器子]|水[平果泥费表管冲沟渠坑]|[暖热]心")  # 没电梯 is no outage
_CLAUSE = re.compile(r"[,。;!?\n]")
_SOFT_REACH = 5  # characters before a danger word in which 怕, 差点, … take the danger back
_SUBJECT_REACH = 8  # characters before 没电 in which a phone mast or a street lamp is what has none
_ACCUSED_REACH = (14, 45)  # characters before and after the official's title in which the accusation stands


@dataclass(frozen=True, slots=True)
class UrgencyFound:
    urgency: Urgency
    words: tuple[str, ...] = ()
    accuses_official: bool = False
    spans: tuple[Span, ...] = ()


def judge_urgency(folded: str, words: WordHits, *, media_link: bool = False) -> UrgencyFound:
    """Return the urgency of a complaint's text."""
    accused = _accused(words)
    sensitive = [*words.of("urgency", "threat"), *words.of("urgency", "group"), *words.of("urgency", "media"), *accused]
    sensitive += [(m.group(), m.span()) for pattern in (_DIE, _MEDIA) if (m := pattern.search(folded))]
    sensitive += _crowd(folded, words)
    if sensitive or media_link:
        return UrgencyFound(
            Urgency.SENSITIVE, _distinct(sensitive), bool(accused), tuple(span for _, span in sensitive)
        )

    urgent = [hit for hit in words.of("urgency", "danger") if not _softened(folded, hit[1], words)]
    urgent += [hit for hit in words.of("urgency", "outage") if _is_supply(folded, hit[1], words)]
    urgent += words.of("urgency", "calls")
    urgent += [(m.group(), m.span()) for p in (_AMBULANCE, _COLD) if (m := p.search(folded))]
    urgent += [(m.group(), m.span()) for m in _NO_WATER.finditer(folded) if _is_supply(folded, m.span(), words)]
    if urgent:
        return UrgencyFound(Urgency.URGENT, _distinct(urgent), False, tuple(span for _, span in urgent))
    return UrgencyFound(Urgency.NORMAL)


def _distinct(hits: list[tuple[str, Span]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word, _ in hits))


def _accused(words: WordHits) -> list[tuple[str, Span]]:
    """Return the officials' titles that stand near an accusation."""
    charges = words.of("urgency", "accusation")
    before, after = _ACCUSED_REACH
    return [
        title
        for title in words.of("urgency", "official")
        if any(title[1][0] - before <= charge[1][0] <= title[1][1] + after for charge in charges)
    ]


def _crowd(folded: str, words: WordHits) -> list[tuple[str, Span]]:
    places = words.of("urgency", "group_place")
    if not places:
        return []
    people = words.of("urgency", "group_people") or [(m.group(), m.span()) for m in _CROWD.finditer(folded)]
    return [people[0], places[0]] if people else []


def _near_before(span: Span, reach: int, hits: list[tuple[str, Span]]) -> bool:
    return any(span[0] - reach <= at[1] and at[0] < span[1] and at[1] <= span[1] for _, at in hits)


def _softened(folded: str, span: Span, words: WordHits) -> bool:
    return _near_before(span, _SOFT_REACH, words.of("urgency", "not_danger"))


def _is_supply(folded: str, span: Span, words: WordHits) -> bool:
    """Tell a house without power from a phone mast without."""
    clause = max((m.end() for m in _CLAUSE.finditer(folded, 0, span[0])), default=0)
    reach = min(_SUBJECT_REACH, span[0] - clause)
    if _OTHER_WORD.match(folded, span[1] - 1):
        return False
    return not _near_before(span, reach, words.of("urgency", "not_outage"))
