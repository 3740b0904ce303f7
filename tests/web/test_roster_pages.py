"""花名册, 派单目录 and 变更记录: who sees them, who changes them, what is on record, and that nothing else moves."""

from __future__ import annotations

import html

from sqlmodel import select

from storage import people
from storage.page_tables import Audit
from storage.sessions import reading, transaction
from storage.tables import Assignment, Catalogue, Deadline, Duty, Member, OutboxMessage, SeenRoom
from tests import district
from tests.web.site import Client, Site, csrf
from tests.web.test_board_and_tickets import plain
from tests.web.test_unit_and_report_pages import unit_id

EDITS = {  # what an administrator may send, and where
    "/roster/{unit}": {"aliases": "东山", "topic": "东山镇新群"},
    "/roster/{unit}/members": {"name": "甄戊", "role": "诉求办理员", "aliases": "", "on_duty": "1"},
    "/roster/members/{member}": {"role": "分管领导", "aliases": "老甄", "active": "1"},
    "/roster/{unit}/duties": {"member_id": "{member}", "weekday": "2", "starts": "08:30", "ends": "18:00"},
    "/roster/{unit}/bind": {"room": "one/new@chatroom"},
    "/catalogue": {"category": "噪声", "lead_agency": "区水务局", "examples": "夜间施工"},
    "/catalogue/{category}": {"lead_agency": "区交通局", "examples": "停水"},
}


def ids(site: Site) -> dict[str, int]:
    with reading(site.engine) as session:
        member = session.exec(select(Member).where(Member.name == district.person("东山镇", 3))).one()
        category = session.exec(select(Catalogue).where(Catalogue.category == "供水排水")).one()
        return {"unit": member.unit_id, "member": member.id or 0, "category": category.id or 0}


def send(client: Client, path: str, form: dict[str, str], known: dict[str, int]) -> tuple[int, str]:
    page = "/catalogue" if path.startswith("/catalogue") else f"/roster/{known['unit']}"
    data = {key: value.format(**known) if value == "{member}" else value for key, value in form.items()}
    answer = client.post(path.format(**known), data={**data, "csrf": csrf(client.get(page).text)})
    return answer.status_code, answer.text


def see_a_group(site: Site, topic: str = "东山镇新群") -> None:
    with transaction(site.engine) as session:
        session.add(SeenRoom(account="one", channel_room_id="new@chatroom", topic=topic, seen_at=site.clock.now()))


def records(site: Site) -> list[Audit]:
    with reading(site.engine) as session:
        return list(session.exec(select(Audit).order_by(Audit.id)).all())  # type: ignore[arg-type]


def test_an_administrator_changes_and_each_change_is_on_record(quick_site: Site) -> None:
    site = quick_site
    see_a_group(site)
    client, known = site.client("管理甲"), ids(site)
    for number, (path, form) in enumerate(EDITS.items(), 1):
        status, told = send(client, path, form, known)
        assert status == 303, plain(told)
        assert len(records(site)) == number, path
        record = records(site)[-1]
        assert (record.user_name, record.address) == ("管理甲", "testclient") and record.before != record.after
        listed = plain(client.get("/changes").text)
        assert record.subject in listed and "管理甲" in listed


def test_nobody_else_changes_anything(quick_site: Site) -> None:
    site = quick_site
    see_a_group(site)
    known = ids(site)
    for name in ("督查甲", "派单甲", "东山甲"):
        client = site.client(name)
        mark = csrf(client.get("/").text)
        for path, form in EDITS.items():
            assert client.post(path.format(**known), data={**form, "csrf": mark}).status_code == 404, (name, path)
        assert client.get("/changes").status_code == 404
    assert records(site) == []


def test_a_form_without_our_mark_changes_nothing(quick_site: Site) -> None:
    site = quick_site
    client, known = site.client("管理甲"), ids(site)
    for path, form in EDITS.items():
        assert client.post(path.format(**known), data=form).status_code == 403, path
    assert records(site) == []


def test_a_change_tells_both_sides_in_words(quick_site: Site) -> None:
    site = quick_site
    send(site.client("管理甲"), "/roster/members/{member}", EDITS["/roster/members/{member}"], ids(site))
    listed = plain(site.client("管理甲").get("/changes").text)
    assert "角色 诉求办理员；别名 东山镇-甄丙；值班 是；在册 是；微信号 无" in listed
    assert "角色 分管领导；别名 老甄；值班 否；在册 是；微信号 无" in listed


def test_what_is_wrong_is_told_beside_what_was_typed(quick_site: Site) -> None:
    site = quick_site
    bad = {"name": "<b>甄\u202e戊</b>", "role": "皇帝", "aliases": "长" * 10_000, "contact_id": ""}
    status, told = send(site.client("管理甲"), "/roster/{unit}/members", bad, ids(site))
    assert status == 422
    for words in ("姓名：含有看不见的字符", "角色：请选一个角色", "别名：每个最多50个字"):
        assert words in plain(told), words
    assert html.escape("<b>甄") in told and "<b>甄" not in told
    assert records(site) == []


def test_an_edit_while_a_clock_runs_moves_nothing_and_is_heard_at_the_next_message(quick_site: Site) -> None:
    site = quick_site
    site.say("东山镇", district.DISPATCHER, "市民反映，石桥村垃圾五天没人清运，请处理。")

    def rows() -> list[str]:
        with reading(site.engine) as session:
            return [
                str([row.model_dump() for row in session.exec(select(table)).all()])
                for table in (Assignment, Deadline, OutboxMessage)
            ]

    before, known = rows(), ids(site)
    away = {"role": "诉求办理员", "aliases": district.nick("东山镇", 3)}  # neither in the roster nor on duty any more
    assert send(site.client("管理甲"), "/roster/members/{member}", away, known)[0] == 303
    assert rows() == before
    site.say("东山镇", district.DISPATCHER, "市民反映，柳林村路灯不亮，请处理。")
    *_, (_, prompt) = [said for said in site.process.groups.arrived if "路灯" in said[1]]
    assert district.person("东山镇", 3) not in prompt


def test_units_without_a_group_and_groups_without_a_unit_are_listed(quick_site: Site) -> None:
    site = quick_site
    see_a_group(site, "不知道是谁的群")
    told = plain(site.client("督查甲").get("/roster").text)
    assert "没有单位的群（1）" in told and "不知道是谁的群 one 2026-03-03 09:00 没有单位用这个群名" in told
    assert "没有群的单位" not in told  # every unit of the small district has one
    known = ids(site)
    assert "绑定一个见过的群" in site.client("管理甲").get(f"/roster/{known['unit']}").text
    send(site.client("管理甲"), "/roster/{unit}/bind", EDITS["/roster/{unit}/bind"], known)
    after = plain(site.client("督查甲").get("/roster").text)
    assert "没有单位的群" not in after and "不知道是谁的群" not in after


def test_a_line_of_the_rota_is_removed(quick_site: Site) -> None:
    site = quick_site
    client, known = site.client("管理甲"), ids(site)
    send(client, "/roster/{unit}/duties", EDITS["/roster/{unit}/duties"], known)
    with reading(site.engine) as session:
        duty = session.exec(select(Duty)).one()
    assert "周三 08:30—18:00 甄丙" in plain(site.client("督查甲").get(f"/roster/{known['unit']}").text)
    assert send(client, f"/roster/duties/{duty.id}/remove", {}, known)[0] == 303
    assert send(client, f"/roster/duties/{duty.id}/remove", {}, known)[0] == 404
    assert [record.after is None for record in records(site)] == [False, True]


def test_a_unit_that_is_not_there_is_not_found(quick_site: Site) -> None:
    client = quick_site.client("管理甲")
    mark = csrf(client.get("/").text)
    assert client.get("/roster/999").status_code == 404
    assert client.post("/roster/members/999", data={"csrf": mark}).status_code == 404
    assert unit_id(quick_site, "东山镇") > 0


def test_a_topic_corrected_on_the_page_bound_the_group_only_at_the_next_login(quick_site: Site) -> None:
    site = quick_site
    with transaction(site.engine) as session:
        for binding in people.bindings(session):
            people.unbind_room(session, account=binding.account, channel_room_id=binding.channel_room_id)
    see_a_group(site, "东山镇接诉即办群")
    client, known = site.client("管理甲"), ids(site)
    status, _ = send(client, "/roster/{unit}", {"aliases": "", "topic": "东山镇接诉即办群"}, known)
    assert status == 303
    with reading(site.engine) as session:
        (binding,) = people.bindings(session)
        assert (binding.channel_room_id, binding.bound_by) == ("new@chatroom", "topic")
        assert next(r for r in people.rooms(session) if r.id == binding.room_id).unit_id == known["unit"]
