"""The unique row of a window, on SQLite and PostgreSQL, and both databases counting the same."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlmodel import Session

from storage import digests
from storage.enums import DigestKind
from storage.sessions import make_engine, transaction
from tests.databases import fresh
from tests.digests.build import District, at, daily, database
from tests.digests.test_numbers import digest_noon_units

WINDOW = (at("2026-03-02 12:00:00"), at("2026-03-03 12:00:00"))
NOW = at("2026-03-03 12:05:00")


def claim(session: Session, kind: DigestKind = DigestKind.DAILY) -> int | None:
    return digests.claim(session, kind, *WINDOW, now=NOW)


def test_a_window_is_claimed_once_per_kind(district: District) -> None:
    session = district.session
    first = claim(session)
    assert first is not None
    assert claim(session) is None
    assert claim(session, DigestKind.WEEKLY) is not None


def test_a_claim_that_is_rolled_back_is_free_again(tmp_path: Path) -> None:
    engine = fresh(tmp_path / "d.sqlite")
    with pytest.raises(RuntimeError), transaction(engine) as session:
        assert claim(session) is not None
        raise RuntimeError
    with transaction(engine) as session:
        assert claim(session) is not None
    engine.dispose()


def test_last_ends_know_the_latest_and_leave_out_special_ones(district: District) -> None:
    session = district.session
    assert set(digests.last_ends(session).values()) == {None}
    for kind in (DigestKind.DAILY, DigestKind.SPECIAL):
        claim(session, kind)
    digests.claim(session, DigestKind.DAILY, at("2026-03-01 12:00:00"), at("2026-03-02 12:00:00"), now=NOW)
    ends = digests.last_ends(session)
    assert ends == {DigestKind.DAILY: WINDOW[1], DigestKind.WEEKLY: None, DigestKind.MONTHLY: None}


def test_the_store_keeps_numbers_text_and_files(district: District) -> None:
    from storage.tables import Digest

    session = district.session
    digest_id = claim(session)
    assert digest_id is not None
    numbers = daily(district)
    digests.store(session, digest_id, numbers=numbers, text="文", posted=True, picture="a.png", ledger="a.xlsx")
    row = session.get_one(Digest, digest_id)
    assert (row.numbers, row.text, row.posted, row.picture, row.ledger) == (numbers, "文", True, "a.png", "a.xlsx")


def test_postgresql_counts_the_same(postgres_url: str) -> None:
    found = []
    for engine in (None, make_engine(postgres_url)):
        with database(engine) as session:
            digest_noon_units(District(session))
            found.append(daily(District(session), at("2026-04-22 12:00:00")))
            session.rollback()
    assert found[0] == found[1]


def test_two_processes_claim_a_window_on_postgresql_once(postgres_url: str) -> None:
    engine = make_engine(postgres_url)
    first = Session(engine)
    assert claim(first) is not None
    answers: list[int | None] = []

    def other() -> None:
        with transaction(engine) as session:
            answers.append(claim(session))

    waiting = threading.Thread(target=other)
    waiting.start()
    first.commit()
    waiting.join(10)
    first.close()
    engine.dispose()
    assert answers == [None]
