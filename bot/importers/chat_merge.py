"""Several exports of one group become one history: what two of them tell is told once, in order of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.importers.chat_exports import ChatImport

MINUTE_CHARACTERS = 16  # of an ISO time, up to its minutes
TELLING = 8  # a text of so many characters is the same message even if two tools name its sender differently

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Merged:
    lines: tuple[Line, ...]  # sorted by `at`, as of one export
    repeated: tuple[int, ...]  # file by file, how many of its lines another file told already


def merge(imports: Sequence[ChatImport]) -> Merged:
    """Put exports of one group together, whatever their formats.

    The same message has the same id in every export of one format. Of two formats, a message is the same by time, sender,
    type and text; a format that tells times only to the minute is believed to the minute, and the exact time is kept.
    """
    repeated = [0] * len(imports)
    history = _History()
    for index in sorted(range(len(imports)), key=lambda i: (_to_the_minute(imports[i]), i)):
        coarse = _to_the_minute(imports[index])
        history.next_file(coarse=coarse)
        repeated[index] = sum(not history.add(line) for line in imports[index].lines)
    lines = sorted(history.lines, key=lambda line: str(line["at"]))
    return Merged(tuple(lines), tuple(repeated))


def _to_the_minute(imported: ChatImport) -> bool:
    return all(line["at"][MINUTE_CHARACTERS:19] == ":00" for line in imported.lines)


class _History:
    """What the files so far told. A line stands for one message of each file at most: 收到 twice in a minute stays twice."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._ids: set[str] = set()
        self._by_minute: dict[tuple[object, ...], list[int]] = defaultdict(list)
        self._coarse: list[bool] = []  # of each line: its time is to the minute
        self._taken: set[int] = set()  # lines that this file told or matched
        self._file_coarse = False

    def next_file(self, *, coarse: bool) -> None:
        self._taken = set()
        self._file_coarse = coarse

    def add(self, line: Line) -> bool:
        """Take a line; False if an earlier file told it."""
        recall = line.get("kind") == "recall"  # its id is the recalled message's
        if not recall and line["id"] in self._ids:
            return False
        same = next((i for i in self._by_minute[_key(line)] if i not in self._taken and self._is_same(i, line)), None)
        if same is not None:
            self._taken.add(same)
            return False
        self._taken.add(len(self.lines))
        self._by_minute[_key(line)].append(len(self.lines))
        self._coarse.append(self._file_coarse)
        if not recall:
            self._ids.add(line["id"])
        self.lines.append(line)
        return True

    def _is_same(self, index: int, line: Line) -> bool:
        return self._file_coarse or self._coarse[index] or self.lines[index]["at"] == line["at"]


def _key(line: Line) -> tuple[object, ...]:
    """What two files must agree on: minute, kind, text, and who said it if the text is short."""
    text = "".join(str(line.get("text", "")).split())
    who = "" if len(text) >= TELLING else line.get("sender", "")
    what = line["id"] if line.get("kind") == "recall" else text
    return (line["at"][:MINUTE_CHARACTERS], line.get("kind", ""), line.get("type", ""), who, what)
