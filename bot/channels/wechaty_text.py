"""A WeChat text as people see it: without emoji markup, entities and unstorable characters. Pure; never raises."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

SEPARATOR = "\u2005"  # WeChat puts it after an @name
EVERYONE = ("@所有人", "@all", "@All")

_EMOJI_TAG = re.compile(r"""<(img|span)\b[^>]{0,400}?\bemoji([0-9a-fA-F]{2,24})\b[^>]{0,400}>(?:</\1>)?""")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&apos;": "'", "&#39;": "'"}
_ENTITY = re.compile("|".join(re.escape(entity) for entity in _ENTITIES))
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NAMED = re.compile(f"[@＠]([^{SEPARATOR}@＠\n]{{1,64}}){SEPARATOR}")
_QUOTE_LINE = re.compile(r"\n-(?: ?-){4,} *\n")


def storable(text: str) -> str:
    """Without NUL and lone surrogates, which SQLite, PostgreSQL and UTF-8 refuse."""
    return _UNSTORABLE.sub("", text)


def readable(text: str) -> str:
    """A text message as its sender saw it.

    wechat4u leaves `&amp;` as it is, puppet-wechat all entities and emoji as HTML. Entities are undone once: a
    person who types `&amp;` on a gateway that escapes nothing is shown `&`, which harms nobody.
    """
    if "<" in text:
        text = _EMOJI_TAG.sub(lambda tag: _emoji(tag[2]), text).replace("<br/>", "\n")
    if "&" in text:
        text = _ENTITY.sub(lambda entity: _ENTITIES[entity[0]], text)
    return storable(text)


def _emoji(digits: str) -> str:
    """`1f604` 😄, `1f1e81f1f3` 🇨🇳, `2320e3` #⃣: code points run together without a mark between them."""
    found = []
    rest = digits.lower()
    while rest:
        width = 5 if rest.startswith("1f") else 2 if len(rest) == 6 else 4
        point = int(rest[:width], 16)
        if point in range(0xD800, 0xE000) or point > 0x10FFFF or not point:
            return "[表情]"
        found.append(chr(point))
        rest = rest[width:]
    return "".join(found)


def spoken(text: str) -> str:
    """The sender's own words: what follows the quoted message in wechat4u's text form."""
    if not text.startswith("「"):
        return text
    parts = _QUOTE_LINE.split(text)
    return parts[-1]


def names_mentioned(text: str) -> tuple[str, ...]:
    """Names between an @ and WeChat's own separator, in order, each once."""
    return tuple(dict.fromkeys(name.strip() for name in _NAMED.findall(text) if name.strip()))


def mentions_name(text: str, names: Iterable[str]) -> bool:
    """Is one of `names` @-ed in `text`? A pasted @ has no separator, and full-width ＠ counts."""
    folded = unicodedata.normalize("NFKC", text)
    return any("@" + unicodedata.normalize("NFKC", name) in folded for name in names if name)


def mentions_everyone(text: str, ids: Iterable[str]) -> bool:
    return any(i.endswith("@all") for i in ids) or any(mark in text for mark in EVERYONE)


def with_mentions(text: str, names: Iterable[str]) -> str:
    """`text` headed by `@name` and WeChat's separator for each name that it does not hold already."""
    clean = [" ".join(name.replace(SEPARATOR, " ").split()) for name in names]
    missing = [name for name in dict.fromkeys(clean) if name and f"@{name}" not in text]
    return "".join(f"@{name}{SEPARATOR}" for name in missing) + text
