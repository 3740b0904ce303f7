"""A voice message cannot be read: asked once for a line of text, and only right after a call for help."""

from __future__ import annotations

from tests import district
from tests.harness import story


def voice(clock: str, number: int) -> dict[str, str]:
    return {
        "at": clock, "id": f"v{number}", "room": district.room("东山镇"), "sender": district.nick("东山镇", 4),
        "type": "audio", "text": "[语音]",
    }  # fmt: skip


def test_a_voice_after_a_call_for_help_is_asked_for_words_once() -> None:
    told = story("09:00 东山镇 @4: 有人吗，出事了", voice("09:00:20", 1), voice("09:00:40", 2), until="09:05")
    told.says("09:00:20", "东山镇", "question", "补一句文字")
    told.nothing_else()
    assert told.tickets == []


def test_a_voice_without_a_call_or_long_after_it_is_left_alone() -> None:
    told = story(voice("08:00", 1), "09:00 东山镇 @4: 有人吗，出事了", voice("09:03", 2), until="09:10")
    told.nothing_else()
    assert told.tickets == []
