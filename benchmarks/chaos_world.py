"""The groups of the sample district and what people write there: invented, seeded, each complaint with a mark of its own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.live import DISTRICT, seconds_now
from bot.importers.people import load
from tests.gateway.bench import TYPES, Person, Room

STEMS = "甲乙丙丁戊己庚辛壬癸"  # the digits of a complaint's mark; figures would be masked as numbers of houses
COMPLAINTS = (
    "市民反映，{place}（{token}）垃圾桶满溢三天没人清运，臭味很大，请尽快处理。",
    "{place}（{token}）路面塌陷，电动车掉进去过，市民要求修补。",
    "有居民来电，{place}（{token}）路灯坏了三盏，夜里看不见路，请尽快维修。",
    "市民投诉，{place}（{token}）自来水停了一天，家里没法做饭，请尽快恢复。",
)
ORDER = (
    "工单编号：热线-261125-{number:06}\n诉求人：李样芬\n联系电话：{phone}\n被反映街乡镇：{town}\n所在村社区：{village}\n"
    "诉求内容：市民反映，{village}（{token}）生活垃圾堆放四天无人清运，异味大。\n承办单位：{unit}\n办理时限：7天"
)
CHATTER = (
    "下午两点开会，三楼会议室，请准时参加",
    "各村注意森林防火，严禁野外用火",
    "明天我休假，有事找小李",
    "中午食堂吃什么",
    "[强][强]",
    "请各单位学习文件精神，做好落实",
    "今天大风，注意高空坠物",
    "昨天的会议纪要发群里了",
    "材料报一下，今天下班前发我邮箱",
)


def mark(number: int) -> str:
    return "".join(STEMS[int(digit)] for digit in f"{number:05}")


@dataclass(frozen=True)
class Group:
    id: str
    topic: str
    unit: str
    kind: str
    reporters: tuple[str, ...]  # who may post a complaint
    handlers: tuple[str, ...]  # who takes one
    talkers: tuple[str, ...]


class World:
    def __init__(self, rng: random.Random, *, oldest: float = 50.0) -> None:
        """`oldest`: seconds by which a complaint may be older than its arrival."""
        self._rng, self._oldest = rng, oldest
        roster = load(DISTRICT)
        dispatchers = [f"c{n}" for n in (1, 2)]
        people = {
            f"c{n}": Person(f"c{n}", f"微信{n}", alias)
            for n, alias in enumerate(("城指中心-葛样一", "城指中心-葛样二"), 1)
        }
        self.rooms: list[Room] = []
        self.groups: list[Group] = []
        for number, unit in enumerate(roster.units):
            own = [member for member in roster.members if member.unit == unit.name]
            persons = [
                Person(f"u{number}-{m}", f"微信{number}-{m}", f"{unit.name}-{member.name}")
                for m, member in enumerate(own, 1)
                if unit.kind.value in ("街乡镇", "区政府机构")
            ]
            group_id = f"r{number:02}@chatroom"
            assert unit.room
            self.rooms.append(Room(group_id, unit.room, (*people.values(), *persons)))
            ids = [person.id for person in persons]
            self.groups.append(
                Group(
                    group_id, unit.room, unit.name, unit.kind.value, (*dispatchers, *ids[3:]), tuple(ids[2:3]),
                    tuple(ids[:2]) or tuple(dispatchers),
                )
            )  # fmt: skip
        self.units = [group for group in self.groups if group.kind in ("街乡镇", "区政府机构")]
        self.by_unit = {group.unit: group for group in self.units}
        self.dispatch = next(group for group in self.groups if group.kind == "派单中心")
        self.supervision = next(group for group in self.groups if group.kind == "督查")
        self._villages = [(village.township, village.name) for village in roster.villages]
        self._marks = iter(range(100_000))
        self._ids: Iterator[int] = iter(range(10**9))

    # ---- messages: what the gateway is given, and what was meant -----------------------------------------------------

    def message(self, group: Group, talker: str, text: str, *, age: float = 0.0) -> dict[str, Any]:
        return {
            "id": f"w{next(self._ids)}", "roomId": group.id, "talkerId": talker, "text": text, "type": TYPES["text"],
            "mentionIdList": [], "timestamp": int((seconds_now() - age) * 1000),
        }  # fmt: skip

    def complaint(self) -> tuple[dict[str, Any], dict[str, Any]]:
        rng, number = self._rng, next(self._marks)
        token, group = mark(number), rng.choice(self.units)
        town, village = rng.choice(self._villages)
        told_in, kind = group, rng.random()
        if kind < 0.3:
            if kind < 0.15:
                group = self.dispatch
            text = ORDER.format(
                number=number, phone=13_800_000_000 + number, town=town, village=village, token=token, unit=told_in.unit
            )
        else:
            text = rng.choice(COMPLAINTS).format(place=f"{town}{village}", token=token)
        age = rng.uniform(0, self._oldest) if rng.random() < 0.3 else rng.uniform(0, min(2.0, self._oldest))
        message = self.message(group, rng.choice(group.reporters), text, age=age)
        return message, {
            "id": message["id"], "room": group.id, "kind": "complaint", "token": token, "told_in": told_in.id
        }  # fmt: skip

    def chatter(self) -> tuple[dict[str, Any], dict[str, Any]]:
        group = self._rng.choice(self.groups)
        message = self.message(group, self._rng.choice(group.talkers), self._rng.choice(CHATTER))
        return message, {"id": message["id"], "room": group.id, "kind": "chatter", "token": ""}

    def acceptance(self, group: Group, number: str, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        message = self.message(group, group.handlers[0], f"领{number}")
        return message, {"id": message["id"], "room": group.id, "kind": "accept", "token": token}

    def resolution(self, group: Group, number: str) -> tuple[dict[str, Any], dict[str, Any]]:
        message = self.message(group, group.handlers[0], f"办结{number} 已处理完毕，现场已清理")
        return message, {"id": message["id"], "room": group.id, "kind": "resolve", "token": ""}
