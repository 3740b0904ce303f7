"""The XML that some puppets hand on as a message's text: recalls, cards, forwarded chats, places. Pure; never raises.

The XML comes from whoever wrote into the group, so it is parsed with defusedxml (no entities, no external parts) and
only up to a size.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError  # nosec B405: the types only; parsing is defusedxml's

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from bot.channels.base import QuoteRef
from bot.channels.wechaty_text import storable

MOST_XML_CHARS = 2 * 2**20  # forwarded chats of 64 KB were seen
MOST_LINES = 200
MOST_TEXT_CHARS = 20_000

_PROLOG = re.compile(r"^\s*(?:[\w@.-]{1,64}:\s*\n)?\s*(?:<\?xml[^>]{0,200}\?>)?\s*(?=<)")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class AppMessage:
    """A card. `kind` is WeChat's own appmsg number: 5 link, 6 file, 19 forwarded chat, 33/36 mini program, 57 quote."""

    kind: int
    title: str
    lines: tuple[str, ...] = ()
    quote: QuoteRef | None = None


@dataclass(frozen=True, slots=True)
class SystemMessage:
    """`recalled`: ids under which the withdrawn message may be known, best first. `text`: the tip shown."""

    kind: str
    text: str
    recalled: tuple[str, ...] = ()


def parse(text: str) -> Element | None:
    """The root element, or None for anything that is not well-formed harmless XML of a sensible size."""
    if len(text) > MOST_XML_CHARS or "<" not in text[:200]:
        return None
    body, found = _PROLOG.subn("", text, count=1)
    if not found:
        return None
    body = _CONTROL.sub("", storable(body))
    for attempt in (body, _BARE_AMPERSAND.sub("&amp;", body).replace("<br/>", "\n")):
        try:
            root: Element = fromstring(attempt)
        except (ParseError, DefusedXmlException, ValueError, RecursionError):
            continue
        return root
    return None


def _text(parent: Element | None, path: str) -> str:
    found = parent.findtext(path) if parent is not None else None
    return storable(found or "").strip()[:MOST_TEXT_CHARS]


def _first(root: Element, tag: str) -> Element | None:
    return root if root.tag == tag else root.find(f".//{tag}")


def read_app(text: str) -> AppMessage | None:
    root = parse(text)
    app = _first(root, "appmsg") if root is not None else None
    if app is None:
        return None
    number = _text(app, "type")
    kind = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
    title = _text(app, "title") or _text(app, "des")
    if kind == 19:
        return AppMessage(kind, title, _forwarded(app))
    if kind == 57:
        return AppMessage(kind, title, quote=_quote(app))
    if kind == 87:
        return AppMessage(kind, _text(app, "textannouncement") or title)
    return AppMessage(kind, title)


def _quote(app: Element) -> QuoteRef | None:
    refer = app.find("refermsg")
    if refer is None:
        return None
    content = _text(refer, "content")
    inner = read_app(content) if content.startswith("<") else None
    return QuoteRef(
        message_id=_text(refer, "svrid") or None,
        sender=_text(refer, "displayname"),
        text=inner.title if inner else content,
    )


def _forwarded(app: Element) -> tuple[str, ...]:
    """`name：words` of each text item; of anything else only what it is."""
    record = parse(_text_whole(app, "recorditem"))
    items = record.iter("dataitem") if record is not None else iter(())
    lines = []
    for item, _ in zip(items, range(MOST_LINES), strict=False):
        words = _text(item, "datadesc") if item.get("datatype") == "1" else ""
        words = words or _text(item, "datatitle") or "（非文字内容，请单独发送）"
        lines.append(f"{_text(item, 'sourcename')}：{words}")
    if not lines:
        lines = [line for line in _text(app, "des").splitlines() if line.strip()]
    return tuple(lines)


def _text_whole(parent: Element, path: str) -> str:
    return (parent.findtext(path) or "").strip()


def read_system(text: str) -> SystemMessage | None:
    root = parse(text)
    if root is None or root.tag != "sysmsg":
        return None
    kind = root.get("type", "")
    revoke = root.find("revokemsg")
    if kind == "revokemsg" or revoke is not None:
        ids = [_text(revoke, tag) for tag in ("newmsgid", "msgid", "oldmsgid")]
        known = tuple(dict.fromkeys(i for i in ids if i and i != "0"))
        return SystemMessage("revokemsg", _text(revoke, "replacemsg"), known)
    tips = (_text(root, ".//template"), _text(root, ".//content"), "".join(root.itertext()).strip())
    return SystemMessage(kind, next((tip for tip in tips if tip), "")[:MOST_TEXT_CHARS])


def read_place(text: str) -> str | None:
    """`poiname（label）` of a location, None if the XML holds no location."""
    root = parse(text)
    place = _first(root, "location") if root is not None else None
    if place is None:
        return None
    name, label = (storable(place.get(key, "")).strip() for key in ("poiname", "label"))
    if name and label and name not in label:
        return f"{label}（{name}）"
    return label or name
