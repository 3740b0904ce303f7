"""Why a message was read as it was: for `python -m bot explain "text" --room R --sender S`."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.reading import model
from handlers.reading.complaints import DOUBT, read
from handlers.reading.evidence import observe
from handlers.reading.index import reading_index
from handlers.reading.judging import judge
from handlers.reading.routing import belongs_elsewhere, route
from handlers.reading.views import Gazetteer, MessageView, Reading, Span
from storage.enums import UnitKind

SHOWN_FROM = 0.05  # log-odds below which a piece of evidence is not worth a line


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the explanation: `kind` is verdict, doubt, evidence, gram, field, urgency, category or route."""

    kind: str
    name: str
    value: str = ""
    weight: float | None = None
    span: Span | None = None


def explain(view: MessageView, gazetteer: Gazetteer) -> tuple[Line, ...]:
    """Return the verdict, the evidence by weight, the n-grams that moved it most, and every field with its span."""
    reading = read(view, gazetteer)
    count = len(reading.complaints)
    verdict = f"{count} complaint(s)" if count else ("supplement" if reading.supplement else "no complaint")
    lines = [Line("verdict", verdict, weight=round(reading.score, 2))]
    if reading.margin is not None:
        lines.append(Line("doubt", f"within {DOUBT} of what was needed", weight=round(reading.margin, 2)))
    lines += _evidence(view, gazetteer, reading)
    lines += [Line("field", name, view.text[a:b], span=(a, b)) for name, (a, b) in sorted(reading.spans, key=_at)]
    for number, complaint in enumerate(reading.complaints, 1):
        lines.append(Line("category", complaint.category, f"#{number}, then {complaint.runner_up}"))
        words = "、".join(complaint.urgency_words)
        lines.append(Line("urgency", complaint.urgency.value, f"#{number} {words}".strip()))
        lines += [
            Line("field", name, f"#{number} {value}")
            for name in ("source", "place", "village", "township", "order_no", "time_limit")
            if (value := getattr(complaint, name))
        ]
        if view.room_kind in (UnitKind.DISPATCH, UnitKind.SUPERVISION):
            way = route(complaint, gazetteer, view.room_unit)
            lines.append(Line("route", way.unit or "ask", f"#{number} {way.why} {'、'.join(way.options)}".strip()))
        elif elsewhere := belongs_elsewhere(complaint, gazetteer, view.room_unit):
            lines.append(Line("route", elsewhere.unit, f"#{number} seems to belong there ({elsewhere.kind})"))
    return tuple(lines)


def _at(field: tuple[str, Span]) -> Span:
    return field[1]


def _evidence(view: MessageView, gazetteer: Gazetteer, reading: Reading) -> list[Line]:
    """Return the evidence, the weightiest first; a message that was no order shows what the model weighed."""
    evidence = reading.evidence
    lines: list[Line] = []
    if not evidence and view.text.strip():
        evidence = judge(observe(view, reading_index(gazetteer))).evidence
    for item in sorted(evidence, key=lambda item: -abs(item.weight)):
        if abs(item.weight) >= SHOWN_FROM:
            lines.append(Line("evidence", item.what, item.words, item.weight, item.span))
    if not any(item.what == "order_fields" for item in evidence) and view.text.strip():
        seen = observe(view, reading_index(gazetteer))
        lines += [Line("gram", gram, weight=round(weight, 2)) for gram, weight in model.load()[0].strongest(seen.grams)]
    return lines
