"""Whatever leads a search and however short its pages: every ticket that fits is found once, and no other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from storage import ticket_search
from storage.enums import AssignmentRole, TicketStatus, Urgency
from storage.sessions import transaction
from storage.tables import Ticket
from storage.ticket_search import Wanted, in_batches, search
from tests.digests.build import DECLINED, District, add_district, at, unit_id

START = at("2026-03-01 08:00")
TICKETS = 60
SEARCHES = 60  # of the 360 that can be put together
TOWN, OTHER = unit_id("怀柔镇"), unit_id("雁栖镇")


@pytest.fixture
def tickets(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Session, list[tuple[Ticket, set[int]]]]]:
    """Sixty tickets, some told of late, some of two units, some twice of one; pages look through seven at most."""
    monkeypatch.setattr(ticket_search, "SCANNED", 7)
    monkeypatch.setattr(ticket_search, "SCANNED_OF_UNIT", 5)
    dice = random.Random(6)
    with transaction(engine) as session:
        add_district(session)
        district, made = District(session), []
        for number in range(TICKETS):
            when = START + timedelta(hours=number) - timedelta(days=dice.choice((0, 0, 0, 2)))
            unit = dice.choice((TOWN, OTHER, OTHER))
            ticket = district.ticket(
                when, unit_id=unit, order_no=f"热线-{number:06}", category=dice.choice(("市容环卫", "供水排水")),
                urgency=dice.choice((Urgency.NORMAL, Urgency.NORMAL, Urgency.URGENT)),
                status=dice.choice((TicketStatus.RESOLVED, TicketStatus.RESOLVED, TicketStatus.WAITING)),
                text=dice.choice(("路灯不亮", "100%的井盖丢了", "下水_道堵了")),
            )  # fmt: skip
            units = {unit}
            names = {TOWN: "怀柔镇", OTHER: "雁栖镇"}
            if number % 5 == 0:
                district.duty(names[unit], when, 30, ticket=ticket, status=DECLINED, ended=when + timedelta(minutes=1))
            district.duty(names[unit], when, 60, ticket=ticket)
            if number % 4 == 0:
                units |= {TOWN, OTHER}
                helper = names[TOWN if unit == OTHER else OTHER]
                district.duty(helper, when, 60, ticket=ticket, role=AssignmentRole.HELPER)
            made.append((ticket, units))
        yield session, made


def found(session: Session, wanted: Wanted, own: int | None) -> list[int | None]:
    """Every page of three, one after the other."""
    ids: list[int | None] = []
    before = None
    for _ in range(200):
        page = search(session, wanted, limit=3, before=before, own=own)
        assert len(page.tickets) <= 3
        ids += [ticket.id for ticket in page.tickets]
        if page.before is None:
            return ids
        before = page.before
    raise AssertionError("the pages never end")


def fits(ticket: Ticket, units: set[int], wanted: Wanted, own: int | None) -> bool:
    return (
        (wanted.unit_id is None or wanted.unit_id in units)
        and (own is None or own in units)
        and wanted.category in (None, ticket.category)
        and wanted.status in (None, ticket.status)
        and wanted.urgency in (None, ticket.urgency)
        and (wanted.since is None or ticket.created_at >= wanted.since)
        and (wanted.until is None or ticket.created_at < wanted.until)
        and wanted.words in ticket.text
    )


def test_all_that_fit_and_no_other_each_once(tickets: tuple[Session, list[tuple[Ticket, set[int]]]]) -> None:
    session, made = tickets
    since, until = START + timedelta(hours=10), START + timedelta(hours=45)
    every = product(
        ("", "井盖", "%", "下水_", "没有的话"), (None, TOWN), (None, "供水排水"),
        (None, TicketStatus.WAITING, TicketStatus.RESOLVED), ((None, None), (since, None), (since, until)), (None, OTHER),
    )  # fmt: skip
    for words, unit, category, status, days, own in random.Random(11).sample(list(every), SEARCHES):
        urgency = Urgency.URGENT if category and unit else None
        wanted = Wanted(words, unit, category, status, urgency, *days)
        expected = {ticket.id for ticket, units in made if fits(ticket, units, wanted, own)}
        ids = found(session, wanted, own)
        assert sorted(ids) == sorted(expected), (wanted, own)  # type: ignore[type-var]
        if days == (None, None):
            assert ids == sorted(ids, reverse=True)  # type: ignore[type-var]


def test_a_search_by_days_goes_from_the_latest_told_to_the_earliest(
    tickets: tuple[Session, list[tuple[Ticket, set[int]]]],
) -> None:
    session, made = tickets
    times = {ticket.id: ticket.created_at for ticket, _ in made}
    shown = [times[number] for number in found(session, Wanted(since=START - timedelta(days=9)), None)]
    assert len(shown) == TICKETS and shown == sorted(shown, reverse=True)


def test_a_number_finds_its_ticket_and_an_export_finds_all(
    tickets: tuple[Session, list[tuple[Ticket, set[int]]]],
) -> None:
    session, made = tickets
    ticket, units = made[40]
    for words in (ticket.no, ticket.order_no or ""):
        assert [t.id for t in search(session, Wanted(words), limit=3).tickets] == [ticket.id]
    assert search(session, Wanted(ticket.no), limit=3, own=unit_id("庙城镇")).tickets == []
    assert sum(len(batch) for batch in in_batches(session, Wanted(), size=8)) == TICKETS
