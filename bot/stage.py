"""What the simulator page plays on: groups, people in them, a clock that can be hurried. No WeChat in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


class StageError(Exception):
    """What cannot be done in the simulator, said to the visitor."""


@dataclass(frozen=True, slots=True)
class Said:
    id: str
    room: str
    sender: str
    text: str
    at: datetime
    by_bot: bool = False
    file: Path | None = None
    quotes: str = ""  # the message replied to, as shown above the text
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    name: str  # as the group shows it
    role: str


class Stage(Protocol):
    uploads: Path

    async def ready(self) -> None:
        """Returns when the opening has been played."""
        ...

    def version(self) -> int:
        """Changes with everything that is said or recalled."""
        ...

    def rooms(self) -> Sequence[str]:
        """Topics, the sample's own groups first."""
        ...

    def people(self, room: str) -> Sequence[Person]: ...

    def said_in(self, room: str) -> Sequence[Said]:
        """Raises StageError for a room that is not there."""
        ...

    def say(self, room: str, sender: str, text: str, *, quote: str | None, file: Path | None) -> None: ...

    def recall(self, room: str, message_id: str) -> None: ...

    def set_speed(self, speed: float) -> None: ...

    async def jump(self) -> None:
        """To the next moment at which the bot would do something by itself."""
        ...
