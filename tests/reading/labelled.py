"""Labelled messages of this folder's data files: what is written where, and what must be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from handlers.reading.views import MessageView
from storage.enums import MessageType, Role, UnitKind
from tests.reading.sample import gazetteer

_DATA = Path(__file__).parent / "data"
_ROOMS = {"派单": "区城指中心", "督查": "区政府督查室"}
_ROLES = {UnitKind.DISPATCH: Role.DISPATCHER, UnitKind.SUPERVISION: Role.SUPERVISOR}


@dataclass(frozen=True)
class Message:
    """`wanted` is field letter -> the acceptable values, as the file's head explains."""

    view: MessageView
    count: int
    wanted: dict[str, tuple[str, ...]] = field(default_factory=dict)


def messages(name: str) -> list[Message]:
    lines = (_DATA / name).read_text(encoding="utf-8").splitlines()
    return [_message(line) for line in lines if line and not line.startswith("#")]


def _message(line: str) -> Message:
    room, expected, text = (part.strip() for part in line.split(" | ", 2))
    count, *tokens = expected.split()
    wanted = {key: tuple(value.split("/")) for key, _, value in (token.partition("=") for token in tokens)}
    name = _ROOMS.get(room, room)
    kind = next(unit.kind for unit in gazetteer().units if unit.name == name)
    view = MessageView(
        text=text.replace("\\n", "\n").replace("\\t", "\t"),
        type=MessageType(wanted.pop("type", ("text",))[0]),
        room_kind=kind,
        room_unit=name,
        sender_unit=name,
        sender_role=_ROLES.get(kind, Role.HANDLER),
    )
    return Message(view, int(count), wanted)
