"""Known tools beside ours, in the same run: `python -m benchmarks.peers [--json FILE] [--only NAME] [--seconds N]`.

Each peer runs in a virtual environment of its own, built from the pins in its `.txt` under `--cache` (kept for the next
run), and is followed at once by our counterpart. A peer that cannot be installed or run is told of with its error; so is
what took longer than it may. Building environments apart, a whole run takes at most `--seconds`; five minutes if none
are said.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

HERE = Path(__file__).parent
LAST_WORDS = 600  # characters of an error that are told


@dataclass(frozen=True, slots=True)
class Peer:
    what: str
    script: Path
    pins: Path
    counted: str
    not_counted: str


PEERS = {
    name: Peer(what, HERE / f"peer_{name}.py", HERE / f"{name}.txt", counted, not_counted)
    for name, what, counted, not_counted in (
        (
            "helpdesk",
            "django-helpdesk, SQLite",
            "theirs: one request to the form through Django's test client (view, form, template of the answer, rows); ours:"
            " one message in a group (inbox, recognition, rows, prompt in the outbox)",
            "HTTP, mail and the gateway",
        ),
        (
            "nonebot",
            "nonebot2, 50 matchers",
            "theirs: dispatch of a message past all matchers; ours: stored in the inbox, full recognition, marked as done",
            "theirs does no SQL and no recognition, and keeps nothing",
        ),
        (
            "errbot",
            "errbot, 50 commands",
            "theirs: dispatch of a message past all commands; ours: stored in the inbox, full recognition, marked as done",
            "theirs does no SQL and no recognition, and keeps nothing",
        ),
        (
            "apscheduler",
            "APScheduler's own SQLAlchemy job store, SQLite",
            "a job stored, found due, taken out of the store and run; ours: a message stored, read and made a ticket with its"
            " deadlines; a due step with its row, its event and its message in the outbox",
            "what a job would do (theirs writes one line); ours: the sending",
        ),
    )
}


def environment(cache: Path, pins: Path) -> Path:
    """The interpreter of an environment with exactly these pins; it is built when there is none yet."""
    name = f"{pins.stem}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"
    python = cache / name / "bin" / "python"
    if not (cache / name / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(cache / name)], check=True, capture_output=True)
        command = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "-r",
            str(pins),
        ]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
        (cache / name / "complete").touch()
    return python


def run(command: list[str], seconds: float) -> dict[str, Any]:
    """What a script printed as JSON on its last line, or `{"error": …}`; with how long it took."""
    began = perf_counter()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=max(1.0, seconds), check=True)
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.CalledProcessError as error:
        found = {"error": f"ended with {error.returncode}: {str(error.stderr)[-LAST_WORDS:]}"}
    except (subprocess.TimeoutExpired, ValueError, IndexError) as error:
        found = {
            "error": f"{type(error).__name__} after {seconds:.0f} s"
            if isinstance(error, subprocess.TimeoutExpired)
            else repr(error)
        }
    return {**found, "seconds": round(perf_counter() - began, 1)}


def compare(name: str, peer: Peer, cache: Path, seconds: float) -> dict[str, Any]:
    """A peer and our counterpart, one after the other."""
    told: dict[str, Any] = {"what": peer.what, "counted": peer.counted, "not_counted": peer.not_counted}
    began = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        try:
            python = environment(cache, peer.pins)
        except (OSError, subprocess.SubprocessError) as error:
            words = str(getattr(error, "stderr", None) or error)[-LAST_WORDS:]
            told["peer"] = {"error": f"not installed: {words}"}
        else:
            began = perf_counter()
            told["peer"] = run([str(python), str(peer.script), folder], seconds * 0.6)
    with tempfile.TemporaryDirectory() as folder:
        ours = [sys.executable, "-m", "benchmarks.peers.ours", name, folder]
        told["ours"] = run(ours, seconds - (perf_counter() - began))
    return told


def table(name: str, told: dict[str, Any]) -> str:
    lines = [f"\n{name}: {told['what']}", f"  counted: {told['counted']}", f"  not counted: {told['not_counted']}"]
    for side in ("peer", "ours"):
        lines.append(f"  {side}")
        lines += [f"    {key:<46} {value}" for key, value in told[side].items()]
    return "\n".join(lines)


def main(arguments: list[str] | None = None, peers: dict[str, Peer] | None = None) -> None:
    peers = PEERS if peers is None else peers
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=list(peers))
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "lingban-peers")
    parser.add_argument("--seconds", type=float, default=290.0)
    options = parser.parse_args(arguments)
    result: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load_before": [round(value, 2) for value in os.getloadavg()],
        "peers": {},
    }
    left, waiting = options.seconds, 1 if options.only else len(peers)
    for name, peer in peers.items():
        if options.only in (None, name):
            told = result["peers"][name] = compare(name, peer, options.cache, left / waiting)
            waiting -= 1
            left -= told["peer"].get("seconds", 0) + told["ours"].get("seconds", 0)
            print(table(name, told), flush=True)
    result["load_after"] = [round(value, 2) for value in os.getloadavg()]
    print(f"\n{result['machine']}; load before {result['load_before']}, after {result['load_after']}")
    if options.json:
        options.json.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
