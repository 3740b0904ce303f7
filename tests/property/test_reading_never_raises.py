"""Whatever is typed: a reading, never an exception, and in bounded time."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.reading.complaints import read
from handlers.reading.gist import gist
from handlers.reading.routing import route
from tests.reading.sample import gazetteer, in_dispatch, in_town

WORDS = st.lists(
    st.sampled_from(
        ["市民反映", "口头村", "路灯坏了", "工单编号：", "热线-260303-090001", "138 0000 1122", "\n", "1、", "2、",
         "承办单位：", "区水务局", "请尽快", "。", "，", "村书记", "四渡河", "】", "【", "：",
         "\x00", "\ud83d", "停水", "３", "—" * 9]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(text=st.one_of(st.text(max_size=400), WORDS))
def test_a_reader_never_raises(text: str) -> None:
    for view in (in_town(text), in_dispatch(text)):
        for complaint in read(view, gazetteer(), [in_town("口头村")], ["口头村路灯坏了"]).complaints:
            assert len(gist(complaint)) <= 60
            route(complaint, gazetteer())


@pytest.mark.parametrize(
    "piece", ["市民反映口头村路灯坏了，", "1、", "工单编号：", "138-", "【", "村", "一二三、", "（" * 3, "电话", "a b ", "\n"]
)
def test_a_hundred_thousand_characters_are_read_in_bounded_time(piece: str) -> None:
    text = (piece * (100_000 // len(piece) + 1))[:100_000]
    began = perf_counter()
    read(in_town(text), gazetteer())
    assert perf_counter() - began < 5
