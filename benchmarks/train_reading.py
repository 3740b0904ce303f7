"""Train the reader's numbers: `python -m benchmarks.train_reading [--data DIR] [--no-write]`.

Reads the district's files, the labelled cases, the own examples (`benchmarks/data/reading_examples.txt`) and the corpus;
prints five-fold figures over the cases (every fold is judged by a model that never saw it) for the model, for the
features alone (the rules), and for the n-grams alone, then how many lines of the corpus that taught nothing become
tickets; writes `handlers/reading/data/model.json`. Only numbers of n-grams that occur in several texts are kept, never
a text.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.fit_reading import TOPIC_SCALE, Row, export, fit_talk, fit_topics, fit_verdict, matrix, rows_of
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
from handlers.reading.complaints import read
from handlers.reading.index import ReadingIndex, reading_index

OUT = Path(__file__).resolve().parents[1] / "handlers" / "reading" / "data" / "model.json"

OWN_WEIGHT = 0.7
CORPUS_COMPLAINT_WEIGHT = 0.05  # a corpus line against a labelled group message
CORPUS_CHATTER_WEIGHT = 0.3
TALK_LINES = slice(0, None, 3)  # corpus lines that teach how talk sounds
VERDICT_LINES = slice(1, None, 3)  # corpus lines that teach the verdict what that is worth
HELD_LINES = slice(2, None, 3)  # corpus lines that teach nothing and measure
FOLDS = 5


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
                    misses.append(
                        f"  topic {row.item.id} {guess} want {row.item.categories} {row.item.view.text[:46]!r}"
                    )
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


def corpus_figures(items: Sequence[Labelled], district: District, show: int) -> dict[str, str]:
    """Return how many lines of each origin become tickets."""
    counts: dict[str, list[int]] = {}
    wrong = []
    for item in items:
        got = bool(read(item.view, district.gazetteer).complaints)
        cell = counts.setdefault(item.origin, [0, 0])
        cell[0] += got
        cell[1] += 1
        if got != item.complaint:
            wrong.append(f"  {item.origin}: {item.view.text[:60]}")
    for line in wrong[:show]:
        print(line)
    return {origin: f"{got} of {count} ({got / count:.4f})" for origin, (got, count) in counts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED, help="folder with huairou/, cases/ and corpus/")
    parser.add_argument("--no-write", action="store_true", help="only print the figures")
    parser.add_argument("--show", type=int, default=0, help="how many held-out misses to print")
    options = parser.parse_args()

    district = load_district(options.data / "huairou")
    index = reading_index(district.gazetteer)

    def lines(keep: slice) -> list[Labelled]:
        return corpus(
            district,
            options.data / "corpus",
            keep=keep,
            complaint_weight=CORPUS_COMPLAINT_WEIGHT,
            chatter_weight=CORPUS_CHATTER_WEIGHT,
        )

    with patch.object(model, "talk", lambda: model.Talk(0.0, 1.0, {})):
        talk = fit_talk(rows_of(lines(TALK_LINES), index))
    heard = model.parse_talk(talk)
    with patch.object(model, "talk", lambda: heard):
        train(district, index, talk, lines, options)


def train(
    district: District,
    index: ReadingIndex,
    talk: dict[str, Any],
    lines: Callable[[slice], list[Labelled]],
    options: argparse.Namespace,
) -> None:
    """Print the held-out figures, then fit on everything and write the numbers."""
    raw = load_cases(options.data / "cases")
    cases = rows_of(labelled_cases(district, raw), index)
    own = rows_of(own_examples(district, weight=OWN_WEIGHT), index)
    others = own + rows_of(lines(VERDICT_LINES), index)
    print(f"{len(cases)} cases, {len(own)} own examples, {len(others) - len(own)} corpus lines")
    for name, value in cross_validate(cases, others, options.show).items():
        print(f"{name}: {value}")
    whole = cross_validate_whole(district, raw, cases, others, options.show)
    print("whole reader, held out:", json.dumps(whole, ensure_ascii=False))
    everything = cases + others
    numbers = export(fit_verdict(everything), fit_topics([row for row in everything if row.item.categories]))
    numbers["talk"] = talk
    shipped = model.parse(numbers)
    with patch.object(model, "load", lambda: shipped):
        print("corpus lines never trained on:", corpus_figures(lines(HELD_LINES), district, options.show))
    if options.no_write:
        return

    OUT.write_text(json.dumps(numbers, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{OUT.name}: {OUT.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
