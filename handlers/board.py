"""The board: a tile per unit, what waits, and what somebody should look at. Counted as the digest counts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from handlers.context import Context
from handlers.digest_counts import Tally
from handlers.digest_windows import DigestSettings, window_back
from storage import board, digest_facts
from storage.enums import AssignmentRole, DigestKind, UnitKind, Urgency


@dataclass(frozen=True, slots=True)
class Tile:
    """One unit now. `on_time_rate` is of the running window, 0 to 1, None where nothing is answerable yet."""

    unit_id: int
    name: str
    kind: UnitKind
    waiting: int
    overdue: int
    dispatched: int
    on_time_rate: float | None
    mean_seconds: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A duty that waits. `text` is masked, and empty where the ticket is 敏感."""

    no: str
    unit: str
    short: int
    urgency: Urgency
    category: str
    place: str | None
    text: str
    helper: bool
    dispatched_at: datetime
    due_at: datetime
    owner: str | None


@dataclass(frozen=True, slots=True)
class Board:
    since: datetime  # the start of the window that runs
    tiles: tuple[Tile, ...]
    waiting: tuple[Line, ...]
    unrouted: int
    total: Tile


def board_now(
    session: Session, ctx: Context, settings: DigestSettings, *, now: datetime, unit_id: int | None = None
) -> Board:
    """The board of all units, or of one."""
    start, _ = window_back(DigestKind.DAILY, 0, now, settings)
    upto = now + timedelta(seconds=1)  # windows are half-open; what is said this second counts on a live board
    tallies: dict[int, Tally] = defaultdict(Tally)
    whole = Tally()
    for duty in digest_facts.clocks(session, start, upto, unit_id):
        tallies[duty.unit_id].add(duty, upto)
        whole.add(duty, upto)
    counts = board.counts(session, now=now)
    none = board.UnitCount(0, 0)
    tiles = tuple(
        _tile(unit.id, unit.name, unit.kind, counts.get(unit.id, none), tallies[unit.id])
        for unit in ctx.district.units
        if unit.active and unit.kind in (UnitKind.TOWN, UnitKind.AGENCY) and unit_id in (None, unit.id)
    )
    summed = board.UnitCount(sum(t.waiting for t in tiles), sum(t.overdue for t in tiles))
    return Board(
        since=start,
        tiles=tiles,
        waiting=tuple(_line(ctx, row) for row in board.waiting(session, unit_id=unit_id)),
        unrouted=board.unrouted(session) if unit_id is None else 0,
        total=_tile(0, "全区", UnitKind.TOWN, summed, whole),
    )


def _tile(unit_id: int, name: str, kind: UnitKind, count: board.UnitCount, tally: Tally) -> Tile:
    numbers = tally.numbers()
    return Tile(
        unit_id=unit_id,
        name=name,
        kind=kind,
        waiting=count.waiting,
        overdue=count.overdue,
        dispatched=numbers["dispatched"],
        on_time_rate=numbers["on_time_rate"],
        mean_seconds=numbers["mean_seconds"],
    )


def _line(ctx: Context, row: board.Waiting) -> Line:
    official = row.village or row.township
    sensitive = row.urgency is Urgency.SENSITIVE
    return Line(
        no=row.no,
        unit=ctx.district.unit_by_id[row.unit_id].name,
        short=row.short,
        urgency=row.urgency,
        category=row.category,
        place=official if sensitive else (row.place or official),
        text="" if sensitive else row.gist,
        helper=row.role is AssignmentRole.HELPER,
        dispatched_at=row.dispatched_at,
        due_at=row.due_at,
        owner=row.owner,
    )
