"""Several exports of one group: what two of them tell is told once, in order of time, whatever the formats."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bot.cli import app
from bot.importers.chat_exports import ChatImport, read_chat
from bot.importers.chat_merge import merge
from tests.importers.chats import ROOM

NATIVE = f"""{ROOM} 微信群上的聊天记录如下，请查收。

—————  2026-03-03  —————


演练镇-张样一  09:00

市民反映，村口路灯坏了三盏，请尽快维修。


演练镇-李样二  09:04

收到


演练镇-李样二  09:04

收到


演练镇-王样三  09:30

灯已修好
"""
LATER = (
    NATIVE[: NATIVE.index("演练镇-张样一")]
    + NATIVE[NATIVE.index("演练镇-王样三") :]
    + "\n\n演练镇-张样一  10:00\n\n谢谢\n"
)
STAMPED = """演练镇-张样一 2026-03-03 09:00:17
市民反映，村口路灯坏了三盏，请尽快维修。

演练镇-李样二 2026-03-03 09:04:20
收到

演练镇-李样二 2026-03-03 09:04:50
收到

演练镇-赵样四 2026-03-03 09:20:00
我在路上
"""
CHATLOG = "Time,SenderName,Sender,TalkerName,Talker,Content\n" + "\n".join(
    f"2026-03-03 {clock},{name},wxid_{number},{ROOM},1@chatroom,{text}"
    for number, (clock, name, text) in enumerate(
        [
            ("09:04:20", "演练镇-李样二", "收到"),
            ("09:30:09", "演练镇-王样三", "灯已修好"),
            ("09:31:00", "演练镇-张样一", "好"),
        ]
    )
)


def files(folder: Path, **texts: str) -> list[ChatImport]:
    read = []
    for name, text in texts.items():
        path = folder / name.replace("_", ".")
        path.write_text(text, encoding="utf-8")
        read.append(read_chat(path, ROOM))
    return read


def told(lines: Any) -> list[tuple[str, str]]:
    return [(line["at"][11:19], line["text"]) for line in lines]


def test_two_overlapping_forwards_tell_each_message_once(tmp_path: Path) -> None:
    merged = merge(files(tmp_path, a_txt=NATIVE, b_txt=LATER))
    assert [text for _, text in told(merged.lines)] == [
        "市民反映，村口路灯坏了三盏，请尽快维修。", "收到", "收到", "灯已修好", "谢谢",
    ]  # fmt: skip
    assert merged.repeated == (0, 1)


def test_three_formats_are_one_history_with_the_exact_times(tmp_path: Path) -> None:
    merged = merge(files(tmp_path, a_txt=NATIVE, b_txt=STAMPED, c_csv=CHATLOG))
    assert told(merged.lines) == [
        ("09:00:17", "市民反映，村口路灯坏了三盏，请尽快维修。"),
        ("09:04:20", "收到"),
        ("09:04:50", "收到"),  # twice in a minute stays twice
        ("09:20:00", "我在路上"),
        ("09:30:09", "灯已修好"),
        ("09:31:00", "好"),
    ]
    assert merged.repeated == (4, 0, 1)  # of the forward all; of chatlog the first 收到


def test_two_exact_formats_agree_only_on_the_second(tmp_path: Path) -> None:
    other = CHATLOG.replace("09:04:20", "09:04:21")
    merged = merge(files(tmp_path, b_txt=STAMPED, c_csv=other))
    assert [at for at, text in told(merged.lines) if text == "收到"] == ["09:04:20", "09:04:21", "09:04:50"]


def test_the_order_of_the_files_changes_nothing_that_is_told(tmp_path: Path) -> None:
    one, two, three = files(tmp_path, a_txt=NATIVE, b_txt=STAMPED, c_csv=CHATLOG)
    assert told(merge([one, two, three]).lines) == told(merge([three, one, two]).lines)


def test_the_command_takes_several_files_and_reports_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files(tmp_path, a_txt=NATIVE, b_txt=STAMPED)
    (tmp_path / "c.txt").write_text(STAMPED + "\n演练镇-钱样五 2026-13-40 09:00:00\n坏的一条\n", encoding="utf-8")
    words = ["--room", ROOM, "--out", "all.jsonl"]
    done = CliRunner().invoke(app, ["import", "chat", "a.txt", "b.txt", *words])
    assert done.exit_code == 0, done.output
    assert "a.txt: 4 messages (wechat-native), 3 of them told by another file" in done.output
    assert "b.txt: 4 messages (pasted)\n" in done.output
    assert "5 messages (wechat-native, pasted) from 2026-03-03T09:00 to 2026-03-03T09:30 written to all.jsonl" in done.output
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 5 and {line["room"] for line in lines} == {ROOM}


def test_one_file_that_cannot_be_read_writes_nothing_and_every_problem_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files(tmp_path, a_txt=NATIVE)
    (tmp_path / "x.txt").write_text("没有时间的一行", encoding="utf-8")
    (tmp_path / "y.txt").write_bytes(b"")
    words = ["--room", ROOM, "--out", "all.jsonl"]
    done = CliRunner().invoke(app, ["import", "chat", "x.txt", "a.txt", "y.txt", "none.txt", *words])
    assert done.exit_code == 2 and not (tmp_path / "all.jsonl").exists()
    for said in ("x.txt：", "y.txt：文件是空的", "none.txt：文件不存在", "nothing was written"):
        assert said in done.output, done.output
    done = CliRunner().invoke(app, ["import", "chat", "a.txt", "--room", ROOM, "--out", "no/where.jsonl"])
    assert done.exit_code == 2 and "cannot be written" in done.output
    done = CliRunner().invoke(app, ["import", "chat", "a.txt", *words, "--day", "3月3日"])
    assert done.exit_code == 2 and "--day '3月3日' is no date" in done.output


START = datetime.fromisoformat("2026-03-03T09:00:00+08:00")
messages = st.lists(
    st.tuples(st.integers(0, 300), st.sampled_from("甲乙"), st.sampled_from(["收到", "好", "请尽快修好路灯吧"])),
    max_size=12,
)


def as_import(said: list[tuple[int, str, str]], name: str, *, coarse: bool = False) -> ChatImport:
    lines = []
    for number, (second, sender, text) in enumerate(sorted(said)):
        at = START + timedelta(seconds=second - second % 60 if coarse else second)
        lines.append(
            {
                "at": at.isoformat(),
                "id": f"{name}{number}",
                "room": ROOM,
                "sender": sender,
                "type": "text",
                "text": text,
            }
        )
    return ChatImport(tuple(lines), (), name)


@given(messages, st.booleans())
def test_a_history_merged_with_itself_in_another_format_is_itself(
    said: list[tuple[int, str, str]], coarse: bool
) -> None:
    one, two = as_import(said, "a"), as_import(said, "b", coarse=coarse)
    assert told(merge([two, one]).lines) == told(merge([one]).lines)


@given(messages, messages)
def test_nothing_that_any_file_tells_is_lost(
    first: list[tuple[int, str, str]], second: list[tuple[int, str, str]]
) -> None:
    merged = merge([as_import(first, "a"), as_import(second, "b")])
    texts = [line["text"] for line in merged.lines]
    for said in (first, second):
        for text in {text for *_, text in said}:
            assert texts.count(text) >= sum(each[2] == text for each in said)
    assert [line["at"] for line in merged.lines] == sorted(line["at"] for line in merged.lines)
