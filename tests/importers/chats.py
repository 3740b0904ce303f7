"""Short forms for chat tests: write an export, read it, show what came out."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.importers.chat_exports import ChatImport, ChatImportError, read_chat

ROOM = "演练镇工作群"
SELF = "“我”是导出的人，不知道是谁；请指明姓名，否则此人的领办不算"


def read(folder: Path, text: str, *, name: str = "导出.txt", encoding: str = "utf-8", **options: Any) -> ChatImport:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return read_chat(path, ROOM, **options)


def error(folder: Path, text: str, *, name: str = "导出.txt", day: date | None = None) -> str:
    with pytest.raises(ChatImportError) as caught:
        read(folder, text, name=name, day=day)
    return str(caught.value)


def said(imported: ChatImport) -> list[tuple[str, str, str, str]]:
    """Show the lines as (day and time, sender, type, text)."""
    assert all(line["room"] == ROOM for line in imported.lines)
    assert len({line["id"] for line in imported.lines if "kind" not in line}) == len(
        [line for line in imported.lines if "kind" not in line]
    )
    assert [line["at"] for line in imported.lines] == sorted(line["at"] for line in imported.lines)
    return [
        (
            line["at"].removesuffix("+08:00").replace("T", " "),
            line["sender"],
            line.get("kind") or line["type"],
            line.get("text", ""),
        )
        for line in imported.lines
    ]
