"""Values of somebody else's JSON, which may be of any type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def text(value: object) -> str:
    """Return a string or a whole number as text; anything else is no text."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30:
        return str(value)
    return ""


def number_of(value: object, otherwise: int) -> int:
    """Return a whole number, also one written as text."""
    if isinstance(value, bool):
        return otherwise
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return otherwise


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
