"""Stored digests for the page: the list, one of them, its files made again where they are gone, a period of one's own."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session

from bot.digest_files import Files, messages, name, write_files
from bot.web.unit_view import rate, said
from handlers import digests
from handlers.context import Context
from handlers.digest_text import title
from handlers.digest_windows import DigestSettings, DueWindow, WindowProblem
from handlers.policy import BEIJING
from storage import digests as stored
from storage.enums import DigestKind
from storage.tables import Digest

PER_PAGE = 50
LONGEST = timedelta(days=366)
PROBLEMS = {
    WindowProblem.START: "“从”看不懂，请写成 2026-03-01 或 2026-03-01T08:30",
    WindowProblem.END: "“到”看不懂，请写成 2026-03-08 或 2026-03-08T08:30",
    WindowProblem.ORDER: "“到”要晚于“从”",
    WindowProblem.FUTURE: "“到”还没到，最晚是现在；要今天到此刻的，请写出时刻",
    WindowProblem.LONG: f"最长{LONGEST.days}天",
}


def list_page(session: Session, kind: DigestKind | None, page: int, settings: DigestSettings) -> dict[str, Any]:
    """The values of reports.html, the latest window first."""
    rows = stored.listing(session, kind, limit=PER_PAGE + 1, offset=(page - 1) * PER_PAGE)
    return {
        "kind": kind.value if kind else "",
        "kinds": [each.value for each in DigestKind],
        "lines": [_line(row) for row in rows[:PER_PAGE]],
        "page": page,
        "more": len(rows) > PER_PAGE,
        "hour": settings.window_hour,
        "longest": LONGEST.days,
    }


def _line(row: stored.DigestLine) -> dict[str, Any]:
    start, end = row.window_start.astimezone(BEIJING), row.window_end.astimezone(BEIJING)
    return {
        "id": row.id,
        "kind": row.kind.value,
        "window": f"{start.year}年{said(start)} 至 {said(end)}",
        "dispatched": "—" if row.dispatched is None else row.dispatched,
        "rate": rate(row.on_time_rate),
        "overdue": "—" if row.overdue_open is None else row.overdue_open,
        "posted": row.posted,
    }


def one_page(digest: Digest) -> dict[str, Any]:
    """The values of report.html."""
    return {
        "id": digest.id,
        "title": title(digest.numbers),
        "text": digest.text,
        "made": f"{said(digest.created_at)}算出，" + ("已发督查群" if digest.posted else "没有发到群里"),
    }


def files_of(session: Session, ctx: Context, digest: Digest, folder: Path, settings: DigestSettings) -> Files:
    """Picture and Excel of a stored digest: those that were posted, else made from the stored numbers."""
    if digest.ledger and digest.picture and Path(digest.ledger).is_file() and Path(digest.picture).is_file():
        return Files(Path(digest.ledger), Path(digest.picture))
    window = DueWindow(digest.kind, digest.window_start, digest.window_end, post=False)
    stem = folder / f"{digest.id}-{int(digest.created_at.timestamp())}"
    ledger, picture = stem / f"{name(window)}.xlsx", stem / f"{name(window)}.png"
    if ledger.is_file() and picture.is_file():
        return Files(ledger, picture)
    return write_files(session, digest.numbers, window, stem, settings, keep_names=ctx.district.member_names)


def count_period(
    session: Session, window: DueWindow, *, now: datetime, settings: DigestSettings
) -> tuple[digests.Numbers, str]:
    """A period of one's own, computed anew: numbers and text. Takes a second for a million assignments."""
    numbers = digests.compute(session, kind=window.kind, start=window.start, end=window.end, now=now, settings=settings)
    return numbers, "\n".join(messages(numbers, settings))
