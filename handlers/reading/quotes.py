"""The forms in which an answer carries the message it quotes, taken apart.

Three forms are met: the platform's own (the adapter delivers it apart, nothing to do here), wechat4u's text
「名：文」 + a line of 15 dashes + the answer, and XML of an appmsg of type 57, which some adapters hand over raw.
The quoted part is context: it is never read as a complaint or as a command (guide/wechaty.md, issue 26).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError  # nosec B405: the types only; parsing is defusedxml's

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

MAX_XML_CHARS = 200_000
_DASHES = re.compile(r"^[ \t]*(?:-[ \t]?){6,40}[ \t]*$", re.MULTILINE)
_HEAD = re.compile(r"\A\s*[「『“\"]\s*(?P<sender>[^：:\n]{1,64})[：:](?P<text>.*)\Z", re.DOTALL)
_APPMSG = re.compile(r"<appmsg\b")
_CLOSING = '」』”" \n\r\t'


@dataclass(frozen=True, slots=True)
class SplitQuote:
    body: str  # what the sender said himself
    sender: str | None = None  # the quoted person, as shown
    text: str | None = None  # the quoted message; None: nothing is quoted


def split(text: str) -> SplitQuote:
    """Separate an answer from what it quotes; a text in none of the known forms is all body. Never raises."""
    if "<appmsg" in text:
        found = _from_xml(text)
        if found is not None:
            return found
    return _from_dashes(text)


def _from_dashes(text: str) -> SplitQuote:
    """The last line of dashes separates, because a quoted message may itself quote."""
    if not text.lstrip()[:1] or text.lstrip()[0] not in '「『“"':
        return SplitQuote(text)
    last = None
    for last in _DASHES.finditer(text):  # noqa: B007 - the last one counts
        pass
    if last is None:
        return SplitQuote(text)
    head = _HEAD.match(text[: last.start()])
    body = text[last.end() :].strip("\r\n")
    if head is None:
        return SplitQuote(body, None, text[: last.start()].strip("「『" + _CLOSING))
    return SplitQuote(body, head["sender"].strip(), head["text"].strip(_CLOSING))


def _from_xml(text: str) -> SplitQuote | None:
    """Read an appmsg of type 57; None if it is none, is broken, or defines entities (a known attack)."""
    start = text.find("<")
    # A room sender may stand before the XML: "wxid_…:\n<msg>".
    source = text[start:] if 0 <= start <= MAX_XML_CHARS else ""
    if len(source) > MAX_XML_CHARS or not _APPMSG.search(source):
        return None
    try:
        root: Element = fromstring(source, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, UnicodeError, RecursionError):
        return None
    app = root if root.tag == "appmsg" else root.find(".//appmsg")
    if app is None or (app.findtext("type") or "").strip() != "57":
        return None
    title = (app.findtext("title") or "").strip()
    refer = app.find("refermsg")
    if refer is None:
        return SplitQuote(title)
    sender = (refer.findtext("displayname") or "").strip() or None
    return SplitQuote(title, sender, _inner_title(refer.findtext("content") or ""))


def _inner_title(content: str) -> str:
    """A quoted quote is XML in the text of the XML: its title is what its sender said."""
    if "<appmsg" not in content:
        return content.strip()
    inner = split(content)
    return inner.body if inner.body != content else ""
