"""`baseline`: a history that people made without a bot, written by hand, and what it must come to, reckoned by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.baseline import Baseline, BaselineError, measure
from bot.cli import app
from bot.importers.roster import Roster
from bot.settings import Settings
from bot.transcript import TranscriptError
from tests import district
from tests.harness import line
from tests.scenarios.test_hotline_orders import sheet

EAST, WEST, LAKE = district.TOWNS
LAMP = "市民反映，柳林村村口路灯坏了三盏，夜里看不见路，请尽快维修。"
ROAD = "市民反映，石桥村主街路面塌了个坑，电动车摔过人，请修补。"
WELL = "梁家庄村口污水井冒水，流得满街都是，请赶紧派人来修"

# 东山镇: 20 min by a quotation, 10 min by a bare 收到; 西河镇: 75 min, and one that nobody answers.
MORNING: list[str | dict[str, Any]] = [
    f"09:00 东山镇 @D e1: {LAMP}",
    {"at": "09:20", "id": "e2", "room": district.room(EAST), "sender": district.nick(EAST, 3), "text": "收到，马上安排",
     "quote": {"sender": district.DISPATCHER, "text": LAMP}},
    f"10:00 东山镇 @D e3: {ROAD}",
    "10:10 东山镇 @4 e4: 收到",
    f"11:00 西河镇 群众王某 w1: {WELL}",
    "12:15 西河镇 @3 w2: 收到，我们去看",
    "16:00 西河镇 @D w3: 市民反映，双泉村公厕三天没人打扫，请处理。",
    "17:00 西河镇 @D w4: 明天上午九点开会，请准时参加。",
]  # fmt: skip


def transcript(path: Path, lines: list[str | dict[str, Any]]) -> Path:
    told = [line(source, number) for number, source in enumerate(lines, 1)]
    path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in told), encoding="utf-8")
    return path


def reckon(folder: Path, *histories: list[str | dict[str, Any]], roster: Roster | None = None, **more: Any) -> Baseline:
    paths = [transcript(folder / f"{number}.jsonl", lines) for number, lines in enumerate(histories)]
    settings = Settings(_env_file=None)
    return measure(paths, roster or district.roster(), settings.context(), settings.digests(), **more)


def test_a_morning_without_the_bot_comes_to_what_the_hand_reckons(tmp_path: Path) -> None:
    found = reckon(tmp_path, MORNING)
    totals = found.numbers["totals"]
    # 20, 10 and 75 minutes: mean 35, median 20; one of three within fifteen; the fourth was never taken
    assert (totals["dispatched"], totals["accepted"], totals["accepted_on_time"]) == (4, 3, 1)
    assert (totals["mean_seconds"], totals["median_seconds"], totals["max_seconds"]) == (2100, 1200, 4500)
    assert (totals["answerable"], totals["overdue_open"]) == (4, 1)
    assert found.seconds == 2100
    for words in ("启用前", "派单4件", "平均35分钟", "没有人在群里应答的 1 件", "时间只到分钟", "群众王某"):
        assert words in found.text, words
    assert "【对比】" not in found.text and "系统指派）" in found.text


def test_several_rooms_and_files_are_one_history_and_the_same_file_twice_changes_nothing(tmp_path: Path) -> None:
    east = [each for each in MORNING if "东山" in str(each)]
    west = [each for each in MORNING if "西河" in str(each)]
    assert len(east) + len(west) == len(MORNING)
    whole = reckon(tmp_path, MORNING)
    assert reckon(tmp_path, west, east).numbers["units"] == whole.numbers["units"]
    assert reckon(tmp_path, MORNING, east).numbers["totals"] == whole.numbers["totals"]


def test_a_complaint_that_nobody_answered_would_have_made_every_later_word_doubtful(tmp_path: Path) -> None:
    """Without the bot nobody is reminded, so old ones wait for ever; a bare 收到 is for what was just reported."""
    found = reckon(
        tmp_path,
        [
            f"08:00 东山镇 @D: {LAMP}",  # nobody says anything
            f"13:00 东山镇 @D: {ROAD}",
            "13:08 东山镇 @3: 收到",
            "13:30 东山镇 @D: 市民反映，柳林村东头垃圾成堆，请尽快清运。",
            "13:31 东山镇 @D: 市民反映，石桥村自来水发黄有异味，请查一查。",
            "13:35 东山镇 @3: 收到",  # which of the two? nobody can tell
        ],
    )
    totals = found.numbers["totals"]
    assert (totals["dispatched"], totals["accepted"], totals["mean_seconds"]) == (4, 1, 480)
    assert "分不清是答哪一件的回复 1 条" in found.text and "没有人在群里应答的 3 件" in found.text


def test_a_bare_word_days_later_is_not_for_the_old_one_but_a_quotation_and_its_name_are(tmp_path: Path) -> None:
    quoted = {
        "at": "+2 09:00", "id": "q", "room": district.room(EAST), "sender": district.nick(EAST, 3), "text": "收到",
        "quote": {"sender": district.DISPATCHER, "text": LAMP},
    }  # fmt: skip
    lines = [f"09:00 东山镇 @D: {LAMP}", "+1 10:00 东山镇 @3: 收到", quoted]
    assert reckon(tmp_path, lines[:2]).seconds is None
    assert reckon(tmp_path, lines).seconds == 2 * 86_400
    named = "+2 09:00 东山镇 @3: 柳林村路灯已安排电工去修"
    assert reckon(tmp_path, [*lines[:2], named]).seconds == 2 * 86_400


def test_an_order_in_the_dispatch_room_is_timed_in_the_units_room(tmp_path: Path) -> None:
    found = reckon(
        tmp_path,
        [
            "09:00 派单 @D: @区水务局 有居民反映自来水发黄有异味，请尽快查一查",
            "09:41 区水务局 @3: 收到，已安排人去查",
            "09:50 区水务局 @3: 办结1 水厂已冲管",
        ],
    )
    (row,) = [unit for unit in found.numbers["units"] if unit["dispatched"]]
    assert (row["unit"], row["mean_seconds"], row["resolved"]) == ("区水务局", 2460, 1)


def test_questions_and_notices_take_nothing_and_the_bot_says_nothing_though_all_is_late(tmp_path: Path) -> None:
    found = reckon(
        tmp_path,
        [
            f"09:00 东山镇 @D: {LAMP}",
            "09:05 东山镇 @D: 收到了吗？谁去？",
            "09:30 东山镇 @D: 请各村明天上午九点开会，收到请回复",
            "09:31 东山镇 @1: 1",  # answers no question of the bot: it asked none
            "11:00 东山镇 @S: 这件怎么样了",
        ],
    )
    assert found.numbers["totals"]["accepted"] == 0 and found.seconds is None
    assert [row["overdue_open"] for row in found.numbers["units"] if row["dispatched"]] == [1]


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    history = [
        *MORNING[:4],
        "10:30 爬山群 某某: 周末爬山",
        "10:31 爬山群 某某: 几点集合",
        "10:40 东山镇 派单助手: 1号已由甄丁领办",
        "10:50 东山镇 新来的小于: 收到",
        {"at": "10:55:30", "kind": "offline"},
    ]
    found = reckon(tmp_path, history)
    for words in ("群“爬山群”的 2 条", "机器人自己的 1 条", "新来的小于", "不是群聊的 1 行"):
        assert words in found.text, words
    assert "某某、" not in found.text and found.seconds == 900


def test_a_month_is_counted_by_its_own_tickets_and_the_files_tell_the_same(tmp_path: Path) -> None:
    out = tmp_path / "out"
    later = [f"+40 09:00 东山镇 @D: {ROAD}", "+40 10:00 东山镇 @3: 收到"]
    path = transcript(tmp_path / "h.jsonl", [*MORNING, *later])
    settings = Settings(_env_file=None)
    march = ("2026-03-01T00:00:00", "2026-04-01T00:00:00")
    found = measure([path], district.roster(), settings.context(), settings.digests(), window=march, out=out)
    assert found.seconds == 2100
    assert sorted(p.suffix for p in found.files) == [".png", ".txt", ".xlsx"] and all(p.exists() for p in found.files)
    (text,) = [p for p in found.files if p.suffix == ".txt"]
    assert text.read_text(encoding="utf-8") == found.text + "\n\nBASELINE_SECONDS=2100\n"


def test_from_exports_to_the_figure_by_the_command_line_without_touching_the_bots_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot's database is not even there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "units").mkdir()
    for name in ("units", "members", "villages", "catalogue"):
        (tmp_path / "units" / f"{name}.csv").write_text(sheet(None, name), encoding="gb18030")  # type: ignore[arg-type]
    native = f"{district.room(EAST)} 微信群上的聊天记录如下，请查收。\n\n—————  2026-03-03  —————\n\n\n"
    native += f"{district.DISPATCHER}  09:00\n\n{LAMP}\n\n\n{district.nick(EAST, 3)}  09:25\n\n收到\n"
    (tmp_path / "east.txt").write_text(native, encoding="utf-8")
    run = CliRunner()
    said = run.invoke(app, ["import", "chat", "east.txt", "--room", district.room(EAST), "--out", "east.jsonl"])
    assert said.exit_code == 0, said.output
    said = run.invoke(app, ["baseline", "east.jsonl", "--units", "units", "--out", "mine", "--month", "2026-03"])
    assert said.exit_code == 0, said.output
    assert said.stdout.endswith("\n\nBASELINE_SECONDS=1500\n")
    assert sorted(path.suffix for path in (tmp_path / "mine").iterdir()) == [".png", ".txt", ".xlsx"]
    assert not (tmp_path / "data").exists() and not list(tmp_path.rglob("*.db"))


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("nothing.jsonl",), 2, "nothing.jsonl:0: cannot be read"),
        (("h.jsonl", "--month", "2026-13"), 2, "--month '2026-13' is no month"),
        (("h.jsonl", "--month", "2999-01"), 2, "聊天记录是 2026-03-03 09:00 至 2026-03-03 17:00 的"),
        (("h.jsonl", "--month", "2025-12"), 2, "要算的那段时间不在里面"),
        (("quiet.jsonl",), 1, "no figure for BASELINE_SECONDS"),
        (("other.jsonl",), 2, "爬山群"),
    ],
)
def test_what_cannot_be_reckoned_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], status: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    transcript(tmp_path / "h.jsonl", MORNING)
    transcript(tmp_path / "quiet.jsonl", MORNING[:1])
    transcript(tmp_path / "other.jsonl", ["09:00 爬山群 某某: 周末爬山"])
    (tmp_path / "units").mkdir()
    for name in ("units", "members", "villages", "catalogue"):
        (tmp_path / "units" / f"{name}.csv").write_text(sheet(None, name), encoding="utf-8")  # type: ignore[arg-type]
    done = CliRunner().invoke(app, ["baseline", *words, "--units", "units"])
    assert done.exit_code == status and said in done.output, done.output


def test_a_history_of_recalls_alone_and_a_broken_line_are_told(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="没有群里的消息"):
        reckon(tmp_path, ["09:00 recall 东山镇 e1"])
    (tmp_path / "x.jsonl").write_text("{", encoding="utf-8")
    settings = Settings(_env_file=None)
    with pytest.raises(TranscriptError, match="x.jsonl:1"):
        measure([tmp_path / "x.jsonl"], district.roster(), settings.context(), settings.digests())


def test_a_roster_without_topics_says_which_rooms_the_history_has(tmp_path: Path) -> None:
    roster = district.roster()
    blank = replace(roster, units=tuple(replace(unit, room=None) for unit in roster.units))
    with pytest.raises(BaselineError, match="东山镇工作群"):
        reckon(tmp_path, MORNING, roster=blank)
