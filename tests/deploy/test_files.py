"""Plain files that no engine here builds: units, container files and compose file are whole and name what exists."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path("deploy")
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
SCRIPTS = [Path("lingban"), Path(".ci/run"), *DEPLOY.rglob("*.sh")]
GATEWAY = DEPLOY / "gateway"
MOST_EXPOSURE = 2.0  # of systemd's ten


def settings_in(path: Path) -> set[str]:
    return set(re.findall(r"^([A-Z_]+)=", path.read_text(encoding="utf-8"), re.M))


def unit(path: Path) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=", comment_prefixes="#")
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(path, encoding="utf-8")
    return parsed


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_restarts_is_shut_in_and_starts_what_exists(path: Path) -> None:
    service = unit(path)["Service"]
    assert (service["Restart"], service["User"], service["PrivateTmp"]) == ("always", "lingban", "yes")
    assert (service["ProtectSystem"], service["NoNewPrivileges"], service["UMask"]) == ("strict", "yes", "0077")
    home = Path(service["WorkingDirectory"]).relative_to("/opt/lingban")
    assert home.is_dir()
    assert (home / "supervise.mjs").exists() if "supervise" in service["ExecStart"] else (home / "bot").is_dir()
    example = {"/opt/lingban/.env": "config.example.env"}
    given = service["EnvironmentFile"]
    assert Path(example.get(given, given.replace("/opt/lingban/", "").replace(".env", ".example.env"))).exists()


def test_systemd_itself_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        return  # the test above reads them in any case
    program = tmp_path / ".venv/bin/python"
    program.parent.mkdir(parents=True)
    program.symlink_to("/bin/true")
    copies = []
    for path in UNITS:
        text = path.read_text(encoding="utf-8").replace("/opt/lingban/.venv", f"{tmp_path}/.venv")
        copies.append(tmp_path / path.name)
        copies[-1].write_text(text.replace("/usr/bin/node", "/bin/true"), encoding="utf-8")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *map(str, copies)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (verified.returncode, verified.stderr) == (0, "")
    for path in UNITS:
        shown = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", str(path)],
            capture_output=True, text=True, timeout=60, check=False,
        ).stdout  # fmt: skip
        exposure = re.search(r"exposure level for \S+: ([\d.]+)", shown)
        assert exposure and float(exposure.group(1)) <= MOST_EXPOSURE, shown[-300:]


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
def test_a_script_can_be_read_and_stops_at_the_first_error(path: Path) -> None:
    checked = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, timeout=30, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "set -euo pipefail" in path.read_text(encoding="utf-8")


# ---- containers ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def test_a_gateway_that_grows_is_ended_before_the_machine_has_no_memory_left(compose: dict[str, Any]) -> None:
    """wechaty: row 54. Chromium puppets reach 2 GB in a day or two."""
    service = unit(DEPLOY / "systemd" / "lingban-gateway.service")["Service"]
    assert (service["MemoryMax"], service["Restart"]) == ("2G", "always")
    assert compose["services"]["gateway"]["mem_limit"] == "2g"


def test_compose_has_the_three_services_each_watched_and_restarted(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"bot", "gateway", "database"}
    assert {each["restart"] for each in services.values()} == {"always"}
    assert {each["logging"]["driver"] for each in services.values()} == {"journald"}  # which turns them over
    assert "/ready" in str(services["bot"]["healthcheck"]["test"])
    assert "pg_isready" in str(services["database"]["healthcheck"]["test"])
    for name in ("bot", "gateway"):
        build = services[name]["build"]
        file = (DEPLOY / build["context"] / build["dockerfile"]).resolve()
        assert "HEALTHCHECK" in file.read_text(encoding="utf-8"), file
    assert services["bot"]["ports"] == ["127.0.0.1:8080:8080"]
    assert "ports" not in services["database"] and services["database"]["networks"] == ["inside"]
    for each in services.values():
        assert set(each["networks"]) <= set(compose["networks"])
        named = {volume.split(":")[0] for volume in each["volumes"]} - {"."}
        assert {name for name in named if not name.startswith(".")} <= set(compose["volumes"])


def test_every_variable_of_compose_is_a_setting_that_an_example_explains(compose: dict[str, Any]) -> None:
    bot, gateway = settings_in(Path("config.example.env")), settings_in(GATEWAY / "gateway.example.env")
    assert set(compose["services"]["bot"]["environment"]) <= bot
    assert set(compose["services"]["gateway"]["environment"]) <= gateway
    asked = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    assert asked == settings_in(DEPLOY / "compose.example.env")


@pytest.mark.parametrize("path", [DEPLOY / "Containerfile", GATEWAY / "Containerfile"], ids=str)
def test_a_container_file_copies_what_exists_and_runs_as_nobody_special(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    home = Path() if path.parent == DEPLOY else path.parent
    for line in re.findall(r"^COPY (.+) \S+$", text, re.M):
        assert [name for name in line.split() if not (home / name).exists()] == []
    (image,) = re.findall(r"^FROM (\S+)$", text, re.M)
    assert re.fullmatch(r"[a-z]+:[\w.-]+", image), "an image without the address of a registry"
    assert re.search(r"^USER (?!root)\w+$", text, re.M)


# ---- the gateway's own files -----------------------------------------------------------------------------------------


def _named_in_sources() -> Iterator[str]:
    for path in GATEWAY.glob("*.mjs"):
        yield from re.findall(r"\bGATEWAY_[A-Z_]+[A-Z]\b", path.read_text(encoding="utf-8"))


def test_the_gateways_example_names_every_setting_it_reads() -> None:
    assert set(_named_in_sources()) == settings_in(GATEWAY / "gateway.example.env")


def test_the_gateways_packages_are_those_that_the_tests_ran_against() -> None:
    def packages(folder: Path) -> dict[str, Any]:
        lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
        return {name: each for name, each in lock["packages"].items() if name}

    assert packages(GATEWAY) == packages(Path("tests/gateway"))
    wanted = json.loads((GATEWAY / "package.json").read_text(encoding="utf-8"))["dependencies"]
    held = packages(GATEWAY)
    assert wanted == {name: held[f"node_modules/{name}"]["version"] for name in wanted}


def test_what_is_secret_is_never_committed() -> None:
    ignored = Path(".gitignore").read_text(encoding="utf-8").splitlines()
    assert {".env", "/deploy/compose.env", "/deploy/tls/", "/deploy/gateway/gateway.env"} <= set(ignored)
