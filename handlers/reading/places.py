"""Where it is: the village and township a text names, and the address as written.

Order of trust: order fields, then a full name, a short name, a look-alike, a homophone. A name that exists in two towns
is decided by the room's own township, else by a town named in the text or order, else by other villages named beside
it; else it stays open (`options`).

Homophones: "X村" or "X社区" that is no known name is taken for one when its short name (two characters and more) sounds
the same without tones, or (three characters and more) differs in one character and sounds the same in the others, and
just one village, of the known town if a town is known, fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from handlers.reading.place_index import Hit, PlaceIndex, Target, fold_lookalikes, pinyin
from handlers.reading.views import Span


@dataclass(slots=True)
class PlaceFound:
    place: str | None = None
    span: Span | None = None
    village: str | None = None
    township: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    town_named: str | None = None
    agencies: list[Hit] = field(default_factory=list)
    towns: list[Hit] = field(default_factory=list)


_POINTING = re.compile(r"[村屯庄社]|[东西南北]+[口头边侧门街]|那[边个块儿片家]|这[边个块儿片]|的|口|头|附近|有|[ ,]")
_NOT_PLACE_AFTER = re.compile(r"答应|承诺|协议|说|通知|告知|约定|表扬|批评|上的|的老公|问题|省|公园|电影|音乐")
_PLACE_BEFORE = re.compile(r"(?:家住|住在?|在|位于|是|地址[:是]?|地点[:是]?|[镇乡道区办]|的|^|[\s,。;:、!(【\]])$")


MAX_SOUND_TRIES = 4  # unknown "X村" of one text that are compared by sound


class Finder:
    """Finds places in one folded text; `own` is the township of the room, if it is a town's."""

    def __init__(self, index: PlaceIndex, folded: str, own: str | None = None) -> None:
        self.index = index
        self.folded = folded
        self.own = own
        self.hits = index.hits(fold_lookalikes(folded))

    def find(self, *, town_hint: str | None = None) -> PlaceFound:
        """Return the first village or else the first town, with the address around it."""
        found = PlaceFound()
        found.towns = [hit for hit in self.hits if hit.name.kind == "town" and self._town_stands(hit)]
        found.agencies = [hit for hit in self.hits if hit.name.kind == "agency"]
        villages = [hit for hit in self.hits if hit.name.kind == "village" and self._village_stands(hit, town_hint)]
        found.town_named = town_hint or (found.towns[0].name.targets[0][0] if found.towns else None)
        if villages:
            self._settle(found, villages)
        else:
            self._by_sound(found)
        if found.village is None and not found.options and found.township is None:
            found.township = found.town_named
        self._address(found, villages)
        return found

    # ---- which names stand ----

    def _town_stands(self, hit: Hit) -> bool:
        start, end = hit.span
        after = self.folded[end : end + 2]
        if hit.name.weak:
            return after.startswith(("镇", "乡", "地区", "那", "这", "的", "村"))
        return not after.startswith(("路", "大街", "西路", "东路"))

    def _village_stands(self, hit: Hit, town_hint: str | None) -> bool:
        if hit.name.kind != "village":
            return False
        start, end = hit.span
        text = self.folded
        if not hit.name.short and not hit.name.weak:
            return True
        after = text[end : end + 6]
        if hit.name.short and _NOT_PLACE_AFTER.match(after):
            return False
        if after[:1] in ("路", "道", "系", "镇") and not hit.name.text.endswith(("路", "街")):
            return False
        if not hit.name.weak:
            return True
        before = text[max(0, start - 6) : start]
        towns = {target[0] for target in hit.name.targets}
        beside_town = any(
            other.name.kind == "town" and 0 <= start - other.span[1] <= 3 and other.name.targets[0][0] in towns
            for other in self.hits
        )
        at_home = self.own in towns or town_hint in towns
        pointed = _POINTING.match(after) is not None
        return (
            beside_town
            or (at_home and pointed)
            or (pointed and after[:1] in "村社那这" and bool(_PLACE_BEFORE.search(before)))
        )

    # ---- which of several it is ----

    def _settle(self, found: PlaceFound, villages: list[Hit]) -> None:
        first = villages[0]
        targets = self._narrow(first, first.name.targets)
        towns = {town for town, _ in targets}
        if len(towns) > 1:
            targets = self._decide_town(found, targets, villages)
            towns = {town for town, _ in targets}
        if len(towns) > 1:
            found.options = tuple((town, village or "") for town, village in targets)
            return

        found.township = next(iter(towns))
        found.village = self._pick(targets)

    def _narrow(self, hit: Hit, targets: Iterable[Target]) -> list[Target]:
        """In an own town, a name of that town goes first."""
        targets = list(targets)
        return [target for target in targets if target[0] == self.own] or targets

    def _decide_town(self, found: PlaceFound, targets: list[Target], villages: list[Hit]) -> list[Target]:
        towns = {town for town, _ in targets}
        named = [hit.name.targets[0][0] for hit in found.towns]
        for town in ([found.town_named] if found.town_named else []) + named:
            if town in towns:
                return [target for target in targets if target[0] == town]
        beside = {
            hit.name.targets[0][0] for hit in villages[1:] if len({town for town, _ in hit.name.targets}) == 1
        } & towns
        if len(beside) == 1:
            return [target for target in targets if target[0] in beside]
        return targets

    def _pick(self, targets: list[Target]) -> str | None:
        names = [village for _, village in targets if village]
        if len(names) <= 1:
            return names[0] if names else None
        urban = re.search(r"小区|物业|电梯|业主|号楼|单元|楼道", self.folded) is not None
        fitting = [name for name in names if name.endswith("社区") == urban]
        return (fitting or names)[0]

    # ---- homophones ----

    def _by_sound(self, found: PlaceFound) -> None:
        for match in islice(_UNKNOWN_VILLAGE.finditer(self.folded), MAX_SOUND_TRIES):
            stem = match.group(1).removesuffix("村")  # 琦峰茶村村口
            for size in range(min(5, len(stem)), 1, -1):
                target = self._sounds_like(stem[-size:], found.town_named or self.own)
                if target is not None:
                    found.township, found.village = target
                    found.span = (match.start(1) + len(stem) - size, match.end())
                    return

    def _sounds_like(self, stem: str, town: str | None) -> Target | None:
        syllables = tuple(pinyin(char) for char in stem)
        candidates = list(self.index.by_pinyin.get(syllables, ()))
        if not candidates and len(stem) >= 3:
            candidates = [
                target
                for n in range(len(syllables))
                for target in self.index.by_pinyin_but_one.get((n, syllables[:n] + syllables[n + 1 :]), ())
                if target[1] is not None and sum(a != b for a, b in zip(target[1], stem, strict=False)) == 1
            ]
        if town is not None:
            candidates = [target for target in candidates if target[0] == town]
        unique = list(dict.fromkeys(candidates))
        return unique[0] if len(unique) == 1 else None

    # ---- the address as written ----

    def _address(self, found: PlaceFound, villages: list[Hit]) -> None:
        span = found.span
        if span is None and villages:
            span = villages[0].span
        if span is None and found.towns and found.township == found.towns[0].name.targets[0][0]:
            span = found.towns[0].span
        if span is None:
            match = _FREE_PLACE.search(self.folded)
            if match:
                begin = match.start(1) + max((m.end() for m in _NO_ADDRESS.finditer(match.group(1))), default=0)
                if match.end(1) - begin >= 3:
                    found.place, found.span = self.folded[begin : match.end(1)], (begin, match.end(1))
            return

        start, end = span
        for hit in self.hits:
            if hit.name.kind == "town" and hit.span[0] < start and not self.folded[hit.span[1] : start].strip(" "):
                start = hit.span[0]
        if self.folded[max(0, start - 3) : start] == "怀柔区":
            start -= 3
        tail = _TAIL.match(self.folded, end)
        end = tail.end() if tail else end
        found.span = (start, end)
        found.place = self.folded[start:end].strip(" ,")


_UNKNOWN_VILLAGE = re.compile(
    r"([\u4e00-\u9fff]{2,7})(?=村(?!民|委|里|干|书|主|长|医|道|镇|子|户|级)|村民|村[口东西南北头委]|社区)"
)
_SEGMENT = (
    r"(?:村|社区|小区)?[ ]?(?:[东西南北]{1,2}(?:[口头边侧门街面山沟坡河]|外|区|里)外?|[\dA-Za-z一二三四五六七八九十甲乙丙]{1,4}"
    r"(?:号楼|号院|号|栋|幢|座|单元|层|组|队|区|期|巷|条|室)|村?[口头](?!的)|村?委会|门口|门外|对面|旁边?|附近|后[面山身]|前[面]"
    r"|[\u4e00-\u9fff]{0,3}(?:文化|健身)?(?:广场|小学|幼儿园|卫生室|公厕|垃圾站|小卖部|公园|市场|停车场|桥头?|大街|主街))"
)
_TAIL = re.compile(rf"(?:{_SEGMENT}){{1,5}}")
_NO_ADDRESS = re.compile(
    r"[说哪某刚有来去把被让给跟和是在到从问称]|还半|具体|反映|家住|居民|市民|村民|业主|投诉|举报|我们|咱们?"
)
_FREE_PLACE = re.compile(
    r"(?:在|位于|家住|住|地址[:是]?|地点[:是]?|反映|^|[,。;:\s])?"
    r"([\u4e00-\u9fffA-Za-z\d]{2,8}(?:小区|家园|花园|公寓|大厦|大街|胡同|路口|路|街|市场|广场|公园|医院|学校|中学|小学|幼儿园|工地|景区|开发区|停车场|科学城)"
    r"(?:[东西南北]{1,2}[口头边侧门]|[\d一二三四五六七八九十]{1,3}(?:号楼|号院|号|单元|层)|门口|对面|附近)*)"
)


def address_tail(folded: str, at: int) -> str:
    """Return what goes on from a place at `at`: 9号楼2单元, 东口, 村委会旁."""
    tail = _TAIL.match(folded, at)
    return tail.group() if tail else ""
