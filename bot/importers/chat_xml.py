"""WeChat's XML inside a message: title, quoted message, forwarded lines, place. Entities and DTDs are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from bot.importers.chat_model import Quote, code_of
from storage.enums import MessageType

MAX_FORWARDED = 200  # lines of one forwarded history
MAX_DEPTH = 3  # quotations inside quotations
XML_LIMIT = 500_000  # characters


@dataclass(frozen=True, slots=True)
class Parsed:
    type: MessageType
    text: str
    quote: Quote | None = None


def looks_like_xml(text: str) -> bool:
    return text.lstrip()[:20].lower().startswith(("<?xml", "<msg", "<sysmsg", "<appmsg", "<msgsource"))


def parse(text: str, depth: int = 0) -> Parsed | None:
    """Read an appmsg, a location or a system message. None: nothing readable in it."""
    root = _root(text)
    if root is None or depth > MAX_DEPTH:
        return None
    place = root.find(".//location")
    if root.tag == "sysmsg":
        return Parsed(MessageType.SYSTEM, _text(root, ".//replacemsg") or _text(root, ".//template"))
    if place is not None and (place.get("label") or place.get("poiname")):
        return Parsed(MessageType.LOCATION, " ".join(filter(None, (place.get("label"), place.get("poiname")))))
    app = root if root.tag == "appmsg" else root.find(".//appmsg")
    if app is None:
        return None
    number = _text(app, "type")
    kind = code_of(49, int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0)
    title = _text(app, "title")
    if kind is MessageType.CHAT_HISTORY:
        return Parsed(kind, _forwarded(_text(app, "recorditem")) or _text(app, "des") or title)
    refer = app.find("refermsg")
    quote = None
    if refer is not None:
        quoted = _text(refer, "content")
        inner = parse(quoted, depth + 1) if looks_like_xml(quoted) else None
        words = inner.text if inner else "" if looks_like_xml(quoted) else quoted
        quote = Quote(words, _text(refer, "displayname"), _text(refer, "svrid"))
    return Parsed(kind or MessageType.URL, title, quote)


def _forwarded(record: str) -> str:
    root = _root(record)
    if root is None:
        return ""
    lines: list[str] = []
    for item in root.iter("dataitem"):
        name, words = _text(item, "sourcename"), _text(item, "datadesc") or _text(item, "datatitle")
        if words and len(lines) < MAX_FORWARDED:
            lines.append(f"{name}：{words}" if name else words)
    return "\n".join(lines)


def _root(text: str) -> Any:
    if len(text) > XML_LIMIT or text.count("<") > 20_000:
        return None
    try:
        return fromstring(text.strip(), forbid_dtd=True)
    except Exception:  # ParseError, DefusedXmlException, ValueError, RecursionError: somebody else's text
        return None


def _text(element: Any, path: str) -> str:
    found = element.find(path)
    return (found.text or "").strip() if found is not None else ""
