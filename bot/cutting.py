"""A long text is cut at line ends and numbered; longer ones fail or are cut silently in WeChat. Pure."""

from __future__ import annotations

LIMIT = 600  # characters of one message
_ROOM = 10  # for "(12/34)\n"


def cut(text: str, limit: int = LIMIT) -> list[str]:
    """The parts of a text, each at most `limit` characters, numbered (1/3) when there are several. Nothing is lost."""
    if len(text) <= limit:
        return [text]
    parts: list[str] = []
    current = ""
    for line in text.split("\n"):
        for piece in _pieces(line, limit - _ROOM):
            joined = f"{current}\n{piece}" if current else piece
            if len(joined) > limit - _ROOM:
                parts.append(current)
                current = piece
            else:
                current = joined
    parts.append(current)
    return [f"({index}/{len(parts)})\n{part}" for index, part in enumerate(parts, 1)]


def _pieces(line: str, size: int) -> list[str]:
    """A line that alone is too long is cut in the middle."""
    return [line[start : start + size] for start in range(0, len(line), size)] or [""]
