"""The Excel 台账 of a digest: 汇总, one sheet per question, one sheet per unit with all its assignments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.reports.sheets import Book, Column, Sheet
from handlers.digest_counts import seconds_to_accept
from handlers.digest_words import duration, moment, percent
from storage.digest_facts import LedgerRow
from storage.enums import AssignmentStatus

SUMMARY = "汇总"
_SECONDS = "took"
# The rows of 汇总: title, width, kind, key of the digest's numbers.
_FIGURES = (
    ("派单", 8, "whole", "dispatched"),
    ("领办", 8, "whole", "accepted"),
    ("按时领办", 8, "whole", "accepted_on_time"),
    ("应答件", 8, "whole", "answerable"),
    ("按时率", 9, "share", "on_time_rate"),
    ("平均用时", 10, _SECONDS, "mean_seconds"),
    ("中位用时", 10, _SECONDS, "median_seconds"),
    ("九成用时", 10, _SECONDS, "p90_seconds"),
    ("最长用时", 10, _SECONDS, "max_seconds"),
    ("超时未领", 9, "whole", "overdue_open"),
    ("仍待领办", 9, "whole", "waiting"),
    ("办结", 8, "whole", "resolved"),
    ("退单", 8, "whole", "declined"),
    ("转派", 8, "whole", "transferred"),
    ("重办", 8, "whole", "reopened"),
    ("协办", 8, "whole", "helper"),
    ("紧急敏感", 9, "whole", "urgent"),
    ("重复诉求", 9, "whole", "repeats"),
)
TICKET = (
    Column("工单编号", 16),
    Column("12345单号", 22),
    Column("群内编号", 9, "whole"),
    Column("角色", 7),
    Column("紧急程度", 9),
    Column("类别", 14),
    Column("事项（已脱敏）", 46),
    Column("来源", 9),
    Column("派单时间", 20, "at"),
    Column("领办时限", 20, "at"),
    Column("领办时间", 20, "at"),
    Column("领办用时", 10, _SECONDS),
    Column("按时", 7),
    Column("责任人", 12),
    Column("如何确定", 10),
    Column("状态", 10),
    Column("结束时间", 20, "at"),
    Column("原因或结果（已脱敏）", 36),
    Column("重复诉求", 9),
)


def write(numbers: dict[str, Any], tickets: Iterable[LedgerRow], path: Path) -> None:
    """Write the workbook; `tickets` are masked and as at the window's end (`handlers.digests.ledger_rows`).

    The same input gives the same bytes. Rows stream: memory does not grow with their number.
    """
    start, end = (datetime.fromisoformat(at) for at in numbers["window"])
    window = f"{start.year}年{moment(start)} 至 {moment(end)}"
    with Book(path, created=end) as book:
        summary = book.name(SUMMARY)
        names = {row["unit"]: book.name(row["unit"]) for row in numbers["units"]}
        _summary(book, summary, names, numbers, window)
        questions = [book.sheet(book.name(n), f"{n}｜{window}", note, c, back=summary) for n, note, c, _ in _QUESTIONS]
        reasons: dict[tuple[str, str, str], str] = {}
        _units(book, summary, names, tickets, window, reasons)
        for sheet, (_, _, _, rows) in zip(questions, _QUESTIONS, strict=True):
            for values in rows(numbers, reasons):
                sheet.add(values)
            sheet.finish()


def _summary(book: Book, name: str, names: dict[str, str], numbers: dict[str, Any], window: str) -> None:
    columns = [Column("单位", 18, "link"), Column("类别", 11), *(Column(t, w, k) for t, w, k, _ in _FIGURES)]
    sheet = book.sheet(name, f"见诉领办{numbers['kind']}台账｜{window}", _note(numbers), columns)
    for row in numbers["units"]:
        sheet.add([names[row["unit"]], row["kind"], *(row[key] for *_, key in _FIGURES)])
    units = sheet.rows
    sheet.add(["合计", None, *(numbers["totals"][key] for *_, key in _FIGURES)], bold=True)
    sheet.finish(filtered=units)
    _rate_colours(sheet, "按时率")
    sheet.colour("超时未领", ">", 0, "bad")


def _rate_colours(sheet: Sheet, title: str) -> None:
    sheet.colour(title, ">=", 0.95, "good")
    sheet.colour(title, "<", 0.6, "bad")
    sheet.colour(title, "<", 0.8, "fair")


def _note(numbers: dict[str, Any]) -> str:
    """The counting rules and the comparison, in one line under the title."""
    previous, baseline, offline = numbers["previous"], numbers["baseline"], numbers["offline"]["seconds"]
    parts = [
        "按派单时刻计入本期，状态截至期末，撤销的不计；合计由各件算出，不由各单位均值算出",
        "中位、九成为线性内插，同 PERCENTILE.INC",
        f"诉求{numbers['totals']['tickets']}件；前一期派单{previous['totals']['dispatched']}件",
    ]
    if previous["totals"]["on_time_rate"] is not None:
        parts.append(f"前一期按时率{percent(previous['totals']['on_time_rate'])}")
    if baseline:
        parts.append(f"启用前平均{duration(baseline['seconds'])}")
    parts.append(f"本期离线{duration(offline) if offline else '0分钟'}")
    return "；".join(parts)


def _units(
    book: Book,
    summary: str,
    names: dict[str, str],
    tickets: Iterable[LedgerRow],
    window: str,
    reasons: dict[tuple[str, str, str], str],
) -> None:
    """A sheet per unit; the reasons met on the way are kept for the sheets of 退单 and 转派."""
    note = "点标题回到汇总；事项和原因已脱敏，敏感件不载内容"
    sheets = {u: book.sheet(name, f"{u}｜{window}", note, TICKET, back=summary) for u, name in names.items()}
    for row in tickets:
        if row.status is AssignmentStatus.WITHDRAWN or row.unit not in sheets:
            continue
        sheets[row.unit].add(ticket_values(row))
        if row.status in (AssignmentStatus.DECLINED, AssignmentStatus.TRANSFERRED) and row.reason:
            reasons[row.unit, row.no, row.status.value] = row.reason
    for sheet in sheets.values():
        finish_unit(sheet)


def finish_unit(sheet: Sheet) -> None:
    """Filter and colours of a unit's sheet, when its rows are written."""
    sheet.finish()
    sheet.colour("按时", "==", "否", "bad")
    sheet.colour("状态", "==", AssignmentStatus.WAITING.value, "fair")
    sheet.colour("紧急程度", "!=", "一般", "fair")


def ticket_values(row: LedgerRow) -> list[Any]:
    """The cells of a row under the columns `TICKET`."""
    return [
        *(row.no, row.order_no, row.short, row.role.value, row.urgency.value, row.category, row.gist, row.source),
        *(row.dispatched_at, row.due_at, row.accepted_at, seconds_to_accept(row), _yes_no(row.on_time)),
        *(row.owner, row.assigned_by.value if row.assigned_by else None, row.status.value, row.ended_at, row.reason),
        "是" if row.repeated else None,
    ]


def _yes_no(value: bool | None) -> str | None:
    return None if value is None else "是" if value else "否"


# ---- one sheet per question: name, note, columns, rows of (numbers, reasons) -----------------------------------------

Reasons = dict[tuple[str, str, str], str]
Rows = Iterable[Sequence[Any]]


def _waiting(numbers: dict[str, Any], _: Reasons) -> Rows:
    for e in numbers["waiting"]:
        state = ("超时未领" if e["overdue"] else "时限内") + ("（以前派出）" if e["carried"] else "")
        yield [e["no"], e["unit"], e["role"], e["urgency"], e["category"], e["dispatched_at"], e["seconds"], state]
    for e in numbers["unrouted"]:
        yield [e["no"], "（待定单位）", None, None, None, e["since"], e["seconds"], "待定单位"]


def _urgent(numbers: dict[str, Any], _: Reasons) -> Rows:
    for e in numbers["urgent"]:
        took = [e["state"], e["seconds"], _yes_no(e["on_time"]), "超时" if e["overdue"] else None]
        yield [e["no"], e["unit"], e["urgency"], e["category"], e["dispatched_at"], *took, e["gist"]]


def _passed_on(key: str, status: AssignmentStatus) -> Any:
    def rows(numbers: dict[str, Any], reasons: Reasons) -> Rows:
        for e in numbers[key]:
            reason = reasons.get((e["unit"], e["no"], status.value))
            yield [e["no"], e["unit"], e["to"] or "待定单位", e["at"], _yes_no(e["before_due"]), reason]

    return rows


def _reopens(numbers: dict[str, Any], _: Reasons) -> Rows:
    return [[e["no"], e["unit"], e["at"]] for e in numbers["reopens"]]


def _whistles(numbers: dict[str, Any], _: Reasons) -> Rows:
    for e in numbers["whistles"]["list"]:
        sides = [e["from"] or "—", e["lead_seconds"], e["to"], e["seconds"]]
        yield [e["no"], e["at"], *sides, _yes_no(e["on_time"]), e["state"]]


def _categories(numbers: dict[str, Any], _: Reasons) -> Rows:
    return [[e["category"], e["count"], e["share"]] for e in numbers["categories"]]


def _rates(numbers: dict[str, Any], _: Reasons) -> Rows:
    for name, part in (("本期", numbers["rates"]["window"]), ("考核期至今", numbers["rates"]["period"])):
        for who, both in (("全区", part), *((entry["unit"], entry) for entry in part["units"])):
            for how, key in (("剔除前", "all"), ("剔除后", "kept")):
                r = both[key]
                shares = [r["response"], r["solution"], r["satisfaction"], r["composite"]]
                yield [who, name, *part["window"], how, r["base"], *shares]


def _meeting(numbers: dict[str, Any], _: Reasons) -> Rows:
    return [[e["unit"], r["rule"], r["text"]] for e in numbers["early_meeting"] for r in e["reasons"]]


def _spans(numbers: dict[str, Any], _: Reasons) -> Rows:
    for e in numbers["distribution"]:
        yield ["领办用时", e["span"], e["count"], None]
    for e in numbers["trend"]:
        yield ["逐日", e["day"], e["dispatched"], e["on_time_rate"]]


_NO, _UNIT, _AT = Column("工单编号", 16), Column("单位", 18), Column("派单时间", 20, "at")
_PASSED = (
    *(_NO, Column("交出单位", 18), Column("现由", 18), Column("时间", 20, "at"), Column("在时限内", 9)),
    Column("原因（已脱敏）", 50),
)
_QUESTIONS: tuple[tuple[str, str, Sequence[Column], Any], ...] = (
    (
        *("待领办", "期末无人领办的，最久的在前"),
        (
            *(_NO, _UNIT, Column("角色", 7), Column("紧急程度", 9), Column("类别", 14), _AT),
            *(Column("已等", 12, _SECONDS), Column("情况", 22)),
        ),
        _waiting,
    ),
    (
        *("紧急敏感", "敏感件只列编号、单位、状态"),
        (
            *(_NO, _UNIT, Column("紧急程度", 9), Column("类别", 14), _AT, Column("状态", 10)),
            *(Column("用时或已等", 12, _SECONDS), Column("按时", 7), Column("超时", 7), Column("事项（已脱敏）", 46)),
        ),
        _urgent,
    ),
    ("退单", "本期派出、期末前退回的", _PASSED, _passed_on("declines", AssignmentStatus.DECLINED)),
    ("转派", "本期派出、期末前转走的", _PASSED, _passed_on("transfers", AssignmentStatus.TRANSFERRED)),
    ("重办", "办结后又退回本单位的", (_NO, _UNIT, _AT), _reopens),
    (
        *("吹哨", "吹哨方与报到方各自计时"),
        (
            *(_NO, Column("吹哨时间", 20, "at"), Column("吹哨方", 18), Column("吹哨方领办用时", 16, _SECONDS)),
            *(Column("报到方", 18), Column("报到方领办用时", 16, _SECONDS), Column("按时", 7), Column("状态", 10)),
        ),
        _whistles,
    ),
    (
        *("类别", "按诉求件数，不按派单件数"),
        (Column("类别", 18), Column("件数", 9, "whole"), Column("占比", 9, "share")),
        _categories,
    ),
    (
        *("三率", "来自回访结果，不由群聊推算；没有基数的不算"),
        (
            *(_UNIT, Column("期间", 14), Column("自", 20, "at"), Column("至", 20, "at"), Column("剔除", 9)),
            *(Column("基数", 8, "whole"), Column("响应率", 9, "share"), Column("解决率", 9, "share")),
            *(Column("满意率", 9, "share"), Column("综合", 9, "share")),
        ),
        _rates,
    ),
    ("早餐会建议", "由督查室定", (_UNIT, Column("理由", 14), Column("数字", 50)), _meeting),
    (
        *("分布与趋势", "逐日各按当日12点为止的状态"),
        (Column("项", 12), Column("档或日", 14), Column("件数", 9, "whole"), Column("按时率", 9, "share")),
        _spans,
    ),
)
