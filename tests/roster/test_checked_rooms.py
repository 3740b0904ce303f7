"""Units without a group and groups without a unit: what `check`, the roster page and `rooms` say of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.channels.base import InboundMessage
from bot.checking import Finding, check_all
from bot.cli import app
from bot.clock import VirtualClock
from bot.knowledge import Knowledge
from bot.roster import load_into
from bot.settings import Settings
from bot.web.roster_view import roster_page
from handlers.binding import rooms_listed
from handlers.context import Context, load_district
from handlers.policy import Policy
from storage import people
from storage.enums import MessageType
from storage.sessions import make_engine, reading, transaction
from tests import district
from tests.process import NINE, Groups, Process

EAST, WEST, LAKE = district.TOWNS


def loaded(path: Path, *rooms: tuple[str, str], blank: str = "") -> str:
    """A database with the district, a unit of it without a topic, and what the gateway listed."""
    url = f"sqlite:///{path}"
    roster = district.roster()
    units = tuple(replace(u, room=None) if u.name == blank else u for u in roster.units)
    engine = make_engine(url)
    with transaction(engine) as session:
        load_into(session, replace(roster, units=units), now=NINE)
    see(url, *rooms)
    engine.dispose()
    return url


def see(url: str, *rooms: tuple[str, str], later: int = 0) -> None:
    engine = make_engine(url)
    with transaction(engine) as session:
        ctx = Context(district=load_district(session), policy=Policy())
        account, now = Settings(_env_file=None).account, NINE + timedelta(minutes=later)
        rooms_listed(session, ctx, account=account, listed=rooms, now=now)
    engine.dispose()


def findings(url: str) -> list[Finding]:
    settings = Settings(_env_file=None, database_url=url)
    engine = make_engine(url)
    found = asyncio.run(check_all(settings, engine))
    engine.dispose()
    return found


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> Path:
    path = tmp_path / "x.db"
    path.write_bytes(sqlite_template.read_bytes())
    return path


def test_groups_of_no_unit_were_not_told_and_neither_were_units_when_no_group_was_bound_at_all(database: Path) -> None:
    url = loaded(database, ("g1", "东山镇接诉即办工作群"), ("g2", "爬山群"))
    found = {each.what: each for each in findings(url)}
    (nobodys,) = [what for what in found if "of no unit" in what]
    assert nobodys == "2 rooms of no unit, not listened to: 东山镇接诉即办工作群 (near: 东山镇 (100))、爬山群"
    assert found[nobodys].ok and "绑定 单位名" in found[nobodys].todo
    (missing,) = [what for what in found if "not found in WeChat" in what]
    assert missing.startswith("8 rooms not found in WeChat: 东山镇工作群、西河镇工作群") and not found[missing].ok


def test_check_tells_units_without_a_topic_held_groups_and_nothing_of_an_earlier_login(database: Path) -> None:
    url = loaded(database, ("old", district.room(EAST)), ("x", "旧的闲聊群"), blank=LAKE)
    see(url, ("n1", district.room(EAST)), ("n2", district.room(WEST)), ("n3", district.room(WEST)), later=1)
    said = [each.what for each in findings(url)]
    assert f"{LAKE} has no room" in said
    assert said.count(f"room {district.room(WEST)}: several rooms have this topic") == 2
    assert not [what for what in said if "旧的闲聊群" in what]
    (missing,) = [what for what in said if "not found in WeChat" in what]
    assert district.room(EAST) not in missing and district.room(LAKE) not in missing


def test_the_page_lists_both_sides_with_the_nearest_units(database: Path) -> None:
    url = loaded(database, ("g1", "西河镇接诉即办群"), ("g2", district.room(EAST)), blank=LAKE)
    engine = make_engine(url)
    with reading(engine) as session:
        values = roster_page(session, Knowledge().context(session), now=NINE)
    engine.dispose()
    (loose,) = values["loose_rooms"]
    assert (loose["topic"], loose["near"], loose["why"]) == ("西河镇接诉即办群", "西河镇 (100)", "没有单位用这个群名")
    whys = {unit["name"]: unit["why"] for unit in values["unbound_units"]}
    assert whys[LAKE] == "还没有群名" and whys[WEST] == "没有找到群“西河镇工作群”" and EAST not in whys


def test_binding_by_words_in_the_group_works_for_a_unit_without_a_topic_and_ends_the_holding(
    database: Path, tmp_path: Path
) -> None:
    """The administrator's word was refused with 单位不认识 where the roster named no group yet."""
    url = loaded(database, ("one:南湖街道新群", "南湖街道新群"), blank=LAKE)
    engine = make_engine(url)
    seen = {"account": "one", "channel_room_id": "one:南湖街道新群", "topic": "南湖街道新群"}
    with transaction(engine) as session:
        people.see_room(session, **seen, now=NINE, held_because="doubtful")
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    message = InboundMessage(
        room_id="one:南湖街道新群", message_id="m1", sender_id="", sender_name="督查室-鲁丁", type=MessageType.TEXT,
        text="绑定 南湖街道", sent_at=NINE, received_at=NINE,
    )  # fmt: skip
    process.database.write_now(lambda session: process.receiver.store_in(session, [message]))
    process.step()
    assert process.groups.said("南湖街道")
    with reading(engine) as session:
        rooms = {room.id: room.topic for room in people.rooms(session)}
        assert [rooms[b.room_id] for b in people.bindings(session)] == ["南湖街道新群"]
        assert people.held_rooms(session) == [] or all(r.account != "one" for r in people.held_rooms(session))
    engine.dispose()


def test_two_logins_made_the_command_say_that_two_groups_have_one_name(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = loaded(database, ("old", "西河接诉群"))
    see(url, ("new", "西河接诉群"), later=1)
    monkeypatch.setenv("DATABASE_URL", url)
    said = CliRunner().invoke(app, ["rooms", "bind", "西河接诉群", WEST])
    assert said.exit_code == 0 and said.output.startswith("bound: 西河接诉群 → 西河镇"), said.output
    listed = CliRunner().invoke(app, ["rooms"]).output
    assert listed.count("西河接诉群") == 1 and "[new]" in listed
