"""The chaos run in short: a real bot and a real gateway, killed once each while 43 groups talk."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.chaos import Plan, Run
from benchmarks.chaos_checker import Policy

FAULTS = ("kill gateway", "kill bot")
USUAL = Policy(reminder=300, escalation=600, window=900)  # nothing falls due in a run this short, on however slow a machine


def test_a_bot_and_a_gateway_that_are_killed_lose_nothing_and_say_nothing_twice(
    node_modules: None, tmp_path: Path
) -> None:
    plan = Plan(
        seconds=0, seed=20261126, rate=2.0, share=0.4, patience=3.0, calm=(1.0, 2.0), echo_seconds=5, only=FAULTS,
        oldest=2.0, disk_megabytes=64, hurt_again=0.0, policy=USUAL, air=20.0,
    )  # fmt: skip
    verdict, figures = asyncio.run(Run(tmp_path, plan).go())
    assert figures["kills of bot and gateway"] == 2
    assert verdict.counts["tickets"] > 3 and verdict.counts["duties with a delivered acceptance"] > 0
    assert (verdict.lost, verdict.doubled, verdict.needless) == ([], [], [])
