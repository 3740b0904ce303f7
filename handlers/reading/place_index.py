"""The district's names in searchable form, built once per gazetteer (an Aho-Corasick automaton over folded names).

Every village is known by its full name, by its short name (without 村, 社区, 满族村), by its aliases, and by the 小区 and
hamlets of the district's alias table; every town and agency by name, aliases and stem (庙城 for 庙城镇).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import ahocorasick

from handlers.reading.text import data_lines
from handlers.reading.views import Gazetteer, Span
from storage.enums import UnitKind

Target = tuple[str, str | None]  # (township, village)


@dataclass(slots=True)
class Name:
    """A name of the gazetteer and all it can mean."""

    text: str
    kind: str  # "town", "village", "agency"
    targets: list[Target] = field(default_factory=list)
    weak: bool = False  # an ordinary word too: needs a companion
    short: bool = False  # without its 村 or 社区


@dataclass(frozen=True, slots=True)
class Hit:
    name: Name
    span: Span


@lru_cache(maxsize=1)
def _lookalikes() -> tuple[dict[str, str], re.Pattern[str]]:
    table = {}
    for line in data_lines("lookalikes.txt"):
        first, *others = line.split()
        table.update(dict.fromkeys(others, first))
    return table, re.compile(f"[{''.join(table)}]")


@lru_cache(maxsize=16)  # several finders look at the same text
def fold_lookalikes(text: str) -> str:
    """Write look-alike characters (粱/梁) as one, keeping the length."""
    table, pattern = _lookalikes()
    return pattern.sub(lambda found: table[found.group()], text)


_SUFFIXES = ("满族村", "社区", "村")
_TOWN_SUFFIXES = ("满族乡", "街道", "地区", "镇", "乡")


def strip_suffix(village: str) -> str:
    """Return the short name of a village: 大屯村 -> 大屯, 太平庄满族村 -> 太平庄."""
    for suffix in _SUFFIXES:
        if village.endswith(suffix) and len(village) > len(suffix):
            return village[: -len(suffix)]
    return village


def town_stem(town: str) -> str:
    for suffix in _TOWN_SUFFIXES:
        if town.endswith(suffix) and len(town) > len(suffix) + 1:
            return town[: -len(suffix)]
    return town


class PlaceIndex:
    """All names of one gazetteer. Build takes some milliseconds; `index.reading_index` builds once."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self.names: dict[str, Name] = {}
        self.towns = [unit.name for unit in gazetteer.units if unit.kind is UnitKind.TOWN]
        self.stems = {town_stem(town): town for town in self.towns}
        self.unit_kind = {unit.name: unit.kind for unit in gazetteer.units}
        self.common = frozenset(word for line in data_lines("common_words.txt") for word in line.split())
        self.district_words = self._shared_stems(gazetteer)
        for unit in gazetteer.units:
            if unit.kind is UnitKind.TOWN:
                self._add_town(unit.name, unit.aliases)
            elif unit.kind is UnitKind.AGENCY:
                self._add_agency(unit.name, unit.aliases)
        self._add_villages(gazetteer)
        self._mark_clashes()

    @staticmethod
    def _shared_stems(gazetteer: Gazetteer) -> frozenset[str]:
        """Return stems that mean the district itself: here 怀柔, which also heads agencies' names."""
        stems = {town_stem(unit.name) for unit in gazetteer.units if unit.kind is UnitKind.TOWN}
        other = [w for u in gazetteer.units if u.kind is not UnitKind.TOWN for w in (u.name, *u.aliases)]
        return frozenset(stem for stem in stems if any(stem in word for word in other))

    def _put(self, text: str, kind: str, target: Target, *, weak: bool = False, short: bool = False) -> None:
        key = fold_lookalikes(text)
        if len(key) < 2:
            return
        name = self.names.get(key)
        if name is None or (name.short and not short):
            self.names[key] = Name(text, kind, [target], weak, short)
        elif name.kind == kind and name.short == short and target not in name.targets:
            name.targets.append(target)

    def _add_town(self, town: str, aliases: Iterable[str]) -> None:
        stem = town_stem(town)
        for text in (town, *aliases, stem + "地区", stem + "镇", stem + "乡", stem + "街道", stem + "办"):
            self._put(text, "town", (town, None))
        if stem not in self.district_words and len(stem) >= 2:
            self._put(stem, "town", (town, None), weak=stem in self.common)

    def _add_agency(self, name: str, aliases: Iterable[str]) -> None:
        for text in (name, *aliases):
            self._put(text, "agency", (name, None))

    def _add_villages(self, gazetteer: Gazetteer) -> None:
        for village in gazetteer.villages:
            target = (village.township, village.name)
            self._put(village.name, "village", target, weak=village.name in self.common)
            for alias in village.aliases:
                self._put(alias, "village", target)
        for alias_entry in gazetteer.place_aliases:
            self._put(alias_entry.alias, "village", (alias_entry.township, alias_entry.village))
        for village in gazetteer.villages:
            target = (village.township, village.name)
            short = strip_suffix(village.name)
            if short + "村" != village.name and village.kind == "村":
                self._put(short + "村", "village", target)
            if len(short) >= 2 and short not in self.stems and short not in self.district_words:
                self._put(short, "village", target, weak=short in self.common, short=True)
            if short.endswith("虚拟"):
                zone = short.removesuffix("虚拟").removeprefix("北京")
                for text in (zone, zone.replace("经济", "")):
                    self._put(text, "village", target)

    def _mark_clashes(self) -> None:
        """A short name of two villages of one town means the town only: 杨家园 is both a 村 and a 社区."""
        by_short: dict[str, list[Target]] = defaultdict(list)
        for name in self.names.values():
            if name.kind == "village":
                by_short[fold_lookalikes(name.text)].extend(name.targets)
        for key, targets in by_short.items():
            self.names[key].targets = list(dict.fromkeys(targets))

    @cached_property
    def automaton(self) -> ahocorasick.Automaton:
        automaton = ahocorasick.Automaton()
        for key, name in self.names.items():
            automaton.add_word(key, (len(key), name))
        automaton.make_automaton()
        return automaton

    def hits(self, looked: str) -> list[Hit]:
        """Return the names in a look-alike-folded text: leftmost first, the longest where several begin."""
        found = [Hit(name, (end - size + 1, end + 1)) for end, (size, name) in self.automaton.iter(looked)]
        found.sort(key=lambda hit: (hit.span[0], -hit.span[1]))
        kept: list[Hit] = []
        for hit in found:
            if not kept or hit.span[0] >= kept[-1].span[1]:
                kept.append(hit)
        return kept

    @cached_property
    def by_pinyin(self) -> dict[tuple[str, ...], list[Target]]:
        """Toneless pinyin of each short name (two syllables and more) -> what it can mean."""
        table: dict[tuple[str, ...], list[Target]] = defaultdict(list)
        for name in self.names.values():
            if name.kind == "village" and name.short:
                table[tuple(pinyin(c) for c in name.text)].extend(name.targets)
        return table

    @cached_property
    def by_pinyin_but_one(self) -> dict[tuple[int, tuple[str, ...]], list[Target]]:
        """(n, the sounds without the n-th) -> the villages of three syllables and more that sound so but for one."""
        table: dict[tuple[int, tuple[str, ...]], list[Target]] = defaultdict(list)
        for sounds, targets in self.by_pinyin.items():
            if len(sounds) >= 3:
                for n in range(len(sounds)):
                    table[n, sounds[:n] + sounds[n + 1 :]].extend(targets)
        return table


@lru_cache(maxsize=4096)
def pinyin(char: str) -> str:
    """Return the toneless first reading of a character, itself if it has none. Loads pypinyin on first use."""
    from pypinyin import lazy_pinyin

    return lazy_pinyin(char)[0]
