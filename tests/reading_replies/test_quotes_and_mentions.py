"""Quotes in their three forms, @ with every separator, emoji in their three forms."""

from __future__ import annotations

import pytest

from handlers.reading import mentions, quotes

DASHES = "- - - - - - - - - - - - - - -"


def test_text_without_a_quote_is_all_body() -> None:
    assert quotes.split("收到，马上去") == quotes.SplitQuote("收到，马上去")


def test_quote_as_text() -> None:
    text = f"「祝平安：迎宾路路灯不亮」\n{DASHES}\n收到"
    assert quotes.split(text) == quotes.SplitQuote("收到", "祝平安", "迎宾路路灯不亮")


def test_a_quoted_quote_is_cut_at_the_last_dashes() -> None:
    text = f"「苗得雨：「祝平安：灯不亮」\n{DASHES}\n我去」\n{DASHES}\n辛苦"
    found = quotes.split(text)
    assert found.body == "辛苦"
    assert found.sender == "苗得雨"


def _xml(kind: str, title: str, content: str) -> str:
    return (
        f"<msg><appmsg><title>{title}</title><type>{kind}</type><refermsg><displayname>祝平安</displayname>"
        f"<content>{content}</content></refermsg></appmsg></msg>"
    )


def test_quote_as_xml() -> None:
    assert quotes.split(_xml("57", "领2", "路灯不亮")) == quotes.SplitQuote("领2", "祝平安", "路灯不亮")


def test_xml_with_the_sender_in_front() -> None:
    assert quotes.split("wxid_a1:\n" + _xml("57", "领2", "路灯不亮")).body == "领2"


@pytest.mark.parametrize(
    "text",
    [
        _xml("5", "一篇文章", "…"),
        "<msg><appmsg><type>57</type>",
        '<!DOCTYPE a [<!ENTITY b "c">]><msg><appmsg><title>&b;</title><type>57</type></appmsg></msg>',
    ],
)
def test_other_broken_or_hostile_xml_is_no_quote(text: str) -> None:
    assert quotes.split(text) == quotes.SplitQuote(text)


@pytest.mark.parametrize("gap", ["\u2005", "\u00a0", "\u3000", " ", "，", ""])
@pytest.mark.parametrize("sign", ["@", "＠"])
def test_a_known_name_needs_no_separator(sign: str, gap: str) -> None:
    found = mentions.strip(f"{sign}派单 助手{gap}领2", ["派单 助手"])
    assert (found.names, found.text.strip()) == (("派单 助手",), "领2")


def test_the_longest_name_counts() -> None:
    assert mentions.strip("@苗得雨水 去看看", ["苗得雨", "苗得雨水"]).names == ("苗得雨水",)


def test_an_unknown_name_ends_at_the_blank_or_at_a_command() -> None:
    assert mentions.strip("@老秦 领2").text.strip() == "领2"
    assert mentions.strip("@派单小助手领2").text.strip() == "领2"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("👌🏻"[:1], "ok"),
        ("[OK]", "ok"),
        ("收到[抱拳][玫瑰]", "收到"),
        ("收到👍", "收到"),
        ('收到<img class="emoji emoji1f44d" text="x">', "收到"),
        ("[2026]", "[2026]"),
        ("[特急]", "[特急]"),
    ],
)
def test_emoji_mean_ok_or_nothing(text: str, plain: str) -> None:
    assert mentions.plain_emoji(text).strip() == plain
