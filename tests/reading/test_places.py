"""Places that the catalogue of villages does not name as people do: hamlets, 小区, what only sounds alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handlers.reading.complaints import read
from handlers.reading.views import PlaceAlias
from tests.reading.sample import gazetteer, in_dispatch, in_town, reading


def test_a_hamlet_and_a_housing_estate_of_the_districts_alias_table_stand_for_their_village() -> None:
    known = replace(
        gazetteer(),
        place_aliases=(PlaceAlias("柳树洼", "桥梓镇", "口头村"), PlaceAlias("样板花园", "泉河街道", "金台园社区")),
    )
    (hamlet,) = read(in_dispatch("柳树洼路灯坏了三盏，晚上看不见，请派人修"), known).complaints
    assert (hamlet.township, hamlet.village) == ("桥梓镇", "口头村")
    (estate,) = read(in_town("样板花园3号楼电梯坏了，请联系物业维修", "泉河街道"), known).complaints
    assert estate.village == "金台园社区" and estate.place == "样板花园3号楼"


@pytest.mark.parametrize(
    "written, village, town",
    [
        ("歧庄村", "岐庄村", "桥梓镇"),  # a look-alike
        ("琦峰茶村", "崎峰茶村", "琉璃庙镇"),  # sounds the same
        ("甘涧玉村", "甘涧峪村", "怀柔镇"),  # three characters, one other that sounds the same
        ("菜树店村", "菜树甸村", "宝山镇"),
        ("银河沟村", "银河沟村", "汤河口镇"),
    ],
)
def test_a_misheard_village_is_known_by_its_sound(written: str, village: str, town: str) -> None:
    assert reading(in_town(f"{written}村口的路灯坏了，请尽快修", town)).complaints[0].village == village


@pytest.mark.parametrize("written", ["王家窝棚村", "南石头沟村", "杨柳村"])
def test_a_village_that_nothing_sounds_like_is_kept_as_written(written: str) -> None:
    complaint = reading(in_town(f"{written}村口的路灯坏了，请尽快修")).complaints[0]
    assert complaint.village is None


def test_every_field_is_explained_with_where_it_stands() -> None:
    text = "请水务局看看，口头村东口水管爆了，张女士13800001122"
    spans = {name: text[a:b] for name, (a, b) in reading(in_town(text)).spans}
    assert spans["unit"] == "水务局" and spans["place"] == "口头村东口"
    assert spans["phone"] == "13800001122" and spans["name"] == "张女士" and spans["urgency"] == "水管爆"
