"""Score the readers on case files without the bot: `python -m benchmarks.score_reading [--data DIR] [--show N]`.

Emulates what the core does around them: fragments and known tickets from `before`, the same text within ten minutes,
the routed room, the merge of a supplement.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.reading_data import BOT_NAME, SHARED, District, load_cases, load_district
from handlers.reading.complaints import read
from handlers.reading.people import find_numbers
from handlers.reading.routing import route
from handlers.reading.text import fold
from handlers.reading.views import Complaint, MessageView, Reading
from storage.enums import MessageType, UnitKind

Reader = Callable[[MessageView, Sequence[MessageView], Sequence[str]], Reading]


def answer(district: District, case: dict[str, Any], reader: Reader) -> list[dict[str, Any]]:
    """Return the tickets that hold the case's message, as the replay would print them."""
    if case["sender"] == BOT_NAME:
        return []
    before: list[MessageView] = []
    known: list[str] = []
    last: list[Complaint] = []
    for b in sorted(case.get("before", []), key=lambda b: -b["seconds"]):
        view = district.view(case["room"], b["sender"], b.get("text", ""), b.get("type", "text"))
        if b.get("text") and b["text"] == case["text"] and b["seconds"] <= 600:
            return []
        reading = reader(view, [], known)
        if reading.complaints:
            known += [c.text for c in reading.complaints]
            if b["sender"] == case["sender"] and b["seconds"] <= 120:
                last = list(reading.complaints)
        elif b["sender"] == case["sender"] and b["seconds"] <= 120:
            before.append(view)
    view = district.view(case["room"], case["sender"], case["text"], case.get("type", "text"))
    reading = reader(view, before, known)
    complaints = list(reading.complaints)
    if not complaints and reading.supplement and last and view.type is MessageType.TEXT:
        complaints = [_merge(last[-1], view, district)]
    return [_ticket(district, case["room"], complaint) for complaint in complaints]


def _merge(told: Complaint, view: MessageView, district: District) -> Complaint:
    said = tuple(found.value for found in find_numbers(fold(view.text)) if found.kind == "phone")
    return replace(told, phones=told.phones or said)


def _ticket(district: District, room: str, complaint: Complaint) -> dict[str, Any]:
    unit = district.rooms[room]
    lead = unit.name
    if unit.kind in (UnitKind.DISPATCH, UnitKind.SUPERVISION):
        lead = route(complaint, district.gazetteer, None).unit or ""
    return {
        "unit": lead or None,
        "ask": not lead,
        "category": complaint.category,
        "urgency": complaint.urgency.value,
        "township": complaint.township,
        "village": complaint.village,
        "phone": bool(complaint.phones),
        "order_no": complaint.order_no,
        "source": complaint.source.value,
    }


def reader_of(district: District) -> Reader:
    return lambda view, before, known: read(view, district.gazetteer, before, known)


def score_answers(
    cases: list[dict[str, Any]], answers: dict[str, list[dict[str, Any]]]
) -> tuple[dict[str, Any], list[str]]:
    """Return (figures, misses), counted as run_cases.py does."""
    fields: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    tp = fp = fn = count_ok = 0
    wrong = []
    for case in cases:
        got, want = answers[case["id"]], case["expect"]
        n = want["tickets"]
        tp += n > 0 and bool(got)
        fn += n > 0 and not got
        fp += n == 0 and bool(got)
        count_ok += n == len(got)
        if n != len(got):
            wrong.append(f"{case['id']} tickets: want {n}, got {len(got)}: {case['text'][:70]!r}")
        if not (n and got):
            continue
        for name, value in want.items():
            if name == "tickets":
                continue
            actual = got[0][name]
            ok = actual in value if isinstance(value, list) else actual == value
            fields[name][0] += ok
            fields[name][1] += 1
            if not ok:
                wrong.append(f"{case['id']} {name}: want {value}, got {actual}: {case['text'][:70]!r}")
    figures: dict[str, Any] = {"cases": len(cases), "f1": round(2 * tp / max(1, 2 * tp + fp + fn), 4)}
    figures |= {"false alarms": fp, "missed": fn, "ticket_count": round(count_ok / max(1, len(cases)), 4)}
    figures |= {f"{name} ({n})": round(ok / n, 4) for name, (ok, n) in sorted(fields.items())}
    return figures, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--cases", type=Path, help="a file or folder of intake cases; default: those of --data")
    parser.add_argument("--show", type=int, default=40)
    options = parser.parse_args()
    district = load_district(options.data / "huairou")
    cases = load_cases(options.cases or options.data / "cases")
    reader = reader_of(district)
    figures, wrong = score_answers(cases, {case["id"]: answer(district, case, reader) for case in cases})
    for line in wrong[: options.show]:
        print(line)
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
