"""docs/部署手册.md works: its commands exist, and followed literally they end in an accepted ticket.

With LINGBAN_HANDBOOK=1 it is followed on a fresh clone with its own virtual environment and Node packages, and timed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from tests.deploy.following import HANDBOOK, Machine, boxes, follow, look_after

FILES = ("README.md", "README.zh-CN.md", "docs/部署手册.md", "docs/操作手册.md")
ACCEPTED = re.compile(r"1号由周样三领办，用时\d+秒")


def commands() -> set[tuple[str, ...]]:
    """The words of every `./lingban …` and `python -m bot …` in the documents, up to the first that is no command's name."""
    found = set()
    for name in FILES:
        for words in re.findall(r"(?:\./lingban|python -m bot) ([^\n`|；，。#）)]+)", Path(name).read_text(encoding="utf-8")):
            called = [word for word in words.split() if word]
            depth = 2 if called[0] in ("rooms", "user", "import") and len(called) > 1 and called[1].isascii() else 1
            found.add(tuple(called[:depth]))
    return found - {("test",), ("…",), ("--help",)}


@pytest.mark.parametrize("command", sorted(commands()), ids=" ".join)
def test_every_command_that_the_documents_name_exists(command: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*command, "--help"])
    assert done.exit_code == 0, done.stderr


def test_every_option_of_a_box_exists() -> None:
    for box in boxes():
        for line in box.text.splitlines():
            call = re.match(r"(?:podman .* )?(?:\./lingban|python -m bot) (.+?)(?:\s+#.*|\|\|.*)?$", line)
            if call is None:
                continue
            words = shlex.split(call.group(1))
            if options := [word for word in words if word.startswith("--") and word != "--help"]:
                names = [word for word in words if re.fullmatch(r"[a-z]+", word)]
                shown = CliRunner().invoke(app, [*names[:1], "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).stdout
                if names[0] in ("rooms", "user", "import"):
                    shown = CliRunner().invoke(app, [*names[:2], "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).stdout
                assert [option for option in options if option not in shown] == [], line


def test_every_file_that_the_handbook_names_exists() -> None:
    text = HANDBOOK.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:deploy|bot|docs)/[\w./-]+\w", text))
    made = {"deploy/tls", "deploy/tls/ca.pem", "deploy/tls/gateway.key", "deploy/compose.env", "deploy/gateway/gateway.env"}
    made |= {"deploy/gateway/data", "deploy/gateway/data/qrcode.txt"}
    assert [name for name in sorted(named - made) if not Path(name).exists()] == []


def test_the_trouble_table_quotes_what_the_program_says() -> None:
    """Each quoted symptom stands in the source, up to where a figure or a name comes in."""
    kinds = (".py", ".mjs")
    files = [path for name in ("bot", "storage", "deploy") for path in Path(name).rglob("*.*") if path.suffix in kinds]
    source = "\n".join(path.read_text(encoding="utf-8") for path in [Path("lingban"), *files])
    table = HANDBOOK.read_text(encoding="utf-8").split("、故障表")[1].splitlines()
    symptoms = [line.split("|")[1] for line in table if "|" in line]
    parts = [part for each in symptoms for words in re.findall(r"`([^`]+)`", each) for part in words.split("…")]
    quoted = [part.strip(" :,") for part in parts if part.strip(" :,")]
    assert len(quoted) > 15
    known = {"less than 500 MB of disk are free"}  # with LEAST_FREE_MB in the middle
    assert [part for part in quoted if part not in source and part not in known] == []


if os.environ.get("LINGBAN_HANDBOOK"):  # noqa: TID251 - of the test run, no setting of the bot

    def test_followed_literally_from_a_clean_clone_it_ends_in_an_accepted_ticket(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        machine = Machine(tmp_path / "lingban")
        began = time.monotonic()
        source = subprocess.run(["git", "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=True)
        for box in boxes():
            if box.section.startswith("二"):
                machine.run(replace(box, text=box.text.replace("仓库地址", source.stdout.strip())))
        ready = time.monotonic() - began
        said = follow(machine)
        assert ACCEPTED.search(said), said
        accepted = time.monotonic() - began
        rest = look_after(machine)
        assert "李样" in rest and "ok    the gateway's certificate is valid until" in rest
        assert list((tmp_path / "backups").glob("lingban-*.db"))
        with capsys.disabled():
            print(f"\nclone and packages {ready:.0f} s, to the first accepted ticket {accepted:.0f} s")  # noqa: T201
