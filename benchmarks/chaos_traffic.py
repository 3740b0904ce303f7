"""What the groups do during a long run: they write, take what they are told of, and write again when nobody heard them.

`WeChat` stands for WeChat's servers. What a gateway cannot be given is kept and given to the next one; what it was
given and did not hand on is lost with it, unless it is given again, as some puppets do when they come back.
"""

from __future__ import annotations

import random
import re
from collections import deque
from dataclasses import dataclass
from typing import Any

from benchmarks.chaos_world import World
from benchmarks.live import CLOCK, Tail, seconds_now
from tests.gateway.bench import GatewayBench

PROMPT = re.compile(r"(\d+)号[^号]*?（([甲乙丙丁戊己庚辛壬癸]{5})）")
TAKEN = re.compile(r"(\d+)号由\S+领办|领办(\d+)号")
AGAIN = 45.0  # seconds after which somebody who was not confirmed writes again
MOST_TRIES = 6
STEP = 0.1  # seconds between two looks


class WeChat:
    def __init__(self, gateway: GatewayBench) -> None:
        self._gateway = gateway
        self._kept: deque[dict[str, Any]] = deque()
        self._given: dict[str, tuple[float, dict[str, Any]]] = {}  # by id: when first, and what
        self.script: list[dict[str, Any]] = []

    def write(self, made: tuple[dict[str, Any], dict[str, Any]]) -> None:
        message, meant = made
        self.script.append(meant)
        self._kept.append(message)

    async def carry(self) -> None:
        """Give the gateway what it was not given yet, in order; it may be dead or frozen."""
        batch = list(self._kept)
        if not batch:
            return
        try:
            await self._gateway.control("emit", messages=batch, seconds=2)
        except (OSError, ValueError):
            return
        for message in batch:
            self._kept.popleft()
            self._given.setdefault(message["id"], (seconds_now(), message))

    def give_again(self, seconds: float) -> None:
        """What was first given within the last seconds comes once more, with the same ids."""
        since = seconds_now() - seconds
        self._given = {name: given for name, given in self._given.items() if given[0] >= since}
        waiting = {message["id"] for message in self._kept}
        again = [message for name, (_, message) in self._given.items() if name not in waiting]
        self._kept.extendleft(reversed(again))


@dataclass
class Wanted:
    """A duty that somebody means to take: the number in its room, and when to write."""

    group: str
    number: str
    token: str
    at: float
    tries: int = 0


class Traffic:
    """`rate` messages a second, `share` of them complaints; `patience` are the seconds in which most duties are taken."""

    def __init__(
        self, world: World, wechat: WeChat, gateway: GatewayBench, rng: random.Random, *, rate: float, share: float,
        patience: float,
    ) -> None:  # fmt: skip
        self._world, self._wechat, self._rng = world, wechat, rng
        self._rate, self._share, self._patience = rate, share, patience
        self._journal = Tail(gateway.home / "journal.jsonl")
        self._groups = {group.id: group for group in world.units}
        self._wanted: dict[tuple[str, str], Wanted] = {}
        self._seen: set[str] = set()
        self._next = seconds_now()
        self.writing = True
        self.done: deque[tuple[str, str]] = deque()  # group and number of tickets that may be resolved, oldest first
        self._owed = 0  # of them, as many as complaints came
        self.sent = 0  # things that the bot asked to send so far

    async def run(self) -> None:
        """For ever; `writing = False` ends new talk, what is open is still taken."""
        while True:
            self.look()
            now = seconds_now()
            while self.writing and self._next <= now:
                is_complaint = self._rng.random() < self._share
                self._wechat.write(self._world.complaint() if is_complaint else self._world.chatter())
                self._owed += is_complaint
                self._next += self._rng.expovariate(self._rate)
            self._take(now)
            self._resolve()
            await self._wechat.carry()
            await CLOCK.sleep(STEP)

    def look(self) -> None:
        """Read what the bot said since the last look."""
        for entry in self._journal.new():
            sent = entry.get("sent")
            if not sent:
                continue
            self.sent += 1
            if sent["to"] not in self._groups:
                continue
            text = sent.get("text", "")
            for number in filter(None, (n for found in TAKEN.findall(text) for n in found)):
                self._wanted.pop((sent["to"], number), None)
            for number, token in PROMPT.findall(text):
                if token not in self._seen:
                    self._seen.add(token)
                    self._want(sent["to"], number, token)

    def _want(self, group: str, number: str, token: str) -> None:
        """Most take it soon, some late, one in ten never."""
        kind = self._rng.random()
        if kind < 0.1:
            return
        longest = self._patience * (1 if kind < 0.7 else 6)
        self._wanted[group, number] = Wanted(group, number, token, seconds_now() + self._rng.uniform(0.2, longest))

    def _take(self, now: float) -> None:
        for key, wanted in list(self._wanted.items()):
            if wanted.at > now:
                continue
            self._wechat.write(self._world.acceptance(self._groups[wanted.group], wanted.number, wanted.token))
            wanted.at, wanted.tries = now + AGAIN, wanted.tries + 1
            if wanted.tries >= MOST_TRIES:
                del self._wanted[key]

    def _resolve(self) -> None:
        """As many old tickets as new ones came."""
        while self._owed and self.done:
            group, number = self.done.popleft()
            self._wechat.write(self._world.resolution(self._groups[group], number))
            self._owed -= 1
