"""Who is it? A nickname of the group against the roster, by its structure.

A nickname is made of a unit, a name and a post in any order, with any separator: 庙城镇-周某, 周某-庙城镇-城管科,
周某(副镇长), 庙城 周某. It is cut at its separators, and one piece must be the roster's name. A name inside a longer
piece counts only if the rest of that piece is a unit or a post; so 周某某 is never 周某. If several members fit, the
unit in the nickname decides, then the unit of the room; if that does not leave one, it is nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from handlers.reading.replies_text import normalise, without_modifiers
from handlers.reading.views import Gazetteer, MemberEntry

_SEPARATORS = re.compile(r"[-\s_—–－·•.,，、/\\|:：()（）\[\]【】<>《》&+@#*~]+")
_POSTS = re.compile(
    r"^(?:党委|党工委|镇委)?(?:副)?(?:书记|镇长|乡长|主任|局长|委员|科长|科员|所长|站长|队长|处长|组长|部长|"
    r"秘书|"
    r"干部|老师|同志|值班员?|办理员|诉求办理员|派单员|督查员|管理员|联络员|网格员|主任科员|"
    r"(?:[\u4e00-\u9fff]{2,6}(?:科|室|办|所|站|队|中心|部|组|处)(?:室)?(?:副?(?:科长|主任|所长|站长|队长|"
    r"长))?))$"
)
_DECORATION = re.compile("[^\\w\\s\u4e00-\u9fff\\-_—–·•.,，、/\\\\|:：()（）\\[\\]【】<>《》&+@#*~]")


@dataclass(frozen=True, slots=True)
class Identified:
    member: MemberEntry | None = None
    candidates: tuple[MemberEntry, ...] = ()  # those that fit; more than one: ambiguous, so nobody


class NameIndex:
    """The roster by name, and every spelling of a unit, built once per gazetteer."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self.by_name: dict[str, list[MemberEntry]] = {}
        self.by_alias: dict[str, list[MemberEntry]] = {}
        self.lengths: tuple[int, ...] = ()
        self.units: dict[str, str] = {}
        for member in gazetteer.members:
            self.by_name.setdefault(_key(member.name), []).append(member)
            for alias in (member.name, *member.aliases):
                if alias.strip():
                    self.by_alias.setdefault(_key(alias), []).append(member)
        self.lengths = tuple(sorted({len(n) for n in self.by_name}, reverse=True))
        for unit in gazetteer.units:
            for spelling in (unit.name, *unit.aliases):
                for form in _unit_forms(spelling):
                    self.units.setdefault(form, unit.name)


def _key(name: str) -> str:
    return without_modifiers(normalise(name)).strip()


def _unit_forms(name: str) -> set[str]:
    """区水务局, 水务局, 水务; 庙城镇, 庙城: what people put in front of their names."""
    forms = {name}
    if name.startswith("区") and len(name) > 3:
        forms.add(name[1:])
    for form in tuple(forms):
        for tail in ("满族乡", "街道", "地区", "镇", "乡", "局", "委", "办", "分局"):
            if form.endswith(tail) and len(form) - len(tail) >= 2:
                forms.add(form[: -len(tail)])
    return {_key(f) for f in forms if f}


def index_of(gazetteer: Gazetteer) -> NameIndex:
    """The index is kept on the gazetteer itself: one per roster version, gone with it."""
    kept = gazetteer.__dict__.get("_name_index")
    if isinstance(kept, NameIndex):
        return kept
    index = NameIndex(gazetteer)
    gazetteer.__dict__["_name_index"] = index
    return index


def identify(shown_name: str, gazetteer: Gazetteer, room_unit: str | None = None) -> Identified:
    """Find the one roster member that a shown name means; ambiguous or unknown gives no member. Never raises."""
    index = index_of(gazetteer)
    whole = _key(shown_name[:100])
    exact = index.by_alias.get(whole)
    if exact:
        return _choose(exact, None, room_unit)
    found, unit = _by_parts(whole, index)
    return _choose(found, unit, room_unit)


def _by_parts(whole: str, index: NameIndex) -> tuple[list[MemberEntry], str | None]:
    pieces = [p for p in _SEPARATORS.split(_DECORATION.sub(" ", whole)) if p]
    found: list[MemberEntry] = []
    unit: str | None = None
    strange = False
    for piece in pieces:
        if piece in index.by_name:
            found += index.by_name[piece]
        elif piece in index.units:
            unit = unit or index.units[piece]
        elif (joined := _joined(piece, index)) is not None:
            members, named_unit = joined
            found += members
            unit = unit or named_unit
        elif not _POSTS.match(piece):
            strange = strange or _is_name_like(piece)
    # A second personal name that the roster does not know: 张三代李四. Then it is not clear who speaks.
    return ([] if strange and unit is None and len(pieces) > 1 else found), unit


def _is_name_like(piece: str) -> bool:
    return 2 <= len(piece) <= 3 and all("\u4e00" <= c <= "\u9fff" for c in piece)


def _joined(piece: str, index: NameIndex) -> tuple[list[MemberEntry], str | None] | None:
    """庙城镇周某, 周某副镇长"
    ": a name whose neighbours in the same piece are a unit or a post, nothing else."""
    for length in index.lengths:
        for start in range(0, len(piece) - length + 1):
            members = index.by_name.get(piece[start : start + length])
            if members is None:
                continue
            before, after = piece[:start], piece[start + length :]
            units = [index.units[part] for part in (before, after) if part in index.units]
            if all(not part or part in index.units or _POSTS.match(part) for part in (before, after)):
                return members, units[0] if units else None
    return None


def _choose(found: list[MemberEntry], unit: str | None, room_unit: str | None) -> Identified:
    candidates = tuple(dict.fromkeys(found))
    if unit is not None:
        # A unit in the nickname is part of what it says: a namesake of another unit is not meant.
        candidates = tuple(m for m in candidates if m.unit == unit)
    if len(candidates) > 1 and room_unit is not None:
        here = tuple(m for m in candidates if m.unit == room_unit)
        candidates = here or candidates
    return Identified(candidates[0] if len(candidates) == 1 else None, candidates)
