"""一单位一台账: one unit's duties of a window as a workbook of its own, the same columns as in the digest's 台账."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from bot.reports.ledger import TICKET, finish_unit, ticket_values
from bot.reports.sheets import Book
from handlers.digest_words import moment
from handlers.policy import BEIJING
from storage.digest_facts import LedgerRow
from storage.enums import AssignmentStatus


def write_unit(unit: str, start: datetime, end: datetime, rows: Iterable[LedgerRow], path: Path) -> None:
    """Write the workbook; `rows` are masked and as at `end` (`handlers.digests.ledger_rows`). Rows stream."""
    begins, ends = start.astimezone(BEIJING), end.astimezone(BEIJING)
    title = f"{unit}｜{begins.year}年{moment(begins)} 至 {moment(ends)}"
    note = "按派单时刻计入本期，状态截至期末，撤销的不计；事项和原因已脱敏，敏感件不载内容"
    with Book(path, created=end) as book:
        sheet = book.sheet(book.name(unit), title, note, TICKET)
        for row in rows:
            if row.status is not AssignmentStatus.WITHDRAWN:
                sheet.add(ticket_values(row))
        finish_unit(sheet)
