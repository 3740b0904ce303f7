"""An HTTP server inside the bot's loop. Signals are the process's business: it neither takes them nor exits on them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Generator
from typing import Any

import uvicorn


class Server(uvicorn.Server):
    """Serve until `should_exit`; a client that hangs is waited for one second at the end."""

    def __init__(self, app: Any, host: str, port: int) -> None:
        # Without a line for every request: an address says what somebody searched for, or carries a signature.
        config = uvicorn.Config(
            app, host=host, port=port, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        super().__init__(config)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket for `Server.serve`; OSError where the port is taken, on which uvicorn would end the process."""
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
