"""The checker finds what is planted: a loss, a second ticket, a second prompt, a needless call; it excuses what it should."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.chaos_checker import Evidence, Policy, check

START = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC
ROOM, SUPERVISION = "r1@chatroom", "r9@chatroom"
BODY = "1号 市容环卫｜柳林村\n柳林村（甲乙丙丁戊）垃圾桶满溢"
PROMPT = f"@甄丙\u2005{BODY}\n请在16:03前领办，回复“领1”"
REMINDER = "@甄丙\u20051号（柳林村）已等1分钟，还没人领办，请在16:03前回复“领1”"
ESCALATION = "1号（柳林村）已等2分钟无人领办，请领导安排，16:03到时限。回复“领1”或“1 @某人 去办”"
TAKEN = "1号由甄丙领办，用时1分30秒"
TABLES = """
CREATE TABLE room (id INTEGER PRIMARY KEY, unit_id INTEGER);
CREATE TABLE room_binding (room_id INTEGER, channel_room_id TEXT);
CREATE TABLE inbox (id INTEGER PRIMARY KEY, message_id TEXT, state TEXT);
CREATE TABLE ticket (id INTEGER PRIMARY KEY, no TEXT, text TEXT);
CREATE TABLE assignment (id INTEGER PRIMARY KEY, ticket_id INTEGER, unit_id INTEGER, short INTEGER, status TEXT,
  dispatched_at TEXT, due_at TEXT, accepted_at TEXT, overdue_at TEXT, accepted_inbox_id INTEGER);
CREATE TABLE outbox (id INTEGER PRIMARY KEY, state TEXT);
CREATE TABLE digest (id INTEGER PRIMARY KEY, kind TEXT, text TEXT, posted BOOLEAN);
INSERT INTO room VALUES (1, 7);
INSERT INTO room_binding VALUES (1, 'r1@chatroom');
INSERT INTO inbox VALUES (1, 'w1', 'done'), (2, 'w2', 'done');
INSERT INTO ticket VALUES (1, '20270115-0001', '柳林村（甲乙丙丁戊）垃圾桶满溢');
INSERT INTO assignment VALUES (1, 1, 7, 1, '已领办', '2027-01-15 08:00:00.000000', '2027-01-15 08:03:00.000000',
  '2027-01-15 08:01:30.000000', NULL, 2);
INSERT INTO outbox VALUES (1, 'sent'), (2, 'dropped');
"""


def handed(message_id: str, after: float) -> dict[str, Any]:
    return {"at": (START + after) * 1000, "handed": message_id}


def sent(after: float, text: str, to: str = ROOM) -> dict[str, Any]:
    return {"at": (START + after) * 1000, "sent": {"to": to, "text": text, "mode": "ok"}}


# A complaint at 0 s, its prompt, a reminder at 60 s, an acceptance at 90 s, its confirmation; up for 300 s.
GOOD = [handed("w1", 0), sent(0.3, PROMPT), sent(60.4, REMINDER), handed("w2", 90), sent(90.2, TAKEN)]


class Planted:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "x.db"
        self.sql(TABLES)
        self.evidence = Evidence(
            script=[
                {"id": "w1", "room": ROOM, "kind": "complaint", "token": "甲乙丙丁戊", "told_in": ROOM},
                {"id": "w2", "room": ROOM, "kind": "accept", "token": "甲乙丙丁戊"},
            ],
            journal=GOOD,
            faults=[],
            clock=[{"at": START - 10, "offset": 0.0}],
            watch=[{"at": START + each, "up": True} for each in range(-5, 301)],
            database=self.path,
            policy=Policy(reminder=60, escalation=120, window=180),
            supervision=SUPERVISION,
            ended=START + 300,
        )

    def sql(self, text: str) -> None:
        with sqlite3.connect(self.path) as db:
            db.executescript(text)
        db.close()

    def found(self, **changes: Any) -> tuple[int, int, int]:
        """Lost, doubled, needless."""
        verdict = check(replace(self.evidence, **changes))
        return len(verdict.lost), len(verdict.doubled), len(verdict.needless)


@pytest.fixture
def run(tmp_path: Path) -> Planted:
    return Planted(tmp_path)


def fault(kind: str, start: float, end: float) -> list[dict[str, Any]]:
    return [{"kind": kind, "start": START + start, "end": START + end}]


def test_a_good_run_is_good_and_its_lateness_is_measured(run: Planted) -> None:
    verdict = check(run.evidence)
    assert (verdict.lost, verdict.doubled, verdict.needless) == ([], [], [])
    assert verdict.counts["complaints delivered"] == verdict.counts["duties with a delivered acceptance"] == 1
    late = verdict.lateness()
    assert late["prompt after its message"]["max"] == 0.3
    assert late["step of the ladder after its time"] == {"count": 1, "p50": 0.4, "p99": 0.4, "max": 0.4}


def test_a_delivered_complaint_that_is_no_ticket_is_lost(run: Planted) -> None:
    run.sql("DELETE FROM assignment; DELETE FROM ticket")
    assert run.found(journal=[handed("w1", 0)]) == (1, 0, 0)


@pytest.mark.parametrize(
    "faults, lost",
    [
        (fault("kill bot", 1.5, 3), 0),  # in the air
        (fault("kill gateway", 1.5, 3), 0),
        (fault("kill bot", 4, 6), 1),  # the bot had four seconds
        ([*fault("lock database", -1, 9), *fault("kill bot", 10, 12)], 0),  # … of which it could write in one
    ],
)
def test_what_was_in_the_air_at_a_kill_is_not_lost_by_the_bot(run: Planted, faults: Any, lost: int) -> None:
    run.sql("DELETE FROM assignment; DELETE FROM ticket")
    assert run.found(journal=[handed("w1", 0)], faults=faults) == (lost, 0, 0)


def test_what_the_gateway_never_handed_over_is_not_lost_by_the_bot(run: Planted) -> None:
    run.sql("DELETE FROM assignment; DELETE FROM ticket")
    assert run.found(journal=[]) == (0, 0, 0)


def test_two_tickets_of_one_complaint_and_one_of_nothing_are_found(run: Planted) -> None:
    run.sql("INSERT INTO ticket VALUES (2, '20270115-0002', '又是（甲乙丙丁戊）'), (3, '20270115-0003', '没人说过')")
    assert run.found() == (0, 2, 0)


def test_a_prompt_that_was_never_said_or_went_elsewhere_is_lost(run: Planted) -> None:
    without = [entry for entry in GOOD if entry != GOOD[1]]
    assert run.found(journal=without) == (1, 0, 0)
    assert run.found(journal=[*without, sent(0.3, PROMPT, "r2@chatroom")]) == (1, 0, 0)
    refused = {"at": GOOD[1]["at"], "sent": {**GOOD[1]["sent"], "mode": "fail"}}
    assert run.found(journal=[*without, refused]) == (1, 0, 0)


def test_a_prompt_said_twice_is_found_marked_or_not(run: Planted) -> None:
    assert run.found(journal=[*GOOD, sent(30, PROMPT)]) == (0, 1, 0)
    assert run.found(journal=[*GOOD, sent(30, f"补发：{BODY}\n请在16:03前领办，回复“领1”")]) == (0, 1, 0)


def test_a_mark_is_right_only_after_a_fault_that_hid_the_outcome(run: Planted) -> None:
    marked = sent(20, f"补发：{BODY}\n请在16:03前领办，回复“领1”")
    killed = fault("kill bot", 0.4, 6)
    assert run.found(journal=[*GOOD, marked], faults=killed) == (0, 0, 0)
    assert run.found(journal=[*GOOD, sent(20, PROMPT)], faults=killed) == (0, 1, 0)  # without a mark it never is
    assert run.found(journal=[*GOOD, marked], faults=fault("step clock", 0.4, 1)) == (0, 1, 0)


def test_prompts_that_go_out_together_are_told_apart(run: Planted) -> None:
    other = BODY.replace("1号", "2号").replace("甲乙丙丁戊", "甲乙丙丁己")
    both = sent(0.3, f"{PROMPT}\n\n{other}\n请在16:03前领办，回复“领2”")
    assert run.found(journal=[both if entry == GOOD[1] else entry for entry in GOOD]) == (0, 0, 0)


def test_an_acceptance_that_is_not_recorded_or_not_confirmed_is_lost(run: Planted) -> None:
    assert run.found(journal=GOOD[:-1]) == (1, 0, 0)
    run.sql("UPDATE assignment SET status = '待领办', accepted_inbox_id = NULL, accepted_at = NULL")
    later = [sent(120.2, ESCALATION), sent(182.3, "1号（柳林村）超过3分钟未领办，已由系统指派甄丙承办")]
    assert run.found(journal=[*GOOD[:-1], *later]) == (1, 0, 0)


def test_a_step_that_was_never_said_is_lost_one_that_a_later_step_overtook_is_not(run: Planted) -> None:
    without = [entry for entry in GOOD if entry != GOOD[2]]
    assert run.found(journal=without) == (1, 0, 0)
    run.sql("UPDATE assignment SET status = '待领办', accepted_inbox_id = NULL, accepted_at = NULL")
    evidence = {"script": run.evidence.script[:1]}
    said = [*GOOD[:2], sent(182.3, "1号（柳林村）超过3分钟未领办，已由系统指派甄丙承办")]
    assert run.found(journal=said, **evidence) == (0, 0, 0)
    assert run.found(journal=GOOD[:3], **evidence) == (2, 0, 0)  # escalation and overdue


def test_a_reminder_twice_and_one_after_the_acceptance_are_found(run: Planted) -> None:
    assert run.found(journal=[*GOOD, sent(70, REMINDER)]) == (0, 1, 0)
    assert run.found(journal=[*GOOD, sent(120, ESCALATION)]) == (0, 0, 1)


def test_lateness_counts_only_while_the_bot_was_up(run: Planted) -> None:
    down = [{**look, "up": not START + 55 < look["at"] < START + 80} for look in run.evidence.watch]
    late = [*GOOD[:2], sent(81.5, REMINDER), *GOOD[3:]]
    verdict = check(replace(run.evidence, watch=down, journal=late, faults=fault("kill bot", 55, 56)))
    assert verdict.lateness()["step of the ladder after its time"]["max"] == 1.5


def test_the_bots_own_clock_says_what_is_due(run: Planted) -> None:
    """Five minutes back at 30 s: the reminder of the 60th second falls due at 360 s, after the end."""
    back = [*run.evidence.clock, {"at": START + 30, "offset": -300.0}]
    assert run.found(journal=[*GOOD[:2], *GOOD[3:]], clock=back) == (0, 0, 0)


def test_what_is_left_in_inbox_and_outbox_is_lost(run: Planted) -> None:
    run.sql("UPDATE inbox SET state = 'parked' WHERE id = 2; UPDATE outbox SET state = 'unknown' WHERE id = 2")
    assert run.found() == (2, 0, 0)


def test_a_digest_that_was_never_said_or_twice_is_found(run: Planted) -> None:
    title = "见诉领办日报｜1月14日16时至1月15日16时"
    run.sql(f"INSERT INTO digest VALUES (1, '日报', '{title}\n【紧急敏感】无', 1)")
    told = sent(200, f"{title}\n【紧急敏感】无", SUPERVISION)
    assert run.found(digests_due=[START + 190]) == (1, 0, 0)
    assert run.found(journal=[*GOOD, told]) == (0, 0, 0)
    assert run.found(journal=[*GOOD, told, told]) == (0, 1, 0)
    lost = sent(270, "有一份日报可能没有送达，机器人不自动重发；请在本群核对，需要时回“日报”", SUPERVISION)
    assert run.found(journal=[*GOOD, lost]) == (0, 0, 0)
    run.sql("DELETE FROM digest")
    assert run.found(digests_due=[START + 190]) == (1, 0, 0)


def test_supervision_hears_of_what_is_overdue_once(run: Planted) -> None:
    run.sql("UPDATE assignment SET overdue_at = '2027-01-15 08:03:02.000000'")
    told = sent(182.5, "【超时】东山镇 工单20270115-0001（市容环卫）3分钟未领办，已系统指派甄丙", SUPERVISION)
    assert run.found() == (1, 0, 0)
    assert run.found(journal=[*GOOD, told]) == (0, 0, 0)
    assert run.found(journal=[*GOOD, told, told]) == (0, 1, 0)
