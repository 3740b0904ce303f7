"""All that is built once per gazetteer: places and words. Cached by identity, dropped with the gazetteer."""

from __future__ import annotations

import re
import weakref
from functools import cached_property

from handlers.reading.place_index import PlaceIndex
from handlers.reading.views import Gazetteer
from handlers.reading.words import WordIndex
from storage.enums import UnitKind


class ReadingIndex:
    """Search structures over one gazetteer; each is built on first use."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self.category_names = tuple(category.name for category in gazetteer.categories)
        self.lead = {c.name: c.lead_agency if c.name != "其他" else None for c in gazetteer.categories}
        self.kinds: dict[str, UnitKind] = {unit.name: unit.kind for unit in gazetteer.units}
        self.members = frozenset(member.name for member in gazetteer.members)
        self._categories = gazetteer.categories
        self.agency_stems = _agency_stems(gazetteer)
        self.unit_of_member = _units_of_members(gazetteer)
        self.places = PlaceIndex(gazetteer)

    @cached_property
    def words(self) -> WordIndex:
        return WordIndex(self._categories)


def _agency_stems(gazetteer: Gazetteer) -> dict[str, str]:
    """Return 人社 -> 区人力社保局, … for stems that belong to one agency."""
    stems: dict[str, set[str]] = {}
    for unit in gazetteer.units:
        if unit.kind is not UnitKind.AGENCY:
            continue
        for name in (unit.name, *unit.aliases):
            stem = re.sub(r"(?:分局|局|委员会|委|办)$", "", name.removeprefix("区"))
            if len(stem) >= 2:
                stems.setdefault(stem, set()).add(unit.name)
    return {stem: next(iter(units)) for stem, units in stems.items() if len(units) == 1}


def _units_of_members(gazetteer: Gazetteer) -> dict[str, str]:
    """Return name or alias -> unit; a name of two units is nobody's."""
    units: dict[str, set[str]] = {}
    for member in gazetteer.members:
        for name in (member.name, *member.aliases):
            units.setdefault(name, set()).add(member.unit)
    return {name: next(iter(owners)) for name, owners in units.items() if len(owners) == 1}


# A frozen gazetteer hashes by content, which costs more than reading a message: hence by identity.
_BY_ID: dict[int, tuple[weakref.ref[Gazetteer], ReadingIndex]] = {}


def reading_index(gazetteer: Gazetteer) -> ReadingIndex:
    """Return the index of this gazetteer object."""
    cached = _BY_ID.get(id(gazetteer))
    if cached is not None and cached[0]() is gazetteer:
        return cached[1]

    key = id(gazetteer)
    index = ReadingIndex(gazetteer)
    _BY_ID[key] = (weakref.ref(gazetteer, lambda _: _BY_ID.pop(key, None)), index)
    return index
