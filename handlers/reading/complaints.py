"""Read a message as a complaint: none, one, or several; or an addition to one just told.

The order of reading: what can never be one (a file, a tip) → pasted orders → numbered lists → the verdict on the whole
text → the verdict together with the sender's fragments just before it. Pure: no clock, no database, never raises.

A free text whose verdict was near is *doubtful*: a second opinion, where one is given, decides whether it is a complaint,
and nothing else of it. An order, a list, a text with words of urgency and one that its fragments complete is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from handlers.reading.building import Part, build, observe_order
from handlers.reading.evidence import Observed, observe
from handlers.reading.fragments import is_placeholder, is_supplement, says_it_adds, usable_before
from handlers.reading.index import ReadingIndex, reading_index
from handlers.reading.judging import MEDIA_TYPES, ORDER_BASE, SILENT_TYPES, Judged, forbidden, judge, score_of
from handlers.reading.lists import Items, split_items
from handlers.reading.orders import Order, find_orders
from handlers.reading.people import find_numbers
from handlers.reading.text import READ_LIMIT, fold
from handlers.reading.views import Complaint, Evidence, Gazetteer, MessageView, Reading, Span
from storage.enums import MessageType, Opinion, Urgency

JOINED_MARGIN = 0.5  # log-odds that a text must reach when it needs its fragments to be a complaint
ITEM_LEAST = -2.0  # an item of a list that is a complaint as a whole may be terse
ITEM_ALONE = 0.3  # an item must reach this where the list as a whole is doubtful
UNANCHORED = 0.6  # log-odds for a text that names nothing to go to
TOLD_OF_A_PLACE = -0.5  # log-odds for "…村村民反映…"
THREATENED = -2.0  # log-odds for words of suicide or violence: one missed weighs more than ten heard in vain
DOUBT = 1.5  # log-odds around the needed ones within which a verdict is doubtful (docs/reading.md: what that catches)
TOLD = frozenset({"told", "told_problem", "w:caller"})
PLACED = frozenset({"village", "place_and_problem", "place_alone", "town"})
REPORTING = frozenset(
    {"w:done", "w:followup", "w:notice", "w:materials", "w:meeting", "w:statistics", "w:study", "w:praise", "headed"}
)
ANCHORS = TOLD | PLACED | frozenset(
    {"phone", "order_fields", "from:dispatcher", "room:dispatch", "room:agency", "room:supervision", "u:danger",
     "u:outage", "u:group", "w:media", "titled", "type:chat_history", "type:url"}
)  # fmt: skip
_LESSONS = frozenset({"article", "piece", "laughs", "w:not_real", "own_life"})
_OFFICIAL_LIST = ("w:meeting", "w:materials", "w:statistics", "w:study", "headed")


def read(
    view: MessageView,
    gazetteer: Gazetteer,
    before: Sequence[MessageView] = (),
    known: Sequence[str] = (),
    opinion: Opinion | None = None,
) -> Reading:
    """Return what a message says as a complaint.

    `before` are the sender's messages of the last two minutes in this room that became nothing, oldest first; `known` the
    texts of tickets lately opened in the room, newest last; `opinion` is heard where the message is doubtful.
    """
    if view.type in SILENT_TYPES or (view.type in MEDIA_TYPES and is_placeholder(view.text)):
        return Reading(supplement=view.type in MEDIA_TYPES or view.type is MessageType.LOCATION, score=-9.0)
    if not view.text.strip():
        return Reading(score=-9.0)

    index = reading_index(gazetteer)
    folded = fold(view.text[:READ_LIMIT])
    orders = find_orders(folded)
    if orders and (reading := _read_orders(view, index, folded, orders, before)) is not None:
        return reading
    return _read_free(view, index, folded, before, known, opinion)


# ---- orders -----------------------------------------------------------------------------------------------------------


def _read_orders(
    view: MessageView, index: ReadingIndex, folded: str, orders: list[Order], before: Sequence[MessageView]
) -> Reading | None:
    """Return the orders as complaints, those that only praise left out; None if this is but an exercise."""
    head = folded[: orders[0].fields[0].span[0]]
    if forbidden(head or "单") in ("not_real", "jielong"):
        return None

    complaints: list[Complaint] = []
    spans: list[tuple[str, Span]] = []
    evidence: list[Evidence] = []
    for order in orders:
        evidence.append(Evidence("order_fields", ORDER_BASE + 0.5 * order.strong_fields, order.span))
        spans += [(f.name, f.span) for f in order.fields if f.value]
        if order.only_praises():
            evidence.append(Evidence("only_praise", -9.0))
            continue
        whole = len(orders) == 1
        text = view.text if whole else view.text[order.span[0] : order.span[1]].strip(" \n\t-—=【")
        seen = observe_order(view, order, index, folded)
        part = Part(view, text, seen, (0, 0), order=order)
        complaints.append(build(part, index))
        spans += [span for span in part.spans if whole and span[0] in ("phone", "identity", "plate", "name")]
    score = sum(item.weight for item in evidence)
    used = usable_before(before)[0] if complaints else []
    return Reading(
        tuple(complaints),
        used_before=tuple(used),
        score=score if complaints else min(score, -1.0),
        evidence=tuple(evidence),
        spans=tuple(spans),
    )


# ---- free text --------------------------------------------------------------------------------------------------------


def _read_free(
    view: MessageView,
    index: ReadingIndex,
    folded: str,
    before: Sequence[MessageView],
    known: Sequence[str],
    opinion: Opinion | None,
) -> Reading:
    seen = observe(view, index, known=known)
    score = score_of(seen)
    margin = score - needed(seen)
    doubt = margin if abs(margin) <= DOUBT else None
    used, texts = usable_before(before)
    items = split_items(folded)
    if items is not None and (parts := _list_parts(view, index, items, seen, score)):
        return _reading(parts, index, judge(seen), used)

    def complaint() -> Reading:
        context = "\n".join(texts)
        text = f"{context}\n{view.text}" if context else view.text
        adds = says_it_adds(seen) and not seen.features.keys() & PLACED
        read = _reading([Part(view, view.text, seen, context=context)], index, judge(seen), used, text=text)
        return replace(read, supplement=adds)

    def nothing() -> Reading:
        has_phone = any(found.kind == "phone" for found in find_numbers(seen.folded))
        return Reading(supplement=is_supplement(view, seen, has_phone), score=score, margin=doubt)

    if margin >= 0:
        reading = complaint()
        if doubt is None or any(each.urgency is not Urgency.NORMAL for each in reading.complaints):
            return reading
        return replace(nothing(), moved=opinion) if opinion is Opinion.NOT else replace(reading, margin=margin)
    if texts and (joined := _read_joined(view, index, texts, used, known)) is not None:
        return joined
    if doubt is not None and opinion is Opinion.COMPLAINT:
        return replace(complaint(), margin=margin, moved=opinion)
    return nothing()


def needed(seen: Observed) -> float:
    """Return the log-odds that a free text must reach: few for a threat, unless a report, a lesson or a joke holds it.

    What names no place, caller, danger or phone is talk more often than a complaint. What tells a caller's words about
    a place is a complaint more often than its other words say, unless they are those of reports and notices.
    """
    names = seen.features.keys()
    if "u:threat" in names and not names & (REPORTING | _LESSONS):
        return THREATENED
    if names & TOLD and names & PLACED and not names & REPORTING:
        return TOLD_OF_A_PLACE
    return 0.0 if names & ANCHORS else UNANCHORED


def _read_joined(
    view: MessageView, index: ReadingIndex, texts: list[str], used: list[int], known: Sequence[str]
) -> Reading | None:
    """Judge the text with the fragments before it; it must add something of its own."""
    text = "\n".join([*texts, view.text])
    seen = observe(view, index, text=" ".join([*texts, view.text]), known=known)
    judged = judge(seen)
    if judged.score < JOINED_MARGIN or not seen.words.of("evidence", "problem"):
        return None
    return _reading([Part(view, text, seen)], index, judged, used)


def _list_parts(view: MessageView, index: ReadingIndex, items: Items, whole: Observed, score: float) -> list[Part]:
    """Return a part for each item that is a complaint; empty if the list is no list of complaints."""
    if forbidden(whole.folded) is not None:
        return []
    seen = [observe(view, index, text=text) for text, _ in items.items]
    scores = [score_of(one) for one in seen]
    official = any(name in whole.features for name in _OFFICIAL_LIST)
    sound = [s >= ITEM_ALONE for s in scores]
    if score < 0 and (official or sum(sound) < max(2, len(scores) - 1)):
        return []
    least = ITEM_LEAST if score >= 0 and not official else 0.0
    parts = []
    for one, item_score, (_, span) in zip(seen, scores, items.items, strict=True):
        if item_score >= least and len(view.text[span[0] : span[1]].strip()) >= 4:
            parts.append(Part(view, view.text[span[0] : span[1]], one, span, context=items.preamble))
    return parts if len(parts) >= 2 else []


def _reading(
    parts: list[Part], index: ReadingIndex, judged: Judged, used: list[int], *, text: str | None = None
) -> Reading:
    complaints = []
    for part in parts:
        complaint = build(part, index)
        if text is not None:
            complaint = replace(complaint, text=text.strip())
        complaints.append(complaint)
    return Reading(
        tuple(complaints),
        used_before=tuple(used),
        score=max(judged.score, 0.0),
        evidence=judged.evidence,
        spans=tuple(span for part in parts for span in part.spans),
    )
