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
from bot.order_import import Imported, OrderFile, dry_run, import_files, import_orders, read_file
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
        files = [read_file(workbook(tmp_path / "a.xlsx", WATER, ROAD))]
        done = dry_run(session, Knowledge().context(session), files, now=NINE)
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


def results(engine: Engine) -> list[tuple[object, ...]]:
    with reading(engine) as session:
        units = {unit.id: unit.name for unit in people.units(session)}
        numbers = {ticket.id: ticket.order_no for ticket in session.exec(select(Ticket)).all()}
        return [
            (row.order_no, numbers.get(row.ticket_id), units.get(row.unit_id), row.resolved, row.at)
            for row in session.exec(select(CallBack).order_by(CallBack.id)).all()  # type: ignore[arg-type]
        ]


def test_a_result_belongs_to_its_ticket_and_unit_even_when_it_came_with_the_order(engine: Engine, tmp_path: Path) -> None:
    """The order is new in the same file, so its ticket is made after its result; a stranger's result has only the unit."""
    prepare(engine)
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    stranger = ("热线-260301-000009", "", "", "", "", "", "西河镇人民政府", "", "是", "是", "满意")
    nobody = ("热线-260301-000010", "", "", "", "", "", "", "", "是", "是", "满意")
    done = take(engine, orders(tmp_path, (*WATER, "是", "否", "不满意"), stranger, nobody))
    assert done.strange == [stranger[0], nobody[0]]
    process.step()
    assert results(engine) == [
        (WATER[0], WATER[0], "东山镇", False, NINE),
        (stranger[0], None, "西河镇", True, NINE),
        (nobody[0], None, None, True, NINE),
    ]
    assert tickets(engine)[0].status is TicketStatus.WAITING  # nobody had resolved it, so nothing is reopened


def test_the_last_of_several_results_counts_and_an_old_table_moves_nothing(engine: Engine, tmp_path: Path) -> None:
    prepare(engine)
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    take(engine, orders(tmp_path, WATER))
    process.step()
    process.hear("东山镇", district.nick("东山镇", 3), "办结1 已恢复供水")
    process.step()

    def told(*rows: tuple[str, str]) -> list[str]:
        path = tmp_path / "回访.csv"
        lines = [f"{WATER[0]},{resolved},{at}" for resolved, at in rows]
        path.write_text("\n".join(["工单编号,是否解决,回访时间", *lines]), encoding="gb18030")
        return take(engine, read_orders(path).orders, minutes=600).called_back

    noon, one = "2026/3/3 中午12:00", "2026-03-03 13:00"
    assert told(("是", one), ("否", noon)) == [WATER[0]]  # the later one by its time, not by its row
    assert results(engine)[-1][3:] == (True, NINE + timedelta(hours=4))
    assert tickets(engine)[0].status is TicketStatus.RESOLVED
    assert told(("是", one)) == [] and told(("否", noon)) == []  # known, and older than what is known
    assert told(("否", "2026-03-03 14:00")) == [WATER[0]]
    assert tickets(engine)[0].status is TicketStatus.REOPENED
    assert len(results(engine)) == 2


def test_a_file_is_known_again_by_its_content(engine: Engine, tmp_path: Path) -> None:
    """A, then B, then A again: the old results of A do not come back."""
    prepare(engine)
    first = read_file(workbook(tmp_path / "a.xlsx", (*WATER, "是", "否", "不满意")))
    second = read_file(workbook(tmp_path / "b.xlsx", (*WATER, "是", "是", "满意")))

    def taken(*files: OrderFile) -> Imported:
        with transaction(engine) as session:
            return import_files(session, Knowledge().context(session), files, now=NINE)

    assert taken(first).new == [WATER[0]]
    with transaction(engine) as session:  # an hour later
        now = NINE + timedelta(hours=1)
        assert import_files(session, Knowledge().context(session), [second], now=now).called_back == [WATER[0]]
    again = taken(first)
    assert (again.taken_before, again.known, again.called_back) == (["a.xlsx"], [WATER[0]], [])
    assert [row[3] for row in results(engine)] == [False, True]


def test_many_orders_of_one_instant_are_one_ticket_each(engine: Engine, tmp_path: Path) -> None:
    """They share room and stamp; still none is taken for the other's second half, and praise makes none."""
    prepare(engine)
    process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
    texts = (
        "市民来电表扬东山镇工作人员热情服务，希望转达感谢。",
        "柳林村路灯坏了三盏，请维修。",
        "望湖社区3号楼停水，请处理。",
        "梁家庄村口道路塌陷，请维修。",
    )
    rows = [(f"热线-260303-{n:06d}", "", f"1380000{n:04d}", "", "", "", "", texts[n % 4]) for n in range(24)]
    take(engine, orders(tmp_path, *rows))
    process.step()
    made = tickets(engine)
    assert [ticket.order_no for ticket in made] == [row[0] for n, row in enumerate(rows) if n % 4]
    assert [(t.township, t.repeat_of_id is not None) for t in made[:6]] == [
        ("东山镇", False), ("南湖街道", False), ("西河镇", False), ("东山镇", True), ("南湖街道", True), ("西河镇", True),
    ]  # fmt: skip


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
    again = command.invoke(app, ["import", "orders", path]).output
    assert "0 new, 2 known" in again and "单子.xlsx was taken before; it changes nothing" in again


def test_everything_wrong_is_told_at_once_and_then_nothing_is_imported(
    command: CliRunner, engine: Engine, tmp_path: Path
) -> None:
    good = workbook(tmp_path / "单子.xlsx", WATER, ("", *ROAD[1:]))
    (tmp_path / "坏.xlsx").write_bytes(b"PK\x03\x04 broken")
    (tmp_path / "空.csv").write_bytes(b"")
    said = command.invoke(app, ["import", "orders", str(good), str(tmp_path / "坏.xlsx"), str(tmp_path / "空.csv")])
    assert said.exit_code == 2
    for words in ("单子.xlsx Sheet 第4行：没有工单编号，没有导入", "坏.xlsx", "空.csv：文件是空的", "nothing was imported"):
        assert words in said.output
    with reading(engine) as session:
        assert session.exec(select(InboxMessage)).all() == []


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
