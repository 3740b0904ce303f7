from tests.digests.conftest import district

__all__ = ["district"]
