"""A linear model as plain numbers: named features and character n-grams, each with a weight.

`data/model.json` is written by `python -m benchmarks.train_reading`. A text's n-grams count once each and are divided by the
square root of how many it has, as in training.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from math import sqrt
from typing import Any

from handlers.reading.text import data_text


def ngrams(plain: str) -> set[str]:
    """Return the n-grams of one to three characters that do not cross a blank; ^ and $ mark the ends of the text."""
    grams: set[str] = set()
    for piece in plain.split():
        size = len(piece)
        grams.update(piece)
        grams.update(piece[i : i + 2] for i in range(size - 1))
        grams.update(piece[i : i + 3] for i in range(size - 2))
    stripped = plain.strip()
    if stripped:
        grams.add("^" + stripped[:2])
        grams.add(stripped[-2:] + "$")
    return grams


@dataclass(frozen=True, slots=True)
class Verdict:
    """Two classes: log-odds = bias + features + scale * grams / sqrt(number of grams)."""

    bias: float
    scale: float
    features: Mapping[str, float]
    grams: Mapping[str, float]

    def gram_score(self, grams: Collection[str]) -> float:
        if not grams:
            return 0.0
        find = self.grams.get
        return self.scale * sum(map(find, grams, repeat(0.0))) / sqrt(len(grams))

    def strongest(self, grams: Iterable[str], count: int = 6) -> list[tuple[str, float]]:
        """Return the n-grams that move the verdict most."""
        known = [(gram, self.grams[gram]) for gram in grams if gram in self.grams]
        return sorted(known, key=lambda pair: -abs(pair[1]))[:count]


@dataclass(frozen=True, slots=True)
class Talk:
    """How a text sounds whoever writes it: above 0 like a citizen's complaint, below like talk; weights in hundredths.

    Kept apart from `Verdict` because the corpus is not group messages: what it knows enters the verdict as a few features
    whose weight the group messages decide.
    """

    bias: float
    scale: float
    grams: Mapping[str, int]

    def score(self, grams: Collection[str]) -> float:
        if not grams:
            return 0.0
        find = self.grams.get
        return self.bias + self.scale * sum(map(find, grams, repeat(0))) / (100 * sqrt(len(grams)))


@dataclass(frozen=True, slots=True)
class Topics:
    """Many classes: for each its bias, its own feature weights, and per n-gram a list of class weights."""

    classes: tuple[str, ...]
    bias: tuple[float, ...]
    scale: float
    features: Mapping[str, tuple[tuple[int, float], ...]]
    grams: Mapping[str, tuple[tuple[int, float], ...]]

    def scores(self, features: Mapping[str, float], grams: Collection[str]) -> list[float]:
        total = list(self.bias)
        known = [self.grams[gram] for gram in grams if gram in self.grams]
        if known:
            factor = self.scale / sqrt(len(grams))
            for weights in known:
                for position, weight in weights:
                    total[position] += factor * weight
        for name, value in features.items():
            for position, weight in self.features.get(name, ()):
                total[position] += value * weight
        return total


def _pairs(flat: list[float]) -> tuple[tuple[int, float], ...]:
    return tuple((int(flat[i]), flat[i + 1] / 100) for i in range(0, len(flat), 2))


@lru_cache(maxsize=1)
def load() -> tuple[Verdict, Topics]:
    """Return the shipped numbers."""
    return parse(_file())


@lru_cache(maxsize=1)
def talk() -> Talk:
    """Return the numbers that tell citizens' complaints from ordinary talk, learned from the corpus alone."""
    return parse_talk(_file()["talk"])


@lru_cache(maxsize=1)
def _file() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(data_text("model.json"))
    return data


def parse_talk(data: Mapping[str, Any]) -> Talk:
    return Talk(data["bias"] / 100, data["scale"], data["grams"])


def parse(data: Mapping[str, Any]) -> tuple[Verdict, Topics]:
    """Return the model of a file's content; weights are stored as hundredths."""
    v, t = data["verdict"], data["topics"]
    verdict = Verdict(
        v["bias"] / 100,
        v["scale"],
        {name: weight / 100 for name, weight in v["features"].items()},
        {gram: weight / 100 for gram, weight in v["grams"].items()},
    )
    topics = Topics(
        tuple(t["classes"]),
        tuple(b / 100 for b in t["bias"]),
        t["scale"],
        {name: _pairs(flat) for name, flat in t["features"].items()},
        {gram: _pairs(flat) for gram, flat in t["grams"].items()},
    )
    return verdict, topics
