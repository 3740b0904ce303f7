"""A thousand sentences as people type them, each with what must come of it, written down by hand."""

from __future__ import annotations

import pytest

from tests.reading_replies import world


def _misses(name: str) -> list[str]:
    missed = []
    for signs, sender, quoted, wanted, text in world.rows(name):
        got = world.effect(world.read(signs, sender, text, quoted), signs, sender)
        if got not in wanted.split("/"):
            missed.append(f"{signs}|{sender}|{quoted}| want {wanted}, got {got}: {text!r}")
    return missed


@pytest.mark.parametrize("name", ["sentences_accept.txt", "sentences_silent.txt", "sentences_commands.txt"])
def test_every_sentence_of_the_table_means_what_is_written_beside_it(name: str) -> None:
    missed = _misses(name)
    assert not missed, "\n".join(missed)


def test_nothing_that_must_stay_silent_accepts() -> None:
    """The worst error: apart from the table's exact answers, so that a changed row cannot hide it."""
    for signs, sender, quoted, wanted, text in world.rows("sentences_silent.txt"):
        intent = world.read(signs, sender, text, quoted)
        assert not world.effect(intent, signs, sender).startswith("accept"), text
        assert wanted.startswith("none")
