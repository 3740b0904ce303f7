"""Labelled messages for training and scoring: the district's CSV files, the case files, own examples, the corpus."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handlers.reading.views import (
    CategoryEntry,
    Gazetteer,
    MemberEntry,
    MessageView,
    UnitEntry,
    VillageEntry,
)
from storage.enums import MessageType, Role, UnitKind

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
EXAMPLES = Path(__file__).resolve().parent / "data" / "reading_examples.txt"
BOT_NAME = "派单助手"


@dataclass(frozen=True)
class District:
    gazetteer: Gazetteer
    rooms: dict[str, UnitEntry]

    def view(self, room: str, sender: str, text: str, type_: str = "text") -> MessageView:
        """Return the message as the readers are given it."""
        unit = self.rooms[room]
        member = next((m for m in self.gazetteer.members if sender in (m.name, *m.aliases)), None)
        return MessageView(
            text=text,
            type=MessageType(type_),
            room_kind=unit.kind,
            room_unit=unit.name,
            sender_name=sender,
            sender_unit=member.unit if member else None,
            sender_role=member.role if member else None,
        )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part for part in (text or "").split(";") if part)


def load_district(folder: Path) -> District:
    """Read units.csv, members.csv, villages.csv and catalogue.csv."""
    unit_rows = _rows(folder / "units.csv")
    units = tuple(UnitEntry(r["unit"], UnitKind(r["kind"]), _parts(r["aliases"])) for r in unit_rows)
    gazetteer = Gazetteer(
        units=units,
        villages=tuple(
            VillageEntry(r["township"], r["village"], r["kind"], _parts(r["aliases"]))
            for r in _rows(folder / "villages.csv")
        ),
        categories=tuple(
            CategoryEntry(
                r["category"], r["lead_agency"] if r["category"] != "其他" else None, tuple(r["examples"].split("、"))
            )
            for r in _rows(folder / "catalogue.csv")
        ),
        members=tuple(
            MemberEntry(r["name"], r["unit"], Role(r["role"]), _parts(r["aliases"]))
            for r in _rows(folder / "members.csv")
        ),
    )
    return District(gazetteer, {r["room"]: unit for r, unit in zip(unit_rows, units, strict=True)})


def load_cases(folder: Path) -> list[dict[str, Any]]:
    """Return the cases of all intake*.jsonl of a folder, or of one file."""
    paths = sorted(folder.glob("intake*.jsonl")) if folder.is_dir() else [folder]
    return [
        json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
    ]


@dataclass
class Labelled:
    view: MessageView
    complaint: bool
    categories: tuple[str, ...] = ()
    weight: float = 1.0
    known: tuple[str, ...] = ()
    origin: str = "case"
    id: str = ""
    expect: dict[str, Any] = field(default_factory=dict)


def labelled_cases(district: District, cases: list[dict[str, Any]]) -> list[Labelled]:
    """Return the cases that have text to judge; repeats of the same text are told by the bot's memory, not by reading."""
    items = []
    for case in cases:
        before = case.get("before", [])
        if case["sender"] == BOT_NAME or any(b.get("text") == case["text"] for b in before) or not case["text"]:
            continue
        view = district.view(case["room"], case["sender"], case["text"], case.get("type", "text"))
        known = tuple(b["text"] for b in before if len(b.get("text", "")) > 12)
        items.append(
            Labelled(
                view,
                case["expect"]["tickets"] > 0,
                tuple(case["expect"].get("category", ())),
                known=known,
                id=case["id"],
                expect=case["expect"],
            )
        )
    return items


def own_examples(district: District, path: Path = EXAMPLES, *, weight: float, seed: int = 7) -> list[Labelled]:
    """Return the written examples, each in a room and from a sender drawn by a fixed seed."""
    draw = random.Random(seed)
    rooms = list(district.rooms)
    by_unit: dict[str, list[MemberEntry]] = {}
    for member in district.gazetteer.members:
        by_unit.setdefault(member.unit, []).append(member)
    dispatch = [room for room, unit in district.rooms.items() if unit.kind is UnitKind.DISPATCH]
    dispatchers = [m for m in district.gazetteer.members if m.role is Role.DISPATCHER]
    items = []
    for line in path.read_text(encoding="utf-8").splitlines():
        label, mark, text = line.partition("|")
        if not mark or line.startswith("#"):
            continue
        room = draw.choice(dispatch if draw.random() < 0.25 else rooms)
        senders = by_unit.get(district.rooms[room].name) or dispatchers
        sender = draw.choice(dispatchers if draw.random() < 0.2 else senders)
        label, _, type_ = label.partition("@")
        if label == "-study" and not type_ and draw.random() < 0.5:
            type_ = "url"
        view = district.view(room, sender.name, text.strip().replace("\\n", "\n"), type_ or "text")
        complaint = not label.startswith("-")
        items.append(Labelled(view, complaint, (label,) if complaint else (), weight, origin="own"))
    return items


SHORTEST_SENTENCE = 12  # characters; a greeting (县长：您好！) is read with what follows


def first_sentence(text: str) -> str:
    ends = (at for at, char in enumerate(text) if char in "。！？!?\n" and at >= SHORTEST_SENTENCE)
    return text[: next(ends, len(text)) + 1]


def corpus(
    district: District, folder: Path, *, keep: slice, complaint_weight: float, chatter_weight: float
) -> list[Labelled]:
    """Return part of the corpus as messages of a unit room (`keep` picks the lines)."""
    room = next(room for room, unit in district.rooms.items() if unit.kind is UnitKind.TOWN)
    handler = next(
        m for m in district.gazetteer.members if m.unit == district.rooms[room].name and m.role is Role.HANDLER
    )
    items = []

    def add(text: str, complaint: bool, weight: float, origin: str) -> None:
        view = district.view(room, handler.name, text)
        items.append(Labelled(view, complaint, (), weight, origin=origin))

    with (folder / "complaints.jsonl").open(encoding="utf-8") as file:
        for line in list(file)[keep]:
            row = json.loads(line)
            add(row["title"], True, complaint_weight, "title")
            add(first_sentence(row["text"]), True, complaint_weight, "sentence")
    with (folder / "chatter.jsonl").open(encoding="utf-8") as file:
        for line in list(file)[keep]:
            add(json.loads(line)["text"], False, chatter_weight, "chatter")
    return items
