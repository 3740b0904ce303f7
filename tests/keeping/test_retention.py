"""Personal data that is too old goes, every number stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import JSON, Engine, String
from sqlmodel import SQLModel

from handlers.texts import BLANKED
from storage import retention
from storage.sessions import make_engine, sqlite_path
from storage.tables import Digest, Event, InboxMessage, OutboxMessage
from tests.keeping.world import PLANTED, World, everything, found_in, found_in_files
from tests.process import NINE, quote

KEY = Fernet.generate_key().decode()


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> World:
    """On both databases, with a digest: its picture takes a second."""
    made = World(engine, tmp_path, key=KEY)
    made.old_day(digest=True)
    return made


@pytest.fixture
def quick(sqlite_template: Path, tmp_path: Path) -> World:
    """On SQLite alone, nothing said yet."""
    (tmp_path / "quick.db").write_bytes(sqlite_template.read_bytes())
    return World(make_engine(f"sqlite:///{tmp_path}/quick.db", durable=False), tmp_path)


@pytest.fixture
def old(quick: World) -> World:
    quick.old_day()
    return quick


def test_a_complaint_of_400_days_ago_leaves_its_numbers_and_nothing_of_a_person(world: World) -> None:
    assert [ticket.status.value for ticket in world.tickets()] == ["已办结", "已办结"]
    sealed = tuple(
        value for t in world.tickets() for value in (t.phones, t.people, t.phone_hash) if value is not None
    )
    before = found_in(world.engine, (*PLANTED, *sealed))
    assert {table for table, _ in before} == {
        "ticket", "assignment", "event", "inbox", "outbox", "digest", "access_log",
    }  # fmt: skip
    numbers, (digest,) = world.numbers(), world.process.rows(Digest)
    world.later(400)
    planned = world.count()
    done = world.blank()
    assert done == planned
    assert (done.counts["tickets"], done.counts["digests"], done.counts["files"]) == (2, 1, 1)
    assert found_in(world.engine, (*PLANTED, *sealed)) == set()
    assert found_in_files(world.files, PLANTED) == [] and list(world.files.rglob("*.xlsx")) == []
    assert world.numbers() == numbers
    assert {ticket.text for ticket in world.tickets()} == {BLANKED}
    assert all(ticket.place == BLANKED and ticket.village for ticket in world.tickets())
    (blanked,) = world.process.rows(Digest)
    assert [entry["gist"] for entry in blanked.numbers["urgent"]] == [BLANKED]
    assert {**blanked.numbers, "urgent": None} == {**digest.numbers, "urgent": None}
    assert [a[:30] for a in blanked.text.splitlines()] == [b[:30] for b in digest.text.splitlines()]
    assert f"｜{BLANKED}" in blanked.text
    assert world.blank().nothing  # twice is once


def test_the_bytes_of_the_file_are_gone_too(sqlite_template: Path, tmp_path: Path) -> None:
    (tmp_path / "live.db").write_bytes(sqlite_template.read_bytes())
    world = World(make_engine(f"sqlite:///{tmp_path}/live.db"), tmp_path, key=KEY)
    world.old_day()
    world.later(400)
    world.blank()
    world.database.close()
    path = sqlite_path(str(world.engine.url))
    assert path is not None
    assert [word for word in PLANTED if word.encode() in path.read_bytes()] == []


def test_a_dry_run_changes_nothing(old: World) -> None:
    old.later(400)
    before, files = everything(old.engine), sorted(old.files.rglob("*"))
    assert old.count().counts["tickets"] == 2
    assert everything(old.engine) == before and sorted(old.files.rglob("*")) == files


def test_what_is_young_stays(old: World) -> None:
    before = everything(old.engine)
    old.later(299)
    assert old.blank().nothing
    after = everything(old.engine)
    assert {name for name in before if before[name] != after[name]} == {"meta"}


def test_every_text_column_is_blanked_or_named_here_with_what_it_may_hold() -> None:
    """A new column makes this fail: decide whether a complaint can get into it."""
    kept = {
        "unit": "name aliases", "room": "topic", "room_binding": "account channel_room_id bound_by",
        "seen_room": "account channel_room_id topic held_because",
        # the roster's people and what they did are not the complainants'
        "member": "name aliases", "member_contact": "contact_id source clash", "duty": "line source",
        "village": "township name kind aliases", "place_alias": "alias township village",
        "catalogue": "category lead_agency examples",
        "inbox": "channel channel_room_id message_id recalls became",
        "ticket": "no order_no category runner_up village township note",  # note: 疑似 and a unit
        "ticket_message": "part message_id", "assignment": "accepted_by", "deadline": "outcome",
        "outbox": "dedup_key mentions tickets account taken_by message_id",  # mentions: of the roster
        "digest": "picture", "call_back": "order_no source", "outage": "account", "warning": "key text",
        "lease": "name holder", "meta": "key value",
        "page_user": "name password", "page_session": "token_hash", "login_failure": "name address",
        "access_log": "user_name address what",  # the rows go
        "audit": "user_name address subject before after",  # changes of the roster
    }  # fmt: skip
    blanked = {table.__tablename__: set(columns) for table, columns in retention.BLANKED.items()}
    for name, table in SQLModel.metadata.tables.items():
        texts = {c.name for c in table.columns if isinstance(c.type, String | JSON) and not hasattr(c.type, "enums")}
        known = set(kept.get(name, "").split()) | blanked.get(name, set())
        assert texts - known == set() and known - {c.name for c in table.columns} == set(), name
        assert set(kept.get(name, "").split()) & blanked.get(name, set()) == set(), name


def test_the_trail_keeps_who_of_the_roster_did_what_and_when(old: World) -> None:
    def trail() -> list[tuple[object, ...]]:
        return sorted((e.id, e.kind, e.at, e.ticket_id) for e in old.process.rows(Event))

    before = trail()
    old.later(400)
    old.blank()
    assert trail() == before
    told = {(event.kind.value, event.by, event.detail) for event in old.process.rows(Event)}
    assert ("上报", BLANKED, "") in told and ("派单", BLANKED, "主办 东山镇") in told  # a citizen reported it
    assert {by for kind, by, _ in told if kind == "办结"} == {"甄丙", "贾丙"}
    assert {detail for kind, _, detail in told if kind == "办结"} == {BLANKED}


def test_an_open_ticket_and_what_it_was_made_of_is_never_touched(quick: World) -> None:
    quick.say("东山镇", "诉求转发", "市民反映，石桥村垃圾没人清运，请处理。电话13811112222")
    quick.process.hear("东山镇", "诉求转发", "市民反映，还没有读过的一条，电话13811112222")  # stored, not understood
    quick.later(400)
    quick.blank()
    (ticket,) = quick.tickets()
    heard = quick.process.rows(InboxMessage)
    assert "13811112222" in ticket.text and ticket.blanked_at is None
    assert all("13811112222" in row.text for row in heard) and {row.blanked_at for row in heard} == {None}
    assert all(row.text == BLANKED for row in quick.process.rows(OutboxMessage) if row.state.value == "sent")


def test_a_message_of_two_complaints_is_kept_until_both_are_done(quick: World) -> None:
    quick.say("东山镇", "转发员", "1、市民反映，石桥村垃圾没人清运。\n2、市民反映，柳林村路灯不亮，电话13811112222。")
    assert len(quick.tickets()) == 2
    quick.say("东山镇", "东山镇-甄丙", "1已办结，垃圾已清走")
    quick.later(400)
    quick.blank()
    done, still_open = quick.tickets()
    assert done.text == BLANKED and "13811112222" in still_open.text
    made = f"ticket:{done.no},ticket:{still_open.no}"
    (told,) = (row.text for row in quick.process.rows(InboxMessage) if row.became == made)
    assert "13811112222" in told


def test_one_that_is_reopened_lives_again_and_goes_again(old: World) -> None:
    old.later(400)
    old.blank()
    no = old.tickets()[0].no
    old.say("派单", "派单中心-安丙", f"{no} 重办 市民又来电，电话13811112222")
    old.process.wait(minutes=1)
    (short,) = {a.short for a in old.process.rows(retention.Assignment) if a.status.value == "待领办"}
    old.say("东山镇", "东山镇-甄丙", f"领{short}")
    old.say("东山镇", "东山镇-甄丙", f"{short}已办结，已回复13811112222")
    assert old.tickets()[0].blanked_at is None and old.tickets()[0].status.value == "已办结"
    assert ("event", "detail") in found_in(old.engine, ("13811112222",))
    old.clock.move_to(NINE + timedelta(days=800))
    old.blank()
    assert found_in(old.engine, ("13811112222",)) == set()


def test_quoting_what_was_said_of_a_blanked_ticket_is_understood(old: World) -> None:
    said = next(row for row in old.process.rows(OutboxMessage) if row.tickets and row.message_id)
    first = next(row for row in old.process.rows(InboxMessage) if row.became == f"ticket:{old.tickets()[0].no}")
    old.later(400)
    old.blank()
    for message_id in (said.message_id, first.message_id):
        old.say("东山镇", "东山镇-甄丙", "这个现在怎么样了", quote=quote(message_id or ""))
        old.say("东山镇", "东山镇-甄丙", "收到", quote=quote(message_id or ""))
    assert {row.state.value for row in old.process.rows(InboxMessage)} == {"done"}


def test_a_blanked_ticket_is_no_repeat_of_anything(quick: World) -> None:
    quick.say("东山镇", "转发员", "市民反映，石桥村垃圾没人清运。电话13811112222")
    quick.say("东山镇", "东山镇-甄丙", "1已办结，垃圾已清走")
    quick.clock.move_to(NINE + timedelta(days=2))
    quick.blank(days=1)
    quick.say("东山镇", "转发员", BLANKED + "，石桥村垃圾没人清运。电话13811112222")
    assert [ticket.repeat_of_id for ticket in quick.tickets()] == [None, None]


def test_a_crash_in_the_middle_of_a_batch_loses_nothing_and_the_next_run_ends_it(
    old: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = old
    numbers = world.numbers()
    world.later(400)
    before = everything(world.engine)
    original = retention.blank_messages

    def dies(*given: object, **more: object) -> None:
        original(*given, **more)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(retention, "blank_messages", dies)
    with pytest.raises(KeyboardInterrupt):
        world.blank()
    assert everything(world.engine)["inbox"] == before["inbox"]  # rolled back; its tickets were a batch before
    assert list(world.files.glob("*.jpg")) == []  # files first
    monkeypatch.setattr(retention, "blank_messages", original)
    world.blank()
    assert found_in(world.engine, PLANTED) == set() and world.numbers() == numbers
