"""Keep persons out of the chat: every outgoing text passes `mask`.

Masked: phones (138****5678), identity numbers, plates, bank-card-like digits, personal names (张**), house and door
numbers (口头村**号, 3号楼**). Left alone: ticket and order numbers, dates, times, amounts, counts, and the names of
the roster, which are no secret.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection

from handlers.reading.people import Found, find_names, find_numbers
from handlers.reading.text import fold

_NUM = r"(?:\d{1,5}|[一二三四五六七八九十百]{1,4})"
_DOOR = rf"(?:[ ,，、\-]?(?:{_NUM}|[甲乙丙丁])(?:单元|门|层|楼|室|户|号(?![楼线院])))"
_AFTER_BUILDING = re.compile(
    rf"(?<=号楼|.栋|.幢|.座)(?:{_DOOR}{{1,4}}(?:[ \-]?\d{{1,5}}(?!\d|[:.年月日点时分元万件人户个条]))?"
    rf"|[ \-]?\d{{3,4}}(?:室|户|号)?(?![\d:.年月日点时分元万件人户个条])|-\d{{1,2}}-\d{{2,4}}(?!\d))"
)
_AFTER_PLACE = re.compile(
    r"(?<=[村屯庄里巷街路条弄组队区坊院头边侧胡同])([ ]?(?:甲|乙)?\d{1,5}(?:-\d{1,4})?)(?=号(?!楼|线|口|窗|坑|变|井|机|桌|展|厅))"
)
_HOME = re.compile(r"(?<=家住|住在|门牌)(\d{1,5}(?:-\d{1,4})?)(?=号(?![楼线]))")
_UNIT_ROOM = re.compile(
    r"(?<![\d号])\d{1,2}单元[ \-]?\d{2,5}(?:室|户|号)?|(?<=[\u4e00-\u9fff])\d{2,5}(?=室(?!内|外|友))"
)
_TRIPLE = re.compile(r"(?<![\d\-/])(\d{1,3})(-\d{1,2}-\d{3,4})(?![\d\-/])")
_RUN = re.compile(r"\d[\d \-·.]*\d")


def phone_hash(phone_digits: str, key: bytes) -> str:
    """Return the HMAC-SHA256 of a phone's digits, hex; equal phones give equal hashes, the key stays outside."""
    return hmac.new(key, phone_digits.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def mask(text: str, *, people: Collection[str] = (), keep_names: Collection[str] = ()) -> str:
    """Return the text with everything that identifies a person hidden; masking twice changes nothing more.

    `people` are names known from the ticket, hidden wherever they stand; `keep_names` are the roster's, never hidden.
    """
    folded = fold(text)
    numbers = find_numbers(folded)
    edits = [(found.span, _hidden_number(found)) for found in numbers]
    edits += [
        (found.span, found.value[0] + "**") for found in find_names(folded) if not _kept(found, folded, keep_names)
    ]
    edits += _known_people(folded, people, keep_names)
    edits += _house_numbers(folded)
    masked = _apply(text, edits)
    return _hide_leftovers(masked, numbers)


def _hidden_number(found: Found) -> str:
    value = found.value
    if found.kind == "phone":
        base = value.partition("-")[0]
        return f"{base[:3]}****{base[-4:]}" if len(base) == 11 else f"{base[:2]}****{base[-2:]}"
    if found.kind == "plate":
        return f"{value[:2]}*****"
    return f"{value[:3]}{'*' * 6}"


def _kept(found: Found, folded: str, keep_names: Collection[str]) -> bool:
    start = found.span[0]
    return any(folded.startswith(name, start) for name in keep_names if name) or any(
        start >= len(name) - 1 and folded.find(name, max(0, start - len(name) + 1), found.span[1]) >= 0
        for name in keep_names
        if len(name) >= 2 and found.value[0] in name
    )


def _known_people(folded: str, people: Collection[str], keep: Collection[str]) -> list[tuple[tuple[int, int], str]]:
    edits = []
    kept = set(keep)
    for name in sorted({fold(person).strip() for person in people}, key=len, reverse=True):
        if len(name) < 2 or name in kept or "*" in name:
            continue
        start = folded.find(name)
        while start >= 0:
            edits.append(((start, start + len(name)), name[0] + "**"))
            start = folded.find(name, start + len(name))
    return edits


def _house_numbers(folded: str) -> list[tuple[tuple[int, int], str]]:
    edits = [(match.span(), "**") for match in _AFTER_BUILDING.finditer(folded)]
    edits += [(match.span(1), "**") for match in _AFTER_PLACE.finditer(folded)]
    edits += [(match.span(1), "**") for match in _HOME.finditer(folded)]
    edits += [(match.span(), "**") for match in _UNIT_ROOM.finditer(folded)]
    edits += [(match.span(2), "-**") for match in _TRIPLE.finditer(folded)]
    return edits


def _apply(text: str, edits: list[tuple[tuple[int, int], str]]) -> str:
    """Replace the spans, the earlier and longer one winning where two overlap."""
    parts, at = [], 0
    for (start, end), new in sorted(edits, key=lambda edit: (edit[0][0], -edit[0][1])):
        if start < at:
            continue
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def _hide_leftovers(masked: str, numbers: list[Found]) -> str:
    """Hide what still spells a number found above, as when it stands again inside a longer run of digits."""
    secrets = {found.value.partition("-")[0].rstrip("X") for found in numbers if found.kind in ("phone", "identity")}
    if not secrets:
        return masked
    sizes = {len(secret) for secret in secrets}

    folded = fold(masked)
    edits = []
    for run in _RUN.finditer(folded):
        digits = re.sub(r"\D", "", run.group())
        if any(digits[at : at + size] in secrets for size in sizes for at in range(len(digits) - size + 1)):
            edits.append((run.span(), "****"))
    return _apply(masked, edits)
