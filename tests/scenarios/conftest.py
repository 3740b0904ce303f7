"""Stories are told on SQLite, and each third of them on PostgreSQL too: all of them on both take minutes that a run has not.

All on PostgreSQL: `DATABASE_URL=postgresql+psycopg://…` (CONTRIBUTING.md). A module that imports `story` takes part.
"""

from __future__ import annotations

from zlib import crc32

import pytest
from sqlalchemy import Engine

from storage.sessions import make_engine
from tests import harness


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if hasattr(metafunc.module, "story"):
        third = crc32(metafunc.definition.name.encode()) % 3 == 0  # by its name, so that it is always the same ones
        metafunc.parametrize("_told_on", ["sqlite", "postgres"] if third else ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _told_on(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if getattr(request, "param", "sqlite") == "postgres":
        url = str(request.getfixturevalue("postgres_url"))

        def fresh(_folder: object) -> Engine:
            return make_engine(url)

        monkeypatch.setattr(harness, "fresh_database", fresh)
