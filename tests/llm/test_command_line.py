"""`evaluate --llm`, `explain`, `check`; the settings; and that nothing of it is there where no model is set."""

from __future__ import annotations

import ast
import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot import checking, cli_reading, language_model
from bot.app import second_opinions
from bot.cli import app
from bot.settings import Settings, SettingsError, load_settings
from handlers.reading.complaints import DOUBT, needed
from handlers.reading.evidence import observe
from handlers.reading.index import reading_index
from handlers.reading.judging import score_of
from handlers.reading.orders import find_orders
from handlers.reading.text import fold
from tests.harness import story
from tests.llm.double import ADDRESS, Double, raw, says, verdict
from tests.reading.labelled import messages
from tests.reading.sample import gazetteer

ROOM = "泉河街道见诉领办工作群"
BELOW, ABOVE = "刚路过口头村，路边堆了点土", "范各庄噪音那户我们上门了，设备移到屋里了，邻居没意见了"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    cases = [
        {"id": "a", "room": ROOM, "sender": "", "text": BELOW, "expect": {"tickets": 1, "category": ["市容环卫"]}},
        {"id": "b", "room": ROOM, "sender": "", "text": ABOVE, "expect": {"tickets": 0}},
        {"id": "c", "room": ROOM, "sender": "", "text": "下午两点开会，请准时参加", "expect": {"tickets": 0}},
    ]
    path = tmp_path / "labelled.jsonl"
    path.write_text("\n".join(json.dumps(case, ensure_ascii=False) for case in cases), encoding="utf-8")
    return path


def test_evaluate_scores_the_rules_alone_then_with_the_model(labelled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    double = Double(verdict("complaint", "市容环卫"), verdict("not"))
    monkeypatch.setattr(cli_reading, "_model", double.model)
    alone, _, together = run("evaluate", str(labelled), "--llm").stdout.partition("with second opinions of small:")
    assert "precision 0.0000  recall 0.0000  f1 0.0000  ticket count 0.3333" in alone
    assert "a tickets: want 1, got 0" in alone and "b tickets: want 0, got 1" in alone
    assert "precision 1.0000  recall 1.0000  f1 1.0000  ticket count 1.0000" in together
    assert "asked     2 of 3: complaint 1, not 1, unsure 0, invalid 0, timeout 0, failed 0" in together
    assert "right     2 of 2; category 1 of 1" in together


def test_evaluate_counts_what_is_no_answer(labelled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    double = Double(says("是诉求"), raw(b"", 500))
    monkeypatch.setattr(cli_reading, "_model", double.model)
    told = run("evaluate", str(labelled), "--llm").stdout
    assert "asked     2 of 3: complaint 0, not 0, unsure 0, invalid 1, timeout 0, failed 1" in told
    assert told.count("ticket count 0.3333") == 2


def test_explain_says_that_a_text_is_doubtful_and_what_the_model_says(monkeypatch: pytest.MonkeyPatch) -> None:
    double = Double(verdict("complaint", "市容环卫"))
    monkeypatch.setattr(cli_reading, "_model", double.model)
    assert "within 1.5 of what was needed" in run("explain", BELOW, "--room", ROOM).stdout
    assert double.requests == []
    assert "opinion   complaint 市容环卫 0 ms" in run("explain", BELOW, "--room", ROOM, "--llm").stdout
    sure = run("explain", "口头村路灯坏了三盏，请尽快维修", "--room", ROOM, "--llm").stdout
    assert "doubt" not in sure and "opinion" not in sure and len(double.requests) == 1


def test_without_an_address_asking_is_refused_in_words(labelled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLM_BASE_URL", raising=False)
    told = run("evaluate", str(labelled), "--llm")
    assert told.exit_code == 2 and "LLM_BASE_URL is empty" in told.stderr


def found(double: Double, monkeypatch: pytest.MonkeyPatch, address: str = ADDRESS) -> list[tuple[bool, str]]:
    monkeypatch.setattr(language_model, "LanguageModel", lambda *_: double.model(address))
    given = Settings(_env_file=None, llm_base_url=address, llm_model="small", llm_api_key="secret-key")
    return [(each.ok, each.what) for each in asyncio.run(checking._language_model(given))]


def test_check_tries_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(Double(verdict("complaint")), monkeypatch) == [(True, "language model small answers: complaint, 0 ms")]
    assert found(Double(raw(b"", 401)), monkeypatch) == [(False, "language model small: status 401")]
    [(ok, what)] = found(Double(says("好")), monkeypatch)
    assert not ok and "another form" in what


def test_check_warns_of_an_address_outside_the_district(monkeypatch: pytest.MonkeyPatch) -> None:
    told = found(Double(verdict("not")), monkeypatch, "https://8.8.8.8/v1")
    assert told[1] == (False, "LLM_BASE_URL https://8.8.8.8/v1 is no private address: masked texts leave the district")


@pytest.mark.parametrize(
    "address, words",
    [
        ("ftp://10.0.0.5/v1", "must be http"),
        ("file:///etc/passwd", "must be http"),
        ("http://", "must be http"),
        ("http://10.0.0.5/v1?x=1", "without ? and #"),
        ("http://me:hush@10.0.0.5/v1", "no user and no password"),
        ("http://10.0.0.5:99999/v1", "out of range"),
    ],
)
def test_an_address_that_is_none_is_refused(address: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_BASE_URL", address)
    monkeypatch.setenv("LLM_MODEL", "small")
    with pytest.raises(SettingsError, match="LLM_BASE_URL") as refused:
        load_settings()
    assert words in str(refused.value) or "range" in str(refused.value)
    assert "hush" not in str(refused.value)


def test_an_address_without_a_models_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_BASE_URL", ADDRESS)
    monkeypatch.delenv("LLM_MODEL", raising=False)
    with pytest.raises(SettingsError, match="LLM_MODEL is empty"):
        load_settings()


# ---- off -------------------------------------------------------------------------------------------------------------


def test_off_nothing_of_it_is_loaded() -> None:
    given = Settings(_env_file=None, llm_base_url="")
    assert second_opinions(given, None, None, None, lambda: None) is None  # type: ignore[arg-type]
    for path in Path("bot").rglob("*.py"):
        for each in ast.parse(path.read_text(encoding="utf-8")).body:  # what is imported with the module
            assert not (isinstance(each, ast.ImportFrom) and each.module == "bot.language_model"), path


def test_a_replay_asks_no_model_whatever_is_set() -> None:
    lines = (f"09:00 东山镇 @4 m1: {'刚路过石桥村，路边堆了点土'}", "09:05 东山镇 @3 m2: 石桥村路灯坏了两盏，请尽快维修")
    without = story(*lines)
    told = story(*lines, llm_base_url="http://127.0.0.1:9/v1", llm_model="small")
    assert told.out == without.out and len(told.tickets) == 1


# ---- the band --------------------------------------------------------------------------------------------------------


def test_the_band_holds_what_the_rules_get_wrong_and_asks_about_little_else() -> None:
    """The figures of docs/reading.md, over the messages labelled by hand that taught nothing."""
    index, asked, wrong, wrong_inside, told = reading_index(gazetteer()), 0, 0, 0, 0
    for message in (*messages("complaints.txt"), *messages("talk.txt")):
        if find_orders(fold(message.view.text)):
            continue
        seen = observe(message.view, index)
        margin = score_of(seen) - needed(seen)
        inside, missed = abs(margin) <= DOUBT, (margin >= 0) != (message.count > 0)
        told, asked = told + 1, asked + inside
        wrong, wrong_inside = wrong + missed, wrong_inside + (missed and inside)
    assert asked <= 0.2 * told
    assert wrong_inside == wrong
