"""A day of long ago that holds personal data wherever the bot keeps any, and a way to look for it everywhere."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlmodel import SQLModel

from bot.clock import VirtualClock
from bot.database import Database
from bot.knowledge import Knowledge
from bot.retention import Blanked, Retention
from handlers import digests
from handlers.context import Context
from handlers.digest_windows import DigestSettings
from handlers.vault import Vault
from storage import page_tables, page_users, tables  # noqa: F401  (every table)
from storage.enums import DigestKind, MessageType
from storage.sessions import reading, transaction
from storage.tables import Ticket
from tests import district
from tests.process import NINE, Groups, Process, prepare, quote

# All invented.
PHONE, SECOND_PHONE, IDENTITY = "13811112222", "18600003333", "110116190001014321"
NAME, CITIZEN = "钱样富", "爱唱戏的大爷"
WORDS = ("腌菜缸", "咸鸭蛋", "老槐树底", "搪瓷盆", "绿皮灯", "糖葫芦")  # of what people wrote, each somewhere else
PLANTED = (PHONE, SECOND_PHONE, IDENTITY, NAME, CITIZEN, *WORDS)
COMPLAINT = (
    f"市民{NAME}来电反映，石桥村{WORDS[0]}旁的垃圾五天没人清运，电话{PHONE}，身份证{IDENTITY}，请处理。"
)
URGENT = f"市民反映，双泉村{WORDS[1]}厂燃气味很浓，怕爆炸，请马上抢修，电话{SECOND_PHONE}。"
HANDLER = district.nick("东山镇", 3)


class World:
    """`process` is the bot of the old day; `retention` that of a day `days` later."""

    def __init__(self, engine: Engine, folder: Path, *, key: str = "") -> None:
        prepare(engine)
        self.engine, self.files, self.orders = engine, folder / "files", folder / "orders"
        self.files.mkdir()
        self.clock, self.groups = VirtualClock(NINE), Groups()
        self.process = Process(engine, self.groups, self.clock, self.files / "digests")
        if key:
            self.process.worker._knowledge = Knowledge(Context(**{**vars(Knowledge()._base), "vault": Vault([key])}))
        self.database = Database(engine, inline=True)

    def say(self, unit: str, sender: str, text: str, **more: Any) -> str:
        said = self.process.hear(unit, sender, text, **more)
        if self.clock.now() < NINE + timedelta(days=1):
            self.process.step()
        else:  # without the digests of all the days between
            asyncio.run(self.process.worker.drain())
            asyncio.run(self.process.sender.drain())
        return said

    def picture(self, name: str, content: bytes) -> Path:
        path = self.files / f"0123456789abcdef-{name}"
        path.write_bytes(content)
        return path

    def old_day(self, *, digest: bool = False) -> None:
        """Two complaints, both done by the evening, told of in every way; a digest; somebody who looked at it."""
        first = self.say("东山镇", CITIZEN, COMPLAINT, sender_id="wxid-citizen", raw={"payload": COMPLAINT})
        self.say(
            "东山镇", CITIZEN, "", type=MessageType.IMAGE, file=self.picture(f"{NAME}.jpg", b"a face"),
            file_name=f"{NAME}.jpg",
        )  # fmt: skip
        self.say("西河镇", district.DISPATCHER, URGENT)
        self.process.wait(minutes=3)
        self.say("东山镇", HANDLER, f"1 退单，不是我镇的，是{NAME}家的{WORDS[2]}，电话{PHONE}")
        self.say("派单", district.DISPATCHER, f"1 维持，就在{WORDS[3]}旁边", quote=quote(first))
        self.process.wait(minutes=3)
        self.say("东山镇", HANDLER, "领1")
        self.say("西河镇", district.nick("西河镇", 3), "领1")
        self.say("东山镇", HANDLER, f"1 延期到3月9日，{NAME}说{WORDS[4]}要等")
        self.say("没人认的群", CITIZEN, f"{WORDS[5]} {PHONE}")
        if digest:
            self.clock.move_to(NINE.replace(hour=12, minute=5))
            self.process.step()
        self.say("东山镇", HANDLER, f"1已办结，{NAME}家的{WORDS[0]}已经清走，电话{PHONE}已回复")
        self.say("西河镇", district.nick("西河镇", 3), f"1已办结，{WORDS[1]}厂的阀门已换好")
        with transaction(self.engine) as session:
            page_users.note_access(
                session, user_name="督查甲", address="10.1.1.1", what=f"导出 CSV；找“{PHONE}”", now=self.clock.now()
            )

    def later(self, days: float) -> datetime:
        self.clock.move_to(NINE + timedelta(days=days))
        for path in self.files.rglob("*"):
            os.utime(path, (NINE.timestamp(), NINE.timestamp()))
        return self.clock.now()

    def retention(self, days: int = 300) -> Retention:
        return Retention(self.database, self.clock, days=days, files=self.files, orders=self.orders)

    def blank(self, days: int = 300) -> Blanked:
        return asyncio.run(self.retention(days).run(by="测试"))

    def count(self, days: int = 300) -> Blanked:
        return self.database.read_now(self.retention(days).count)

    def numbers(self) -> list[dict[str, Any]]:
        """The digests of every kind of window over the old day, computed anew, without the gists."""
        made = []
        for kind, hours in ((DigestKind.DAILY, 24), (DigestKind.WEEKLY, 168), (DigestKind.MONTHLY, 720)):
            end = NINE.replace(hour=23)
            with reading(self.engine) as session:
                numbers = digests.compute(
                    session, kind=kind, start=end - timedelta(hours=hours), end=end, now=NINE, settings=DigestSettings()
                )
            for entry in numbers["urgent"]:
                entry["gist"] = None
            made.append(numbers)
        return made

    def tickets(self) -> list[Ticket]:
        return sorted(self.process.rows(Ticket), key=lambda ticket: ticket.id or 0)


def everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with engine.connect() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for name, table in SQLModel.metadata.tables.items()
        }


def found_in(engine: Engine, wanted: tuple[str, ...]) -> set[tuple[str, str]]:
    """The columns, of any table, that hold one of some words."""
    found = set()
    with engine.connect() as connection:
        for name, table in SQLModel.metadata.tables.items():
            for row in connection.execute(select(table)).mappings():
                for column, value in row.items():
                    told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
                    if any(word in told for word in wanted):
                        found.add((name, str(column)))
    return found


def found_in_files(folder: Path, wanted: tuple[str, ...]) -> list[str]:
    """The files under a folder that bear or hold one of some words."""
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(w in path.name or w.encode() in path.read_bytes() for w in wanted)
    ]
