"""`explain` and `evaluate`: why a message is read as it is, and how well labelled ones are read."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from bot.clock import SystemClock
from bot.importers.people import load
from bot.importers.roster import Roster, RosterError
from bot.settings import SettingsError, load_settings
from handlers.context import BOT_NAME, NO_LEAD
from handlers.doubting import hidden
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
from storage.enums import MessageType, Opinion, UnitKind

if TYPE_CHECKING:
    from bot.language_model import Answer, LanguageModel

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
    llm: Annotated[bool, typer.Option(help="Ask the model of LLM_BASE_URL too, if the message is doubtful.")] = False,
) -> None:
    """Say why a message is a complaint or not: the verdict, the evidence with weights, every field with its span."""
    model = _model() if llm else None
    roster = _roster(units)
    gazetteer = gazetteer_of(roster)
    view = _view(roster, gazetteer, {"text": text, "room": room, "sender": sender})
    for line in explain_reading(view, gazetteer):
        weight = f"{line.weight:+.2f}" if line.weight is not None else ""
        span = f"[{line.span[0]}:{line.span[1]}]" if line.span else ""
        typer.echo(f"{line.kind:<9}{weight:>7} {span:>9} {line.name} {line.value}".rstrip())
    if model is not None and complaints.read(view, gazetteer).doubtful:
        answer = _ask(model, {0: _hidden(roster, text)}, gazetteer)[0]
        typer.echo(f"opinion   {answer.opinion.value} {answer.category or ''} {answer.milliseconds} ms {answer.reason}")


def evaluate(
    files: Annotated[list[Path], typer.Argument(help="Labelled messages, JSON Lines as in spec/cases.md (intake).")],
    units: Units = SAMPLE,
    show: Annotated[int, typer.Option(help="How many misses to print.")] = 20,
    llm: Annotated[
        bool, typer.Option(help="Score also with the model of LLM_BASE_URL asked about doubtful ones.")
    ] = False,
) -> None:
    """Score labelled messages: precision, recall, each field, a table of confusions, and the misses."""
    model = _model() if llm else None
    roster = _roster(units)
    gazetteer = gazetteer_of(roster)
    cases = _cases(files)
    read = [
        _answers(roster, gazetteer, case) for case in track(cases, description="reading", console=Console(stderr=True))
    ]
    _report(cases, [found for found, _ in read], show)
    if model is None:
        return
    texts = {at: _hidden(roster, cases[at]["text"]) for at, (_, doubtful) in enumerate(read) if doubtful}
    said = _ask(model, texts, gazetteer)
    typer.echo(f"\nwith second opinions of {model.model}:")
    given = {at: answer.opinion for at, answer in said.items()}
    again = [
        _answers(roster, gazetteer, case, given[at])[0] if at in given else read[at][0] for at, case in enumerate(cases)
    ]
    _report(cases, again, show)
    _print_opinions(cases, said)


def _model() -> LanguageModel:
    from bot.language_model import LanguageModel

    try:
        settings = load_settings()
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if not settings.llm_base_url:
        typer.echo("LLM_BASE_URL is empty; set it to the address of a language model, see config.example.env", err=True)
        raise typer.Exit(2)
    key = settings.llm_api_key.get_secret_value()
    return LanguageModel(settings.llm_base_url, settings.llm_model, key, SystemClock())


def _hidden(roster: Roster, text: str) -> str:
    return hidden(text, {member.name for member in roster.members})


def _ask(model: LanguageModel, texts: dict[int, str], gazetteer: Gazetteer) -> dict[int, Answer]:
    from bot.language_model import ask_all

    return asyncio.run(ask_all(model, texts, [entry.name for entry in gazetteer.categories]))


def _print_opinions(cases: list[dict[str, Any]], said: dict[int, Answer]) -> None:
    """How often the model was asked, what it answered, and how often it was right where it had an opinion."""
    counts = Counter(answer.opinion for answer in said.values())
    shown = ", ".join(f"{opinion.value} {counts[opinion]}" for opinion in Opinion)
    typer.echo(f"asked     {len(said)} of {len(cases)}: {shown}")
    right, categories = Counter[bool](), Counter[bool]()
    for at, answer in said.items():
        want = cases[at]["expect"]
        if answer.opinion in (Opinion.COMPLAINT, Opinion.NOT):
            right[(answer.opinion is Opinion.COMPLAINT) == (int(want.get("tickets", 0)) > 0)] += 1
        if answer.category and want.get("category"):
            categories[answer.category in want["category"]] += 1
    typer.echo(f"right     {right[True]} of {right.total()}; category {categories[True]} of {categories.total()}")
    if said:
        typer.echo(f"median    {sorted(answer.milliseconds for answer in said.values())[len(said) // 2]} ms")


def _report(cases: list[dict[str, Any]], answers: list[list[dict[str, Any]]], show: int) -> None:
    verdicts: Counter[tuple[bool, bool]] = Counter()
    fields: Counter[tuple[str, bool]] = Counter()
    confused: Counter[tuple[str, str, str]] = Counter()
    misses: list[str] = []
    for case, found in zip(cases, answers, strict=True):
        _score(case, found, verdicts, fields, confused, misses)
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


def _answers(
    roster: Roster, gazetteer: Gazetteer, case: dict[str, Any], opinion: Opinion | None = None
) -> tuple[list[dict[str, Any]], bool]:
    """What would be made of a case's message, in the words of the case files; and whether the rules are in doubt."""
    if case.get("sender") == BOT_NAME:
        return [], False  # its own messages are never input
    view = _view(roster, gazetteer, case)
    before: list[MessageView] = []
    known: list[str] = []
    last: tuple[Complaint, ...] = ()
    for told in sorted(case.get("before", []), key=lambda told: -float(told.get("seconds", 0))):
        seconds = float(told.get("seconds", 0))
        if view.text and told.get("text") == view.text and seconds <= SAME_TEXT_SECONDS:
            return [], False
        earlier = _view(roster, gazetteer, {"room": case.get("room", ""), **told})
        mine = told.get("sender") == case.get("sender") and seconds <= GATHER_SECONDS
        reading = complaints.read(earlier, gazetteer)
        if reading.complaints:
            known.append(earlier.text)
            last = reading.complaints if mine else last
        elif mine:
            before.append(earlier)
    reading = complaints.read(view, gazetteer, before, known, opinion)
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
    return found, reading.doubtful and not added_to


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
