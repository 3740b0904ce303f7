"""The verdict: features and n-grams weighed by the model, in log-odds; a few rules that no weight may overrule."""

from __future__ import annotations

import re
from dataclasses import dataclass

from handlers.reading import model
from handlers.reading.evidence import Observed
from handlers.reading.views import Evidence
from storage.enums import MessageType

# Never a complaint by themselves, whatever text the adapter gives them (a file's name, a card's name, an address).
SILENT_TYPES = frozenset(
    {
        MessageType.FILE,
        MessageType.LOCATION,
        MessageType.CONTACT,
        MessageType.EMOTICON,
        MessageType.SYSTEM,
        MessageType.RECALL,
        MessageType.UNKNOWN,
    }
)
# Media that may carry words: a caption or a transcript.
MEDIA_TYPES = frozenset({MessageType.IMAGE, MessageType.VIDEO, MessageType.AUDIO})

ORDER_BASE = 3.0  # log-odds of a pasted order, plus half of one for every field that only orders have
NEVER = -9.0
_NOT_REAL = re.compile(
    r"勿派|非真实|培训用例|请忽略|(?:^|【)(?:演练|测试|演示)|例题|演练脚本|桌面推演|请勿处理|示例[:]"
)
_JIELONG = re.compile(r"^\s*(?:【|#)?接龙|#接龙|请接龙|^.{0,16}接龙\s*(?:\n|\d|例)")
_MEANS_SOMETHING = re.compile(r"[\u3400-\u9fffA-Za-z]")


@dataclass(frozen=True, slots=True)
class Judged:
    score: float
    evidence: tuple[Evidence, ...]


def forbidden(folded: str) -> str | None:
    """Return the rule that rules a complaint out (演练, 接龙, no words at all), or None."""
    if not _MEANS_SOMETHING.search(folded):
        return "no_words"
    if _NOT_REAL.search(folded[:200]):
        return "not_real"
    if _JIELONG.search(folded[:200]):
        return "jielong"
    return None


def judge(seen: Observed) -> Judged:
    """Weigh what was observed; positive log-odds mean complaint."""
    verdict, _ = model.load()
    rule = forbidden(seen.folded)
    if rule is not None:
        return Judged(NEVER, (Evidence(rule, NEVER),))

    evidence = [Evidence("bias", round(verdict.bias, 2))]
    score = verdict.bias
    for name, value in seen.features.items():
        weight = verdict.features.get(name, 0.0) * value
        score += weight
        hits = seen.spans.get(name, ())
        words = "、".join(dict.fromkeys(word for word, _ in hits))[:40]
        evidence.append(Evidence(name, round(weight, 2), hits[0][1] if hits else None, words))
    from_grams = verdict.gram_score(seen.grams)
    score += from_grams
    evidence.append(Evidence("ngrams", round(from_grams, 2)))
    return Judged(score, tuple(evidence))


def score_of(seen: Observed) -> float:
    """Return the score alone, without collecting the evidence."""
    if forbidden(seen.folded) is not None:
        return NEVER
    verdict, _ = model.load()
    weights = verdict.features
    score = verdict.bias + sum(weights.get(name, 0.0) * value for name, value in seen.features.items())
    return score + verdict.gram_score(seen.grams)
