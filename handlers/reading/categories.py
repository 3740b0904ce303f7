"""What it is about: a category of the catalogue with its runner-up.

Features are the words of each category (`t:教育`), and the classification field of an order; n-grams do the rest. A
category of the district's own catalogue that the model has never seen is scored by its words alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from handlers.reading import model
from handlers.reading.index import ReadingIndex
from handlers.reading.words import WordHits

OTHER = "其他"
_UNSEEN_WORD = 1.6  # log-odds of one word of a category that the model does not know
_UNSEEN_BIAS = -2.0


def topic_features(words: WordHits, room_lead: tuple[str, ...] = ()) -> dict[str, float]:
    """Return `t:category` by the number of its words (up to four), longer words a little more."""
    features: dict[str, float] = {}
    for (family, section), hits in words.by_section.items():
        if family == "category":
            distinct = {word for word, _ in hits}
            features[f"t:{section}"] = min(4.0, sum(0.6 + 0.2 * min(4, len(word)) for word in distinct))
        elif family == "urgency":
            features[f"u:{section}"] = 1.0
    for name in room_lead:
        features[f"r:{name}"] = 1.0
    return features


def categorise(
    grams: set[str], words: WordHits, index: ReadingIndex, room_unit: str | None
) -> tuple[str, str | None, Mapping[str, float]]:
    """Return (category, runner-up, scores by category)."""
    _, topics = model.load()
    features = topic_features(words, led_by(index, room_unit))
    scores = dict(zip(topics.classes, topics.scores(features, grams), strict=True))
    if index.category_names:
        scores = {
            name: scores.get(name, _UNSEEN_BIAS + _UNSEEN_WORD * features.get(f"t:{name}", 0.0))
            for name in index.category_names
        }
    ranked = sorted(scores, key=lambda name: -scores[name])
    return ranked[0], ranked[1] if len(ranked) > 1 else None, scores


def led_by(index: ReadingIndex, room_unit: str | None) -> tuple[str, ...]:
    """Return the categories that this agency leads: in its room they are the likelier ones."""
    if room_unit is None:
        return ()
    return tuple(name for name, agency in index.lead.items() if agency == room_unit)
