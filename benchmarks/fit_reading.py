"""The linear models of the reader: texts as rows of numbers, the fits, and the numbers to ship.

Three models: *talk* (n-grams of the corpus: does it sound like a citizen's complaint or like talk?), *verdict* (features,
talk's word among them, and n-grams of group messages) and *topics* (the category).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression

from benchmarks.reading_data import Labelled
from handlers.reading.categories import led_by, topic_features
from handlers.reading.evidence import TALK_FEATURES, observe
from handlers.reading.index import ReadingIndex
from handlers.reading.model import ngrams
from handlers.reading.orders import find_orders

TALK_SCALE = 4.0
TALK_C = 1.0
TALK_MIN_TEXTS = 4
VERDICT_SCALE = 5.0
VERDICT_C = 0.5
TOPIC_SCALE = 4.0
TOPIC_C = 0.5
MIN_TEXTS = 3  # an n-gram must occur in so many texts


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


def matrix(rows: Sequence[Row], names: dict[str, int], grams: dict[str, int], scale: float, which: str) -> csr_matrix:
    """Return features and n-grams side by side; each row's n-grams share a length of `scale`."""

    def build(cells: list[list[tuple[int, float]]], width: int) -> csr_matrix:
        indptr = np.cumsum([0, *(len(row) for row in cells)])
        indices = [position for row in cells for position, _ in row]
        return csr_matrix(([v for row in cells for _, v in row], indices, indptr), shape=(len(cells), width))

    left = build(
        [[(names[n], v) for n, v in getattr(row, which).items() if n in names] for row in rows], max(1, len(names))
    )
    right = build(
        [[(grams[g], scale / sqrt(len(row.grams))) for g in row.grams if g in grams] for row in rows],
        max(1, len(grams)),
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


def fit_talk(rows: Sequence[Row]) -> dict[str, Any]:
    """Learn from corpus lines alone how citizens' complaints differ from talk; return the numbers to ship."""
    grams = vocabulary(rows, TALK_MIN_TEXTS)
    fitted = LogisticRegression(C=TALK_C, max_iter=300)
    fitted.fit(matrix(rows, {}, grams, TALK_SCALE, "features"), [row.item.complaint for row in rows])
    weights = fitted.coef_[0][1:]
    return {
        "bias": hundredths(fitted.intercept_[0]),
        "scale": TALK_SCALE,
        "grams": {g: w for g, i in grams.items() if abs(w := hundredths(weights[i])) >= 5},
    }


def fit_verdict(rows: Sequence[Row], *, use_grams: bool = True, use_features: bool = True) -> Fitted:
    names = feature_names(rows, "features") if use_features else {}
    if not use_grams:  # the rules: without what n-grams of the corpus say either
        names = {name: i for i, name in enumerate(n for n in names if n not in TALK_FEATURES)}
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
