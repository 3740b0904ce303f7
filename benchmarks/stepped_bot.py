"""`python -m bot …` with a clock that somebody steps: only the chaos run starts it.

Everything is the bot's own, from the command line on; only what tells it the time is another clock, which adds the
seconds that stand in the file `STEPPED_CLOCK`. APScheduler, which reads the host's clock itself, is shown the same time.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import apscheduler.schedulers.base
import apscheduler.triggers.interval

import bot.cli
from bot.clock import SystemClock

OFFSET = Path(os.environ["STEPPED_CLOCK"])  # noqa: TID251 - of the benchmark, no setting of the bot


class SteppedClock(SystemClock):
    """The host's clock, set by some seconds; `monotonic` goes on undisturbed, as in life."""

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=float(OFFSET.read_text()))


class _Stepped(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return SteppedClock().now().astimezone(tz)


def main() -> None:
    apscheduler.schedulers.base.datetime = apscheduler.triggers.interval.datetime = _Stepped
    bot.cli.SystemClock = SteppedClock  # type: ignore[misc]
    bot.cli.app()


if __name__ == "__main__":
    main()
