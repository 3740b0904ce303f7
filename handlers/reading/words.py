"""The word lists in one automaton: evidence, categories and urgency are found in a single pass over a text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import ahocorasick

from handlers.reading.text import fold, word_sections
from handlers.reading.views import CategoryEntry, Span

Section = tuple[str, str]  # (family, section): ("evidence", "problem"), ("category", "教育"), ("urgency", "threat")

FILES = {"evidence": "evidence_words.txt", "category": "category_words.txt", "urgency": "urgency_words.txt"}


@dataclass(slots=True)
class WordHits:
    """What a text holds of the lists: for each section its words with spans, longest first where they overlap."""

    by_section: dict[Section, list[tuple[str, Span]]] = field(default_factory=dict)

    def of(self, family: str, section: str) -> list[tuple[str, Span]]:
        return self.by_section.get((family, section), [])

    def count(self, family: str, section: str) -> int:
        return len({word for word, _ in self.of(family, section)})


class WordIndex:
    """The lists and the catalogue's examples, as one automaton."""

    def __init__(self, categories: Iterable[CategoryEntry]) -> None:
        table: dict[str, list[Section]] = {}
        names = set()
        for category in categories:
            names.add(category.name)
            for example in category.examples:
                table.setdefault(fold(example).lower(), []).append(("category", category.name))
        for family, file in FILES.items():
            for section, words in word_sections(file).items():
                if family == "category" and names and section not in names:
                    continue
                for word in words:
                    sections = table.setdefault(fold(word).lower(), [])
                    if (family, section) not in sections:
                        sections.append((family, section))
        self.automaton = ahocorasick.Automaton()
        for word, sections in table.items():
            self.automaton.add_word(word, (word, tuple(sections)))
        self.automaton.make_automaton()

    def find(self, lowered: str) -> WordHits:
        """Return the hits in a folded, lower-cased text."""
        hits = WordHits()
        by_section = hits.by_section
        for end, (word, sections) in self.automaton.iter(lowered):
            start = end - len(word) + 1
            for section in sections:
                found = by_section.setdefault(section, [])
                while found and found[-1][1][0] >= start:
                    found.pop()  # a part of the longer word that ends here
                if not found or found[-1][1][1] <= start:
                    found.append((word, (start, end + 1)))
        return hits
