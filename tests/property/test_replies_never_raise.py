"""No text whatever makes the reader of answers raise, hang, or point at a ticket that is not there."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.reading import duty_words, mentions, names, quotes
from handlers.reading.views import Act
from tests.reading_replies import world

PIECES = st.sampled_from(
    "领 接 退 转 吹哨 办结 延期 重办 催 查 收到 马上去 已安排 我来 处理完了 不 没 吗 ？ ， 。 1 2 ３ 二 #1 2号 "
    "第二个 12点 3号楼 138 "
    "苗得雨 @苗长林 水务局 城管委 3月5日 周五 那个 东关 路灯 「 」 \n - \u2005 \x00 \ud800 👌 [OK] <appmsg> 值班 "
    "替 今晚 他说 要是".split(
        " "
    )
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(categories=None), max_size=40),
    st.lists(PIECES, max_size=14).map("".join),
    st.lists(PIECES, max_size=14).map(" ".join),
)
ASKED = st.none() | st.tuples(st.sampled_from(list(Act)), st.none() | st.integers(-3, 9))


@settings(max_examples=300, deadline=None)
@given(
    text=TEXTS,
    signs=st.text("w34r", max_size=5),
    sender=st.sampled_from(["h3", "L1", "D", "S", "O", "X"]),
    quoted=st.none() | st.integers(0, 4),
    asked=ASKED,
)
def test_read_never_raises_and_aims_inside_the_room(
    text: str, signs: str, sender: str, quoted: int | None, asked: tuple[Act, int | None] | None
) -> None:
    intent = world.read(signs, sender, text, quoted, asked)
    if intent is not None:
        assert all(0 <= i < len(signs) for i in intent.targets)
        assert len(set(intent.targets)) == len(intent.targets)
        assert intent == world.read(signs, sender, text, quoted, asked)  # the same every time


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_the_parts_never_raise(text: str) -> None:
    split = quotes.split(text)
    assert isinstance(split.body, str)
    mentions.strip(text, ["苗得雨", text[:5]])
    mentions.plain_emoji(text)
    names.identify(text, world.GAZETTEER, world.TOWN)
    duty_words.parse(text, world.MEMBERS.values(), world.TODAY, me="苗得雨")


@pytest.mark.parametrize(
    "piece",
    [
        "好的",
        "需要",
        "我们",
        "已经",
        "1",
        "领1",
        "-",
        "「",
        "@",
        "@a",
        "<appmsg",
        "[OK]",
        "\x00",
        "\ud800",
        " ",
        "\n",
        "收到",
        "一",
    ],
)
def test_a_hundred_thousand_signs_take_bounded_time(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    begun = time.perf_counter()
    world.read("ww", "h3", text)
    world.read("ww", "h3", text[:8_000])
    quotes.split(text)
    names.identify(text, world.GAZETTEER)
    assert time.perf_counter() - begun < 1.0
