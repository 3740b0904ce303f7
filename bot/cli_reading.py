"""`explain` and `evaluate`: why a message is read as it is, and how well labelled ones are read."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from bot.importers.people import load
from bot.importers.roster import Roster, RosterError
from handlers.context import BOT_NAME, NO_LEAD
from handlers.reading import complaints, names, routing
from handlers.reading.explain import explain as explain_reading
from handlers.reading.people import find_numbers
from handlers.reading.text import fold
from handlers.reading.views import (
    CategoryEntry,
    Complaint,
    Gazetteer,
    MemberEntry,
    MessageView,
    PlaceAlias,
    UnitEntry,
    VillageEntry,
)
from storage.enums import MessageType, UnitKind

SAMPLE = Path(__file__).parent / "sample" / "district"
Units = Annotated[Path, typer.Option(help="The district's files; the sample district if not given.")]
SAME_TEXT_SECONDS = 600  # the same text again within these makes nothing
GATHER_SECONDS = 120  # within these, a sender's messages are one story
FIELDS = ("unit", "category", "urgency", "township", "village", "phone", "order_no", "source")


def gazetteer_of(roster: Roster) -> Gazetteer:
    """The readers' view of a roster, without a database."""
    return Gazetteer(
        units=tuple(UnitEntry(u.name, u.kind, u.aliases) for u in roster.units),
        villages=tuple(VillageEntry(v.township, v.name, v.kind, v.aliases) for v in roster.villages),
        categories=tuple(
            CategoryEntry(c.category, None if c.category == NO_LEAD else c.lead_agency, c.examples)
            for c in roster.catalogue
        ),
        members=tuple(MemberEntry(m.name, m.unit, m.role, m.aliases) for m in roster.members),
        place_aliases=tuple(PlaceAlias(a.alias, a.township, a.village) for a in roster.aliases),
    )


def _roster(units: Path) -> Roster:
    try:
        return load(units)
    except RosterError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _view(roster: Roster, gazetteer: Gazetteer, case: dict[str, Any]) -> MessageView:
    room = case.get("room", "")
    owner = next((u for u in roster.units if room in (u.room, u.name, *u.aliases)), None)
    sender = case.get("sender", "")
    member = names.identify(sender, gazetteer, owner.name if owner else None).member
    return MessageView(
        text=case.get("text", ""),
        type=MessageType(case.get("type", "text")),
        room_kind=owner.kind if owner else UnitKind.TOWN,
        room_unit=owner.name if owner else None,
        sender_name=sender,
        sender_unit=member.unit if member else None,
        sender_role=member.role if member else None,
    )


def explain(
    text: Annotated[str, typer.Argument(help="The message.")],
    room: Annotated[str, typer.Option(help="The room's topic or its unit's name.")] = "",
    sender: Annotated[str, typer.Option(help="The sender's name as the room shows it.")] = "",
    units: Units = SAMPLE,
) -> None:
    """Say why a message is a complaint or not: the verdict, the evidence with weights, every field with its span."""
    roster = _roster(units)
    gazetteer = gazetteer_of(roster)
    view = _view(roster, gazetteer, {"text": text, "room": room, "sender": sender})
    for line in explain_reading(view, gazetteer):
        weight = f"{line.weight:+.2f}" if line.weight is not None else ""
        span = f"[{line.span[0]}:{line.span[1]}]" if line.span else ""
        typer.echo(f"{line.kind:<9}{weight:>7} {span:>9} {line.name} {line.value}".rstrip())


def evaluate(
    files: Annotated[list[Path], typer.Argument(help="Labelled messages, JSON Lines as in spec/cases.md (intake).")],
    units: Units = SAMPLE,
    show: Annotated[int, typer.Option(help="How many misses to print.")] = 20,
) -> None:
    """Score labelled messages: precision, recall, each field, a table of confusions, and the misses."""
    roster = _roster(units)
    gazetteer = gazetteer_of(roster)
    cases = _cases(files)
    verdicts: Counter[tuple[bool, bool]] = Counter()
    fields: Counter[tuple[str, bool]] = Counter()
    confused: Counter[tuple[str, str, str]] = Counter()
    misses: list[str] = []
    for case in track(cases, description="reading", console=Console(stderr=True)):
        _score(case, _answers(roster, gazetteer, case), verdicts, fields, confused, misses)
    _print_scores(verdicts, fields, confused, misses, show)


def _cases(files: list[Path]) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = []
    for path in files:
        number = 0
        try:
            for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):  # noqa: B007
                if line.strip():
                    case = json.loads(line)
                    if not isinstance(case, dict) or not isinstance(case.get("expect"), dict):
                        raise ValueError("a case is an object with an object `expect`")
                    cases.append(case)
        except (OSError, ValueError) as error:
            typer.echo(f"{path}:{number}: {error}", err=True)
            raise typer.Exit(2) from None
    return cases


def _answers(roster: Roster, gazetteer: Gazetteer, case: dict[str, Any]) -> list[dict[str, Any]]:
    """What would be made of a case's message, in the words of the case files."""
    if case.get("sender") == BOT_NAME:
        return []  # its own messages are never input
    view = _view(roster, gazetteer, case)
    before: list[MessageView] = []
    known: list[str] = []
    last: tuple[Complaint, ...] = ()
    for told in sorted(case.get("before", []), key=lambda told: -float(told.get("seconds", 0))):
        seconds = float(told.get("seconds", 0))
        if view.text and told.get("text") == view.text and seconds <= SAME_TEXT_SECONDS:
            return []
        earlier = _view(roster, gazetteer, {"room": case.get("room", ""), **told})
        mine = told.get("sender") == case.get("sender") and seconds <= GATHER_SECONDS
        reading = complaints.read(earlier, gazetteer)
        if reading.complaints:
            known.append(earlier.text)
            last = reading.complaints if mine else last
        elif mine:
            before.append(earlier)
    reading = complaints.read(view, gazetteer, before, known)
    added_to = last[-1:] if reading.supplement and view.type is MessageType.TEXT else ()
    said = [number for number in find_numbers(fold(view.text)) if added_to and number.kind == "phone"]
    found = []
    for complaint in reading.complaints or added_to:
        in_unit_room = view.room_kind in (UnitKind.TOWN, UnitKind.AGENCY)
        unit = view.room_unit if in_unit_room else routing.route(complaint, gazetteer, None).unit
        found.append(
            {
                "unit": unit,
                "category": complaint.category,
                "urgency": complaint.urgency.value,
                "township": complaint.township,
                "village": complaint.village,
                "phone": bool(complaint.phones or said),
                "order_no": complaint.order_no,
                "source": complaint.source.value,
                "ask": unit is None,
            }
        )
    return found


def _score(
    case: dict[str, Any],
    found: list[dict[str, Any]],
    verdicts: Counter[tuple[bool, bool]],
    fields: Counter[tuple[str, bool]],
    confused: Counter[tuple[str, str, str]],
    misses: list[str],
) -> None:
    want = case["expect"]
    wanted = int(want.get("tickets", 0))
    verdicts[wanted > 0, len(found) > 0] += 1
    fields["tickets", wanted == len(found)] += 1
    if wanted != len(found):
        misses.append(f"{case.get('id', '')} tickets: want {wanted}, got {len(found)}: {case.get('text', '')[:60]!r}")
    if not wanted or not found:
        return
    for name in (*FIELDS, "ask"):
        if name not in want:
            continue
        got, allowed = found[0][name], want[name] if isinstance(want[name], list) else [want[name]]
        fields[name, got in allowed] += 1
        if got not in allowed:
            confused[name, str(allowed[0]), str(got)] += 1
            misses.append(f"{case.get('id', '')} {name}: want {want[name]}, got {got}: {case.get('text', '')[:60]!r}")


def _print_scores(
    verdicts: Counter[tuple[bool, bool]],
    fields: Counter[tuple[str, bool]],
    confused: Counter[tuple[str, str, str]],
    misses: list[str],
    show: int,
) -> None:
    for miss in misses[:show]:
        typer.echo(miss)
    hit, missed, false = verdicts[True, True], verdicts[True, False], verdicts[False, True]
    precision = hit / (hit + false) if hit + false else 0.0
    recall = hit / (hit + missed) if hit + missed else 0.0
    f1 = 2 * hit / (2 * hit + false + missed) if hit else 0.0
    counted, cases = fields["tickets", True], verdicts.total()
    typer.echo(f"                read as complaint   as nothing\ncomplaint       {hit:>17}   {missed:>10}")
    typer.echo(f"no complaint    {false:>17}   {verdicts[False, False]:>10}")
    typer.echo(
        f"precision {precision:.4f}  recall {recall:.4f}  f1 {f1:.4f}  ticket count {counted / max(1, cases):.4f}"
    )
    for name in (*FIELDS, "ask"):
        total = fields[name, True] + fields[name, False]
        if total:
            typer.echo(f"{name:<10}{fields[name, True] / total:.4f}  ({total})")
    for (name, want, got), count in confused.most_common(10):
        typer.echo(f"  {name}: {want} read as {got}, {count} times")
