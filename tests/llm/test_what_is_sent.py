"""What reaches the model: the doubtful message's own words, and in them no phone, number or name of a person."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.doubting import hidden
from handlers.reading.text import JUDGE_LIMIT
from tests.llm.double import CATEGORIES, Double, verdict

MEMBERS = frozenset({"甄丙", "贾甲", "欧阳样五"})
NOISE = st.text(alphabet=st.sampled_from("村口东3号楼，。：（）- \n李样电话请abc零@*"), max_size=20)
MOBILE = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
IDENTITY = st.from_regex(r"110116(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|2[0-8])[0-9]{3}[0-9X]", fullmatch=True)
SPLIT = st.sampled_from([(3, 7), (3, 6), (4, 8)])
BETWEEN = st.sampled_from(["", " ", "-", "－", "\u3000", "\u200b"])
NAME = st.sampled_from(["王小样", "李样样", "欧阳小样"])
SAID = st.sampled_from(["市民{}来电", "联系人：{}", "诉求人{}，", "我叫{}，", "村民{}家门口"])


def sent(text: str) -> tuple[str, str]:
    """What reaches the double: all of it, and the text alone."""
    double = Double(verdict("unsure"))
    model = double.model(key="")
    asyncio.run(model.ask(hidden(text, MEMBERS), CATEGORIES))
    return double.all_that_came, double.texts[0]


@settings(max_examples=80, deadline=None)
@given(before=NOISE, phone=MOBILE, cuts=SPLIT, between=BETWEEN, after=NOISE)
def test_no_phone_reaches_the_model(
    before: str, phone: str, cuts: tuple[int, int], between: str, after: str
) -> None:
    written = between.join([phone[: cuts[0]], phone[cuts[0] : cuts[1]], phone[cuts[1] :]])
    all_of_it, text = sent(f"{before}，{written}，{after}")
    assert written not in all_of_it and phone not in all_of_it
    assert phone not in re.sub(r"\D", "", text)
    assert phone[-4:] not in text or phone[-4:] in before + after  # not half of it either


@settings(max_examples=60, deadline=None)
@given(before=NOISE, number=IDENTITY, after=NOISE)
def test_no_identity_number_reaches_the_model(before: str, number: str, after: str) -> None:
    all_of_it, text = sent(f"{before}，身份证{number}，{after}")
    assert number not in all_of_it
    assert number[6:14] not in text  # the day of birth


@settings(max_examples=60, deadline=None)
@given(before=NOISE, name=NAME, said=SAID, member=st.sampled_from(sorted(MEMBERS)), after=NOISE)
def test_no_name_reaches_the_model(before: str, name: str, said: str, member: str, after: str) -> None:
    all_of_it, _ = sent(f"{before}，{said.format(name)}反映{member}没来，{after}")
    assert name not in all_of_it
    assert member not in all_of_it


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=900))
def test_any_text_is_one_json_string_of_limited_length(text: str) -> None:
    double = Double(verdict("unsure"))
    asyncio.run(double.model().ask(hidden(text), CATEGORIES))
    [asked] = double.asked
    assert set(json.loads(asked["messages"][1]["content"])) == {"text"}
    assert len(double.texts[0]) <= JUDGE_LIMIT


@pytest.mark.parametrize(
    "text, shown",
    [
        ("柳林村东头12号门口的灯又不亮了", "柳林村东头**号门口的灯又不亮了"),
        ("@甄丙-东山镇 那个灯修了没，13800001234", "@某人 那个灯修了没,**"),
        ("单号热线-260303-090001 那件怎么样了", "单号热线-** 那件怎么样了"),
        ("看 https://example.com/a?token=abc 这个", "看 (链接) 这个"),
        ("写信到 someone@example.com", "写信到 (链接)"),
        ("京A12345 一直停在门口", "京** 一直停在门口"),
        ("2026年停水3天，20户", "2026年停水3天,20户"),
        ("灯\u202e又\u200b不亮\x00了", "灯 又 不亮 了"),
    ],
)
def test_what_is_hidden_and_what_is_left(text: str, shown: str) -> None:
    assert hidden(text, MEMBERS) == shown


def test_a_number_at_the_cut_is_hidden_before_the_text_is_cut() -> None:
    text = "水" * (JUDGE_LIMIT - 5) + "13800001234"
    assert "1380" not in hidden(text)
