"""What lies in the band of doubt: `python -m benchmarks.doubt [--data DIR] [--held FILE …]`.

For several widths: how many messages a language model would be asked about, and how many of the rules' misses are among
them. Over the labelled cases in five folds (each read by numbers that never saw it), over the corpus lines read as said in
a unit's room (two thirds of them taught the model), and over labelled messages of `--held` files (JSON Lines as for
`evaluate`), if any. Orders, and what is no text, are left out: they are never asked about.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from unittest.mock import patch

from benchmarks.fit_reading import export, fit_topics, fit_verdict, rows_of
from benchmarks.reading_data import (
    SHARED,
    District,
    Labelled,
    corpus,
    labelled_cases,
    load_cases,
    load_district,
    own_examples,
)
from benchmarks.train_reading import OWN_WEIGHT, VERDICT_LINES, folds
from handlers.reading import model
from handlers.reading.complaints import needed
from handlers.reading.evidence import observe
from handlers.reading.index import ReadingIndex, reading_index
from handlers.reading.judging import SILENT_TYPES, score_of
from handlers.reading.orders import find_orders
from handlers.reading.text import fold

WIDTHS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
Margins = list[tuple[float, bool]]  # log-odds above what was needed; whether it is a complaint


def margins(items: Iterable[Labelled], index: ReadingIndex) -> Margins:
    found = []
    for item in items:
        view = item.view
        if view.type in SILENT_TYPES or not view.text or find_orders(fold(view.text)):
            continue
        seen = observe(view, index, known=item.known)
        found.append((score_of(seen) - needed(seen), item.complaint))
    return found


def held_out(district: District, index: ReadingIndex, data: Path, others: list[Labelled]) -> Margins:
    """The cases, each read by numbers of the other folds."""
    cases = rows_of(labelled_cases(district, load_cases(data / "cases")), index)
    taught = rows_of(others, index)
    found: Margins = []
    for test in folds(len(cases)):
        train = [cases[i] for i in range(len(cases)) if i not in set(test)] + taught
        numbers = model.parse(export(fit_verdict(train), fit_topics([row for row in train if row.item.categories])))
        with patch.object(model, "load", lambda numbers=numbers: numbers):
            found += margins([cases[i].item for i in test], index)
    return found


def show(name: str, told: Sequence[tuple[float, bool]]) -> None:
    missed = [abs(margin) for margin, complaint in told if complaint and margin < 0]
    false = [abs(margin) for margin, complaint in told if not complaint and margin >= 0]
    print(f"{name}: {len(told)} texts, {len(missed)} missed, {len(false)} false alarms")
    for width in WIDTHS:
        asked = sum(abs(margin) <= width for margin, _ in told)
        print(
            f"  ±{width}: asked about {asked} ({asked / len(told):.2%}), "
            f"missed ones inside {sum(each <= width for each in missed)} of {len(missed)}, "
            f"false alarms inside {sum(each <= width for each in false)} of {len(false)}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED, help="folder with huairou/, cases/ and corpus/")
    parser.add_argument("--held", type=Path, nargs="*", default=[], help="labelled messages that taught nothing")
    options = parser.parse_args()
    district = load_district(options.data / "huairou")
    index = reading_index(district.gazetteer)
    lines = corpus(district, options.data / "corpus", keep=slice(None), complaint_weight=0.05, chatter_weight=0.3)
    taught = corpus(district, options.data / "corpus", keep=VERDICT_LINES, complaint_weight=0.05, chatter_weight=0.3)
    others = own_examples(district, weight=OWN_WEIGHT) + taught
    cases = held_out(district, index, options.data, others)
    show("labelled cases, five folds", cases)
    show("  of them no complaints", [each for each in cases if not each[1]])
    for origin in ("chatter", "title", "sentence"):
        show(f"corpus, {origin}", margins([line for line in lines if line.origin == origin], index))
    for path in options.held:
        told = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        show(path.name, margins(labelled_cases(district, told), index))


if __name__ == "__main__":
    main()
