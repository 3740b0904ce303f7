"""pg_dump and pg_restore, run without ever showing the password: it goes by a file that only we can read."""

from __future__ import annotations

import shutil
import subprocess  # nosec B404: the two tools below, no shell
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url


class PostgresToolError(Exception):
    """A tool is missing or failed; says what to do."""


def dump(url: str, file: Path, *, must_hold: Sequence[str]) -> None:
    """Write a dump in PostgreSQL's own form and read its contents back. Raises PostgresToolError."""
    with _connection(url) as told:
        _run("pg_dump", "--format=custom", "--no-owner", f"--file={file}", f"--dbname={told}")
    listed = _run("pg_restore", "--list", str(file))
    held = {words[-2] for line in listed.splitlines() if "TABLE DATA" in line and len(words := line.split()) > 2}
    if missing := {"alembic_version", *must_hold} - held:
        raise PostgresToolError(f"the dump lacks {', '.join(sorted(missing))}")


def restore_dump(url: str, file: Path) -> None:
    """Play a dump into an empty database, whole or not at all. Raises PostgresToolError."""
    with _connection(url) as told:
        _run("pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", f"--dbname={told}", str(file))


@contextmanager
def _connection(url: str) -> Iterator[str]:
    """What the tools call a connection string; the password stands in a file beside it."""
    parsed = make_url(url)
    given = {"host": parsed.host, "port": parsed.port, "user": parsed.username, "dbname": parsed.database}
    more = {name: value for name, value in parsed.query.items() if isinstance(value, str)}
    with tempfile.NamedTemporaryFile("w", prefix="lingban-pass-") as secret:  # made for its owner alone
        password = str(parsed.password or "").replace("\\", "\\\\").replace(":", "\\:")
        secret.write(f"*:*:*:*:{password}\n")
        secret.flush()
        if password:
            given["passfile"] = secret.name
        yield make_conninfo("", **{name: value for name, value in {**given, **more}.items() if value is not None})


def _run(tool: str, *arguments: str) -> str:
    found = shutil.which(tool)
    if found is None:
        raise PostgresToolError(
            f"{tool} is not on PATH; install PostgreSQL's client tools of the server's version, or back the database up"
            " with the means of its server"
        )
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)  # nosec B603
    if done.returncode:
        raise PostgresToolError(" ".join(done.stderr.split()) or f"{tool} failed")
    return done.stdout
