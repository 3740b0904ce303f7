"""Bad input at the edges: settings, transcripts, long texts, texts that a database refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cutting import LIMIT, cut
from bot.receiver import MAX_TEXT, clean
from bot.settings import SettingsError, load_settings
from bot.transcript import TranscriptError, read_transcript
from handlers.vault import SealBroken, Vault


@given(st.text(max_size=5000))
def test_cutting_loses_nothing_and_no_part_is_too_long(text: str) -> None:
    parts = cut(text)
    assert all(len(part) <= LIMIT for part in parts)
    if len(parts) > 1:
        bodies = [part.split("\n", 1)[1] for part in parts]
        assert "".join(bodies).replace("\n", "") == text.replace("\n", "")
        assert [part.split("\n", 1)[0] for part in parts] == [f"({n}/{len(parts)})" for n in range(1, len(parts) + 1)]


def test_a_text_of_the_limit_is_sent_whole_and_one_more_is_cut() -> None:
    assert cut("好" * 600) == ["好" * 600]
    assert len(cut("好" * 601)) == 2


def test_nul_and_lone_surrogates_are_dropped_and_the_rest_is_kept() -> None:
    assert clean("停\x00水\ud83d了😀") == "停水了😀"
    assert len(clean("水" * 1_000_000)[:MAX_TEXT]) == 1_000_000


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def test_all_bad_settings_are_told_at_once_and_no_secret_is_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("WEB_PORT", "0")
    environment.setenv("DATABASE_URL", "mysql://x")
    environment.setenv("GATEWAY_TOKEN", "change-me")
    environment.setenv("DATA_KEY", "my-very-secret-word")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    told = str(caught.value)
    assert len(told.splitlines()) == 4
    for name in ("WEB_PORT = '0'", "DATABASE_URL = 'mysql://x'", "GATEWAY_TOKEN:", "DATA_KEY:"):
        assert name in told
    assert "my-very-secret-word" not in told and "change-me" not in told


def test_a_ladder_that_does_not_rise_is_refused(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("REMINDER_MINUTES", "12")
    with pytest.raises(SettingsError, match="must rise and stay below ACCEPT_WINDOW_MINUTES"):
        load_settings()


@pytest.mark.parametrize(
    "line, wrong",
    [
        ("{", "2: not JSON"),
        ("[1]", "2: a line is a JSON object"),
        ('{"id": "a"}', "2: `at` is missing"),
        ('{"at": "2026-03-03T09:00:00", "id": "a"}', "2: `at` needs an offset"),
        ('{"at": "yesterday"}', "2: `at` is no ISO 8601 time"),
        ('{"at": "2026-03-03T08:00:00+08:00", "kind": "offline"}', "2: at 2026-03-03T08:00:00+08:00 is before"),
        ('{"at": "2026-03-03T09:00:00+08:00", "kind": "tea"}', "2: kind 'tea' is unknown"),
        ('{"at": "2026-03-03T09:00:00+08:00", "id": "a", "room": "r"}', "2: `sender` is missing"),
        ('{"at": "2026-03-03T09:00:00+08:00", "id": "a", "room": "r", "sender": 3}', "2: `sender` must be a string"),
        ('{"at": "2026-03-03T09:00:00+08:00", "kind": "callback", "order_no": "x"}', "2: `contacted` must be"),
    ],
)
def test_a_malformed_line_is_named_by_file_and_line(tmp_path: Path, line: str, wrong: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"at": "2026-03-03T09:00:00+08:00", "kind": "offline"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(TranscriptError) as caught:
        read_transcript(path)
    assert str(caught.value).startswith(f"{path}:{wrong}")


def test_an_empty_or_unreadable_transcript_is_told_of(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n\n")
    with pytest.raises(TranscriptError, match="empty.jsonl:1: the transcript has no line"):
        read_transcript(empty)
    with pytest.raises(TranscriptError, match="missing.jsonl:0: cannot be read"):
        read_transcript(tmp_path / "missing.jsonl")
    empty.write_bytes(json.dumps({"at": "中"}, ensure_ascii=False).encode("gb18030"))
    with pytest.raises(TranscriptError, match="not UTF-8"):
        read_transcript(empty)


def test_what_is_sealed_opens_with_any_of_the_keys_and_with_no_other() -> None:
    old, new = "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=", "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="
    sealed = Vault([old]).seal("13800001234")
    assert "13800001234" not in sealed
    assert Vault([new, old]).open(sealed) == "13800001234"
    with pytest.raises(SealBroken):
        Vault([new]).open(sealed)
    with pytest.raises(SealBroken):
        Vault().open(sealed)
    assert Vault([new]).open(Vault().seal("13800001234")) == "13800001234"  # stored before a key was set
