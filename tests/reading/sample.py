"""The sample district's gazetteer, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bot.cli_reading import gazetteer_of
from bot.importers.people import load
from handlers.reading.complaints import read
from handlers.reading.views import Gazetteer, MessageView, Reading
from storage.enums import Role, UnitKind


@cache
def gazetteer() -> Gazetteer:
    return gazetteer_of(load(Path("bot/sample/district")))


def in_town(text: str, town: str = "桥梓镇", **more: object) -> MessageView:
    values = {"room_kind": UnitKind.TOWN, "room_unit": town, "sender_unit": town, "sender_role": Role.HANDLER}
    return MessageView(text=text, **{**values, **more})  # type: ignore[arg-type]


def in_dispatch(text: str, **more: object) -> MessageView:
    values = {"room_kind": UnitKind.DISPATCH, "room_unit": "区城指中心", "sender_unit": "区城指中心"}
    return MessageView(text=text, **{**values, "sender_role": Role.DISPATCHER, **more})  # type: ignore[arg-type]


def reading(view: MessageView) -> Reading:
    return read(view, gazetteer())
