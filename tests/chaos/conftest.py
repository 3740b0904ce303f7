from tests.gateway.fixtures import node_modules

__all__ = ["node_modules"]
