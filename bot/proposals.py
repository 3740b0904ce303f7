"""Whose a group may be: the units whose topic or name is nearest to its topic. A person decides; nothing is bound by it."""

from __future__ import annotations

from collections.abc import Mapping

from rapidfuzz import fuzz
from sqlmodel import Session

from storage import people

SHOWN = 3  # proposals for a group
NEAR = 60  # of 100


def unit_topics(session: Session) -> dict[str, str]:
    """Each active unit's name with the topic of its group; empty for a unit without one."""
    topics = {room.unit_id: room.topic for room in people.rooms(session)}
    return {unit.name: topics.get(unit.id or 0, "") for unit in people.units(session) if unit.active}


def proposals(topic: str, units: Mapping[str, str]) -> list[tuple[str, float]]:
    """The units nearest to a group's topic, with a score from 0 to 100; the best first."""
    scored = [(name, max(fuzz.ratio(topic, own), fuzz.partial_ratio(name, topic))) for name, own in units.items()]
    return sorted(((name, score) for name, score in scored if score >= NEAR), key=lambda pair: -pair[1])[:SHOWN]


def in_words(found: list[tuple[str, float]]) -> str:
    """`庙城镇 (92), 桥梓镇 (61)`; empty if nothing is near."""
    return ", ".join(f"{name} ({score:.0f})" for name, score in found)
