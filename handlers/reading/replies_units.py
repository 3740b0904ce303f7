"""The units that an answer names, by any spelling people use: 水务, 市监局, 区城管委, 怀柔地区, 交警.

Spellings come from the gazetteer (names and aliases) and from what follows by rule: without 区, without the last 局, 委
or 镇, with 局 for 委, and the beginning of the name with its last sign (市场局). A spelling that two units could have
by rule belongs to neither. The longest spelling at a place counts, so 交通支队 is never 交通局.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from handlers.reading.replies_text import normalise
from handlers.reading.views import Gazetteer

# What everyone says for a part of a unit; it counts only if the roster knows the part on the right.
_COLLOQUIAL = {
    "交警": "交通支队",
    "交管": "交通支队",
    "派出所": "公安",
    "民警": "公安",
    "城管队": "城管",
    "市场所": "市场监管局",
}
_TAILS = ("分局", "街道", "地区", "镇", "乡", "局", "委", "办", "室")
_BETWEEN = re.compile(
    r"[\s、,，;；/+&|"
    r":：和与跟及同还有请让叫给到至往派由去向联合把是归应该咱我们们想要需把单派件\x01]*(?:负责人|同志)?"
)
_AFTER_UNIT = re.compile(r"(?:的?同志|的?领导|的人)?")


@dataclass(frozen=True, slots=True)
class UnitIndex:
    full: dict[str, str]  # spelling → official name; unmistakable in any sentence
    short: dict[str, str]  # stems like 水务, 庙城: only where a unit must stand
    longest: int


@dataclass(frozen=True, slots=True)
class UnitsFound:
    names: tuple[str, ...]  # official, in order, each once
    end: int  # where the list ends in the text


def index_of(gazetteer: Gazetteer) -> UnitIndex:
    """The index is kept on the gazetteer itself: one per roster version, gone with it."""
    kept = gazetteer.__dict__.get("_unit_index")
    if isinstance(kept, UnitIndex):
        return kept
    index = _build(gazetteer)
    gazetteer.__dict__["_unit_index"] = index
    return index


def _build(gazetteer: Gazetteer) -> UnitIndex:
    full: dict[str, str] = {}
    given: list[tuple[str, str]] = []
    for unit in gazetteer.units:
        for spelling in (unit.name, *unit.aliases):
            key = normalise(spelling).strip()
            if key:
                full.setdefault(key, unit.name)
                given.append((key, unit.name))
    for spoken, part in _COLLOQUIAL.items():
        if part in full:
            full.setdefault(spoken, full[part])
    derived: dict[str, set[str]] = {}
    stems: dict[str, set[str]] = {}
    for key, name in given:
        bare = key[1:] if key.startswith("区") and len(key) > 3 else key
        derived.setdefault(bare, set()).add(name)
        derived.setdefault("区" + bare, set()).add(name)
        stem, tail = _cut(bare)
        if len(stem) >= 2:
            stems.setdefault(stem, set()).add(name)
            for other in ("局", "委") if tail in ("局", "委") else ():
                derived.setdefault(stem + other, set()).add(name)
            if tail == "满族乡":
                derived.setdefault(stem + "乡", set()).add(name)
    prefixes: dict[str, set[str]] = {}
    for key, name in given:
        bare = key[1:] if key.startswith("区") and len(key) > 3 else key
        stem, tail = _cut(bare)
        for length in range(2, len(stem)):
            if tail in ("局", "委"):
                prefixes.setdefault(stem[:length] + tail, set()).add(name)
    short: dict[str, str] = {}
    for extra, target in ((derived, full), (prefixes, full), (stems, short)):
        for spelling, names in extra.items():
            if len(names) == 1 and spelling not in full:
                target.setdefault(spelling, next(iter(names)))
    return UnitIndex(full, short, max([len(s) for s in (*full, *short)], default=0))


def _cut(bare: str) -> tuple[str, str]:
    for tail in ("满族乡", *_TAILS):
        if bare.endswith(tail):
            return bare[: -len(tail)], tail
    return bare, ""


def at(text: str, start: int, index: UnitIndex, *, short: bool) -> tuple[str, int] | None:
    """The unit whose spelling begins at `start`, and where it ends."""
    for length in range(min(index.longest, len(text) - start), 1, -1):
        piece = text[start : start + length]
        name = index.full.get(piece) or (index.short.get(piece) if short else None)
        if name is not None:
            return name, start + length
    return None


def head(text: str, index: UnitIndex, exclude: Collection[str] = ()) -> UnitsFound:
    """The list of units at the beginning of a text: 城管委 水务局 事由, 请城管和交通支队到场."""
    names: list[str] = []
    position = end = 0
    while position < len(text):
        between = _BETWEEN.match(text, position)
        start = _unit_start(text, position, between.end() if between else position, index)
        found = at(text, start, index, short=True)
        if found is None:
            break
        name, end = found
        if name not in exclude and name not in names:
            names.append(name)
        after = _AFTER_UNIT.match(text, end)
        position = end = after.end() if after else end
        if len(names) > 12:
            break
    return UnitsFound(tuple(names), end if names else 0)


def _unit_start(text: str, low: int, high: int, index: UnitIndex) -> int:
    """The words between may swallow the first sign of a unit's name; the earliest unit counts."""
    for start in range(low, high):
        if at(text, start, index, short=True) is not None:
            return start
    return high


def anywhere(text: str, index: UnitIndex, exclude: Collection[str] = ()) -> tuple[str, ...]:
    """Every unit that a sentence names by an unmistakable spelling."""
    names: list[str] = []
    position = 0
    while position < len(text) - 1 and len(names) <= 12:
        found = at(text, position, index, short=False)
        if found is None:
            position += 1
            continue
        if found[0] not in exclude and found[0] not in names:
            names.append(found[0])
        position = found[1]
    return tuple(names)
