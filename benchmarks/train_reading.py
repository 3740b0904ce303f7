"""Train the reader's numbers: `python -m benchmarks.train_reading [--data DIR] [--no-write]`.

Reads the district's files, the labelled cases, the own examples (`benchmarks/data/reading_examples.txt`) and the corpus;
prints five-fold figures over the cases (every fold is judged by a model that never saw it) for the model, for the
features alone (the rules), and for the n-grams alone; then trains on everything and writes
`handlers/reading/data/model.json`. Only numbers of n-grams that occur in several texts are kept, never a text.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression

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
from benchmarks.score_reading import answer, reader_of, score_answers
from handlers.reading import model
from handlers.reading.categories import led_by, topic_features
from handlers.reading.evidence import observe
from handlers.reading.index import ReadingIndex, reading_index
from handlers.reading.model import ngrams
from handlers.reading.orders import find_orders

OUT = Path(__file__).resolve().parents[1] / "handlers" / "reading" / "data" / "model.json"

OWN_WEIGHT = 0.7
CORPUS_COMPLAINT_WEIGHT = 0.03
CORPUS_CHATTER_WEIGHT = 0.03
CORPUS_LINES = slice(0, None, 3)  # every third line; the rest measures
VERDICT_SCALE = 3.0
VERDICT_C = 0.35
TOPIC_SCALE = 4.0
TOPIC_C = 0.5
MIN_TEXTS = 3  # an n-gram must occur in so many texts
FOLDS = 5


@dataclass
class Row:
    """One text as numbers."""

    item: Labelled
    features: dict[str, float]
    topic_features: dict[str, float]
    grams: set[str]


def rows_of(items: Sequence[Labelled], index: ReadingIndex) -> list[Row]:
    rows = []
    for item in items:
        orders = find_orders(item.view.text)
        text = (orders[0].value("content") or item.view.text) if orders else None
        seen = observe(item.view, index, known=item.known)
        topic_seen = observe(item.view, index, text=text) if text else seen
        topics = topic_features(topic_seen.words, led_by(index, item.view.room_unit))
        rows.append(Row(item, seen.features, topics, ngrams(topic_seen.plain if orders else seen.plain)))
    return rows


def vocabulary(rows: Sequence[Row], least: int) -> dict[str, int]:
    counts = Counter(gram for row in rows for gram in row.grams)
    return {gram: i for i, gram in enumerate(sorted(g for g, n in counts.items() if n >= least))}


def matrix(
    rows: Sequence[Row], names: dict[str, int], grams: dict[str, int], scale: float, which: str
) -> csr_matrix:
    """Return features and n-grams side by side; each row's n-grams share a length of `scale`."""

    def build(cells: list[list[tuple[int, float]]], width: int) -> csr_matrix:
        indptr = np.cumsum([0, *(len(row) for row in cells)])
        indices = [position for row in cells for position, _ in row]
        return csr_matrix(([v for row in cells for _, v in row], indices, indptr), shape=(len(cells), width))

    left = build(
        [[(names[n], v) for n, v in getattr(row, which).items() if n in names] for row in rows], max(1, len(names))
    )
    right = build(
        [[(grams[g], scale / sqrt(len(row.grams))) for g in row.grams if g in grams] for row in rows], max(1, len(grams))
    )
    return hstack([left, right]).tocsr()


def feature_names(rows: Sequence[Row], which: str) -> dict[str, int]:
    names = sorted({name for row in rows for name in getattr(row, which)})
    return {name: i for i, name in enumerate(names)}


@dataclass
class Fitted:
    model: LogisticRegression
    names: dict[str, int]
    grams: dict[str, int]
    scale: float
    which: str

    def decide(self, rows: Sequence[Row]) -> np.ndarray:
        return self.model.decision_function(matrix(rows, self.names, self.grams, self.scale, self.which))


def fit_verdict(rows: Sequence[Row], *, use_grams: bool = True, use_features: bool = True) -> Fitted:
    names = feature_names(rows, "features") if use_features else {}
    grams = vocabulary(rows, MIN_TEXTS) if use_grams else {}
    x = matrix(rows, names, grams, VERDICT_SCALE, "features")
    fitted = LogisticRegression(C=VERDICT_C, max_iter=300)
    fitted.fit(x, [row.item.complaint for row in rows], sample_weight=[row.item.weight for row in rows])
    return Fitted(fitted, names, grams, VERDICT_SCALE, "features")


def topic_rows(rows: Sequence[Row]) -> tuple[list[Row], list[str], list[float]]:
    """A text with several right categories teaches the first one most."""
    out, labels, weights = [], [], []
    for row in rows:
        for rank, category in enumerate(row.item.categories):
            out.append(row)
            labels.append(category)
            weights.append(row.item.weight * (1.0 if rank == 0 else 0.25))
    return out, labels, weights


def fit_topics(rows: Sequence[Row], *, use_grams: bool = True, use_features: bool = True) -> Fitted:
    used, labels, weights = topic_rows(rows)
    names = feature_names(used, "topic_features") if use_features else {}
    grams = vocabulary(used, 2) if use_grams else {}
    x = matrix(used, names, grams, TOPIC_SCALE, "topic_features")
    fitted = LogisticRegression(C=TOPIC_C, max_iter=300)
    fitted.fit(x, labels, sample_weight=weights)
    return Fitted(fitted, names, grams, TOPIC_SCALE, "topic_features")


# ---- figures ----------------------------------------------------------------------------------------------------------


def f1(truth: Sequence[bool], guess: Sequence[bool]) -> float:
    hit = sum(t and g for t, g in zip(truth, guess, strict=True))
    wrong = sum(t != g for t, g in zip(truth, guess, strict=True))
    return 2 * hit / (2 * hit + wrong) if hit else 0.0


def folds(count: int) -> list[list[int]]:
    order = list(np.random.RandomState(5).permutation(count))
    return [sorted(order[i::FOLDS]) for i in range(FOLDS)]


def cross_validate(cases: list[Row], others: list[Row], show: int) -> dict[str, float]:
    """Return five-fold figures of verdict and category over the cases."""
    scores = {name: np.zeros(len(cases)) for name in ("model", "features alone", "n-grams alone")}
    right: dict[str, list[bool]] = {name: [] for name in scores}
    misses = []
    for test in folds(len(cases)):
        train = [cases[i] for i in range(len(cases)) if i not in set(test)] + others
        held = [cases[i] for i in test]
        for name, options in _VARIANTS.items():
            scores[name][test] = fit_verdict(train, **options).decide(held)
            topics = fit_topics([row for row in train if row.item.categories], **options)
            asked = [row for row in held if row.item.categories]
            guesses = topics.model.predict(matrix(asked, topics.names, topics.grams, TOPIC_SCALE, "topic_features"))
            for row, guess in zip(asked, guesses, strict=True):
                right[name].append(guess in row.item.categories)
                if name == "model" and guess not in row.item.categories:
                    misses.append(f"  topic {row.item.id} {guess} want {row.item.categories} {row.item.view.text[:46]!r}")
    truth = [row.item.complaint for row in cases]
    figures = {}
    for name in scores:
        figures[f"verdict F1, {name}"] = round(f1(truth, list(scores[name] >= 0)), 4)
        figures[f"category, {name}"] = round(float(np.mean(right[name])), 4)
    for row, score in zip(cases, scores["model"], strict=True):
        if (score >= 0) != row.item.complaint:
            misses.append(f"  verdict {row.item.id} {score:+.2f} want {row.item.complaint} {row.item.view.text[:60]!r}")
    for line in misses[:show]:
        print(line)
    return figures


_VARIANTS: dict[str, dict[str, bool]] = {
    "model": {},
    "features alone": {"use_grams": False},
    "n-grams alone": {"use_features": False},
}


def cross_validate_whole(
    district: District, raw: list[dict[str, Any]], cases: list[Row], others: list[Row], show: int
) -> dict[str, Any]:
    """Return the figures of the whole reader over held-out folds, counted as run_cases.py counts."""
    by_id = {case["id"]: case for case in raw}
    answers: dict[str, list[dict[str, Any]]] = {}
    for test in folds(len(cases)):
        held = {cases[i].item.id for i in test}
        train = [row for row in cases if row.item.id not in held] + others
        numbers = model.parse(export(fit_verdict(train), fit_topics([row for row in train if row.item.categories])))
        with patch.object(model, "load", lambda numbers=numbers: numbers):
            for case_id in held:
                answers[case_id] = answer(district, by_id[case_id], reader_of(district))
    told = [case for case in raw if case["id"] in answers]
    figures, wrong = score_answers(told, answers)
    for line in wrong[:show]:
        print("  held out", line)
    return figures


# ---- the shipped file -------------------------------------------------------------------------------------------------


def hundredths(value: float) -> int:
    return int(round(value * 100))


def export(verdict: Fitted, topics: Fitted) -> dict[str, Any]:
    """Return the numbers as hundredths, without the negligible ones."""
    weights = verdict.model.coef_[0]
    shift = len(verdict.names) or 1
    v = {
        "bias": hundredths(verdict.model.intercept_[0]),
        "scale": verdict.scale,
        "features": {n: w for n, i in verdict.names.items() if (w := hundredths(weights[i]))},
        "grams": {g: w for g, i in verdict.grams.items() if abs(w := hundredths(weights[shift + i])) >= 3},
    }
    table, shift = topics.model.coef_, len(topics.names) or 1

    def flat(column: int, least: int) -> list[int]:
        cells = [(k, hundredths(table[k, column])) for k in range(len(table))]
        return [part for k, w in cells if abs(w) >= least for part in (k, w)]

    t = {
        "classes": [str(name) for name in topics.model.classes_],
        "bias": [hundredths(b) for b in topics.model.intercept_],
        "scale": topics.scale,
        "features": {n: f for n, i in topics.names.items() if (f := flat(i, 1))},
        "grams": {g: f for g, i in topics.grams.items() if (f := flat(shift + i, 4))},
    }
    return {"verdict": v, "topics": t}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED, help="folder with huairou/, cases/ and corpus/")
    parser.add_argument("--no-write", action="store_true", help="only print the figures")
    parser.add_argument("--show", type=int, default=0, help="how many held-out misses to print")
    options = parser.parse_args()

    district = load_district(options.data / "huairou")
    index = reading_index(district.gazetteer)
    raw = load_cases(options.data / "cases")
    cases = rows_of(labelled_cases(district, raw), index)
    own = rows_of(own_examples(district, weight=OWN_WEIGHT), index)
    lines = corpus(
        district,
        options.data / "corpus",
        keep=CORPUS_LINES,
        complaint_weight=CORPUS_COMPLAINT_WEIGHT,
        chatter_weight=CORPUS_CHATTER_WEIGHT,
    )
    others = own + rows_of(lines, index)
    print(f"{len(cases)} cases, {len(own)} own examples, {len(lines)} corpus lines")
    for name, value in cross_validate(cases, others, options.show).items():
        print(f"{name}: {value}")
    whole = cross_validate_whole(district, raw, cases, others, options.show)
    print("whole reader, held out:", json.dumps(whole, ensure_ascii=False))
    if options.no_write:
        return

    everything = cases + others
    numbers = export(fit_verdict(everything), fit_topics([row for row in everything if row.item.categories]))
    OUT.write_text(json.dumps(numbers, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{OUT.name}: {OUT.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
