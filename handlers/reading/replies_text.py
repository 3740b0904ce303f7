"""One shape for every answer before it is read: the same character for the same key, no markup, no invisible signs.

All replacements keep the length, so that an offset into the normalised text is one into the original. The punctuation
of sentences stays as typed, because a reason is shown again as the handler wrote it.
"""

from __future__ import annotations

import re

MAX_CHARS = 2000  # an answer is short; what is longer is read by its beginning, in bounded time

# Takes the place of a ticket's number once it is found, so that the words around it can be read without it.
REF = "\x01"

_BLANKS = "\u2005\u00a0\u3000\u2002\u2003\u2009\u200a\u200b\u200c\u200d\u2060\ufeff\t\r\x0b\x0c"
_TABLE: dict[int, str] = {code: " " for code in [*range(0x00, 0x0A), *range(0x0E, 0x20), 0x7F]}
_TABLE |= {ord(c): " " for c in _BLANKS}
_TABLE |= {0xFF10 + i: str(i) for i in range(10)}
_TABLE |= {0xFF21 + i: chr(0x61 + i) for i in range(26)} | {0xFF41 + i: chr(0x61 + i) for i in range(26)}
_TABLE |= {0x41 + i: chr(0x61 + i) for i in range(26)}
_TABLE |= {0x2460 + i: str(i + 1) for i in range(9)}  # ① to ⑨
_TABLE |= {0x2776 + i: str(i + 1) for i in range(9)}  # ❶ to ❾
_TABLE |= {ord("＠"): "@", ord("＃"): "#", ord("№"): "#", ord("＋"): "+", ord("／"): "/", ord("－"): "-"}
_TABLE |= {ord("己"): "已"}  # the commonest slip of the thumb: 己安排, 己办结
_TABLE |= {ord(a): b for a, b in zip("領單辦結轉馬處這個過還嗎幾號樓", "领单办结转马处这个过还吗几号楼", strict=True)}
_SURROGATE = re.compile("[\ud800-\udfff\ue000-\uf8ff]")  # and private signs, which mark people here
_MODIFIERS = re.compile("[\ufe0f\u20e3\U0001f3fb-\U0001f3ff]")  # keycaps and skin tones after an emoji
_CLAUSE = re.compile(r"[^，,。.；;！!？?、\n~～…:： ]+[！!？?]*")
_SPACES = re.compile(r"[ \n]+")
_EDGE = " \n，,。.；;：:、！!~～…-—"


def normalise(text: str) -> str:
    """Map full-width digits and letters, odd blanks and control signs to their plain form, one for one."""
    return _SURROGATE.sub(" ", text[:MAX_CHARS].translate(_TABLE))


def without_modifiers(text: str) -> str:
    """Drop the invisible parts of emoji, so that 1️⃣ is 1 and 👌🏻 is 👌 (this changes the length)."""
    return _MODIFIERS.sub("", text)


def clauses(text: str) -> list[str]:
    """The pieces between punctuation and blanks; a question or exclamation mark stays with its piece."""
    return _CLAUSE.findall(text)


def compact(text: str) -> str:
    """Without blanks: voice input puts them anywhere."""
    return _SPACES.sub("", text)


def trimmed(text: str) -> str:
    """Without blanks and punctuation at both ends: what is left of a sentence as a reason."""
    return _SPACES.sub(" ", text).strip(_EDGE)


def any_of(words: str) -> str:
    """An atomic group of the blank-separated alternatives. Atomic, so that a repeated group cannot explode; for the
    same reason the longer of two words with one beginning must stand first.
    """
    return "(?>" + "|".join(words.split()) + ")"
