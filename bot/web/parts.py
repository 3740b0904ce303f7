"""What the page is made of, handed in by the composition root; and who is looking at it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.clock import Clock
from bot.database import Database
from bot.health import Report
from bot.knowledge import Knowledge
from handlers.digest_windows import DigestSettings
from storage.enums import PageRole


class Right(StrEnum):
    EVERY_UNIT = "every unit"  # else only its own
    PERSONAL = "personal"  # full text, phones and names of complainants; each view is logged
    EDIT = "edit"  # roster, catalogue, users, bindings


RIGHTS: dict[PageRole, frozenset[Right]] = {
    PageRole.SUPERVISION: frozenset((Right.EVERY_UNIT, Right.PERSONAL)),
    PageRole.DISPATCH: frozenset((Right.EVERY_UNIT, Right.PERSONAL)),
    PageRole.UNIT: frozenset(),
    PageRole.ADMIN: frozenset((Right.EVERY_UNIT, Right.PERSONAL, Right.EDIT)),
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at the page. `unit_id` is set for the role 单位 only."""

    name: str
    role: PageRole
    unit_id: int | None = None
    csrf: str = ""
    address: str = ""

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]

    def sees(self, unit_id: int | None) -> bool:
        return self.may(Right.EVERY_UNIT) or (unit_id is not None and unit_id == self.unit_id)


@dataclass(frozen=True)
class Parts:
    database: Database
    clock: Clock
    knowledge: Knowledge
    digests: DigestSettings
    files: Path  # FILES_DIR: pictures of tickets, and `digests/`
    report: Callable[[], Awaitable[Report]] | None = None  # health, for the alerts
    secure: bool = False  # the cookie is sent over https only
    everyone: Visitor | None = None  # without login everybody is this one: the demo on loopback, nothing else
    notice: str = ""  # shown on top of every page
    speed: Callable[[], float] = lambda: 1.0  # how fast the clock runs; not 1 in the demo only
    simulator: bool = False  # the demo: the navigation leads to the groups
