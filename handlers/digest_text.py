"""Every sentence of a digest, in Chinese, made of its numbers alone; cut into messages of bounded length. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from handlers.digest_words import BEFORE, cut, duration, moment, percent, ranked, wrapped
from storage.enums import AssignmentStatus, Urgency

LIMIT = 600  # characters of one message, its number included
URGENT_FIRST = 4  # urgent complaints named in the first message; the rest follow further down
ONE_BY_ONE = 20  # longer lists of what is done with are told per unit; what waits is always told one by one
GIST = 20  # characters of a masked line that a digest repeats
_GIST_IN_TEXT = re.compile(r"^(紧急20\d{6}-\d{4,5} [^｜\n]*)｜.*$", re.M)
MINUTE = 60  # seconds
WAITING = AssignmentStatus.WAITING.value
NORMAL = Urgency.NORMAL.value


def render_text(numbers: dict[str, Any], *, limit: int = LIMIT, rank_size: int = 3, top: int = 5) -> list[str]:
    """Return the messages, each at most `limit` characters, cut at line ends, numbered (1/3) where there are several.

    The first holds the essential: urgent and sensitive, totals, best and worst units.
    """
    lines = [title(numbers)]
    lines += _urgent(numbers["urgent"])
    lines += _totals(numbers["totals"])
    lines += _ranks(numbers["units"], rank_size)
    lines += _categories(numbers, top)
    lines += _waiting(numbers)
    lines += _past_limit(numbers)
    lines += _urgent_rest(numbers["urgent"])
    lines += _passed_on(numbers)
    lines += _comparison(numbers)
    lines += _rates(numbers["rates"])
    lines += _early_meeting(numbers["early_meeting"])
    lines += _counting(numbers)
    return cut(lines, limit)


def title(numbers: dict[str, Any]) -> str:
    start, end = (datetime.fromisoformat(moment) for moment in numbers["window"])
    return f"见诉领办{numbers['kind']}｜{moment(start)}至{moment(end)}"


# ---- the sections ----------------------------------------------------------------------------------------------------


def _urgent(entries: Sequence[dict[str, Any]]) -> list[str]:
    if not entries:
        return ["【紧急敏感】无"]
    waiting = sum(entry["state"] == WAITING for entry in entries)
    note = f"，{waiting}件还没人领" if waiting else "，没有待领的"
    more = f"，余下{len(entries) - URGENT_FIRST}件见后" if len(entries) > URGENT_FIRST else ""
    return [f"【紧急敏感】{len(entries)}件{note}{more}", *map(_urgent_line, entries[:URGENT_FIRST])]


def _urgent_rest(entries: Sequence[dict[str, Any]]) -> list[str]:
    """The urgent ones that the first message had no room for; this window's that wait follow below."""
    rest = [entry for entry in entries[URGENT_FIRST:] if entry["state"] != WAITING or entry["carried"]]
    if len(rest) > ONE_BY_ONE:
        late = sum(entry["on_time"] is False or entry["overdue"] for entry in rest)
        return [f"【紧急敏感·续】另有{len(rest)}件，其中超时{late}件，明细见台账"]
    parts = [f"{e['urgency']}{e['no']} {e['unit']}{_state(e)}" for e in rest]
    return wrapped("【紧急敏感·续】", parts) if parts else []


def _urgent_line(entry: dict[str, Any]) -> str:
    gist = (entry["gist"] or "").replace("\n", " ")
    gist = f"｜{gist[:GIST]}{'…' if len(gist) > GIST else ''}" if gist else ""
    return f"{entry['urgency']}{entry['no']} {entry['unit']}：{_state(entry)}{gist}"


def without_gists(numbers: dict[str, Any], text: str, *, mark: str) -> tuple[dict[str, Any], str]:
    """A stored digest as it is once the complaints in it are blanked: every number, and `mark` for every gist."""
    urgent = [{**entry, "gist": mark if entry.get("gist") else None} for entry in numbers.get("urgent", ())]
    return {**numbers, "urgent": urgent}, _GIST_IN_TEXT.sub(rf"\1｜{mark}", text)


def _state(entry: dict[str, Any]) -> str:
    took = duration(entry["seconds"])
    if entry["state"] == WAITING:
        return f"待领办，已等{took}" + ("，超时" if entry["overdue"] else "")
    if entry["on_time"] is None:
        return str(entry["state"])
    return f"{entry['state']}，用时{took}" + ("" if entry["on_time"] else "（超时）")


def _totals(totals: dict[str, Any]) -> list[str]:
    if not totals["dispatched"]:
        return ["【总体】本期没有派单"]
    rate = "本期尚无到期件" if totals["on_time_rate"] is None else percent(totals["on_time_rate"])
    base = f"（{totals['in_time']}/{totals['answerable']}）" if totals["answerable"] else ""
    lines = [
        f"【总体】派单{totals['dispatched']}件（诉求{totals['tickets']}件），领办{totals['accepted']}件，"
        f"其中按时{totals['accepted_on_time']}件；按时率{rate}{base}"
    ]
    if totals["mean_seconds"] is not None:
        lines.append(
            f"领办用时：平均{duration(totals['mean_seconds'])}，中位{duration(totals['median_seconds'])}，"
            f"九成在{duration(totals['p90_seconds'])}内，最慢{duration(totals['max_seconds'])}"
        )
    lines.append(
        f"办结{totals['resolved']}件，退单{totals['declined']}件，转派{totals['transferred']}件；"
        f"超时仍未领{totals['overdue_open']}件"
    )
    return lines


def _ranks(units: Sequence[dict[str, Any]], size: int) -> list[str]:
    best, worst = ranked(units, size)
    if not best and not worst:
        return []
    lines = ["【单位排名】按按时率，同率看平均用时"]
    if best:
        lines.append("靠前：" + "、".join(map(_ranked_unit, best)))
    lines.append("靠后：" + ("、".join(map(_ranked_unit, worst)) if worst else "无，其余单位都按时"))
    if not worst and len([row for row in units if row["on_time_rate"] is not None]) <= len(best):
        lines.pop()
    return lines


def _ranked_unit(row: dict[str, Any]) -> str:
    mean = "" if row["mean_seconds"] is None else f"，平均{duration(row['mean_seconds'])}"
    return f"{row['unit']}{percent(row['on_time_rate'])}（{row['in_time']}/{row['answerable']}{mean}）"


def _categories(numbers: dict[str, Any], top: int) -> list[str]:
    parts = [f"{c['category']}{c['count']}件（{percent(c['share'])}）" for c in numbers["categories"][:top]]
    return wrapped("【诉求热点】", parts) if parts else []


def _waiting(numbers: dict[str, Any]) -> list[str]:
    """What this window left waiting, one by one; what came before it, per unit; what no unit leads. District order."""
    mine = [entry for entry in numbers["waiting"] if not entry["carried"]]
    older = [entry for entry in numbers["waiting"] if entry["carried"]]
    unrouted = numbers["unrouted"]
    if not mine and not older and not unrouted:
        return ["【仍待领办】无"]
    overdue = sum(entry["overdue"] for entry in mine)
    lines = [
        f"【仍待领办】{len(mine)}件" + (f"，超时{overdue}件（已等）：" if overdue else "，都在时限内" if mine else "")
    ]
    for unit, entries in _by_unit(mine, numbers):
        lines += wrapped(f"{unit}{len(entries)}件：", map(_waiting_part, entries))
    if older:
        parts = [f"{unit}{len(entries)}件（最久{_minutes(entries[0])}）" for unit, entries in _by_unit(older, numbers)]
        lines += wrapped(f"以前派出仍未领{len(older)}件：", parts)
    if unrouted:
        lines += wrapped(f"待定单位{len(unrouted)}件：", [f"{e['no']} {_minutes(e)}" for e in unrouted])
    return lines


def _past_limit(numbers: dict[str, Any]) -> list[str]:
    """The orders whose own 办理时限 has passed; apart from the fifteen minutes."""
    late = numbers.get("past_limit", [])
    parts = [f"{entry['unit']} {entry['no']} {_minutes(entry)}" for entry in late]
    return wrapped(f"【超办理时限】{len(late)}件未办结（已超）：", parts) if late else []


def _by_unit(entries: Sequence[dict[str, Any]], numbers: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The entries per unit, in the order of the rows."""
    grouped: dict[str, list[dict[str, Any]]] = {row["unit"]: [] for row in numbers["units"]}
    for entry in entries:
        grouped.setdefault(entry["unit"], []).append(entry)
    return [(unit, own) for unit, own in grouped.items() if own]


def _waiting_part(entry: dict[str, Any]) -> str:
    urgency = "" if entry["urgency"] == NORMAL else entry["urgency"]
    return f"{urgency}{entry['no']} {_minutes(entry)}" + ("" if entry["overdue"] else "（未到时限）")


def _minutes(entry: dict[str, Any]) -> str:
    """Whole minutes, so that a long list stays short."""
    return duration(entry["seconds"] // MINUTE * MINUTE) if entry["seconds"] >= MINUTE else "不到1分钟"


def _passed_on(numbers: dict[str, Any]) -> list[str]:
    """退单, 转派, 重办 and both sides of 吹哨; what did not happen is said in one line."""
    lines: list[str] = []
    none: list[str] = []
    for name, key, say in (
        ("退单", "declines", lambda e: f"{e['unit']} {e['no']}→{e['to'] or '待定单位'}"),
        ("转派", "transfers", lambda e: f"{e['unit']} {e['no']}→{e['to'] or '待定单位'}"),
        ("重办", "reopens", lambda e: f"{e['unit']} {e['no']}"),
    ):
        entries = numbers[key]
        if len(entries) > ONE_BY_ONE:
            counts = [f"{unit}{len(own)}件" for unit, own in _by_unit(entries, numbers)]
            lines += wrapped(f"【{name}】{len(entries)}件（明细见台账）：", counts)
        elif entries:
            lines += wrapped(f"【{name}】{len(entries)}件：", map(say, entries))
        else:
            none.append(name)
    calls = numbers["whistles"]
    if calls["list"]:
        lines += wrapped(
            f"【吹哨】{len(calls['list'])}次。吹哨方：",
            [f"{e['unit']}{e['calls']}次（已应{e['answered']}次）" for e in calls["calling"]],
        )
        lines += wrapped("报到方：", map(_answering, calls["answering"]))
    else:
        none.append("吹哨")
    return lines + ([f"【{'、'.join(none)}】无"] if none else [])


def _answering(entry: dict[str, Any]) -> str:
    mean = "" if entry["mean_seconds"] is None else f"，平均{duration(entry['mean_seconds'])}"
    return (
        f"{entry['unit']}{entry['dispatched']}次（报到{entry['accepted']}次，按时{entry['accepted_on_time']}次{mean}）"
    )


def _comparison(numbers: dict[str, Any]) -> list[str]:
    previous, totals = numbers["previous"], numbers["totals"]
    had = previous["totals"]["dispatched"]
    if had:
        parts = [f"派单{_signed(previous['dispatched_percent'], '%')}（{had}→{totals['dispatched']}件）"]
    else:
        parts = [f"那一期没有派单，本期{totals['dispatched']}件"]
    if previous["on_time_points"] is not None:
        parts.append(f"按时率{_signed(previous['on_time_points'], '个百分点')}")
    if previous["mean_seconds"] is not None:
        parts.append(_faster(-previous["mean_seconds"], "平均领办用时"))
    lines = [f"【对比】较{BEFORE[numbers['kind']]}：" + "，".join(parts)]
    baseline = numbers["baseline"]
    if baseline and baseline["saved_seconds"] is not None:
        saved = baseline["saved_seconds"] / MINUTE
        change = f"缩短 {abs(saved):.1f} 分钟" if saved >= 0 else f"延长 {abs(saved):.1f} 分钟"
        lines.append(f"平均接诉时间较此前{change.replace('.0 ', ' ')}（启用前平均{duration(baseline['seconds'])}）")
    return lines


def _signed(value: float, unit: str) -> str:
    rounded = round(value, 1)
    return "持平" if rounded == 0 else f"{rounded:+.1f}{unit}"


def _faster(saved: float, what: str) -> str:
    if abs(saved) < 1:
        return f"{what}持平"
    return f"{what}{'缩短' if saved > 0 else '延长'}{duration(abs(saved))}"


def _rates(rates: dict[str, Any]) -> list[str]:
    """三率 of the window, else of the 考核期 so far; nothing without a base."""
    lines = []
    for name, part in (("本期", rates["window"]), ("考核期至今", rates["period"])):
        if part["all"]["base"] and (name == "本期" or part["window"] != rates["window"]["window"]):
            since, until = (datetime.fromisoformat(at) for at in part["window"])
            lines.append(f"【三率】{name}回访（{moment(since)}至{moment(until)}）：{_three(part['all'])}")
            lines.append(f"剔除后：{_three(part['kept'])}")
    return lines


def _three(part: dict[str, Any]) -> str:
    if not part["base"]:
        return "无回访"
    return (
        f"基数{part['base']}件，响应{percent(part['response'])}，解决{percent(part['solution'])}，"
        f"满意{percent(part['satisfaction'])}，综合{percent(part['composite'])}"
    )


def _early_meeting(entries: Sequence[dict[str, Any]]) -> list[str]:
    if not entries:
        return []
    said = [
        f"{entry['unit']}：" + "；".join(f"{r['rule']}，{r['text']}" for r in entry["reasons"]) for entry in entries
    ]
    return ["【早餐会建议】由督查室定", *said]


def _counting(numbers: dict[str, Any]) -> list[str]:
    _, end = (datetime.fromisoformat(at) for at in numbers["window"])
    offline = numbers["offline"]["seconds"]
    return [
        f"【口径】按派单时刻计入本期（含起点、不含终点），状态截至{moment(end)}，撤销的不计，协办、转派、重办各算一件；"
        f"按时率＝按时领办÷应答件（已领或已过时限，不含时限内退、转的）；"
        f"离线{duration(offline) if offline else '0分钟'}。明细见台账。"
    ]
