"""A folder into which somebody saves the hotline's tables: each is taken once, whole, and put away with a report."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot import order_folder, order_import
from bot.clock import VirtualClock
from bot.knowledge import Knowledge
from bot.order_folder import STILL, OrderFolder
from bot.roster import load_into
from storage.sessions import transaction
from storage.tables import Ticket
from tests import district
from tests.process import NINE, Groups, Process, prepare
from tests.scenarios.test_hotline_orders import HEAD, ROAD, WATER, workbook


class Watched:
    def __init__(self, engine: Engine, tmp_path: Path) -> None:
        self.folder = tmp_path / "热线"
        self.folder.mkdir()
        self.process = Process(engine, Groups(), VirtualClock(NINE), tmp_path)
        self.begin_anew()

    def begin_anew(self) -> None:
        """As after a restart: nothing is remembered of the folder."""
        self.watcher = OrderFolder(self.process.database, self.process.clock, Knowledge(), self.folder)

    def look(self, times: int = STILL) -> None:
        for _ in range(times):
            asyncio.run(self.watcher.look())

    def there(self, kind: str = "") -> list[str]:
        folder = self.folder / kind
        return sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []

    def report(self, kind: str, name: str) -> str:
        return (self.folder / kind / f"{name}.报告.txt").read_text(encoding="utf-8-sig")

    @property
    def numbers(self) -> list[str]:
        return [ticket.order_no for ticket in self.process.rows(Ticket)]


@pytest.fixture
def watched(engine: Engine, tmp_path: Path) -> Watched:
    prepare(engine)
    return Watched(engine, tmp_path)


def test_a_file_is_dispatched_put_away_and_reported(watched: Watched) -> None:
    workbook(watched.folder / "三日.xlsx", WATER, ROAD, ("", *ROAD[1:3], "", "", "", "", ""))
    watched.look()
    watched.process.step()
    assert watched.numbers == [WATER[0], ROAD[0]]
    assert watched.there() == [] and watched.there("done") == ["三日.xlsx", "三日.xlsx.报告.txt"]
    assert watched.report("done", "三日.xlsx").splitlines() == [
        "已导入：新工单 2 件，已有 0 件，回访结果 0 条。",
        "Sheet 第5行：没有工单编号，没有导入",
    ]
    assert watched.process.groups.said("热线表格") == []  # a row without a text is a footer, no order


def test_a_file_that_still_grows_is_left_until_it_stands_still(watched: Watched) -> None:
    path = watched.folder / "慢.csv"
    head = ",".join(HEAD)
    path.write_text(f"{head}\n{','.join(WATER)}\n", encoding="utf-8")
    for row in range(6):
        watched.look(STILL - 1)
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"热线-260303-10000{row},,,,,,,石桥村第{row + 1}条路上有大坑，请修补。\n")
        assert watched.there() == ["慢.csv"]
    watched.look(STILL - 1)
    assert watched.there() == ["慢.csv"]
    watched.look(1)
    watched.process.step()
    assert len(watched.numbers) == 7 and watched.there("done") == ["慢.csv", "慢.csv.报告.txt"]


def test_a_file_that_changed_while_it_was_read_is_read_again(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(watched.folder / "a.xlsx", WATER)
    read = order_folder.read_file

    def read_and_change(found: Path) -> object:
        file = read(found)
        if file.orders[-1].order_no == WATER[0]:
            workbook(path, WATER, ROAD)
        return file

    monkeypatch.setattr(order_folder, "read_file", read_and_change)
    watched.look()
    assert watched.there() == ["a.xlsx"]
    watched.look()
    watched.process.step()
    assert watched.there("done") == ["a.xlsx", "a.xlsx.报告.txt"] and watched.numbers == [WATER[0], ROAD[0]]


def test_a_file_that_changed_between_reading_and_knowing_it_again_loses_no_order(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbook(watched.folder / "a.xlsx", WATER)
    read = order_import.read_orders

    def read_and_change(found: Path) -> object:
        file = read(found)
        if len(file.orders) == 1:
            workbook(path, WATER, ROAD)
        return file

    monkeypatch.setattr(order_import, "read_orders", read_and_change)
    watched.look()
    assert watched.there() == ["a.xlsx"] and watched.there("failed") == []
    watched.look()
    watched.process.step()
    assert watched.there("done") == ["a.xlsx", "a.xlsx.报告.txt"] and watched.numbers == [WATER[0], ROAD[0]]
    assert watched.process.groups.said("热线表格") == []


def test_the_same_file_again_changes_nothing_and_takes_no_others_name(watched: Watched) -> None:
    path = watched.folder / "a.xlsx"
    workbook(path, WATER)
    content = path.read_bytes()
    watched.look()
    path.write_bytes(content)
    watched.process.wait(minutes=30)
    watched.look()
    watched.process.step()
    assert watched.numbers == [WATER[0]]
    assert watched.there("done") == [
        "a-20260303-093000.xlsx", "a-20260303-093000.xlsx.报告.txt", "a.xlsx", "a.xlsx.报告.txt",
    ]  # fmt: skip
    assert watched.report("done", "a-20260303-093000.xlsx") == "这个文件以前导入过，没有变化。\n"


def test_a_death_between_taking_and_putting_away_takes_nothing_twice(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbook(watched.folder / "a.xlsx", WATER)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("bot.order_folder._move", die)
        with pytest.raises(KeyboardInterrupt):
            watched.look()
    watched.begin_anew()
    watched.look()
    watched.process.step()
    assert watched.numbers == [WATER[0]] and watched.there("done") == ["a.xlsx", "a.xlsx.报告.txt"]


def test_a_bad_file_alarms_once_and_stops_no_other(watched: Watched) -> None:
    (watched.folder / "a坏.xlsx").write_bytes(b"PK\x03\x04 broken")
    (watched.folder / "截图.png").write_bytes(b"\x89PNG")
    workbook(watched.folder / "b.xlsx", WATER)
    watched.look()
    watched.process.step()
    assert watched.numbers == [WATER[0]]
    assert watched.there("failed") == ["a坏.xlsx", "a坏.xlsx.报告.txt", "截图.png", "截图.png.报告.txt"]
    assert "工作簿已损坏" in watched.report("failed", "a坏.xlsx")
    alarm = "热线表格“a坏.xlsx”读不出来，没有导入，已移到failed文件夹，请管理员查看旁边的报告"
    assert watched.process.groups.said("热线表格")[0] == alarm
    assert len(watched.process.groups.said("热线表格")) == 2
    (watched.folder / "又来.xlsx").write_bytes(b"PK\x03\x04 broken")
    watched.look()
    watched.process.step()
    assert len(watched.process.groups.said("热线表格")) == 2  # the same content under another name


def test_orders_that_were_not_taken_are_told_of_even_where_the_rest_is_whole(watched: Watched) -> None:
    workbook(watched.folder / "a.xlsx", WATER, ("2.603E+16", *ROAD[1:]))
    watched.look()
    watched.process.step()
    assert watched.numbers == [WATER[0]]
    told = "热线表格“a.xlsx”有1行工单没能导入，其余已派，请管理员查看done文件夹里的报告"
    assert watched.process.groups.said("热线表格") == [told]


def test_what_is_still_being_written_and_what_is_no_file_is_left_alone(watched: Watched, tmp_path: Path) -> None:
    for name in (".a.xlsx", "~$a.xlsx", "a.xlsx.part", "a.tmp"):
        (watched.folder / name).write_bytes(b"x")
    (watched.folder / "子文件夹").mkdir()
    os.symlink(workbook(tmp_path / "elsewhere.xlsx", WATER), watched.folder / "link.xlsx")
    watched.look()
    watched.process.step()
    assert watched.numbers == [] and watched.there("done") == watched.there("failed") == []


def test_a_folder_that_is_not_there_and_a_district_without_a_dispatch_room_are_waited_for(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(engine, tmp_path)  # no roster is loaded
    workbook(watched.folder / "a.xlsx", WATER)
    watched.folder.rename(tmp_path / "away")
    with caplog.at_level(logging.ERROR):
        watched.look(5)
        assert watched.watcher.trouble
        (tmp_path / "away").rename(watched.folder)
        watched.look(5)
    assert [record.reason for record in caplog.records] == [  # type: ignore[attr-defined]
        "the folder cannot be read (FileNotFoundError)",
        "no room of the dispatch centre or of supervision",
    ]
    assert watched.watcher.trouble and watched.there() == ["a.xlsx"]
    with transaction(engine) as session:
        load_into(session, district.roster(), now=NINE)
    watched.look(1)
    assert not watched.watcher.trouble and watched.there("done") == ["a.xlsx", "a.xlsx.报告.txt"]


def test_a_file_that_cannot_be_put_away_is_taken_once_and_shows_as_trouble(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    workbook(watched.folder / "a.xlsx", WATER)
    (watched.folder / "done").write_text("a file where the folder should be")
    with caplog.at_level(logging.ERROR):
        watched.look(8)
    assert [record.getMessage() for record in caplog.records].count("orders_file_not_moved") == 1
    assert watched.watcher.trouble
    watched.process.step()
    assert watched.numbers == [WATER[0]]
