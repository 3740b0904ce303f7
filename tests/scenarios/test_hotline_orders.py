"""The hotline's Excel becomes tickets, once, and its call-backs results; groups are bound from the command line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select
from typer.testing import CliRunner

from bot.cli import app
from bot.clock import VirtualClock
from bot.importers.orders import OrderRow, read_orders
from bot.knowledge import Knowledge
from bot.order_import import Imported, dry_run, import_orders
from storage import people
from storage.enums import InboxState, Satisfaction, TicketStatus
from storage.sessions import reading, transaction
from storage.tables import CallBack, InboxMessage, Member, Ticket
from tests import district
from tests.process import NINE, Groups, Process, prepare

HEAD = tuple("工单编号 诉求人 联系电话 被反映街乡镇 所在村社区 问题分类 承办单位 诉求内容 是否联系 是否解决 是否满意".split())
WATER = ("热线-260303-000001", "郑样生", "13800001234", "东山镇", "柳林村", "供水排水", "",
         "柳林村自来水停了两天，请尽快恢复供水。")  # fmt: skip
ROAD = ("热线-260303-000002", "王女士", "13800005678", "西河镇", "梁家庄村", "", "区交通局",
        "梁家庄村口道路塌陷，请维修。")  # fmt: skip


def workbook(path: Path, *rows: tuple[str, ...]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(("接诉即办工单导出表",))
    sheet.append(HEAD)
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def orders(tmp_path: Path, *rows: tuple[str, ...]) -> tuple[OrderRow, ...]:
    return read_orders(workbook(tmp_path / "orders.xlsx", *rows)).orders


def take(engine: Engine, found: tuple[OrderRow, ...], minutes: int = 0) -> Imported:
    with transaction(engine) as session:
        now = NINE + timedelta(minutes=minutes)
        return import_orders(session, Knowledge().context(session), found, now=now)


def tickets(engine: Engine) -> list[Ticket]:
    with reading(engine) as session:
        return list(session.exec(select(Ticket).order_by(Ticket.id)).all())  # type: ignore[arg-type]


def test_a_new_order_is_dispatched_like_a_message_in_the_dispatch_room_and_once(engine: Engine, tmp_path: Path) -> None:
    prepare(engine)
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    done = take(engine, orders(tmp_path, WATER, ROAD))
    assert done.new == [WATER[0], ROAD[0]] and done.known == []
    process.step()
    east, traffic = tickets(engine)
    assert (east.order_no, east.source.value, east.township) == (WATER[0], "12345", "东山镇")
    assert traffic.order_no == ROAD[0]
    with reading(engine) as session:
        units = {unit.id: unit.name for unit in people.units(session)}
    assert [units[t.unit_id or 0] for t in (east, traffic)] == ["东山镇", "区交通局"]
    prompts = [(to, text) for to, text in process.groups.arrived if "前领办" in text]
    assert [to for to, _ in prompts] == ["one:东山镇工作群", "one:区交通局工作群"]
    assert all("13800001234" not in text and "郑样生" not in text for _, text in process.groups.arrived)
    again = take(engine, orders(tmp_path, WATER, ROAD), minutes=60)
    assert again.new == [] and again.known == [WATER[0], ROAD[0]]
    before = len(process.groups.arrived)
    process.step()
    assert len(tickets(engine)) == 2 and len(process.groups.arrived) == before


def test_an_order_that_was_posted_in_a_group_before_is_known(engine: Engine, tmp_path: Path) -> None:
    prepare(engine)
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    process.hear("东山镇", district.DISPATCHER, orders(tmp_path, WATER)[0].as_message())
    process.step()
    assert take(engine, orders(tmp_path, WATER)).known == [WATER[0]]
    process.step()
    assert len(tickets(engine)) == 1


def test_a_dry_run_tells_where_orders_would_go_and_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    prepare(engine)

    class Enough(Exception):
        pass

    done = Imported()
    with pytest.raises(Enough), transaction(engine) as session:
        done = dry_run(session, Knowledge().context(session), orders(tmp_path, WATER, ROAD), now=NINE)
        raise Enough
    assert done.routed == [(WATER[0], "东山镇"), (ROAD[0], "区交通局")]
    with reading(engine) as session:
        assert session.exec(select(InboxMessage)).all() == [] and session.exec(select(Ticket)).all() == []


def test_call_backs_are_kept_once_and_reopen_what_is_not_solved(engine: Engine, tmp_path: Path) -> None:
    prepare(engine)
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    take(engine, orders(tmp_path, WATER))
    process.step()
    process.wait(minutes=1)
    process.hear("东山镇", district.nick("东山镇", 3), "办结1 已恢复供水")
    process.step()
    good, bad = (*WATER, "是", "是", "满意"), (*WATER, "是", "否", "不满意")
    unreached = (*WATER, "否", "否", "")
    assert take(engine, orders(tmp_path, unreached), 60).called_back == [WATER[0]]
    assert tickets(engine)[0].status is TicketStatus.RESOLVED  # who was not reached said nothing
    assert take(engine, orders(tmp_path, good), 120).called_back == [WATER[0]]
    assert take(engine, orders(tmp_path, good), 180).called_back == []  # the same table again
    assert take(engine, orders(tmp_path, bad), 240).called_back == [WATER[0]]
    with reading(engine) as session:
        kept = [(row.contacted, row.resolved, row.satisfaction) for row in session.exec(select(CallBack)).all()]
    assert kept == [(False, False, None), (True, True, Satisfaction.GOOD), (True, False, Satisfaction.BAD)]
    assert tickets(engine)[0].status is TicketStatus.REOPENED


# ---- the command line ------------------------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path: Path, database_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    prepare(engine)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)
    return CliRunner()


def test_orders_from_the_command_line(command: CliRunner, engine: Engine, tmp_path: Path) -> None:
    path = str(workbook(tmp_path / "单子.xlsx", WATER, ROAD))
    said = command.invoke(app, ["import", "orders", path, "--dry-run"])
    assert said.exit_code == 0 and f"{ROAD[0]}  →  区交通局" in said.output and "2 would be new" in said.output
    said = command.invoke(app, ["import", "orders", path])
    assert said.exit_code == 0 and "orders: 2 new, 0 known" in said.output
    with reading(engine) as session:
        waiting = session.exec(select(InboxMessage)).all()
    assert [(row.message_id, row.state) for row in waiting] == [
        (f"order:{WATER[0]}", InboxState.NEW),
        (f"order:{ROAD[0]}", InboxState.NEW),
    ]
    assert "0 new, 2 known" in command.invoke(app, ["import", "orders", path]).output
    (tmp_path / "坏.xlsx").write_bytes(b"PK\x03\x04 broken")
    said = command.invoke(app, ["import", "orders", path, str(tmp_path / "坏.xlsx")])
    assert said.exit_code == 2 and "nothing was imported" in said.output


def test_rooms_are_listed_with_proposals_bound_and_unbound(command: CliRunner, engine: Engine) -> None:
    with transaction(engine) as session:
        people.unbind_room(session, account="one", channel_room_id="one:西河镇工作群")
        for room_id, topic in (("one:东山镇工作群", "东山镇工作群"), ("x9", "西河镇接诉即办群")):
            people.see_room(session, account="one", channel_room_id=room_id, topic=topic, now=NINE, held_because=None)
    said = command.invoke(app, ["rooms"]).output
    assert "bound    东山镇工作群  →  东山镇  [one:东山镇工作群]" in said
    assert "unbound  西河镇接诉即办群  [x9]; near: 西河镇 (100)" in said and "no group 西河镇" in said
    assert command.invoke(app, ["rooms", "bind", "西河镇接诉即办群", "火星镇"]).exit_code == 2
    assert command.invoke(app, ["rooms", "bind", "没有的群", "西河镇"]).exit_code == 2
    said = command.invoke(app, ["rooms", "bind", "x9", "西河镇"])
    assert said.exit_code == 0 and "bound: 西河镇接诉即办群 → 西河镇" in said.output
    assert "bound    西河镇接诉即办群  →  西河镇" in command.invoke(app, ["rooms"]).output
    assert command.invoke(app, ["rooms", "unbind", "x9"]).exit_code == 0
    assert command.invoke(app, ["rooms", "unbind", "x9"]).exit_code == 2


def test_a_reload_says_nothing_moves_no_clock_and_is_seen_by_the_running_bot(
    command: CliRunner, engine: Engine, tmp_path: Path
) -> None:
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    process.hear("东山镇", district.DISPATCHER, "市民反映，柳林村路灯坏了三盏，请维修。")
    process.step()
    before = list(process.groups.arrived)
    folder = tmp_path / "units"
    folder.mkdir()
    for name in ("units", "members", "villages", "catalogue"):
        (folder / f"{name}.csv").write_text(sheet(engine, name), encoding="utf-8-sig")
    assert command.invoke(app, ["reload", "--units", str(folder)]).exit_code == 0
    process.step()
    assert process.groups.arrived == before
    process.hear("东山镇", "东山镇-甄新", "领1")  # a newcomer of the new list
    process.step()
    assert process.groups.said("1号由甄新领办")
    (folder / "members.csv").write_text("name,unit,role\n甄新,火星镇,诉求办理员\n,东山镇,诉求办理员\n", encoding="utf-8")
    said = command.invoke(app, ["reload", "--units", str(folder)])
    assert said.exit_code == 2 and "火星镇" in said.output and "members" in said.output
    with Session(engine) as session:
        assert session.exec(select(Member).where(Member.name == "甄新")).one().active


def sheet(engine: Engine, name: str) -> str:
    """A CSV of the test district, with one member more."""
    roster = district.roster()
    if name == "units":
        rows = [f"{u.name},{u.kind.value},{';'.join(u.aliases)},{u.room}" for u in roster.units]
        return "unit,kind,aliases,room\n" + "\n".join(rows)
    if name == "members":
        rows = [f"{m.name},{m.unit},{m.role.value},{'1' if m.on_duty else ''},{';'.join(m.aliases)}," for m in roster.members]
        return "name,unit,role,on_duty,aliases,contact_id\n" + "\n".join([*rows, "甄新,东山镇,诉求办理员,,,"])
    if name == "villages":
        return "township,name,kind,aliases\n" + "\n".join(f"{v.township},{v.name},{v.kind}," for v in roster.villages)
    rows = [f"{c.category},{c.lead_agency},{';'.join(c.examples)}" for c in roster.catalogue]
    return "category,lead_agency,examples\n" + "\n".join(rows)
