"""One invented unit's room for the sentence tables, and what an intent comes to under behaviour 1, 4 and 6.

A table row is `room|sender|quote|effect|sentence`. Room: one sign per ticket in order of its number: w waits, 3 is
with the first handler, 4 with the second, r is resolved by the first; 0 is a room without tickets. Sender: h3 and h4
the handlers, L1 and L2 the leaders, D a dispatcher, S a supervisor, O a member of another unit, X a stranger. Quote:
index of the quoted ticket, or -. Effect: as in the case files, with the ticket's number, then the last sign of the
owner's name or the units; alternatives stand behind a slash. `\\n` in a sentence is a line break.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from handlers.reading import names, replies
from handlers.reading.views import (
    Act,
    Gazetteer,
    Intent,
    MemberEntry,
    MessageView,
    RoomState,
    TicketView,
    UnitEntry,
    VillageEntry,
)
from storage.enums import Role, TicketStatus, UnitKind

TODAY = date(2026, 3, 2)  # a Monday
TOWN = "庙城镇"
_TOWNS = (
    "泉河街道:泉河办 泉河街办|怀柔镇:怀柔地区|庙城镇:庙城地区|怀北镇:|桥梓镇:|"
    "长哨营满族乡:长哨营乡 长哨营|喇叭沟门满族乡:喇叭沟门乡 喇叭沟门"
)
_AGENCIES = (
    "区教委:教委 教育委员会|公安分局:区公安分局 公安 交通支队|区人力社保局:人社局 人力社保局|规自分局:规划分局 "
    "国土分局|"
    "区生态环境局:生态环境局 环保局|区住房城乡建设委:住建委|区城市管理委:城管委 城市管理委|区交通局:交通局|"
    "区水务局:水务局|"
    "区农业农村局:农业农村局 农业局|区文化和旅游局:文旅局|区卫生健康委:卫健委|区应急局:应急局|"
    "区市场监管局:市场监管局 市监局|"
    "区园林绿化局:园林绿化局 园林局|区医保局:医保局|区城管执法局:城管执法局 城管"
)
_PEOPLE = {
    "h3": ("苗得雨", TOWN, Role.HANDLER),
    "h4": ("苗长林", TOWN, Role.HANDLER),
    "L1": ("罗望山", TOWN, Role.HEAD),
    "L2": ("罗秋实", TOWN, Role.DEPUTY),
    "D": ("祝平安", "区城指中心", Role.DISPATCHER),
    "S": ("祝太行", "区政府督查室", Role.SUPERVISOR),
    "O": ("纪小满", "区水务局", Role.HANDLER),
}
_TEXTS = (
    "焦村文化广场健身器材断裂，怕砸到孩子，请尽快维修。",
    "桃山村有人露天焚烧秸秆，浓烟滚滚，呛得人睁不开眼，请制止。",
    "王史山村村口路面塌陷，电动车掉进去过，群众要求修补。",
    "金山社区3号楼外墙皮脱落，掉下来差点砸到人",
    "庙城社区下水道堵塞，污水外溢",
)


def _units() -> tuple[UnitEntry, ...]:
    rows = [(row.split(":"), UnitKind.TOWN) for row in _TOWNS.split("|")]
    rows += [(row.split(":"), UnitKind.AGENCY) for row in _AGENCIES.split("|")]
    units = [UnitEntry(name, kind, tuple(aliases.split())) for (name, aliases), kind in rows]
    units.append(UnitEntry("区城指中心", UnitKind.DISPATCH, ("城指中心",)))
    units.append(UnitEntry("区政府督查室", UnitKind.SUPERVISION, ("督查室",)))
    return tuple(units)


MEMBERS = {sign: MemberEntry(name, unit, role, (f"{unit}-{name}",)) for sign, (name, unit, role) in _PEOPLE.items()}
GAZETTEER = Gazetteer(
    units=_units(),
    villages=tuple(VillageEntry(TOWN, n, "村") for n in ("焦村", "桃山村", "王史山村", "高两河村"))
    + (VillageEntry("北房镇", "幸福东园社区", "社区"), VillageEntry("九渡河镇", "黄坎村", "村")),
    members=tuple(MEMBERS.values()),
)


def room(signs: str, quoted: int | None = None, just_asked: tuple[Act, int | None] | None = None) -> RoomState:
    statuses = {"w": TicketStatus.WAITING, "r": TicketStatus.RESOLVED}
    owners = {"3": MEMBERS["h3"].name, "4": MEMBERS["h4"].name, "r": MEMBERS["h3"].name}
    tickets = tuple(
        TicketView(
            short=i + 1,
            no=f"20260302-{i + 1:04d}",
            status=statuses.get(sign, TicketStatus.ACCEPTED),
            waiting=sign == "w",
            text=_TEXTS[i],
            unit=TOWN,
            owner=owners.get(sign),
        )
        for i, sign in enumerate(signs.replace("0", ""))
    )
    members = tuple(m for m in MEMBERS.values() if m.unit == TOWN)
    return RoomState(tickets=tickets, quoted=quoted, members=members, just_asked=just_asked)


def view(sender: str, text: str, quote: str | None = None) -> MessageView:
    shown = MEMBERS[sender].aliases[0] if sender in MEMBERS else "热心居民老秦"
    member = names.identify(shown, GAZETTEER, TOWN).member
    return MessageView(
        text=text,
        room_unit=TOWN,
        sender_name=shown,
        sender_unit=member.unit if member else None,
        sender_role=member.role if member else None,
        quote_text=quote,
    )


def read(
    signs: str, sender: str, text: str, quoted: int | None = None, asked: tuple[Act, int | None] | None = None
) -> Intent | None:
    quote = _TEXTS[quoted] if quoted is not None else None
    return replies.read(view(sender, text, quote), room(signs, quoted, asked), GAZETTEER, TODAY)


_ANSWERED = (Act.STATUS, Act.TODO, Act.MINE, Act.HELP, Act.DAILY)
_UNITS_OWN = (Act.ACCEPT, Act.DECLINE, Act.RESOLVE, Act.EXTEND, Act.WHISTLE)


def _may(act: Act, sender: str) -> bool:
    if act in _UNITS_OWN:
        return sender in ("h3", "h4", "L1", "L2")
    if act is Act.ASSIGN:
        return sender in ("L1", "L2", "D", "S")
    return act not in (Act.TRANSFER, Act.REOPEN) or sender in ("D", "S")


def effect(intent: Intent | None, signs: str, sender: str) -> str:
    """What the core makes of an intent, in the words of the tables."""
    if intent is None:
        return "none"
    act = intent.act
    if act in _ANSWERED:
        return "answer"
    if intent.unknown_number is not None or not _may(act, sender):
        return "refuse"
    if act in (Act.DUTY, Act.BIND, Act.URGE, Act.KEEP, Act.AGREE):
        return str(act)
    if len(intent.targets) != 1 or intent.unsure:
        return "ask"
    return _on_one(intent, signs, sender)


def _on_one(intent: Intent, signs: str, sender: str) -> str:
    act, number = intent.act, intent.targets[0] + 1
    ticket = room(signs).tickets[intent.targets[0]]
    if act is Act.ACCEPT and not ticket.waiting:
        own = sender in MEMBERS and ticket.owner == MEMBERS[sender].name
        return "none" if own and not intent.explicit else "refuse"
    if act is Act.ASSIGN:
        return f"assign{number}:{(intent.member or '?')[-1]}"
    if act in (Act.TRANSFER, Act.WHISTLE):
        return f"{act}{number}:{','.join(intent.units)}" if intent.units else "ask"
    needed = {
        Act.DECLINE: bool(intent.reason),
        Act.RESOLVE: bool(intent.reason),
        Act.EXTEND: intent.until is not None,
    }
    if not needed.get(act, True):
        return "ask"
    return f"{'reopen' if act is Act.CALL_BACK else act}{number}"


def rows(name: str) -> list[tuple[str, str, int | None, str, str]]:
    found = []
    for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            signs, sender, quote, wanted, text = line.split("|", 4)
            found.append((signs, sender, None if quote == "-" else int(quote), wanted, text.replace("\\n", "\n")))
    return found
