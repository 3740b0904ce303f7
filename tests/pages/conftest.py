"""A small district for the tests of the pages' data."""

from tests.digests.conftest import district

__all__ = ["district"]
