"""No output ever holds a phone or an identity number of the input, whatever is around it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.privacy import mask, phone_hash

NOISE = st.text(alphabet=st.sampled_from("村口东3号楼，。：（）- \n李样电话请abc零"), max_size=20)
MOBILE = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
IDENTITY = r"110116(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|2[0-8])[0-9]{3}[0-9X]"
SPLIT = st.sampled_from([(3, 7), (3, 6), (4, 8)])
BETWEEN = st.sampled_from(["", " ", "-", "－", "\u3000"])


def digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


@settings(max_examples=300, deadline=None)
@given(before=NOISE, phone=MOBILE, cuts=SPLIT, between=BETWEEN, after=NOISE)
def test_a_mobile_number_never_stays(before: str, phone: str, cuts: tuple[int, int], between: str, after: str) -> None:
    written = between.join([phone[: cuts[0]], phone[cuts[0] : cuts[1]], phone[cuts[1] :]])
    masked = mask(f"{before}，{written}，{after}")
    assert written not in masked
    assert phone not in digits(masked)


@settings(max_examples=200, deadline=None)
@given(before=NOISE, phone=MOBILE, after=NOISE)
def test_a_mobile_number_spelt_by_voice_never_stays(before: str, phone: str, after: str) -> None:
    said = phone.translate(str.maketrans("0123456789", "零幺二三四五六七八九"))
    masked = mask(f"{before}，电话{said}，{after}")
    assert said not in masked
    assert masked.count("****") >= 1


@settings(max_examples=200, deadline=None)
@given(before=NOISE, number=st.from_regex(IDENTITY, fullmatch=True))
def test_an_identity_number_never_stays(before: str, number: str) -> None:
    assert number not in mask(f"{before}，身份证{number}，请核实")


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=300))
def test_masking_never_raises_and_masking_twice_changes_nothing(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


@pytest.mark.parametrize(
    "text, masked",
    [
        ("联系电话13800005678", "联系电话138****5678"),
        ("工单20260303-0001在09:15前领办", "工单20260303-0001在09:15前领办"),
        ("1号由赵样三领办，用时2分5秒", "1号由赵样三领办，用时2分5秒"),
        ("她电话一三八零零零零六六二二，请回", "她电话138****6622，请回"),
        ("一二三四五六七，大家一起走", "一二三四五六七，大家一起走"),
        ("口头村12号院墙塌了", "口头村**号院墙塌了"),
        ("工单编号热线-260303-090001", "工单编号热线-260303-090001"),
    ],
)
def test_what_is_hidden_and_what_is_left(text: str, masked: str) -> None:
    assert mask(text, keep_names=["赵样三"]) == masked


def test_the_hash_of_a_number_needs_the_key() -> None:
    assert phone_hash("13800005678", b"one") == phone_hash("13800005678", b"one")
    assert phone_hash("13800005678", b"one") != phone_hash("13800005678", b"two")
    assert "13800005678" not in phone_hash("13800005678", b"one")


@pytest.mark.parametrize("said", ["联系人：{}反映", "我叫{}，", "，{}13800005678"])
def test_a_surname_of_two_characters_after_contact_person_was_left_in_full(said: str) -> None:
    name = "欧阳样" if "13" in said else "欧阳小样"
    assert name not in mask(said.format(name))
