"""The look-up of known advisories in CI: an advisory fails it, a service out of reach is told in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOUND = {"name": "left", "version": "1.0", "vulns": [{"id": "GHSA-0000", "fix_versions": ["1.1"]}]}
CLEAN = {"name": "right", "version": "2.0", "vulns": []}
UNASKED = {"name": "own", "skip_reason": "not found"}


def run(folder: Path, answer: str, status: int) -> tuple[int, str]:
    tool = folder / "pip-audit"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\nexit {status}\n")
    tool.chmod(0o755)
    done = subprocess.run(
        ["env", f"PATH={folder}:/usr/bin:/bin", sys.executable, ".ci/audit.py"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("packages", "status", "wanted", "told"),
    [
        ([CLEAN], 0, 0, ""),
        ([CLEAN, FOUND], 1, 1, "pip-audit: left 1.0: GHSA-0000, mended in 1.1\n"),
        ([CLEAN, UNASKED], 0, 0, "pip-audit: the advisory service does not answer for 1 of 2 packages\n"),
    ],
)
def test_what_is_known_against_a_package_fails_the_run(
    tmp_path: Path, packages: list[object], status: int, wanted: int, told: str
) -> None:
    assert run(tmp_path, json.dumps({"dependencies": packages}), status) == (wanted, told)


def test_without_the_service_it_says_so_in_one_line(tmp_path: Path) -> None:
    status, told = run(tmp_path, "", 1)
    assert status == 0
    assert len(told.splitlines()) == 1 and "nothing was looked up" in told
