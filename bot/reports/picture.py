"""The picture of a digest: 1080 pixels wide, made for a phone.

From top to bottom: title with window, what is urgent, key figures, distribution of the time-to-accept, trend of the
last days, best and worst units, all units coloured by on-time rate, counting rules.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from bot.reports.canvas import Canvas
from bot.reports.fonts import FontMissing, cjk_font
from handlers.digest_words import BEFORE, duration, moment, percent, ranked, whole_percent
from storage.enums import AssignmentStatus

__all__ = ["FontMissing", "cjk_font", "draw"]

WIDTH = 1080
EDGE = 36  # margin left and right
GAP = 28  # between sections
INK, SOFT, PAPER, CARD, BAND = "#1d2733", "#5b6876", "#eef1f5", "#ffffff", "#12467b"
BLUE, RED, GREEN = "#2f6fb0", "#b3261e", "#1e7a45"
# Lower bound of the on-time rate, fill of the row, word of the legend.
BANDS = (
    (0.95, "#c9ead3", "95%以上"),
    (0.80, "#eaf3c8", "80—95%"),
    (0.60, "#fde3b8", "60—80%"),
    (0.00, "#f9c9c4", "低于60%"),
)
NOTHING, NOTHING_WORD = "#f4f6f8", "无应答件"
ROW = 46  # height of a unit's row
COLUMNS = (258, 344, 424, 484)  # right ends of 派单, 按时率, 平均分钟, 超时未领


def draw(numbers: dict[str, Any], path: Path, *, font: str | None = None) -> None:
    """Write the PNG of a digest's numbers. Raises FontMissing where no font has Chinese glyphs."""
    family = cjk_font(font)
    rows = -(-len(numbers["units"]) // 2)
    heights = (150, 92 if numbers["urgent"] else 0, 356, 380, 436, 290, 130 + rows * ROW, 104)
    page = Canvas(WIDTH, sum(heights), family, PAPER)
    y = 0
    for section, height in zip(
        (_title, _urgent, _figures, _distribution, _trend, _ranks, _table, _footer), heights, strict=True
    ):
        if height:
            section(page, y, numbers)
        y += height
    page.save(path)


def _title(page: Canvas, y: int, numbers: dict[str, Any]) -> None:
    start, end = (datetime.fromisoformat(at) for at in numbers["window"])
    page.box(0, y, WIDTH, 150, BAND)
    page.text(EDGE, y + 54, f"见诉领办 {numbers['kind']}", 52, "#ffffff", bold=True)
    page.text(EDGE, y + 114, f"{start.year}年{moment(start)} 至 {moment(end)}", 29, "#cfe0f2")


def _urgent(page: Canvas, y: int, numbers: dict[str, Any]) -> None:
    entries = numbers["urgent"]
    waiting = sum(entry["state"] == AssignmentStatus.WAITING.value for entry in entries)
    overdue = sum(entry["overdue"] for entry in entries)
    page.box(EDGE, y + GAP, WIDTH - 2 * EDGE, 64, RED if waiting else GREEN)
    state = f"{waiting}件还没人领，其中超时{overdue}件" if waiting else "没有待领的"
    page.text(EDGE + 24, y + GAP + 33, f"紧急敏感 {len(entries)}件：{state}", 32, "#ffffff", bold=True)


def _figures(page: Canvas, y: int, numbers: dict[str, Any]) -> None:
    totals, previous, then = numbers["totals"], numbers["previous"], BEFORE[numbers["kind"]]
    rate, mean = totals["on_time_rate"], totals["mean_seconds"]
    saved = (numbers["baseline"] or {}).get("saved_seconds")
    since = _change(previous["mean_seconds"], then, lambda v: duration(abs(v)), "慢", "快")
    cards = (
        (
            "派单",
            f"{totals['dispatched']}",
            _change(previous["dispatched_percent"], then, lambda v: f"{abs(v):.1f}%"),
            INK,
        ),
        ("领办", f"{totals['accepted']}", f"按时 {totals['accepted_on_time']}", INK),
        (
            *("按时率", "—" if rate is None else percent(rate)),
            _change(previous["on_time_points"], then, lambda v: f"{abs(v):.1f}个百分点"),
            INK if rate is None else GREEN if rate >= BANDS[1][0] else RED,
        ),
        ("平均领办用时", "—" if mean is None else duration(mean), _saved(saved) or since, INK),
        ("超时仍未领", f"{totals['overdue_open']}", _carried(totals), RED if totals["overdue_open"] else GREEN),
        ("办结", f"{totals['resolved']}", f"退单 {totals['declined']}　转派 {totals['transferred']}", INK),
    )
    wide = (WIDTH - 2 * EDGE - 2 * 20) / 3
    for place, (name, value, note, colour) in enumerate(cards):
        x, top = EDGE + place % 3 * (wide + 20), y + GAP + place // 3 * 164
        page.box(x, top, wide, 148, CARD)
        page.text(x + 20, top + 30, name, 26, SOFT)
        page.text(x + 20, top + 79, value, 50 if len(value) < 8 else 40, colour, bold=True)
        page.text(x + 20, top + 124, note, 23, SOFT)


def _change(value: float | None, then: str, say: Callable[[float], str], more: str = "升", less: str = "降") -> str:
    if value is None:
        return f"{then}无可比"
    if round(abs(value), 1) == 0:
        return f"与{then}持平"
    return f"较{then}{more if value > 0 else less} {say(value)}"


def _saved(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"较启用前{'快' if seconds >= 0 else '慢'} {abs(seconds) / 60:.0f}分钟"


def _carried(totals: dict[str, Any]) -> str:
    return f"另有以前派出 {totals['carried']}" if totals["carried"] else "以前派出的都有人领"


def _heading(page: Canvas, y: float, words: str, note: str = "") -> None:
    page.box(EDGE, y + 6, 8, 32, BLUE)
    page.text(EDGE + 22, y + 22, words, 32, INK, bold=True)
    page.text(WIDTH - EDGE, y + 23, note, 23, SOFT, align="right")


def _distribution(page: Canvas, y: int, numbers: dict[str, Any]) -> None:
    """Columns of acceptances per span of time; those within the quarter of an hour in blue."""
    spans = [(entry["span"], entry["count"]) for entry in numbers["distribution"]]
    spans.append(("仍未领", numbers["totals"]["waiting"]))
    _heading(page, y + GAP, "多久有人领", "件；蓝色为一刻钟内")
    page.box(EDGE, y + 80, WIDTH - 2 * EDGE, 300, CARD)
    base, tall, wide = y + 326, 190, (WIDTH - 2 * EDGE - 40) / len(spans)
    most = max(1, *(count for _, count in spans))
    for place, (name, count) in enumerate(spans):
        x = EDGE + 20 + place * wide
        height = tall * count / most
        page.box(
            x + 14, base - height, wide - 28, max(height, 3), BLUE if place < 4 else "#d9822b" if place < 7 else RED
        )
        page.text(x + wide / 2, base - height - 22, str(count), 26, INK, align="center", bold=True)
        page.text(x + wide / 2, base + 26, name, 22, SOFT, align="center")


def _trend(page: Canvas, y: int, numbers: dict[str, Any]) -> None:
    """Columns of what was dispatched per day, and a line of the on-time rate, gaps where none was answerable."""
    days = numbers["trend"]
    _heading(page, y + GAP, f"近{len(days)}天", "柱：派单件数　线：按时率")
    page.box(EDGE, y + 80, WIDTH - 2 * EDGE, 356, CARD)
    base, tall = y + 382, 130
    wide = (WIDTH - 2 * EDGE - 40) / max(1, len(days))
    most = max([1, *(day["dispatched"] for day in days)])
    xs: list[float] = []
    ys: list[float] = []
    for place, day in enumerate(days):
        x = EDGE + 20 + (place + 0.5) * wide
        height = tall * day["dispatched"] / most
        last = place == len(days) - 1
        page.box(x - wide * 0.3, base - height, wide * 0.6, max(height, 2), BLUE if last else "#a9c4e0")
        if day["dispatched"]:
            page.text(x, base - height - 16, str(day["dispatched"]), 21, SOFT, align="center")
        when = date.fromisoformat(day["day"])
        page.text(x, base + 24, f"{when.month}/{when.day}", 21, INK if last else SOFT, align="center", bold=last)
        rate = day["on_time_rate"]
        xs.append(x)
        ys.append(float("nan") if rate is None else y + 208 - 84 * rate)
        if rate is not None:
            page.text(x, ys[-1] - 22, whole_percent(rate), 21, GREEN, align="center", bold=last)
    page.line(xs, ys, GREEN, 3, dots=True)


def _ranks(page: Canvas, y: int, numbers: dict[str, Any]) -> None:
    _heading(page, y + GAP, "单位排名", "按按时率，同率看平均用时")
    best, worst = ranked(numbers["units"], 3)
    wide = (WIDTH - 2 * EDGE - 20) / 2
    for x, name, rows, colour in ((EDGE, "靠前", best, GREEN), (EDGE + wide + 20, "靠后", worst, RED)):
        page.box(x, y + 80, wide, 210, CARD)
        page.box(x, y + 80, wide, 6, colour)
        page.text(x + 20, y + 114, name, 26, colour, bold=True)
        for place, row in enumerate(rows):
            line = y + 158 + place * 48
            page.text(x + 20, line, row["unit"], 28, INK, bold=True)
            page.text(x + wide - 140, line, f"{row['in_time']}/{row['answerable']}", 25, SOFT, align="right")
            page.text(x + wide - 20, line, percent(row["on_time_rate"]), 28, colour, align="right", bold=True)
        if not rows:
            page.text(x + 20, y + 158, "无", 28, SOFT)


def _table(page: Canvas, y: int, numbers: dict[str, Any]) -> None:
    units = numbers["units"]
    _heading(page, y + GAP, f"各单位（{len(units)}个）")
    x = float(WIDTH - EDGE)
    for fill, word in ((NOTHING, NOTHING_WORD), *((fill, word) for _, fill, word in reversed(BANDS))):
        words = sum(21 if character > "~" else 12 for character in word)
        page.text(x, y + GAP + 23, word, 21, SOFT, align="right")
        page.box(x - words - 34, y + GAP + 12, 22, 22, fill)
        x -= words + 52
    half = -(-len(units) // 2)
    column = (WIDTH - 2 * EDGE - 16) / 2
    for place, row in enumerate(units):
        left, line = EDGE + place // half * (column + 16), y + 126 + place % half * ROW
        if place % half == 0:
            for right, word in zip(COLUMNS, ("派单", "按时率", "均/分", "超时"), strict=True):
                page.text(left + right, line - 20, word, 21, SOFT, align="right")
        _unit(page, left, line, column, row)


def _unit(page: Canvas, left: float, line: float, wide: float, row: dict[str, Any]) -> None:
    rate, mean = row["on_time_rate"], row["mean_seconds"]
    fill = NOTHING if rate is None else next(fill for bound, fill, _ in BANDS if rate >= bound)
    middle = line + ROW / 2
    page.box(left, line + 2, wide, ROW - 4, fill)
    ink = INK if row["dispatched"] else SOFT
    page.text(left + 12, middle, row["unit"], 25 if len(row["unit"]) < 8 else 23, ink)
    page.text(left + COLUMNS[0], middle, str(row["dispatched"]), 25, ink, align="right")
    page.text(
        left + COLUMNS[1], middle, "—" if rate is None else whole_percent(rate), 25, ink, align="right", bold=True
    )
    page.text(left + COLUMNS[2], middle, "—" if mean is None else f"{mean / 60:.1f}", 25, ink, align="right")
    late = row["overdue_open"]
    page.text(left + COLUMNS[3], middle, str(late), 25, RED if late else SOFT, align="right", bold=bool(late))


def _footer(page: Canvas, y: int, numbers: dict[str, Any]) -> None:
    offline = numbers["offline"]["seconds"]
    _, end = (datetime.fromisoformat(at) for at in numbers["window"])
    page.text(EDGE, y + 34, "按派单时刻计入本期，撤销的不计；按时率＝按时领办÷应答件（已领或已过时限）。", 23, SOFT)
    off = duration(offline) if offline else "0分钟"
    page.text(EDGE, y + 70, f"状态截至{moment(end)}；本期离线{off}。只排单位，不排个人。", 23, SOFT)
