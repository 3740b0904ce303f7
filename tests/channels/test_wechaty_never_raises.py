"""Whatever a group writes or a puppet invents, the readers of payloads return."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wechaty_events import kind_of, scan_detail
from bot.channels.wechaty_files import safe_name
from bot.channels.wechaty_payloads import moment, raw_fields, read_content, read_event
from bot.channels.wechaty_text import mentions_name, names_mentioned, spoken, with_mentions
from tests.channels.test_wechaty_payloads import REVOKE, Raw, app

ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.sampled_from(["", "\ud800", "\x00"])
PIECES = st.sampled_from(
    [REVOKE, app(19), app(57), "<recorditem>", "</msg>", "<![CDATA[", "]]>", "&", "<", "「", "\n- - - - - -\n", "@",
     "\u2005", '<img class="emoji emoji', "<type>", "<refermsg>", "<?xml", "<location label='", "<sysmsg type='pat'>"]
)  # fmt: skip
TEXTS = ANY_TEXT | st.lists(PIECES | ANY_TEXT, max_size=8).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=8,
)
NOW = datetime(2026, 3, 5, tzinfo=UTC)


@given(TEXTS, st.integers(-3, 30), st.sampled_from(["", "bot", "zhang", "1@chatroom"]), st.integers())
def test_any_message(text: str, number: int, talker: str, stamp: int) -> None:
    raw = Raw(text, number, from_id=talker, timestamp=stamp)
    content = read_content(raw, "bot")
    content.text.encode()
    assert "\x00" not in content.text
    json.dumps(raw_fields(raw, content.text)).encode()
    assert moment(stamp, NOW).tzinfo is UTC


@given(JSON)
def test_any_event(value: object) -> None:
    event = read_event(json.dumps(value))
    event.words.encode()
    scan_detail(event)
    event.text("roomId", "contactId").encode()


@given(ANY_TEXT)
def test_any_event_that_is_no_json(text: str) -> None:
    read_event(text).words.encode()


@given(TEXTS, st.lists(ANY_TEXT, max_size=3))
def test_any_mention(text: str, names: list[str]) -> None:
    spoken(text)
    names_mentioned(text)
    mentions_name(text, names)
    with_mentions(text, names)


@given(ANY_TEXT | st.text())
def test_any_file_name_is_safe(name: str) -> None:
    clean = safe_name(name)
    assert 0 < len(clean) <= 60 and not set(clean) & set('/\\:*?"<>|\n\x00 ') and not clean.startswith(".")


def test_a_type_that_is_no_number() -> None:
    class Odd:
        type = "message"

    assert kind_of(Odd()).name == "OTHER"
