"""The comparison with known tools: the scripts parse, each peer is pinned, and the result keeps its shape."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path

import pytest

from benchmarks.peers import __main__ as peers
from benchmarks.peers.ours import ALL


@pytest.mark.parametrize("name", list(peers.PEERS))
def test_a_peer_has_a_script_exact_pins_and_a_counterpart(name: str) -> None:
    peer = peers.PEERS[name]
    ast.parse(peer.script.read_text(encoding="utf-8"))
    pins = peer.pins.read_text(encoding="utf-8").splitlines()
    assert pins and all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*", pin) for pin in pins), pins
    assert name in ALL


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, peers.Peer]:
    """A peer that is a line of Python, and a counterpart that is another one."""
    made = {}
    for name, line in (
        ("good", "print('noise'); print('{\"per_second\": 7}')"),
        ("bad", "raise SystemExit('no such door')"),
    ):
        script = tmp_path / f"{name}.py"
        script.write_text(line, encoding="utf-8")
        made[name] = peers.Peer("a line", script, tmp_path / "pins.txt", "nothing", "everything")
    monkeypatch.setattr(peers, "environment", lambda _cache, _pins: Path(sys.executable))
    return made


def test_the_result_tells_what_each_side_measured_and_what_went_wrong(
    fake: dict[str, peers.Peer], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, asked = peers.run, []

    def counterpart_at_once(command: list[str], seconds: float) -> dict[str, object]:
        asked.append(command)
        return {"per_second": 9, "seconds": 0.1} if "benchmarks.peers.ours" in command else run(command, seconds)

    monkeypatch.setattr(peers, "run", counterpart_at_once)
    peers.main(["--json", str(tmp_path / "told.json"), "--cache", str(tmp_path)], fake)
    told = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
    assert set(told) == {"machine", "load_before", "load_after", "peers"}
    good, bad = told["peers"]["good"], told["peers"]["bad"]
    assert set(good) == {"what", "counted", "not_counted", "peer", "ours"}
    assert good["peer"]["per_second"] == 7 and good["ours"]["per_second"] == 9
    assert "no such door" in bad["peer"]["error"] and bad["ours"]["per_second"] == 9
    assert [command[3] for command in asked if "benchmarks.peers.ours" in command] == ["good", "bad"]
    assert "no such door" in capsys.readouterr().out


def test_a_peer_that_cannot_be_installed_is_told_of_and_ours_is_measured_all_the_same(
    fake: dict[str, peers.Peer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_cache: Path, _pins: Path) -> Path:
        raise OSError("no room on the disk")

    monkeypatch.setattr(peers, "environment", refuse)
    monkeypatch.setattr(peers, "run", lambda _command, _seconds: {"per_second": 9, "seconds": 0.1})
    told = peers.compare("good", fake["good"], tmp_path, 10)
    assert told["peer"] == {"error": "not installed: no room on the disk"} and told["ours"]["per_second"] == 9


def test_a_script_that_takes_too_long_is_given_up() -> None:
    found = peers.run([sys.executable, "-c", "import threading; threading.Event().wait()"], 0.0)
    assert found["error"].startswith("TimeoutExpired")
