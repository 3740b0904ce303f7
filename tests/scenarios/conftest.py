"""Stories are told on both databases; a module that imports `story` gets each of its tests twice."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from storage.sessions import make_engine
from tests import harness


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if hasattr(metafunc.module, "story"):
        metafunc.parametrize("_told_on", ["sqlite", "postgres"], indirect=True)


@pytest.fixture(autouse=True)
def _told_on(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if getattr(request, "param", "sqlite") == "postgres":
        url = str(request.getfixturevalue("postgres_url"))

        def fresh(_folder: object) -> Engine:
            return make_engine(url)

        monkeypatch.setattr(harness, "fresh_database", fresh)
