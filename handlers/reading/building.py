"""From a text that is a complaint to its fields."""

from __future__ import annotations

from dataclasses import dataclass, field

from handlers.reading.categories import categorise
from handlers.reading.evidence import Observed, observe
from handlers.reading.index import ReadingIndex
from handlers.reading.orders import Order, loose_number
from handlers.reading.people import Found, find_names, find_numbers
from handlers.reading.places import Finder, PlaceFound, address_tail
from handlers.reading.sources import source_of
from handlers.reading.text import READ_LIMIT, fold
from handlers.reading.units import units_addressed, units_in_field, units_mentioned
from handlers.reading.urgency import judge_urgency
from handlers.reading.views import Complaint, MessageView, Span
from storage.enums import MessageType, Source, UnitKind

_UNKNOWN_PLACE = ("不详", "未知", "无", "其他", "未提供")


@dataclass(slots=True)
class Part:
    """The piece of a message that tells one complaint."""

    view: MessageView
    text: str  # as written
    seen: Observed
    span: Span = (0, 0)
    context: str = ""  # preamble of a list, or earlier fragments: its place and units hold here too
    order: Order | None = None
    spans: list[tuple[str, Span]] = field(default_factory=list)  # filled by `build`


def own_town(view: MessageView) -> str | None:
    return view.room_unit if view.room_kind is UnitKind.TOWN else None


def build(part: Part, index: ReadingIndex) -> Complaint:
    """Return the complaint with every field that its text decides; notes the spans in `part.spans`."""
    folded = fold(part.text[:READ_LIMIT])
    context = fold(part.context[:READ_LIMIT])
    finder = Finder(index.places, folded, own_town(part.view))
    place = _place(part, index, finder, context)
    number, source = _number_and_source(part, folded)
    urgency = judge_urgency(part.seen.folded, part.seen.words, media_link=_is_media_link(part, source))
    category, runner_up, _ = categorise(part.seen.grams, part.seen.words, index, part.view.room_unit)
    numbers, names = find_numbers(folded), find_names(folded)
    phones = _phones(part, numbers) or _phones_in(find_numbers(context))
    people = tuple(dict.fromkeys(f.value for f in names))
    offset = part.span[0]
    part.spans += [(f.kind, (f.span[0] + offset, f.span[1] + offset)) for f in (*numbers, *names)]
    if place.span and place.place:
        part.spans.append(("place", (place.span[0] + offset, place.span[1] + offset)))
    part.spans += [("urgency", (a + offset, b + offset)) for a, b in urgency.spans]
    return Complaint(
        text=part.text.strip(),
        order_no=number,
        source=source,
        category=category,
        runner_up=runner_up,
        urgency=urgency.urgency,
        urgency_words=urgency.words,
        place=place.place,
        village=place.village,
        township=place.township,
        place_options=place.options,
        phones=phones,
        people=people,
        units_named=_units(part, index, finder, context),
        accuses_official=urgency.accuses_official,
        time_limit=part.order.value("limit") if part.order else None,
    )


def observe_order(view: MessageView, order: Order, index: ReadingIndex, folded: str) -> Observed:
    """Observe what an order tells: its title, classification and content, without the other fields."""
    pieces = [order.value(name) for name in ("title", "content")]
    classes = " ".join(f.value for f in order.fields if f.name == "class" and f.value)
    text = " ".join(piece for piece in pieces if piece) or folded[order.span[0] : order.span[1]]
    return observe(view, index, text=f"{classes} {text}".strip())


def _number_and_source(part: Part, folded: str) -> tuple[str | None, Source]:
    if part.order is not None:
        return part.order.number, Source.HOTLINE
    loose = loose_number(folded)
    if loose is not None:
        part.spans.append(("order_no", loose[1]))
    link = part.view.type is MessageType.URL
    return loose[0] if loose else None, source_of(folded, order=loose is not None, link=link)


def _is_media_link(part: Part, source: Source) -> bool:
    return source is Source.MEDIA and part.view.type is MessageType.URL


# ---- place ------------------------------------------------------------------------------------------------------------


def _place(part: Part, index: ReadingIndex, finder: Finder, context: str) -> PlaceFound:
    if part.order is not None:
        return _place_of_order(part.order, index, finder)

    found = finder.find()
    if (found.village or found.township or found.options) and not (context and found.options):
        if found.village or found.options or not context:
            return found
    if context:
        around = Finder(index.places, context, finder.own).find()
        if found.options and around.town_named:
            again = finder.find(town_hint=around.town_named)
            return again if not again.options else found
        if found.township and around.township not in (None, found.township):
            return found
        if around.village or around.township or around.options:
            around.place, around.span = _joined(around.place, found.place), None
            return around
    return found


def _joined(first: str | None, second: str | None) -> str | None:
    return f"{first}{second}" if first and second and second not in first else first or second


def _place_of_order(order: Order, index: ReadingIndex, finder: Finder) -> PlaceFound:
    """Fields first: town, then village within it; then the content, then the address field."""
    own, town = finder.own, None
    town_value = order.value("town")
    if town_value and not town_value.startswith(_UNKNOWN_PLACE):
        town = Finder(index.places, town_value).find().township
    best = PlaceFound(township=town, place=None)
    for name in ("village", "point", "content", "title"):
        value = order.first(name)
        if value is None or value.value.startswith(_UNKNOWN_PLACE):
            continue
        text = value.value
        if name == "village" and not text.endswith(("村", "社区")):
            text += "村"
        found = Finder(index.places, text, own).find(town_hint=town)
        if found.span:
            found.span = (found.span[0] + value.span[0], found.span[1] + value.span[0])
        if found.village or found.options:
            if found.options and town is None and (named := _units_town(order, index)):
                narrowed = Finder(index.places, text, own).find(town_hint=named)
                return narrowed if not narrowed.options else found
            found.place = _fuller(found.place, order)
            return found
        if best.township is None and found.township:
            best = found
        elif best.place is None:
            best.place = found.place
    if best.township is None and order.first("content") is None:
        return Finder(index.places, finder.folded[order.span[0] : order.span[1]], own).find()
    return best


def _units_town(order: Order, index: ReadingIndex) -> str | None:
    units = units_in_field(order.value("unit") or "", index)
    return units[0] if units and index.kinds.get(units[0]) is UnitKind.TOWN else None


def _fuller(place: str | None, order: Order) -> str | None:
    """Prefer the content's address where it goes on from the same name: 金台园社区 -> 金台园社区9号楼2单元."""
    content = order.value("content") or ""
    if place and (at := content.find(place)) >= 0:
        return place + address_tail(content, at + len(place))
    return place


# ---- phones and units -------------------------------------------------------------------------------------------------


def _phones_in(numbers: list[Found]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f.value for f in numbers if f.kind == "phone"))


def _phones(part: Part, numbers: list[Found]) -> tuple[str, ...]:
    """Return the phones, the one of the phone field first."""
    phones = _phones_in(numbers)
    if part.order is not None:
        field_phones = [p for f in part.order.fields if f.name == "phone" for p in _phones_in(find_numbers(f.value))]
        return tuple(dict.fromkeys([*field_phones, *phones]))
    return phones


def _units(part: Part, index: ReadingIndex, finder: Finder, context: str) -> tuple[str, ...]:
    named: list[str] = []
    if part.order is not None:
        for name in ("unit", "subunit"):
            for found in part.order.fields:
                if found.name == name:
                    named += units_in_field(found.value, index)
    else:
        named += units_mentioned(part.view.mentions, index)
        addressed = units_addressed(finder.folded, finder.hits, index)
        named += addressed
        part.spans += [("unit", (a + part.span[0], b + part.span[0])) for a, b in addressed.values()]
        if context:
            named += units_addressed(context, Finder(index.places, context).hits, index)
    return tuple(dict.fromkeys(named))
