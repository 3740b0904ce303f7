"""A long text is cut at line ends and numbered; longer ones fail or are cut silently in WeChat. Pure."""

from __future__ import annotations

from collections.abc import Iterator

LIMIT = 600  # characters of one message
MOST_BYTES = 1900  # of one message in UTF-8; 企业微信 takes 2048, and names are added to it
_ROOM = 10  # for "(12/34)\n"


def cut(text: str, limit: int = LIMIT) -> list[str]:
    """The parts of a text, numbered (1/3) when there are several; nothing is lost.

    Each has at most `limit` characters and MOST_BYTES bytes: 600 Chinese characters have 1800, 600 emoji would have 2400.
    """
    if _fits(text, limit, MOST_BYTES):
        return [text]
    most, most_bytes = limit - _ROOM, MOST_BYTES - _ROOM
    parts: list[str] = []
    current = ""
    for line in text.split("\n"):
        for piece in _pieces(line, most, most_bytes):
            joined = f"{current}\n{piece}" if current else piece
            if _fits(joined, most, most_bytes):
                current = joined
            else:
                parts.append(current)
                current = piece
    parts.append(current)
    return [f"({index}/{len(parts)})\n{part}" for index, part in enumerate(parts, 1)]


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _fits(text: str, characters: int, size: int) -> bool:
    return len(text) <= characters and _size(text) <= size


def _pieces(line: str, characters: int, size: int) -> Iterator[str]:
    """A line that alone is too long is cut in the middle."""
    start = 0
    while True:
        piece = line[start : start + characters]
        while _size(piece) > size:
            piece = piece[: -max(1, (_size(piece) - size) // 4)]
        yield piece
        start += len(piece)
        if start >= len(line):
            return
