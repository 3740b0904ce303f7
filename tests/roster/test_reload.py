"""`init` and `reload` on a district that works: what changes hands, what is refused, and that nothing else moves."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import SQLModel, select
from typer.testing import CliRunner

from bot.cli import app
from bot.clock import VirtualClock
from bot.importers.roster import MemberRow, Roster, RosterError, UnitRow
from bot.roster import Loaded, load_into
from handlers.binding import rooms_listed
from handlers.context import Context, load_district
from handlers.policy import Policy
from storage import people
from storage.enums import MessageType, Role, UnitKind
from storage.sessions import make_engine, reading, transaction
from storage.tables import (
    Assignment,
    Deadline,
    Duty,
    Event,
    Member,
    MemberContact,
    OutboxMessage,
    Room,
    RoomBinding,
    SeenRoom,
    Ticket,
    Unit,
)
from tests import district
from tests.process import LAMP, NINE, Groups, Process, prepare
from tests.scenarios.test_hotline_orders import sheet

EAST, WEST, LAKE = district.TOWNS
HANDLER = district.nick(EAST, 3)
WORK = (Ticket, Assignment, Deadline, Event, OutboxMessage, SeenRoom)


BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> str:
    """SQLite; where the order of writes matters, PostgreSQL too."""
    if getattr(request, "param", "sqlite") == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    shutil.copyfile(sqlite_template, tmp_path / "test.db")
    return f"sqlite:///{tmp_path}/test.db"


@pytest.fixture
def process(engine: Engine, tmp_path: Path) -> Process:
    prepare(engine)
    return Process(engine, Groups(), VirtualClock(NINE), tmp_path)


def load(engine: Engine, roster: Roster) -> Loaded:
    with transaction(engine) as session:
        return load_into(session, roster, now=NINE)


def changed(**topics: str | None) -> Roster:
    """The district with other topics, by unit."""
    roster = district.roster()
    return replace(roster, units=tuple(replace(u, room=topics.get(u.name, u.room)) for u in roster.units))


def without(unit: str, *more: UnitRow) -> Roster:
    roster = district.roster()
    return replace(
        roster,
        units=(*(u for u in roster.units if u.name != unit), *more),
        members=tuple(m for m in roster.members if m.unit != unit),
        villages=tuple(v for v in roster.villages if v.township != unit),
        catalogue=tuple(c for c in roster.catalogue if c.lead_agency != unit),
    )


def listed(engine: Engine, *rooms: tuple[str, str], seconds: int = 0) -> None:
    with transaction(engine) as session:
        ctx = Context(district=load_district(session), policy=Policy())
        rooms_listed(session, ctx, account="a", listed=rooms, now=NINE + timedelta(seconds=seconds))


def bound(engine: Engine, account: str = "a") -> dict[str, str]:
    """Group id → unit."""
    with reading(engine) as session:
        names = {unit.id: unit.name for unit in people.units(session)}
        units = {room.id: names[room.unit_id] for room in people.rooms(session)}
        return {b.channel_room_id: units[b.room_id] for b in people.bindings(session) if b.account == account}


def rows(engine: Engine, *tables: type[SQLModel]) -> list[str]:
    with reading(engine) as session:
        return [repr(row) for table in tables for row in session.exec(select(table)).all()]


# ---- people ----------------------------------------------------------------------------------------------------------


def test_a_name_that_was_corrected_in_the_roster_stopped_every_message_of_that_person(process: Process) -> None:
    """The contact id was the old row's; the new nickname met it and the look-up failed."""
    process.hear(EAST, HANDLER, "大家好", sender_id="wx-1")
    process.step()
    roster = district.roster()
    fixed = [
        replace(m, name="甄炳", aliases=("东山镇-甄炳",)) if m.name == district.person(EAST, 3) else m
        for m in roster.members
    ]
    load(process.database.engine, replace(roster, members=tuple(fixed)))
    process.hear(EAST, district.DISPATCHER, LAMP)
    process.step()
    process.wait(minutes=2)
    process.hear(EAST, "东山镇-甄炳", "领1", sender_id="wx-1")
    process.step()
    assert process.groups.said("1号由甄炳领办")
    (contact,) = process.rows(MemberContact)
    assert contact.clash is None
    (owner,) = [m for m in process.rows(Member) if m.id == contact.member_id]
    assert owner.name == "甄炳"


def test_who_left_is_nobody_and_what_they_own_is_told_to_the_clerk(process: Process) -> None:
    process.hear(EAST, district.DISPATCHER, LAMP)
    process.hear(EAST, HANDLER, "领1", sender_id="wx-1")
    process.step()
    roster = district.roster()
    left = tuple(m for m in roster.members if m.name != district.person(EAST, 3))
    loaded = load(process.database.engine, replace(roster, members=left))
    assert loaded.retired_members == 1
    assert [note for note in loaded.notes if "甄丙" in note and "1 件没有办结" in note]
    process.hear(EAST, HANDLER, "办结1 换了灯泡", sender_id="wx-1")
    process.step()
    assert process.rows(Ticket)[0].closed_at is None
    assert load(process.database.engine, replace(roster, members=left)).notes == ()  # told once, when they left


def test_a_line_of_the_rota_of_somebody_who_left_kept_the_others_from_being_called(process: Process) -> None:
    engine = process.database.engine
    with transaction(engine) as session:
        member = session.exec(select(Member).where(Member.name == district.person(EAST, 4))).one()
        session.add(
            Duty(unit_id=member.unit_id, member_id=member.id or 0, day=NINE.date(), starts=NINE.time().replace(hour=0),
                 ends=NINE.time().replace(hour=23), source="page")
        )  # fmt: skip
    roster = district.roster()
    load(engine, replace(roster, members=tuple(m for m in roster.members if m.name != district.person(EAST, 4))))
    with reading(engine) as session:
        now = load_district(session)
        unit = now.unit_by_name[EAST].id
        assert [m.name for m in now.on_duty(unit, NINE)] == [district.person(EAST, 3)]


# ---- units that leave ------------------------------------------------------------------------------------------------


@BOTH
def test_a_unit_with_open_tickets_left_and_nobody_could_take_them(process: Process) -> None:
    for number in range(3):
        process.hear(EAST, district.DISPATCHER, f"市民反映，柳林村第{number}根电线杆旁的路灯坏了，请尽快维修。")
    process.hear(EAST, HANDLER, "领2")
    process.step()
    engine = process.database.engine
    before = rows(engine, *WORK, Unit, Member, Room, RoomBinding)
    with pytest.raises(RosterError) as refused:
        load(engine, without(EAST))
    (problem,) = refused.value.problems
    numbers = "、".join(ticket.no for ticket in process.rows(Ticket))
    assert str(problem).startswith("单位：“东山镇”不在表里了，可它还有 3 件没有办结（")
    assert all(no in problem.what for no in numbers.split("、")) and "别名" in problem.todo
    assert rows(engine, *WORK, Unit, Member, Room, RoomBinding) == before


def test_all_units_that_cannot_leave_are_told_at_once_and_one_with_nothing_open_may_go(process: Process) -> None:
    process.hear(EAST, district.DISPATCHER, LAMP)
    process.hear(WEST, district.DISPATCHER, "市民反映，梁家庄村主街路面塌了个坑，请修补。")
    process.step()
    roster = replace(without(EAST), units=tuple(u for u in without(EAST).units if u.name not in (WEST, LAKE)))
    with pytest.raises(RosterError) as refused:
        load(process.database.engine, roster)
    assert [problem.what[1:4] for problem in refused.value.problems] == [EAST, WEST]
    process.hear(EAST, HANDLER, "办结1 灯修好了")
    process.hear(WEST, district.nick(WEST, 3), "办结1 坑填平了")
    process.step()
    assert load(process.database.engine, roster).retired_units == 3


def test_a_unit_that_is_renamed_takes_its_tickets_group_and_people_along(process: Process) -> None:
    process.hear(EAST, district.DISPATCHER, LAMP)
    process.step()
    roster = district.roster()
    renamed = replace(
        roster,
        units=tuple(replace(u, name="东山街道", aliases=(EAST,)) if u.name == EAST else u for u in roster.units),
        members=tuple(replace(m, unit="东山街道") if m.unit == EAST else m for m in roster.members),
        villages=tuple(replace(v, township="东山街道") if v.township == EAST else v for v in roster.villages),
    )
    loaded = load(process.database.engine, renamed)
    assert (loaded.retired_units, loaded.retired_members) == (0, 0)
    assert loaded.notes == ("东山镇改名为东山街道，工单、群和人员都跟着走",)
    process.wait(minutes=1)
    process.hear(EAST, HANDLER, "领1")
    process.step()
    assert process.groups.said("1号由甄丙领办")


# ---- rooms -----------------------------------------------------------------------------------------------------------


@BOTH
def test_two_units_whose_topics_were_exchanged_stopped_the_reload(engine: Engine) -> None:
    """Each write met the other's unique topic. The bindings follow the topics."""
    prepare(engine, "nobody")
    listed(engine, ("r1", district.room(EAST)), ("r2", district.room(WEST)))
    assert bound(engine) == {"r1": EAST, "r2": WEST}
    swapped = changed(**{EAST: district.room(WEST), WEST: district.room(EAST)})
    load(engine, swapped)
    assert bound(engine) == {"r1": WEST, "r2": EAST}
    load(engine, swapped)
    assert bound(engine) == {"r1": WEST, "r2": EAST}
    assert len(rows(engine, SeenRoom)) == 2


@BOTH
def test_three_topics_in_a_ring_and_a_new_one(engine: Engine) -> None:
    prepare(engine, "nobody")
    load(engine, changed(**{EAST: district.room(WEST), WEST: district.room(LAKE), LAKE: district.room(EAST)}))
    load(engine, changed(**{EAST: district.room(LAKE), WEST: "西河新群", LAKE: district.room(WEST)}))
    with reading(engine) as session:
        names = {unit.id: unit.name for unit in people.units(session)}
        topics = {names[room.unit_id]: room.topic for room in people.rooms(session)}
    assert (topics[EAST], topics[WEST], topics[LAKE]) == (district.room(LAKE), "西河新群", district.room(WEST))


def test_what_a_person_bound_stays_bound_and_the_contradiction_is_told(engine: Engine) -> None:
    prepare(engine, "nobody")
    listed(engine, ("r1", district.room(EAST)), ("r2", "西河接诉群"))
    with transaction(engine) as session:
        room = next(r for r in people.rooms(session) if r.topic == district.room(WEST))
        people.bind_room(session, account="a", channel_room_id="r2", room_id=room.id or 0, now=NINE, by="鲁丁")
    loaded = load(engine, changed(**{LAKE: "西河接诉群"}))
    assert bound(engine) == {"r1": EAST, "r2": WEST}
    (note,) = loaded.notes
    assert "西河接诉群" in note and LAKE in note and "鲁丁" in note and "rooms bind" in note


def test_a_group_renamed_in_wechat_stays_bound_by_its_id_through_a_reload(engine: Engine) -> None:
    prepare(engine, "nobody")
    listed(engine, ("r1", district.room(EAST)))
    listed(engine, ("r1", "东山镇接诉即办群"), seconds=1)
    load(engine, district.roster())
    assert bound(engine) == {"r1": EAST}
    load(engine, changed(**{EAST: "东山镇接诉即办群"}))  # the roster follows the rename
    assert bound(engine) == {"r1": EAST}
    listed(engine, ("r1", "东山镇接诉即办群"), ("r9", district.room(EAST)), seconds=2)
    load(engine, changed(**{EAST: "东山镇接诉即办群"}))
    assert bound(engine) == {"r1": EAST}  # somebody else's new group with the old name is nobody's


def test_a_topic_corrected_in_the_roster_binds_the_group_that_was_seen_without_a_new_login(engine: Engine) -> None:
    prepare(engine, "nobody")
    listed(engine, ("r1", "东山镇接诉即办群"), ("r2", "爬山群"))
    assert bound(engine) == {}
    load(engine, changed(**{EAST: "东山镇接诉即办群"}))
    assert bound(engine) == {"r1": EAST}
    load(engine, changed(**{EAST: "爬山群"}))  # the file names another group that is there
    assert bound(engine) == {"r2": EAST}


@BOTH
def test_a_group_goes_from_a_unit_that_left_to_the_one_that_names_it_now(engine: Engine) -> None:
    """A retired unit's row kept its topic, so that no other unit could ever have that group."""
    prepare(engine, "nobody")
    listed(engine, ("r1", district.room(EAST)))
    town = UnitRow("新东镇", UnitKind.TOWN, (), district.room(EAST))
    loaded = load(engine, without(EAST, town))
    assert loaded.retired_units == 1 and bound(engine) == {"r1": "新东镇"}
    loaded = load(engine, district.roster())  # and back, though both have had it
    assert bound(engine) == {"r1": EAST}


def test_a_unit_without_a_topic_leaves_its_group_to_the_unit_that_names_it(engine: Engine) -> None:
    prepare(engine, "nobody")
    listed(engine, ("r1", district.room(EAST)), ("r2", district.room(WEST)))
    roster = changed(**{WEST: district.room(EAST)})
    blank = replace(roster, units=tuple(replace(u, room=None) if u.name == EAST else u for u in roster.units))
    loaded = load(engine, blank)
    assert bound(engine) == {"r1": WEST}
    assert any(f"{EAST}没有群了" in note for note in loaded.notes)


def test_two_groups_of_one_topic_stay_held_after_a_reload(engine: Engine) -> None:
    prepare(engine, "nobody")
    listed(engine, ("r1", "新群"), ("r2", "新群"))
    load(engine, changed(**{EAST: "新群"}))
    assert bound(engine) == {}
    with reading(engine) as session:
        assert {seen.held_because for seen in people.seen_rooms(session)} == {"several rooms have this topic"}


# ---- while it runs ---------------------------------------------------------------------------------------------------


def morning(engine: Engine, folder: Path, *, reload: bool) -> tuple[list[tuple[str, str]], list[str]]:
    """Open tickets, running windows, a complaint in two parts with a picture, one overdue; loaded at every step or never."""
    prepare(engine)
    listed(engine, ("x1", "爬山群"))
    process = Process(engine, Groups(), VirtualClock(NINE), folder)

    def step(seconds: int) -> None:
        process.step()
        if reload:
            before = rows(engine, *WORK)
            load(engine, district.roster())
            assert rows(engine, *WORK) == before
        process.wait(seconds=seconds)
        process.step()

    process.hear(EAST, district.DISPATCHER, LAMP, id="m1")
    step(30)
    process.hear(WEST, "群众王某", "梁家庄村口的污水井冒水了，", id="m2")
    step(20)
    process.hear(WEST, "群众王某", "", id="m3", type=MessageType.IMAGE)
    step(20)
    process.hear(WEST, "群众王某", "流得满街都是，请赶紧派人来修", id="m4")
    step(50)
    process.hear(EAST, HANDLER, "领1", id="m5")
    step(60)
    process.hear("派单", district.DISPATCHER, "@区水务局 有居民反映自来水发黄有异味，请尽快查一查", id="m6")
    for _ in range(12):
        step(100)
    return process.groups.arrived, rows(engine, Ticket, Assignment, Deadline, Event)


def test_a_morning_with_a_reload_at_every_step_is_the_same_morning(tmp_path: Path, sqlite_template: Path) -> None:
    """faults: alertmanager#627, with gathering messages and every step of the ladder."""
    told = []
    for name in ("never", "always"):
        (tmp_path / name).mkdir()
        shutil.copyfile(sqlite_template, tmp_path / name / "x.db")
        engine = make_engine(f"sqlite:///{tmp_path}/{name}/x.db", durable=False)
        told.append(morning(engine, tmp_path / name, reload=name == "always"))
        engine.dispose()
    assert told[0] == told[1]
    assert len(told[0][0]) > 8 and any("已由系统指派" in text for _, text in told[0][0])


def test_the_pages_form_takes_a_wechat_id_of_somebody_who_left(engine: Engine) -> None:
    from handlers.roster_edits import add_member

    prepare(engine)
    roster = district.roster()
    one = MemberRow("甄戊", EAST, Role.HANDLER, False, (), "wx-5")
    load(engine, replace(roster, members=(*roster.members, one)))
    load(engine, roster)
    with transaction(engine) as session:
        form = {"unit": EAST, "name": "甄己", "role": "诉求办理员", "contact_id": "wx-5"}
        add_member(session, form, now=NINE)
    with reading(engine) as session:
        contact = session.exec(select(MemberContact)).one()
        assert session.get_one(Member, contact.member_id).name == "甄己"


def test_the_command_says_how_much_is_to_be_done_and_that_nothing_changed(
    process: Process, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.hear(EAST, district.DISPATCHER, LAMP)
    process.step()
    folder = tmp_path / "units"
    folder.mkdir()
    for name in ("units", "members", "villages", "catalogue"):
        rows = [row for row in sheet(None, name).split("\n") if EAST not in row]  # type: ignore[arg-type]
        (folder / f"{name}.csv").write_text("\n".join(rows), encoding="gb18030")
    monkeypatch.setenv("DATABASE_URL", database_url)
    for command in ("reload", "init"):
        done = CliRunner().invoke(app, [command, "--units", str(folder)])
        assert done.exit_code == 2
        assert "units.csv：“东山镇”不在表里了，可它还有 1 件没有办结（20260303-0001），请先" in done.output
        assert "共 1 处要改；什么都没有写进去" in done.output
    assert all(unit.active for unit in process.rows(Unit))
