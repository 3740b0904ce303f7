"""Units that a text names as the one to act: 承办单位, @区教委, 请规自分局牵头, 转人社局, 泉河办：…

A unit merely talked about (城管来了就跑, 怀北镇一个工地) is not named in this sense.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from handlers.reading.index import ReadingIndex
from handlers.reading.place_index import Hit, fold_lookalikes
from handlers.reading.views import Span
from storage.enums import UnitKind

_BEFORE = re.compile(
    r"(?:请|转给?|转派给?|派给?|派往|交给?|由|让|@|承办单位?[:]?|主办单位?[:]?|责任单位[:]?|办理单位[:]?|牵头单位[:]?)[ ]?$"
)
_AFTER = re.compile(
    r"[ ,]{0,2}(?:的同志|同志|各位)?(?:牵头|领办|接一下|接下|接单|接一?件|一并接|看一下|看看|看下|处理一下|核实|核查|赶紧|尽快|马上|抓紧"
    r"|立即|速|去人|派人|派个人|安排|整改|会同|主办|负责|办理|查一下|注意接|请接)"
)
_STEM_AFTER = re.compile(
    r"[ ,:]?(?:$|马上|尽快|抓紧|赶紧|立即|看|核|去|派|到场|接|处理|牵头|查|联系|来人|速|[,。!;\n])"
)
_HEAD_AFTER = re.compile(r"[:]|[ ](?=\S)")


def units_in_field(value: str, index: ReadingIndex) -> list[str]:
    """Return the official names in a field like 承办单位, in order."""
    hits = index.places.hits(fold_lookalikes(value))
    return list(dict.fromkeys(hit.name.targets[0][0] for hit in hits if hit.name.kind in ("town", "agency")))


def units_addressed(folded: str, hits: Iterable[Hit], index: ReadingIndex) -> dict[str, Span]:
    """Return the units that a free text asks to act with where they stand; the first one leads."""
    found: list[tuple[Span, str]] = []
    for hit in hits:
        if hit.name.kind not in ("town", "agency"):
            continue
        start, end = hit.span
        before = folded[max(0, start - 8) : start]
        asked = _BEFORE.search(before) is not None and not before.endswith(("被派", "申请"))
        told = _AFTER.match(folded, end) is not None
        line_start = folded.rfind("\n", 0, start) + 1
        at_head = not folded[line_start:start].strip(" 0123456789.、()一二三四五六七八九十①②③④⑤@")
        called = (
            at_head
            and _HEAD_AFTER.match(folded, end) is not None
            and (hit.name.kind == "agency" or folded[end : end + 1] == ":")
        )
        if asked or told or called:
            found.append((hit.span, hit.name.targets[0][0]))
    found += _stems(folded, index)
    found.sort()
    spans: dict[str, Span] = {}
    for span, unit in found:
        spans.setdefault(unit, span)
    return spans


_STEM_BEFORE = re.compile(r"(?:请|转给?|派给?|@|交给?)[ ]?([\u4e00-\u9fff]{2,4})")


def _stems(folded: str, index: ReadingIndex) -> list[tuple[Span, str]]:
    """Find 请人社马上到场, 转水务: agencies without their 局."""
    found = []
    for match in _STEM_BEFORE.finditer(folded):
        for size in (4, 3, 2):
            stem = match.group(1)[:size]
            unit = index.agency_stems.get(stem)
            if unit is not None and _STEM_AFTER.match(folded, match.start(1) + len(stem)):
                found.append(((match.start(1), match.start(1) + size), unit))
                break
    return found


def units_mentioned(mentions: Iterable[str], index: ReadingIndex) -> list[str]:
    """Return the units of @-ed members, and units @-ed by name."""
    units = []
    for name in mentions:
        unit = index.unit_of_member.get(name)
        if unit is None:
            named = units_in_field(name, index)
            unit = named[0] if named else None
        if unit is not None and index.kinds.get(unit) in (UnitKind.TOWN, UnitKind.AGENCY):
            units.append(unit)
    return list(dict.fromkeys(units))
