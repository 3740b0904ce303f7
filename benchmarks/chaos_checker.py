"""Was anything lost, said twice, or late? Judged from outside, after a chaos run.

Nothing of the bot is imported here. What is read: the script (what people wrote, and what they meant by it), the gateway's
journal (what it gave to the bot and what it was asked to send), the list of faults, the clock's steps, what `/ready` said
meanwhile, and the database by plain SQL. `docs/performance.md`, section Chaos, defines what is counted.

All times are seconds since 1970; `Policy` is in seconds.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.chaos_times import Times

SEND = 17.0  # seconds after a sending, within which a fault may have hidden its outcome: the bot waits 15 for an answer
BACK = 6.0  # seconds after which a fault hides nothing more; the record of a sending waits for a locked database
SOON = 10.0  # what falls due this near the end of the run is not judged
SLACK = 3.0  # seconds that an acceptance may be on its way to the rules
MARK = "补发："
STEPS = ("reminder", "escalation", "overdue")
SAYS = {
    "prompt": re.compile(r"^(\d+)号 .*\n请在\d\d:\d\d前领办，回复“领\d+”", re.S),
    "reminder": re.compile(r"^(\d+)号.*还没人领办，请在"),
    "escalation": re.compile(r"^(\d+)号.*无人领办，请领导安排"),
    "again": re.compile(r"^(\d+)号.*仍未领办"),
    "overdue": re.compile(r"^(\d+)号.*(?:超过\S+未领办|超时未领办)"),
    "accepted": re.compile(r"^(\d+)号由\S+领办，用时|^更正：\D*\d\d:\d\d(?:先|已)领办(\d+)号"),
}


@dataclass(frozen=True)
class Policy:
    reminder: float
    escalation: float
    window: float
    grace: float = 2.0


@dataclass(frozen=True)
class Said:
    """One message of the bot, or one of several that went out together."""

    at: float
    room: str
    text: str
    marked: bool
    kind: str
    short: int


@dataclass
class Evidence:
    """What a run left behind. `script`: id, room, kind (complaint, accept, chatter), token; of a complaint also `told_in`,

    the room of the unit that leads. `faults`: kind, start, end. `clock`: at, offset. `watch`: at, up.
    """

    script: Sequence[Mapping[str, Any]]
    journal: Sequence[Mapping[str, Any]]
    faults: Sequence[Mapping[str, Any]]
    clock: Sequence[Mapping[str, Any]]
    watch: Sequence[Mapping[str, Any]]
    database: Path
    policy: Policy
    supervision: str
    ended: float
    digests_due: Sequence[float] = ()
    air: float = 2.0  # seconds before a kill, in which what was handed over may not have reached the disk


@dataclass
class Verdict:
    counts: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    needless: list[str] = field(default_factory=list)  # somebody was called for what was taken already
    late: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # seconds, while the bot was up

    def lateness(self) -> dict[str, dict[str, float]]:
        return {what: spread(values) for what, values in self.late.items()}


def spread(values: Sequence[float]) -> dict[str, float]:
    """Count, median, 99th percentile and maximum."""
    if not values:
        return {"count": 0}
    rising = sorted(values)
    at = {name: rising[min(len(rising) - 1, int(len(rising) * share))] for name, share in (("p50", 0.5), ("p99", 0.99))}
    return {"count": len(rising), **{k: round(v, 2) for k, v in at.items()}, "max": round(rising[-1], 2)}


def check(evidence: Evidence) -> Verdict:
    return _Check(evidence).run()


class _Check:
    def __init__(self, evidence: Evidence) -> None:
        self.e = evidence
        self.v = Verdict()
        self.times = Times(evidence.faults, evidence.clock, evidence.watch)
        self.handed: dict[str, list[float]] = defaultdict(list)
        for entry in evidence.journal:
            if "handed" in entry:
                self.handed[entry["handed"]].append(entry["at"] / 1000)
        self.said = list(said(evidence.journal))
        self.by_number: dict[tuple[str, int], list[Said]] = defaultdict(list)
        for one in self.said:
            if one.kind:
                self.by_number[one.room, one.short].append(one)
        self.db = sqlite3.connect(evidence.database, timeout=30)
        self.db.row_factory = sqlite3.Row

    def run(self) -> Verdict:
        tickets = self._by_token()
        answers: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for entry in self.e.script:
            self.v.counts[f"written: {entry['kind']}"] += 1
            if entry["kind"] == "accept":
                answers[entry["token"]].append(entry)
        for entry in self.e.script:
            if entry["kind"] == "complaint":
                self._complaint(entry, tickets.get(entry["token"], []), answers[entry["token"]])
        self._inbox()
        self._digests()
        self._supervision()
        self.v.counts["sent by the bot"] = len(self.said)
        self.db.close()
        return self.v

    def _by_token(self) -> dict[str, list[sqlite3.Row]]:
        tokens = {entry["token"] for entry in self.e.script if entry["kind"] == "complaint"}
        rows = self.db.execute(
            """SELECT t.no, t.text, a.id, a.short, a.status, a.dispatched_at, a.due_at, a.accepted_at, a.overdue_at,
                      b.channel_room_id AS room, i.message_id AS accepted_id
               FROM ticket t LEFT JOIN assignment a ON a.ticket_id = t.id LEFT JOIN room r ON r.unit_id = a.unit_id
               LEFT JOIN room_binding b ON b.room_id = r.id LEFT JOIN inbox i ON i.id = a.accepted_inbox_id"""
        ).fetchall()
        found: dict[str, list[sqlite3.Row]] = defaultdict(list)
        for row in rows:
            token = next((word for word in re.findall(r"（(\S+?)）", row["text"]) if word in tokens), None)
            if token is None:
                self.v.doubled.append(f"ticket {row['no']} is of nothing that anybody wrote")
            else:
                found[token].append(row)
        return found

    # ---- how a message came ----------------------------------------------------------------------------------------

    def _came(self, message_id: str) -> str:
        """delivered: the bot had it and lived on; in the air: a process died just then; never handed over."""
        moments = self.handed.get(message_id, [])
        if any(not self.times.killed_within(at, self.e.air) for at in moments):
            return "delivered"
        return "in the air" if moments else "never handed over"

    def _first(self, message_id: str) -> float:
        return min(self.handed.get(message_id, [float("inf")]))

    # ---- one complaint ---------------------------------------------------------------------------------------------

    def _complaint(
        self, entry: Mapping[str, Any], tickets: Sequence[sqlite3.Row], answers: Sequence[Mapping[str, Any]]
    ) -> None:
        name, came = f"{entry['id']} （{entry['token']}）", self._came(entry["id"])
        self.v.counts[f"complaints {came}"] += 1
        if not tickets:
            if came == "delivered":
                self.v.lost.append(f"complaint {name} was delivered and is no ticket")
            return
        self.v.counts["tickets"] += 1
        if len(tickets) > 1:
            self.v.doubled.append(f"complaint {name} is {len(tickets)} tickets or duties")
            return
        duty = tickets[0]
        if duty["room"] != entry["told_in"]:
            self.v.lost.append(f"complaint {name} went to {duty['room']}, not to {entry['told_in']}")
            return
        of_duty = self.by_number[duty["room"], duty["short"]]
        bodies = [one for one in of_duty if entry["token"] in one.text]
        if not bodies:
            self.v.lost.append(f"the prompt of {name} was never said")
        else:
            self._once(f"the prompt of {name}", bodies)
            self.v.late["prompt after its message"].append(self.times.up(self._first(entry["id"]), bodies[0].at))
        taken = self._acceptance(name, duty, answers, of_duty)
        self._steps(name, entry, duty, of_duty, taken)

    def _once(self, what: str, said: Sequence[Said]) -> None:
        """Said once; said again only marked, or by a later step, and only after one whose outcome a fault hid."""
        for earlier, later in zip(said, said[1:], strict=False):
            if not self.times.hidden(earlier.at - 1, earlier.at + SEND, BACK):
                self.v.doubled.append(f"{what} was said again {later.at - earlier.at:.1f} s after nothing went wrong")
            elif later.marked or later.kind != earlier.kind:
                self.v.counts["said again after an unknown outcome, marked 补发 or by the next step"] += 1
            else:
                self.v.doubled.append(f"{what} was said again without a mark, after {later.at - earlier.at:.1f} s")

    def _acceptance(
        self, name: str, duty: sqlite3.Row, answers: Sequence[Mapping[str, Any]], of_duty: Sequence[Said]
    ) -> float | None:
        """When the acceptance that counts was given to the bot, or None; it must be recorded and confirmed once."""
        delivered = [entry for entry in answers if self._came(entry["id"]) == "delivered"]
        recorded = duty["accepted_id"] is not None and duty["accepted_id"] in {entry["id"] for entry in answers}
        self.v.counts["duties with a delivered acceptance"] += bool(delivered)
        if delivered and not recorded:
            self.v.lost.append(f"the acceptance of {name} was delivered and is not recorded: {duty['status']}")
        if not recorded:
            return None
        confirmed = [one for one in of_duty if one.kind == "accepted"]
        if not confirmed:
            self.v.lost.append(f"the acceptance of {name} was never confirmed")
        else:
            self._once(f"the confirmation of {name}", confirmed)
        return self._first(duty["accepted_id"])

    def _steps(
        self,
        name: str,
        entry: Mapping[str, Any],
        duty: sqlite3.Row,
        of_duty: Sequence[Said],
        taken: float | None,
    ) -> None:
        dispatched, policy = seconds(duty["dispatched_at"]), self.e.policy
        due = (policy.reminder, policy.escalation, policy.window + policy.grace)
        known = self._first(entry["id"])
        for number, (step, after) in enumerate(zip(STEPS, due, strict=True)):
            said = [one for one in of_duty if one.kind == step]
            if said:
                self.v.counts[f"{step} said"] += 1
                self._once(f"the {step} of {name}", said)
            for one in said:
                if taken is not None and self.times.up(taken, one.at) > SLACK:
                    self.v.needless.append(f"the {step} of {name} was said {one.at - taken:.1f} s after it was taken")
            could = self.times.first_up(dispatched + after, known)
            if could is None or could > self.e.ended - SOON:
                continue
            reached = [one for one in of_duty if one.kind in (*STEPS[number:], "again")]
            if said:
                self.v.late["step of the ladder after its time"].append(self.times.up(could, said[0].at))
            elif not reached and (taken is None or taken > could + SLACK):
                self.v.lost.append(f"the {step} of {name} was never said, nor a later one")

    # ---- the rest --------------------------------------------------------------------------------------------------

    def _inbox(self) -> None:
        for state in ("new", "parked"):
            (left,) = self.db.execute("SELECT count(*) FROM inbox WHERE state = ?", (state,)).fetchone()
            if left:
                self.v.lost.append(f"{left} messages are still '{state}' in the inbox")
        for row in self.db.execute("SELECT state, count(*) AS n FROM outbox GROUP BY state"):
            self.v.counts[f"outbox {row['state']}"] = row["n"]
            if row["state"] not in ("sent", "dropped"):
                self.v.lost.append(f"{row['n']} messages of the bot ended as '{row['state']}'")

    def _digests(self) -> None:
        stored = self.db.execute("SELECT kind, text FROM digest WHERE posted").fetchall()
        due = [at for at in self.e.digests_due if (self.times.first_up(at, 0) or self.e.ended) < self.e.ended - SOON]
        if len(stored) < bool(due):
            self.v.lost.append("a digest fell due and was never made")
        told = [one for one in self.said if one.room == self.e.supervision]
        excused = sum("有一份日报可能没有送达" in one.text for one in told)
        for row in stored:
            first = row["text"].partition("\n")[0]
            said = [one for one in told if first in one.text]
            self.v.counts["digests posted"] += bool(said)
            if not said and not excused:
                self.v.lost.append(f"the {row['kind']} {first} was never said, and nobody was told so")
            if len(said) > 1:
                self.v.doubled.append(f"the {row['kind']} {first} was said {len(said)} times")
        for name, times in Counter(file for file in files(self.e.journal)).items():
            if times > 1:
                self.v.doubled.append(f"the file {name} was sent {times} times")

    def _supervision(self) -> None:
        """Alerts and reports of what is overdue: the same words once, or again with a mark after an unknown outcome."""
        same: dict[str, list[Said]] = defaultdict(list)
        for one in self.said:
            if one.room == self.e.supervision and "工单" in one.text:
                same[one.text].append(one)
        for text, said in same.items():
            self._once(f"{text[:40]}… in the supervision room", said)
        told = "\n".join(text for text in same if text.startswith("【超时】"))
        for row in self.db.execute(
            "SELECT t.no FROM assignment a JOIN ticket t ON t.id = a.ticket_id WHERE a.overdue_at IS NOT NULL"
        ):
            self.v.counts["overdue"] += 1
            if row["no"] not in told:
                self.v.lost.append(f"supervision was not told that {row['no']} is overdue")


def said(journal: Iterable[Mapping[str, Any]]) -> Iterable[Said]:
    """Everything that reached a group, prompts that went out together taken apart."""
    for entry in journal:
        sent = entry.get("sent")
        if not sent or "text" not in sent or sent.get("mode") in ("fail", "swallow"):
            continue
        words = re.sub(r"^(?:@[^\u2005]*\u2005)+", "", sent["text"])
        words = re.sub(r"^\(\d+/\d+\)\n", "", words)
        for part in words.split("\n\n"):
            text = part.removeprefix(MARK)
            kind, short = _kind(text)
            yield Said(entry["at"] / 1000, sent["to"], text, text != part, kind, short)


def files(journal: Iterable[Mapping[str, Any]]) -> list[str]:
    return [entry["sent"]["file"] for entry in journal if entry.get("sent", {}).get("file")]


def _kind(text: str) -> tuple[str, int]:
    for kind, words in SAYS.items():
        if found := words.search(text):
            return kind, int(next(filter(None, found.groups())))
    return "", 0


def seconds(text: str) -> float:
    """A time of the database (UTC, without offset)."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
