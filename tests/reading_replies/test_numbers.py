"""Which digits are tickets."""

from __future__ import annotations

import pytest

from handlers.reading import numbers
from handlers.reading.replies_text import normalise


@pytest.mark.parametrize(
    ("word", "value"),
    [("7", 7), ("012", 12), ("十", 10), ("十二", 12), ("二十", 20), ("两", 2), ("一百零三", 103), ("0", None),
    ("1234", None),
     ("一二", None), ("丙", None), ("", None)],
)  # fmt: skip
def test_numerals(word: str, value: int | None) -> None:
    assert numbers.value_of(word) == value


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("领3", [3]),
        ("领　３", [3]),
        ("＃3 收到", [3]),
        ("三号单我接", [3]),
        ("第三个我来", [3]),
        ("领三", [3]),
        ("3乔木办", [3]),
        ("把3号转走", [3]),
        ("申请转派3到镇里", [3]),
        ("领1、3", [1, 3]),
        ("1和3我去", [1, 3]),
        ("2号3号都我去", [2, 3]),
        ("【2】收到", [2]),
        ("3 人已经派了", [3]),
        ("领③", [3]),
        # a form that can only mean a ticket is reported though the room has no such number …
        ("领9", [9]),
        ("退单8，重复", [8]),
        ("9办结 已修好", [9]),
        ("9领办", [9]),
        # … a weak form is not
        ("9号我去", []),
        ("9 收到", []),
    ],
)
def test_ticket_numbers(text: str, values: list[int]) -> None:
    assert [r.value for r in numbers.find(normalise(text), {1, 2, 3}, ("乔木",))] == values


@pytest.mark.parametrize(
    "text",
    ["3点集合", "3号楼的老吴", "3号院", "领3箱水", "退3个名额", "转3份材料", "3月的表", "今天3号了", "3.5万", "10:30",
    "3-5人", "13912340000",
     "接3个客人", "领一下", "查一查", "退一步", "第三季度", "第3单元", "3天", "3路公交", "3%", "一、防火 二、防汛",
     "1、防火 2、防汛",
     "办结3件", "1 收到\n2 收到\n3 请假"],
)  # fmt: skip
def test_what_is_no_ticket(text: str) -> None:
    assert numbers.find(normalise(text), {1, 2, 3}) == ()


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("上面那个我去", -1),
        ("楼上那个", -1),
        ("最后一个我来", -1),
        ("倒数第二个", -2),
        ("头一个", 0),
        ("上个月的", None),
        ("那个我去", None),
    ],
)
def test_positions(text: str, index: int | None) -> None:
    found = numbers.position(text)
    assert (found.index if found else None) == index
