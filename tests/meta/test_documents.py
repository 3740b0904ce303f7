"""What is written down and what is built are the same."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from bot.settings import Settings
from handlers import registry, texts
from handlers.reading.views import Act

EXAMPLE = Path("config.example.env")


def shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(str(each) for each in value)
    if hasattr(value, "get_secret_value"):
        return str(value.get_secret_value())
    if hasattr(value, "isoformat"):
        return str(value.isoformat(timespec="minutes"))
    return str(value)


def test_the_example_names_every_setting_with_its_default() -> None:
    written = dict(re.findall(r"^([A-Z_]+)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), re.M))
    built = {name.upper(): shown(field.get_default()) for name, field in Settings.model_fields.items()}
    assert written == built


def test_every_setting_in_the_example_has_words_above_it() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if re.match(r"[A-Z_]+=", line):
            above = next(each for each in reversed(lines[:number]) if not re.match(r"[A-Z_]+=", each))
            assert above.startswith("# ") and not above.startswith("# ----"), line


def test_every_act_of_an_answer_has_a_handler() -> None:
    other = {Act.DUTY, Act.BIND, Act.CALL_BACK}
    handled = {*registry.ON_DUTY, *registry.ON_TICKET, *registry.QUESTIONS, *other}
    assert handled == set(Act)
    assert set(registry.VERBS) == {*registry.ON_DUTY, *registry.ON_TICKET}


def test_no_sentence_of_the_bot_is_long() -> None:
    source = inspect.getsource(texts)
    for sentence in re.findall(r'f?"([^"\n]*[\u4e00-\u9fff][^"\n]*)"', source):
        assert len(sentence) <= 120, sentence


def test_no_file_names_a_machine_or_a_registry() -> None:
    for folder in ("bot", "handlers", "storage", "benchmarks", "deploy", "docs", "tests"):
        for path in Path(folder).rglob("*"):
            if path.suffix in (".py", ".md", ".toml", ".json", ".sh") and "node_modules" not in path.parts:
                text = path.read_text(encoding="utf-8")
                assert not re.search(r"(?<![\w.-])/(work|home)/", text), path
    for lock in ("requirements.lock", "tests/gateway/package-lock.json", "deploy/gateway/package-lock.json"):
        assert "://" not in Path(lock).read_text(encoding="utf-8"), lock
