"""Nicknames against the roster."""

from __future__ import annotations

import pytest

from handlers.reading import names
from handlers.reading.views import Gazetteer, MemberEntry, UnitEntry
from storage.enums import Role, UnitKind

RAIN = MemberEntry("苗得雨", "庙城镇", Role.HANDLER, ("老苗",))
LI_TOWN = MemberEntry("李青", "庙城镇", Role.HANDLER)
LI_WATER = MemberEntry("李青", "区水务局", Role.HANDLER)
LI_LONG = MemberEntry("李青山", "区水务局", Role.HEAD)
GAZETTEER = Gazetteer(
    units=(UnitEntry("庙城镇", UnitKind.TOWN, ("庙城地区",)), UnitEntry("区水务局", UnitKind.AGENCY, ("水务局",))),
    members=(RAIN, LI_TOWN, LI_WATER, LI_LONG),
)


@pytest.mark.parametrize(
    "shown",
    ["苗得雨", "庙城镇-苗得雨", "苗得雨-庙城镇", "苗得雨-庙城镇-城管科", "庙城镇 苗得雨 副镇长", "苗得雨（副镇长）",
    "庙城镇苗得雨", "苗得雨副主任",
     "庙城苗得雨", "【庙城】苗得雨", "庙城镇_苗得雨🌸", "庙城地区－苗得雨", "老苗", "应急办-苗得雨",
     " 庙城镇 — 苗得雨 "],
)  # fmt: skip
def test_a_name_in_any_order_and_decoration(shown: str) -> None:
    assert names.identify(shown, GAZETTEER).member == RAIN


@pytest.mark.parametrize(
    "shown", ["苗得雨水", "小苗得雨吗", "苗得", "雨", "热心居民", "", "庙城镇", "苗得雨的朋友", "苗得雨妈妈"]
)
def test_a_part_of_a_longer_word_is_nobody(shown: str) -> None:
    assert names.identify(shown, GAZETTEER).member is None


def test_a_longer_name_is_not_the_shorter_one() -> None:
    assert names.identify("水务局-李青山", GAZETTEER).member == LI_LONG


def test_namesakes_are_nobody_until_a_unit_tells_them_apart() -> None:
    assert names.identify("李青", GAZETTEER) == names.Identified(None, (LI_TOWN, LI_WATER))
    assert names.identify("水务局李青", GAZETTEER).member == LI_WATER
    assert names.identify("李青", GAZETTEER, "庙城镇").member == LI_TOWN


def test_a_unit_that_is_not_the_members_own_contradicts() -> None:
    assert names.identify("区水务局-苗得雨", GAZETTEER).member is None
