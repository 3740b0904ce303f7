from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.digests.build import District, database


@pytest.fixture
def district() -> Iterator[District]:
    with database() as session:
        yield District(session)
