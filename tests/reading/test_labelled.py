"""How the reader fares on messages that taught it nothing: the files of `data/`, labelled by hand by the district's rules.

The readers are not right about every line, so shares are asked for, not lines; a failure names the lines.
"""

from __future__ import annotations

from collections import Counter

from handlers.reading.routing import route
from handlers.reading.views import Complaint, MessageView
from storage.enums import UnitKind
from tests.reading.labelled import Message, messages
from tests.reading.sample import gazetteer, reading

NAMES = {"c": "category", "u": "urgency", "t": "township", "v": "village", "p": "phone", "o": "order_no", "s": "source"}
LEAST = {"c": 0.90, "u": 0.92, "t": 0.98, "v": 0.95, "p": 0.99, "o": 0.99, "s": 0.95, "unit": 0.97, "ask": 0.95}


def fields(complaint: Complaint, view: MessageView) -> dict[str, str]:
    routed = view.room_kind in (UnitKind.DISPATCH, UnitKind.SUPERVISION)
    unit = route(complaint, gazetteer()).unit if routed else view.room_unit
    return {
        "c": complaint.category,
        "u": complaint.urgency.value,
        "t": complaint.township or "",
        "v": complaint.village or "",
        "p": "1" if complaint.phones else "0",
        "o": complaint.order_no or "",
        "s": complaint.source.value,
        "unit": unit or "",
        "ask": "no" if unit else "",
    }


def wrong_counts(labelled: list[Message]) -> list[str]:
    """Return the texts of which another number of complaints is read than is told."""
    return [m.view.text for m in labelled if len(reading(m.view).complaints) != m.count]


def test_nearly_all_complaints_are_heard_and_counted() -> None:
    labelled = messages("complaints.txt")
    wrong = wrong_counts(labelled)
    assert len(wrong) <= 0.05 * len(labelled), "\n".join(wrong)


def test_hardly_anything_else_is_taken_for_a_complaint() -> None:
    labelled = messages("talk.txt")
    wrong = wrong_counts(labelled)
    assert len(wrong) <= 0.05 * len(labelled), "\n".join(wrong)


def test_what_a_complaint_says_is_found() -> None:
    told, right = Counter[str](), Counter[str]()
    wrong: list[str] = []
    for message in messages("complaints.txt"):
        complaints = reading(message.view).complaints
        if not complaints or not message.count:
            continue
        got = fields(complaints[0], message.view)
        for name, wanted in message.wanted.items():
            told[name] += 1
            right[name] += got[name] in wanted
            if got[name] not in wanted:
                wrong.append(f"{NAMES.get(name, name)} {wanted} {got[name]} {message.view.text}")
    shares = {name: right[name] / count for name, count in told.items()}
    assert {name: share for name, share in shares.items() if share < LEAST[name]} == {}, "\n".join(wrong)
