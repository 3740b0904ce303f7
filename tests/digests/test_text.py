"""The text: order, length, cutting, ranks, and what it never says."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from handlers.digest_words import cut, duration, ranked, whole_percent, wrapped
from handlers.digests import render_text
from storage.enums import Urgency
from tests.digests.build import DECLINED, UNITS, District, at, daily
from tests.digests.test_numbers import digest_at_noon, digest_noon_units


def unit(name: str, in_time: int, answerable: int, mean: float | None = 60.0) -> dict[str, Any]:
    rate = in_time / answerable if answerable else None
    return {"unit": name, "on_time_rate": rate, "mean_seconds": mean, "in_time": in_time, "answerable": answerable}


def test_the_sections_come_in_their_order(district: District) -> None:
    digest_noon_units(district)
    text = "\n".join(render_text(daily(district, at("2026-04-22 12:00:00"), baseline_seconds=4800)))
    order = "紧急敏感 总体 单位排名 诉求热点 仍待领办 退单 转派 吹哨 对比 口径".split()
    places = [text.index(f"【{name}】") for name in order]
    assert places == sorted(places)
    assert "按时率66.7%（6/9）" in text
    assert "北房镇2件：20260422-0009 20分钟、20260422-0010 10分钟（未到时限）" in text
    assert "桥梓镇1次（已应1次）" in text and "区生态环境局1次（报到1次，按时1次，平均4分钟）" in text
    assert "平均接诉时间较此前缩短 73.4 分钟（启用前平均1小时20分）" in text
    assert "离线0分钟" in text and "4月21日12:00至4月22日12:00" in text


def test_one_message_where_one_is_enough_and_the_essential_in_the_first(district: District) -> None:
    digest_at_noon(district)
    messages = render_text(daily(district))
    assert len(messages) == 1 and len(messages[0]) <= 600
    for second in range(40):
        when = at("2026-03-03 11:10:00") + timedelta(seconds=second)
        district.duty("怀柔镇", when, urgency=Urgency.SENSITIVE if second % 2 else Urgency.URGENT)
    messages = render_text(daily(district))
    assert len(messages) > 1
    for section in ("紧急敏感", "总体", "单位排名"):
        assert f"【{section}】" in messages[0]


def test_300_open_tickets_are_split_numbered_and_none_is_lost_alertmanager_notifier_6(district: District) -> None:
    for number in range(300):
        district.duty(UNITS[number % 9], at("2026-03-03 10:00:00") + timedelta(seconds=number))
    numbers = daily(district)
    messages = render_text(numbers)
    assert all(len(message) <= 600 for message in messages)
    assert [message.split("\n")[0] for message in messages] == [
        f"({number}/{len(messages)})" for number in range(1, len(messages) + 1)
    ]
    text = "\n".join(messages)
    assert all(entry["no"] in text for entry in numbers["waiting"])
    assert len(numbers["waiting"]) == 300


def test_long_lists_of_what_is_done_with_are_told_per_unit(district: District) -> None:
    for number in range(21):
        when = at("2026-03-03 09:00:00") + timedelta(seconds=number)
        district.duty(UNITS[number % 2], when, status=DECLINED, ended=when + timedelta(seconds=60))
        district.duty("怀柔镇", when, 1000, urgency=Urgency.SENSITIVE)
    text = "\n".join(render_text(daily(district)))
    assert "【退单】21件（明细见台账）：泉河街道11件、龙山街道10件" in text
    assert text.count("敏感20260303") == 21  # four first, and seventeen behind


def test_nothing_personal_and_no_text_of_a_sensitive_one(district: District) -> None:
    ticket = district.ticket(
        at("2026-03-03 10:00:00"), urgency=Urgency.SENSITIVE, gist="扬言", text="扬言，13800001234", unit_id=3
    )
    district.duty("怀柔镇", "2026-03-03 10:00:00", 1000, ticket=ticket, urgency=Urgency.SENSITIVE, accepted_by="张三")
    said = "\n".join(render_text(daily(district)))
    assert "敏感" in said and ticket.no in said
    assert not any(word in said for word in ("扬言", "13800001234", "张三", "村口垃圾"))


def test_ranks() -> None:
    rows = [unit("甲", 1, 2), unit("乙", 0, 0, None), unit("丙", 2, 2, 90.0), unit("丁", 1, 1), unit("戊", 3, 3)]
    rows += [unit("己", 0, 2, None), unit("庚", 0, 1, 2000.0)]
    best, worst = ranked(rows, 3)
    assert [row["unit"] for row in best] == ["丁", "戊", "丙"]  # equal rate and mean: district order; then the slower
    assert [row["unit"] for row in worst] == ["己", "庚", "甲"]  # never accepted counts as slower


def test_no_unit_is_both_best_and_worst_and_all_in_time_leaves_no_worst() -> None:
    assert [[r["unit"] for r in rows] for rows in ranked([unit("甲", 1, 2)], 3)] == [["甲"], []]
    assert [[r["unit"] for r in rows] for rows in ranked([unit("甲", 0, 2)], 3)] == [[], ["甲"]]
    four = [unit(name, 1, 1) for name in "甲乙丙丁"]
    assert [[r["unit"] for r in rows] for rows in ranked(four, 3)] == [["甲", "乙", "丙"], []]


def test_a_quiet_day_is_short(district: District) -> None:
    (message,) = render_text(daily(district))
    assert "本期没有派单" in message and "单位排名" not in message and len(message) < 300


def test_numbers_survive_json(district: District) -> None:
    digest_noon_units(district)
    numbers = daily(district, at("2026-04-22 12:00:00"))
    assert render_text(json.loads(json.dumps(numbers))) == render_text(numbers)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0秒"), (45, "45秒"), (60, "1分钟"), (634, "10分34秒"), (3599, "59分59秒"), (3600, "1小时")]
    + [
        (3900, "1小时5分"),
        (3959, "1小时5分"),
        (86400, "1天"),
        (97200, "1天3小时"),
        (59.6, "1分钟"),
        (511.6, "8分32秒"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_whole_percent_is_100_only_where_all() -> None:
    shown = [whole_percent(rate) for rate in (0.0, 0.001, 0.5, 0.819, 0.999, 1.0)]
    assert shown == ["0%", "1%", "50%", "82%", "99%", "100%"]


def test_cutting_keeps_every_line_and_cuts_a_giant_one() -> None:
    lines = ["字" * 250, "行" * 250, "长" * 1300, "尾"]
    messages = cut(lines, 600)
    assert all(len(message) <= 600 for message in messages)
    joined = "".join(message.split("\n", 1)[1] for message in messages)
    assert [joined.count(character) for character in "字行长尾"] == [250, 250, 1300, 1]
    assert cut(["短"], 600) == ["短"]


def test_cutting_hundreds_of_messages_stays_within_the_limit() -> None:
    assert max(len(message) for message in cut(["字" * 580] * 1200, 600)) <= 600


def test_wrapping_keeps_every_part() -> None:
    parts = [f"第{number}件" for number in range(60)]
    lines = wrapped("共：", parts)
    assert all(len(line) <= 110 for line in lines)
    assert "、".join(lines).replace("共：", "").split("、") == parts
