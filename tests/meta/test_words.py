"""The words of the trail, the kinds of messages and the sentences are those that were agreed on."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from handlers import texts
from handlers.speaking import ANSWERS, CALLS, LADDER_KINDS, PRIORITY
from storage.enums import EventKind, MessageType, OutboxState, SayKind, Step

# Written out by hand from the replay's format, which others read.
EVENTS = "上报 派单 提醒 升级 逾期 领办 指派 退单 转派 吹哨 延期 办结 重办 催办 再次派发 撤回 撤销 更正 回访".split()
SAID = "prompt reminder escalation overdue confirmation question refusal digest alert notice reply".split()
TYPES = "text image file audio video location url mini_program chat_history contact emoticon system note".split()
RULES = [*Path("handlers").glob("*.py"), *Path("bot").glob("*.py")]


def test_the_words_of_the_trail_are_those_of_the_replay() -> None:
    assert {kind.value for kind in EventKind} == set(EVENTS)
    assert {kind.value for kind in SayKind} == set(SAID)
    assert set(TYPES) <= {kind.value for kind in MessageType}


def test_every_word_of_the_trail_is_written_by_some_rule() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in RULES)
    assert [kind.name for kind in EventKind if f"EventKind.{kind.name}" not in source] == []
    assert [state.name for state in OutboxState if f"OutboxState.{state.name}" not in source + _storage()] == []


def _storage() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in Path("storage").glob("*.py"))


def test_every_kind_of_message_has_a_place_in_the_queue() -> None:
    assert set(PRIORITY) == set(SayKind)
    assert all(PRIORITY[kind] == 0 for kind in (*LADDER_KINDS, SayKind.ALERT))
    assert all(PRIORITY[kind] > 0 for kind in ANSWERS) and PRIORITY[SayKind.DIGEST] == max(PRIORITY.values())
    assert SayKind.OVERDUE in LADDER_KINDS and SayKind.OVERDUE not in CALLS  # what is overdue is said in any case
    assert [step.value for step in Step] == ["prompt", "reminder", "escalation", "overdue", "again"]


def test_every_sentence_is_used() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in RULES if path.name != "texts.py")
    names = [name for name, _ in inspect.getmembers(texts, inspect.isfunction) if not name.startswith("_")]
    own = inspect.getsource(texts)
    assert [n for n in names if not re.search(rf"texts\.{n}\b", source) and len(re.findall(rf"\b{n}\(", own)) < 2] == []
