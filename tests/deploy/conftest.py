from tests.deploy.running import gateway_folder
from tests.gateway.fixtures import node_modules

__all__ = ["gateway_folder", "node_modules"]
