"""The hotline's tables while the whole bot runs: from a watched folder, and from the command line of another process."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from bot import order_folder
from tests.gateway.bench import GatewayBench, until
from tests.gateway.whole_bot import HANDLER, PEOPLE, SUPERVISION, TOWN, no_errors, running, settings

HEAD = "工单编号,联系电话,被反映街乡镇,村社区,承办单位,诉求内容\n"


def table(folder: Path, name: str, *rows: str) -> Path:
    path = folder / name
    path.write_bytes((HEAD + "".join(f"{row}\n" for row in rows)).encode("gb18030"))
    return path


async def test_a_table_is_dispatched_to_the_group_and_accepted_there(
    gateway: GatewayBench, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_folder, "LOOK", 0.2)
    await gateway.add_rooms([TOWN, SUPERVISION], PEOPLE)
    watched = tmp_path / "hotline"
    watched.mkdir()
    async with running(gateway, tmp_path, orders_dir=watched) as town:
        table(watched, "一.csv", "热线-260303-000401,13800001234,庙城镇,桃山村,,桃山村村口垃圾成堆三天没人清运，请尽快处理。")
        prompt = await town.hears("前领办")
        assert "桃山村" in prompt and "13800001234" not in prompt
        await until(lambda: (watched / "done" / "一.csv").exists(), 15, "the file is put away")
        await town.says(HANDLER, "领1")
        await town.hears("1号由周样三领办")
        second = table(
            tmp_path,
            "二.csv",
            "热线-260303-000401,13800001234,庙城镇,桃山村,,桃山村村口垃圾成堆三天没人清运，请尽快处理。",
            "热线-260303-000402,13800004321,庙城镇,桃山村,,桃山村东街路灯坏了五盏，晚上看不见路，请维修。",
        )
        url = settings(tmp_path).database_url
        command = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "import", "orders", str(second), "--database", url,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ, "PYTHONUTF8": "1"},  # noqa: TID251
        )  # fmt: skip
        said, _ = await asyncio.wait_for(command.communicate(), 60)
        assert command.returncode == 0 and b"orders: 1 new, 1 known" in said, said
        await town.hears("2号")
        assert [ticket.order_no for ticket in town.tickets] == ["热线-260303-000401", "热线-260303-000402"]
    no_errors(caplog.records)
