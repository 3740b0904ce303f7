"""What an administrator may change, what is refused, and that nothing else moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, select

from handlers import roster_edits as edits
from handlers.context import load_district
from handlers.forms import EditRefused
from storage import people
from storage.enums import Role
from storage.tables import (
    Assignment,
    Catalogue,
    Deadline,
    Duty,
    Event,
    Member,
    MemberContact,
    OutboxMessage,
    Room,
    SeenRoom,
    Ticket,
)
from tests.digests.build import District, at, unit_id

NOW = at("2026-03-18 09:30")
TOWN = unit_id("怀柔镇")
NEW = {"unit": "怀柔镇", "name": "赵样三", "role": "诉求办理员", "aliases": "老赵、小赵", "on_duty": "1"}
NEW |= {"contact_id": "wx-1"}


@pytest.fixture
def session(district: District) -> Session:
    return district.session


def member(session: Session, name: str = "赵样三") -> Member:
    return session.exec(select(Member).where(Member.name == name, Member.unit_id == TOWN)).one()


def problems(edit: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(EditRefused) as refused:
        edit()
    return refused.value.problems


def test_a_new_member_is_known_to_the_rules_and_told_as_before_and_after(session: Session) -> None:
    version = people.roster_version(session)
    edit = edits.add_member(session, NEW, now=NOW)
    told = {"角色": "诉求办理员", "别名": ["老赵", "小赵"], "值班": True, "在册": True, "微信号": ["wx-1"]}
    assert (edit.subject, edit.before, edit.after) == ("人员 怀柔镇 赵样三", None, told)
    assert people.roster_version(session) > version
    assert [m.name for m in load_district(session).called(TOWN, NOW)] == ["赵样三"]


def test_a_change_tells_both_sides_and_a_retired_member_is_called_no_more(session: Session) -> None:
    edits.add_member(session, NEW, now=NOW)
    edit = edits.change_member(
        session, member(session).id or 0, {"role": "分管领导", "aliases": "", "contact_id": ""}, now=NOW
    )
    assert edit.before is not None and edit.after is not None
    assert (edit.before["角色"], edit.after["角色"]) == ("诉求办理员", "分管领导")
    assert (edit.before["在册"], edit.after["在册"]) == (True, False)
    assert edit.after["微信号"] == ["wx-1"]  # an empty field takes no id away
    assert load_district(session).called(TOWN, NOW) == []


@pytest.mark.parametrize(
    ("change", "field", "what"),
    [
        ({"unit": "没有的镇"}, "unit", "没有这个单位"),
        ({"name": " "}, "name", "不能为空"),
        ({"name": "长" * 10_000}, "name", "最多50个字"),
        ({"name": "张\u202e三"}, "name", "看不见的字符"),
        ({"role": "皇帝"}, "role", "请选一个角色"),
        ({"aliases": "、".join(f"名{n}" for n in range(101))}, "aliases", "最多100个"),
        ({"contact_id": "wx-9"}, "contact_id", "已是别人的"),
    ],
)
def test_a_member_that_cannot_be_is_refused_by_field(session: Session, change: Any, field: str, what: str) -> None:
    edits.add_member(session, {**NEW, "name": "钱样四", "contact_id": "wx-9"}, now=NOW)
    assert what in problems(lambda: edits.add_member(session, {**NEW, **change}, now=NOW))[field]
    assert len(session.exec(select(Member)).all()) == 1


def test_the_same_name_twice_in_a_unit_is_refused_in_two_units_it_is_not(session: Session) -> None:
    edits.add_member(session, NEW, now=NOW)
    assert "已有“赵样三”" in problems(lambda: edits.add_member(session, {**NEW, "contact_id": ""}, now=NOW))["name"]
    edits.add_member(session, {**NEW, "unit": "雁栖镇", "contact_id": ""}, now=NOW)


def test_the_administrators_word_ends_a_clash(session: Session) -> None:
    edits.add_member(session, NEW, now=NOW)
    contact = session.exec(select(MemberContact)).one()
    contact.clash = "nickname: 雁栖镇-别人"
    edits.change_member(session, member(session).id or 0, {**NEW, "active": "1"}, now=NOW)
    assert session.exec(select(MemberContact)).one().clash is None


def test_a_line_of_the_rota_comes_and_goes(session: Session) -> None:
    edits.add_member(session, NEW, now=NOW)
    who = str(member(session).id)
    form = {"member_id": who, "weekday": "2", "starts": "08:30", "ends": "18:00", "line": "白班"}
    edit = edits.add_duty(session, TOWN, form)
    told = {"人员": "赵样三", "何时": "周三", "起": "08:30", "止": "18:00", "班次": "白班"}
    assert (edit.subject, edit.before, edit.after) == ("值班 怀柔镇", None, told)
    row = session.exec(select(Duty)).one()
    gone = edits.remove_duty(session, row.id or 0)
    assert (gone.before, gone.after) == (told, None)
    assert session.exec(select(Duty)).all() == []
    assert "已经不在" in problems(lambda: edits.remove_duty(session, row.id or 0))[""]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"member_id": "99"}, "member_id"),
        ({"member_id": "1 or 1=1"}, "member_id"),
        ({"member_id": "2"}, "member_id"),  # of another unit
        ({"weekday": "7"}, "weekday"),
        ({"weekday": ""}, "weekday"),
        ({"day": "2026-03-20"}, "day"),
        ({"weekday": "", "day": "明天"}, "day"),
        ({"starts": "25:00"}, "starts"),
        ({"line": "中班"}, "line"),
    ],
)
def test_a_line_that_cannot_be_is_refused(session: Session, change: dict[str, str], field: str) -> None:
    edits.add_member(session, NEW, now=NOW)
    edits.add_member(session, {**NEW, "unit": "雁栖镇", "contact_id": ""}, now=NOW)
    form = {"member_id": str(member(session).id), "weekday": "2", "starts": "08:30", "ends": "18:00", **change}
    assert field in problems(lambda: edits.add_duty(session, TOWN, form))
    assert session.exec(select(Duty)).all() == []


def test_a_unit_gets_aliases_and_another_topic(session: Session) -> None:
    edit = edits.change_unit(session, TOWN, {"aliases": "怀柔", "topic": "怀柔镇接诉群"})
    assert edit.before == {"别名": [], "群名": "怀柔镇见诉领办工作群"}
    assert edit.after == {"别名": ["怀柔"], "群名": "怀柔镇接诉群"}
    taken = problems(lambda: edits.change_unit(session, TOWN, {"aliases": "雁栖镇", "topic": "雁栖镇见诉领办工作群"}))
    assert taken == {"aliases": "“雁栖镇”已是雁栖镇的名称或别名", "topic": "别的单位已用这个群名"}
    assert "topic" in problems(lambda: edits.change_unit(session, TOWN, {"aliases": "", "topic": ""}))


def test_a_group_that_the_gateway_listed_is_bound(session: Session) -> None:
    session.add(SeenRoom(account="a", channel_room_id="r9@chatroom", topic="怀柔新群", seen_at=NOW, held_because="x"))
    session.flush()
    edit = edits.bind_room(session, TOWN, {"account": "a", "channel_room_id": "r9@chatroom"}, now=NOW, by="管理样")
    assert edit.before == {"群": None}
    room = session.exec(select(Room).where(Room.unit_id == TOWN)).one()
    assert load_district(session).bound == {("a", "r9@chatroom"): room.id}
    assert session.exec(select(SeenRoom)).one().held_because is None
    form = {"account": "a", "channel_room_id": "unseen"}
    assert "没有见过" in problems(lambda: edits.bind_room(session, TOWN, form, now=NOW, by="x"))["channel_room_id"]


def test_the_catalogue_is_changed_and_other_stays(session: Session) -> None:
    edit = edits.save_category(session, None, {"category": "噪声扰民", "lead_agency": "区生态环境局", "examples": "夜间施工"})
    assert edit.after == {"承办单位": "区生态环境局", "例子": ["夜间施工"]}
    row = session.exec(select(Catalogue).where(Catalogue.category == "噪声扰民")).one()
    edit = edits.save_category(session, row.id, {"lead_agency": "区水务局", "examples": ""})
    assert edit.before == {"承办单位": "区生态环境局", "例子": ["夜间施工"]} and row.category == "噪声扰民"
    assert "没有这个单位" in problems(lambda: edits.save_category(session, row.id, {"lead_agency": "火星局"}))["lead_agency"]
    again = {"category": "噪声扰民", "lead_agency": "区水务局"}
    assert "已有" in problems(lambda: edits.save_category(session, None, again))["category"]
    assert edits.remove_category(session, row.id or 0).after is None
    other = session.exec(select(Catalogue).where(Catalogue.category == "其他")).one()
    assert "要留着" in problems(lambda: edits.remove_category(session, other.id or 0))["category"]
    edits.save_category(session, other.id, {"lead_agency": ""})  # 其他 has no agency


def test_an_edit_sends_nothing_and_moves_no_clock(district: District) -> None:
    session = district.session
    duty = district.duty("怀柔镇", "2026-03-18 09:25:00")
    session.add(Deadline(assignment_id=duty.id or 0, step="reminder", due_at=at("2026-03-18 09:30")))
    session.flush()
    tables = (Ticket, Assignment, Deadline, Event, OutboxMessage)
    before = [[row.model_dump() for row in session.exec(select(table)).all()] for table in tables]
    edits.add_member(session, NEW, now=NOW)
    who = member(session)
    edits.add_duty(session, TOWN, {"member_id": str(who.id), "weekday": "2", "starts": "08:30", "ends": "18:00"})
    edits.change_member(session, who.id or 0, {"role": Role.HEAD.value}, now=NOW)
    edits.change_unit(session, TOWN, {"aliases": "怀柔", "topic": "怀柔镇接诉群"})
    edits.save_category(session, None, {"category": "噪声扰民", "lead_agency": "区水务局"})
    session.flush()
    assert [[row.model_dump() for row in session.exec(select(table)).all()] for table in tables] == before
