"""The lists that the pages show, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from storage import digests
from storage.enums import AssignmentStatus, DigestKind
from storage.open_duties import count_open, open_duties
from storage.sessions import transaction
from tests.digests.build import DECLINED, DONE, District, add_district, at, daily, unit_id

NOW = at("2026-03-03 12:05")


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as session:
        add_district(session)
        yield session


def test_what_is_open_waits_first_then_by_due_time(session: Session) -> None:
    district = District(session)
    for minute, given in enumerate(
        ({"accepted": 60}, {}, {"status": DONE, "accepted": 60}, {}, {"status": DECLINED}, {"accepted": 30})
    ):
        district.duty("怀柔镇", f"2026-03-03 10:0{minute}:00", **given)  # type: ignore[arg-type]
    district.duty("雁栖镇", "2026-03-03 09:00:00")
    town = unit_id("怀柔镇")
    assert [(d.no[-1], d.status.value) for d in open_duties(session, town, limit=9)] == [
        ("2", "待领办"), ("4", "待领办"), ("1", "已领办"), ("6", "已领办"),
    ]  # fmt: skip
    assert [d.no[-1] for d in open_duties(session, town, limit=2, offset=1)] == ["4", "1"]
    assert count_open(session, town) == {AssignmentStatus.WAITING: 2, AssignmentStatus.ACCEPTED: 2}
    assert count_open(session, unit_id("庙城镇")) == {AssignmentStatus.WAITING: 0, AssignmentStatus.ACCEPTED: 0}


def test_stored_digests_are_listed_latest_first_with_their_figures(session: Session) -> None:
    district = District(session)
    district.duty("怀柔镇", "2026-03-03 10:00:00", 60)
    district.duty("怀柔镇", "2026-03-03 10:00:00", 6000)
    for days in range(3):
        end = at("2026-03-03 12:00") - timedelta(days=days)
        digest_id = digests.claim(session, DigestKind.DAILY, end - timedelta(days=1), end, now=NOW)
        assert digest_id is not None
        if days < 2:  # the third one is claimed and still being made
            digests.store(session, digest_id, numbers=daily(district, end), text="文字", posted=days == 0)
    lines = digests.listing(session, DigestKind.DAILY, limit=9)
    assert [(d.window_end, d.posted, d.dispatched, d.on_time_rate) for d in lines] == [
        (at("2026-03-03 12:00"), True, 2, 0.5),
        (at("2026-03-02 12:00"), False, 0, None),
    ]
    assert digests.listing(session, DigestKind.WEEKLY, limit=9) == []
    assert len(digests.listing(session, None, limit=1, offset=1)) == 1
    assert digests.by_id(session, lines[0].id) is not None and digests.by_id(session, digest_id) is None


def test_a_period_of_ones_own_is_stored_once_with_the_newest_numbers(session: Session) -> None:
    window = (at("2026-03-01 12:00"), at("2026-03-03 12:00"))
    first = digests.renew(session, *window, numbers={"totals": {"dispatched": 1}}, text="一", now=NOW)
    again = digests.renew(session, *window, numbers={"totals": {"dispatched": 2}}, text="二", now=NOW)
    assert again == first
    (line,) = digests.listing(session, DigestKind.SPECIAL, limit=9)
    assert (line.id, line.dispatched, line.posted) == (first, 2, False)
