"""A bot process of its own for `test_two_processes`: `python -m tests.races.loops URL ACCOUNT FILE FROM`.

It ticks and sends, second by second of a virtual clock from FROM, for as long as nothing more is to be said for two
minutes; every message that it sends is a line of FILE.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bot.channels.base import Mention
from bot.clock import VirtualClock
from storage.sessions import make_engine
from tests.process import Groups, Process

QUIET = 150  # seconds of its clock; longer than it takes to say again what a dead process may have said


class Written(Groups):
    def __init__(self, name: str, path: Path) -> None:
        super().__init__(name)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def send_text(self, to: str, text: str, mentions: Sequence[Mention] = ()) -> str | None:
        first_line = text.split("\n")[0]
        os.write(self._file, f"{to.partition(':')[2]} {first_line}\n".encode())
        return await super().send_text(to, text, mentions)


def main(url: str, account: str, path: str, since: str) -> None:
    clock = VirtualClock(datetime.fromisoformat(since))
    groups = Written(account, Path(path))
    with tempfile.TemporaryDirectory() as folder:
        process = Process(make_engine(url), groups, clock, Path(folder))
        quiet = 0
        while quiet < QUIET:
            before = len(groups.arrived)
            process.step()
            process.wait(seconds=1)
            quiet = 0 if len(groups.arrived) > before else quiet + 1


if __name__ == "__main__":
    main(*sys.argv[1:])
