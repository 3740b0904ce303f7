"""Where a complaint of the dispatch or supervision room goes, and what looks misplaced in a unit's room.

`behaviour.md` 1: a unit named or @-ed; else the township of the place; else the category's agency (其他 has none); else,
or where a village name exists in two townships and nothing decides, the dispatcher is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from handlers.reading.index import reading_index
from handlers.reading.views import Complaint, Gazetteer, Route
from storage.enums import UnitKind


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A note for the prompt of a unit's room; the ticket stays (首接负责)."""

    kind: Literal["township", "agency"]
    unit: str


def route(complaint: Complaint, gazetteer: Gazetteer, room_unit: str | None = None) -> Route:
    """Return the unit that leads, or why the dispatcher must be asked and what to offer."""
    index = reading_index(gazetteer)
    if complaint.units_named:
        return Route(complaint.units_named[0], "named")
    if complaint.place_options:
        return Route(None, "ambiguous", tuple(dict.fromkeys(town for town, _ in complaint.place_options)))
    if complaint.township is not None:
        return Route(complaint.township, "place")
    agency = index.lead.get(complaint.category)
    if agency is not None:
        return Route(agency, "category")
    second = index.lead.get(complaint.runner_up or "")
    return Route(None, "unknown", (second,) if second else ())


def belongs_elsewhere(complaint: Complaint, gazetteer: Gazetteer, room_unit: str | None) -> Elsewhere | None:
    """Return where a complaint reported in a unit's room seems to belong; None if it is at home or nothing is clear."""
    index = reading_index(gazetteer)
    kind = index.kinds.get(room_unit or "")
    if complaint.units_named:
        named = complaint.units_named[0]
        if named == room_unit:
            return None
        return Elsewhere("township" if index.kinds.get(named) is UnitKind.TOWN else "agency", named)
    if kind is UnitKind.TOWN:
        options = {town for town, _ in complaint.place_options}
        if complaint.township is not None and complaint.township != room_unit and room_unit not in options:
            return Elsewhere("township", complaint.township)
        return None
    if kind is UnitKind.AGENCY:
        leads = {index.lead.get(name) for name in (complaint.category, complaint.runner_up) if name}
        agency = index.lead.get(complaint.category)
        if agency is not None and room_unit not in leads:
            return Elsewhere("agency", agency)
    return None
