"""Numbered lists: one message, several problems. Markers met: 1、 1. 1) (1) （一） ① 一是 一、 第一 其一."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from handlers.reading.views import Span

_CHINESE = "一二三四五六七八九十"
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮"
_MARK = re.compile(
    r"(?:(?P<digit>\d{1,2})[ ]?(?:[、)]|[.](?!\d))|\((?P<paren>\d{1,2})\)|\((?P<chinese_paren>[一二三四五六七八九十])\)"
    rf"|(?P<circled>[{_CIRCLED}])|(?P<chinese>[{_CHINESE}])(?:是(?!否|不是|个)|、)|第(?P<ordinal>[{_CHINESE}])(?:件|个|是|条)?[,:、]|其(?P<other>[{_CHINESE}])[,:、是]?)[ \t]*"
)
_BEGIN = re.compile(rf"[\d(第其{_CIRCLED}{_CHINESE}]")
_MAY_PRECEDE = frozenset("\n;。,:!?)] \t")
MAX_ITEMS = 20


@dataclass(frozen=True, slots=True)
class Items:
    preamble: str
    items: tuple[tuple[str, Span], ...]


def _number(match: re.Match[str]) -> int:
    kind = match.lastgroup or ""
    value = match.group(kind)
    if value in _CIRCLED:
        return _CIRCLED.index(value) + 1
    return _CHINESE.index(value) + 1 if value in _CHINESE else int(value)


def _marks(folded: str) -> Iterator[re.Match[str]]:
    """Yield the markers that stand at the head of a clause; circled figures wherever they stand."""
    at = 0
    for begin in _BEGIN.finditer(folded):
        start = begin.start()
        if start >= at and (not start or folded[start - 1] in _MAY_PRECEDE or begin.group() in _CIRCLED):
            if match := _MARK.match(folded, start):
                at = match.end()
                yield match


def split_items(folded: str) -> Items | None:
    """Return the items of a list that counts 1, 2, … in one kind of marker; None if there is no such list."""
    runs: dict[str, list[re.Match[str]]] = {}
    for match in _marks(folded):
        kind = match.lastgroup or ""
        marks = runs.setdefault(kind, [])
        if _number(match) == len(marks) + 1 and len(marks) < MAX_ITEMS:
            marks.append(match)
    best = max(runs.values(), key=len, default=[])
    if len(best) < 2:
        return None

    ends = [mark.start() for mark in best[1:]] + [len(folded)]
    items = []
    for mark, end in zip(best, ends, strict=True):
        piece = folded[mark.end() : end]
        kept = piece.rstrip(" \t\n;。,")
        items.append((kept, (mark.end(), mark.end() + len(kept))))
    return Items(folded[: best[0].start()], tuple(items))
