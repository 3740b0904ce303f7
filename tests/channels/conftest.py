from tests.gateway.fixtures import gateway, node_modules, plain_bench, tls_bench, tls_gateway

__all__ = ["gateway", "node_modules", "plain_bench", "tls_bench", "tls_gateway"]
