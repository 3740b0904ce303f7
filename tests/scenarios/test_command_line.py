"""The command line as a newcomer and as a clerk with a bad file meet it; each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app

HERE = Path.cwd()
SAMPLE = HERE / "bot" / "sample"


def bot(*words: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HERE), "HOME": str(folder)}  # noqa: TID251 - the test's own
    return subprocess.run(
        [sys.executable, "-m", "bot", *words], cwd=folder, env={**clean, **env}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def test_the_demo_plays_a_morning_and_says_what_to_try_next(tmp_path: Path) -> None:
    done = bot("demo", "--fast", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    for words in ("回复“领1”", "由赵样三领办", "请领导安排", "已由系统指派", "见诉领办日报", "python -m bot show"):
        assert words in done.stdout.replace("\n", ""), words
    shown = bot("show", "20260303-0001", "--database", "sqlite:///data/demo/demo.db", folder=tmp_path)
    assert "赵样三" in shown.stdout and "125秒 按时" in shown.stdout
    assert "13800001234" not in shown.stdout
    digest = bot("digest", "--date", "2026-03-03", "--database", "sqlite:///data/demo/demo.db", folder=tmp_path)
    assert "派单10件" in digest.stdout
    period = ("digest", "--from", "2026-03-02", "--to", "2026-03-03", "--database", "sqlite:///data/demo/demo.db")
    made = bot(*period, "--out", "mine", folder=tmp_path)
    assert made.returncode == 0 and "见诉领办专报｜3月2日12:00至3月3日12:00" in made.stdout, made.stderr
    stem = "专报-20260302T120000-20260303T120000"
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {f"{stem}.{end}" for end in ("txt", "png", "xlsx")}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give either --date, or --from and --to"),
        (("--from", "2026-03-02"), "give either --date, or --from and --to"),
        (("--date", "2026-03-02", "--from", "2026-03-02", "--to", "2026-03-03"), "give either"),
        (("--date", "3月2日"), "--date '3月2日' is no date"),
        (("--from", "2026-03-03", "--to", "2026-03-02"), "not after its start"),
        (("--from", "2026-03-03", "--to", "2999-03-02"), "which has not come yet"),
        (("--from", "2026-03-02", "--to", "2026-03-03"), "run `python -m bot init`"),
    ],
)
def test_a_period_that_cannot_be_told_says_what_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["digest", *words, "--database", f"sqlite:///{tmp_path}/empty.db"])
    assert done.exit_code == 2
    assert said in done.stderr.replace("\n", " ")


def test_the_same_transcript_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        done = bot(
            "replay", str(SAMPLE / "morning.jsonl"), "--units", str(SAMPLE / "district"), "--out", name,
            "--until", "2026-03-03T12:06:00+08:00", folder=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "one/morning.json").read_bytes() == (tmp_path / "two/morning.json").read_bytes()


def test_a_malformed_transcript_stops_with_two_and_writes_no_result(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"at": "2026-03-03T09:00:00+08:00", "kind": "offline"}\n{\n')
    done = bot("replay", "bad.jsonl", "--units", str(SAMPLE / "district"), "--out", "out", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("bad.jsonl:2: not JSON")
    assert not (tmp_path / "out/bad.json").exists()


def test_init_loads_a_district_twice_and_check_says_what_is_missing(tmp_path: Path) -> None:
    first = bot("init", "--units", str(SAMPLE / "district"), folder=tmp_path)
    assert first.returncode == 0 and "45 units, 176 members, 320 villages, 25 categories" in first.stdout
    again = bot("init", "--units", str(SAMPLE / "district"), folder=tmp_path)
    assert "retired: 0 units, 0 members" in again.stdout
    check = bot("check", folder=tmp_path)
    assert check.returncode == 1
    assert "ok    roster: 43 units, 176 members" in check.stdout
    assert "WRONG gateway: GATEWAY_ENDPOINT is empty" in check.stdout
    away = bot("check", folder=tmp_path, GATEWAY_ENDPOINT="127.0.0.1:1", GATEWAY_TOKEN="tok-3f9c1a")
    assert "127.0.0.1:1" in away.stdout and "tok-3f9c1a" not in away.stdout + away.stderr


@pytest.mark.parametrize(
    "change, told",
    [
        (lambda text: text + "怀柔镇,街乡镇,,另一个群\n", "怀柔镇"),
        (lambda text: text.replace("龙山街道见诉领办工作群", "泉河街道见诉领办工作群"), "泉河街道见诉领办工作群"),
        (lambda text: text.replace("区水务局", "区水利局"), "区水务局"),
    ],
    ids=["a unit twice", "two rooms with one topic", "members of a unit that is not there"],
)
def test_a_contradictory_roster_changes_nothing_and_every_problem_is_told(tmp_path: Path, change, told: str) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "district"
    folder.mkdir()
    for path in (SAMPLE / "district").glob("*.csv"):
        text = path.read_text(encoding="utf-8")
        (folder / path.name).write_text(change(text) if path.name == "units.csv" else text, encoding="utf-8")
    done = bot("init", "--units", "district", folder=tmp_path)
    assert done.returncode == 2 and told in done.stderr and "请" in done.stderr
    assert not (tmp_path / "data/lingban.db").exists()


def test_run_without_a_gateway_or_a_database_says_what_to_do(tmp_path: Path) -> None:
    assert "GATEWAY_ENDPOINT is empty" in bot("run", folder=tmp_path).stderr
    done = bot("run", folder=tmp_path, GATEWAY_ENDPOINT="127.0.0.1:1", GATEWAY_TOKEN="tok-3f9c1a")
    assert done.returncode == 2 and "python -m bot init" in done.stderr
    bad = bot("run", folder=tmp_path, WEB_PORT="0", REMINDER_MINUTES="x")
    assert bad.returncode == 2 and "WEB_PORT = '0'" in bad.stderr and "REMINDER_MINUTES = 'x'" in bad.stderr


def test_a_database_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    done = bot("init", "--units", str(SAMPLE / "district"), "--database", "sqlite:////proc/lingban.db", folder=tmp_path)
    assert done.returncode == 2 and "cannot be written" in done.stderr and "Traceback" not in done.stderr
    (tmp_path / "file").write_text("")
    done = bot("init", "--units", str(SAMPLE / "district"), "--database", "sqlite:///file/x.db", folder=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_explain_names_the_evidence_and_evaluate_scores_labelled_messages(tmp_path: Path) -> None:
    done = bot("explain", "口头村东口的井盖丢了，晚上看不见，请赶紧补上", "--room", "桥梓镇", folder=tmp_path)
    assert "1 complaint" in done.stdout and "口头村" in done.stdout and "道路市政" in done.stdout
    cases = tmp_path / "cases.jsonl"
    cases.write_text(
        '{"id": "a", "room": "桥梓镇", "sender": "x", "text": "口头村东口的井盖丢了，请赶紧补上", "expect": {"tickets": 1}}\n'
        '{"id": "b", "room": "桥梓镇", "sender": "x", "text": "收到，谢谢", "expect": {"tickets": 0}}\n',
        encoding="utf-8",
    )
    done = bot("evaluate", "cases.jsonl", folder=tmp_path)
    assert "precision 1.0000  recall 1.0000  f1 1.0000  ticket count 1.0000" in done.stdout
    cases.write_text("{}\n")
    assert "cases.jsonl:1:" in bot("evaluate", "cases.jsonl", folder=tmp_path).stderr


def test_a_forwarded_history_becomes_a_transcript_that_replay_takes(tmp_path: Path) -> None:
    (tmp_path / "group.txt").write_text(
        "庙城镇见诉领办工作群 微信群上的聊天记录如下，请查收。\n\n—————  2026-03-03  —————\n\n"
        "城指中心-葛样一  09:00\n\n市民反映，桃山村村口垃圾成堆，请尽快清运。\n\n\n庙城镇-周样三  09:04\n\n收到，马上去\n",
        encoding="utf-8",
    )
    room = "庙城镇见诉领办工作群"
    done = bot("import", "chat", "group.txt", "--room", room, "--out", "group.jsonl", folder=tmp_path)
    assert done.returncode == 0 and done.stdout.startswith("2 messages"), done.stderr
    done = bot("replay", "group.jsonl", "--units", str(SAMPLE / "district"), "--out", "out", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"seconds_to_accept": 240' in (tmp_path / "out/group.json").read_text(encoding="utf-8")
    (tmp_path / "odd.txt").write_text("没有时间的一行", encoding="utf-8")
    odd = bot("import", "chat", "odd.txt", "--room", room, "--out", "odd.jsonl", folder=tmp_path)
    assert odd.returncode == 2 and "odd.txt" in odd.stderr and "Traceback" not in odd.stderr
