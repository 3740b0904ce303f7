"""A small invented district: three towns, three agencies, a dispatch centre and supervision. Nobody in it exists."""

from __future__ import annotations

from bot.importers.roster import CatalogueRow, MemberRow, Roster, UnitRow, VillageRow
from storage.enums import Role, UnitKind

TOWNS = ("东山镇", "西河镇", "南湖街道")
AGENCIES = ("区水务局", "区交通局", "区城市管理委")
DISPATCH, SUPERVISION = "派单群", "督查群"
SURNAMES = dict(zip((*TOWNS, *AGENCIES), "甄贾郝尤佟燕", strict=True))
ROLES = (Role.HEAD, Role.DEPUTY, Role.HANDLER, Role.HANDLER)


def room(unit: str) -> str:
    return f"{unit}工作群"


def person(unit: str, number: int) -> str:
    """甄甲, 甄乙, 甄丙, 甄丁: head, deputy, handler on duty, handler."""
    return SURNAMES[unit] + "甲乙丙丁"[number - 1]


def nick(unit: str, number: int) -> str:
    """The group nickname of a person."""
    return f"{unit}-{person(unit, number)}"


DISPATCHER = "派单中心-安丙"
SUPERVISOR = "督查室-鲁丙"


def roster(*, on_duty: bool = True) -> Roster:
    units = [UnitRow(name, UnitKind.TOWN, (), room(name)) for name in TOWNS]
    units += [UnitRow(name, UnitKind.AGENCY, (name.removeprefix("区"),), room(name)) for name in AGENCIES]
    units += [
        UnitRow("派单中心", UnitKind.DISPATCH, (), DISPATCH),
        UnitRow("督查室", UnitKind.SUPERVISION, (), SUPERVISION),
    ]
    members = [
        MemberRow(person(unit, number), unit, role, on_duty and number == 3, (nick(unit, number),))
        for unit in (*TOWNS, *AGENCIES)
        for number, role in enumerate(ROLES, 1)
    ]
    members += [
        MemberRow("安丙", "派单中心", Role.DISPATCHER, True, (DISPATCHER,)),
        MemberRow("鲁丙", "督查室", Role.SUPERVISOR, True, (SUPERVISOR,)),
        MemberRow("鲁丁", "督查室", Role.ADMIN, False, ("督查室-鲁丁",)),
    ]
    villages = [
        VillageRow("东山镇", "柳林村", "村"),
        VillageRow("东山镇", "石桥村", "村"),
        VillageRow("东山镇", "双泉村", "村"),
        VillageRow("西河镇", "双泉村", "村"),
        VillageRow("西河镇", "梁家庄村", "村"),
        VillageRow("南湖街道", "望湖社区", "社区"),
    ]
    catalogue = [
        CatalogueRow("市容环卫", "区城市管理委", ("垃圾清运", "公厕")),
        CatalogueRow("供水排水", "区水务局", ("停水", "污水")),
        CatalogueRow("道路市政", "区城市管理委", ("路面坑洼", "路灯")),
        CatalogueRow("公共交通", "区交通局", ("公交",)),
        CatalogueRow("应急安全", "区城市管理委", ("火灾隐患",)),
        CatalogueRow("其他", "", ()),
    ]
    return Roster(tuple(units), tuple(members), tuple(villages), tuple(catalogue))
