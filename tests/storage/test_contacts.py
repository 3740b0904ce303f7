"""Whom a message @-s: the WeChat ids of the names it carries, asked for by name."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlmodel import Session, select

from storage import people
from storage.enums import Role
from storage.tables import Member, MemberContact, Unit
from tests import district
from tests.process import NINE, prepare


def member(session: Session, name: str) -> int:
    return session.exec(select(Member.id).where(Member.name == name)).one() or 0


def test_a_name_has_its_id_if_one_is_known_and_undisputed_and_the_first_of_the_roster_has_the_name(engine: Engine) -> None:
    prepare(engine)
    with Session(engine) as session, session.begin():
        unit = session.exec(select(Unit.id).where(Unit.name == district.TOWNS[1])).one() or 0
        session.add(Member(unit_id=unit, name="甄丙", role=Role.HANDLER, position=900))  # the same name in another unit
        session.add(Member(unit_id=unit, name="贾戊", role=Role.HANDLER, position=901, active=False))
        session.flush()
        for name, contact, clash in (("甄甲", "wx-a", None), ("甄丙", "wx-c", None), ("甄丁", "wx-d", "贾丁")):
            found = session.exec(select(Member.id).where(Member.name == name).order_by(Member.position)).first() or 0
            values = {"learned_at": NINE, "source": "admin", "clash": clash}
            session.add(MemberContact(member_id=found, contact_id=contact, **values))
        session.add(
            MemberContact(member_id=member(session, "贾戊"), contact_id="wx-e", learned_at=NINE, source="admin")
        )
    with Session(engine) as session:
        asked = ["甄甲", "甄乙", "甄丙", "甄丁", "贾戊", "没有此人"]
        assert people.contacts_of(session, asked) == {"甄甲": "wx-a", "甄乙": None, "甄丙": "wx-c", "甄丁": None}
        assert people.contacts_of(session, []) == {}


def test_the_rooms_of_an_account_are_those_that_it_is_bound_to(engine: Engine) -> None:
    prepare(engine, "one", "two")
    with Session(engine) as session:
        own = people.rooms_of(session, "one")
        assert len(own) == len(people.rooms(session)) and own[1].startswith("one:")
        assert people.rooms_of(session, "three") == {}
