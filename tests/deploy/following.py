"""Follows docs/部署手册.md literally: its grey boxes are run, in their order, in a folder that stands for /opt/lingban."""

from __future__ import annotations

import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.gateway.bench import free_port

HANDBOOK = Path("docs/部署手册.md")
PASSWORD = "a-long-password-of-nobody"
STEP_SECONDS = 600


@dataclass(frozen=True)
class Box:
    """`kind`: root and later are for people, clone and shell are run, a window stays open."""

    section: str
    kind: str
    text: str


def boxes() -> list[Box]:
    found, section = [], ""
    page = HANDBOOK.read_text(encoding="utf-8")
    for heading, kind, text in re.findall(r"^## ([^\n]+)$|^```(\w+)\n(.*?)^```$", page, re.M | re.S):
        section = heading or section
        if kind:
            found.append(Box(section, kind, text))
    return found


class Machine:
    """The folder that stands for /opt/lingban, and the ports that are free on this machine."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ports = {"8788": free_port(), "8789": free_port(), "8080": free_port()}
        (home.parent / "backups").mkdir()

    def text(self, box: Box) -> str:
        text = box.text.replace("/opt/lingban", str(self.home))
        text = text.replace("/var/backups/lingban", str(self.home.parent / "backups"))
        for written, free in self.ports.items():
            text = text.replace(f":{written}", f":{free}")
        return text

    def run(self, box: Box) -> str:
        """Run a box as a person at a terminal would; what it printed. AssertionError if any line fails."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.text(box)], cwd=self.home if self.home.exists() else self.home.parent,
            input=PASSWORD + "\n", capture_output=True, text=True, timeout=STEP_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{box.section}\n{box.text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def own_ports(self) -> None:
        """This machine's free ports, in place of those that the examples name."""
        gateway = self.home / "deploy/gateway/gateway.env"
        text = gateway.read_text(encoding="utf-8").replace(":8788", f":{self.ports['8788']}")
        gateway.write_text(text.replace("PORT=8789", f"PORT={self.ports['8789']}"), encoding="utf-8")
        env = self.home / ".env"
        env.write_text(env.read_text(encoding="utf-8").replace("=8080", f"={self.ports['8080']}"), encoding="utf-8")

    @contextmanager
    def windows(self, opened: list[Box]) -> Iterator[None]:
        """Each in a terminal of its own, one after the other; Ctrl-C in the end, and each ends well."""
        running: list[subprocess.Popen[bytes]] = []
        try:
            for number, box in enumerate(opened):
                with (self.home.parent / f"window-{number}").open("wb") as log:
                    running.append(
                        subprocess.Popen(
                            ["bash", "-euo", "pipefail", "-c", self.text(box).replace("./lingban run", "exec ./lingban run")
                             .replace("node supervise", "exec node supervise")],
                            cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                        )
                    )  # fmt: skip
                self._wait(number)
            yield
        finally:
            for process in reversed(running):
                process.terminate()
            assert [process.wait(10) for process in running] == [0] * len(running)

    def _wait(self, number: int) -> None:
        """Until the gateway says that it is ready; until the bot says that it is connected."""
        for _ in range(300):
            if number == 0 and "ready on" in (self.home.parent / "window-0").read_text(encoding="utf-8"):
                return
            if number == 1 and self._is_connected():
                return
            time.sleep(0.1)  # noqa: TID251 - a person looks at a terminal
        raise AssertionError((self.home.parent / f"window-{number}").read_text(encoding="utf-8")[-2000:])

    def _is_connected(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['8080']}/metrics", timeout=2) as answer:
                return "lingban_connected 1.0" in answer.read().decode()
        except OSError:
            return False


def follow(machine: Machine) -> str:
    """Sections 三 to 五, after the code is there; what was said in the group. Gateway and bot end with the last box."""
    mine = [box for box in boxes() if box.section[0] in "三四五"]
    for box in mine:
        if box.kind == "shell" and box.section[0] in "三四":
            machine.run(box)
            machine.own_ports()
    (talk,) = (box for box in mine if box.kind == "shell" and box.section[0] == "五")
    with machine.windows([box for box in mine if box.kind == "window"]):
        return machine.run(talk)


def look_after(machine: Machine) -> str:
    """Users, rooms, doctor and backup, while gateway and bot run; what was printed."""
    with machine.windows([box for box in boxes() if box.kind == "window"]):
        return "".join(machine.run(box) for box in boxes() if box.kind == "shell" and box.section[0] in "七九十")
