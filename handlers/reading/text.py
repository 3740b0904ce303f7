"""Text as the readers see it: folded one character for one, so that a span in the folded text is one in the original.

Full-width forms become ASCII, every decimal digit of any script becomes 0-9, odd blanks become a blank. Nothing is
inserted or removed.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib.resources import files

READ_LIMIT = 8_000  # characters of a message that are read for fields; the rest is kept, not read
JUDGE_LIMIT = 600  # characters that decide the verdict and the category: people come to the point before that

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_BLANKS = dict.fromkeys((0x3000, 0x00A0, 0x2002, 0x2003, 0x2007, 0x2009, 0x202F, 0x200B, 0xFEFF, 0x0000), " ")
_DIGITS = {
    code: unicodedata.digit(chr(code))
    for code in range(0x660, 0x1FBFA)
    if unicodedata.category(chr(code)) == "Nd" and code not in _FULL_WIDTH
}
_DASHES = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212, 0x2500, 0xFE63), "-")
_PLAIN = {chr(code): str(digit) for code, digit in _DIGITS.items()}
_PLAIN |= {chr(code): chr(plain) for code, plain in _FULL_WIDTH.items()}
_PLAIN |= {chr(code): plain for code, plain in (_BLANKS | _DASHES).items()}
_ODD = frozenset(_PLAIN)


@lru_cache(maxsize=16)  # the readers ask several times for the same text
def fold(text: str) -> str:
    """Fold widths, digits, dashes and blanks, one character for one."""
    for char in _ODD.intersection(
        text
    ):  # few of the hundreds are in one text; a pattern of all is slow at each character
        text = text.replace(char, _PLAIN[char])
    return text


@lru_cache(maxsize=32)
def data_text(name: str) -> str:
    """Return a data file of this package."""
    return (files(__package__) / "data" / name).read_text(encoding="utf-8")


def data_lines(name: str) -> list[str]:
    """Return the lines of a data file without blanks and comments."""
    lines = (line.strip() for line in data_text(name).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def word_sections(name: str) -> dict[str, tuple[str, ...]]:
    """Return `[section]` -> its words, which are parted by blanks or line ends."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in data_lines(name):
        if line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1], [])
        else:
            current.extend(line.split())
    return {section: tuple(dict.fromkeys(words)) for section, words in sections.items()}


_LINE = re.compile(r"[^\r\n]+")


def lines_with_spans(text: str) -> list[tuple[str, int]]:
    """Return the non-empty lines and where each starts."""
    return [(found.group(), found.start()) for found in _LINE.finditer(text)]
