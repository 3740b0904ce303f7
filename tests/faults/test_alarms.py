"""An alarm past WeChat really leaves the machine, by whatever address is set; one that cannot is said in the log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from bot.alarms import other_route

# One of apprise's many plugins still imports it; all of them are loaded with the first address.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
WORDS = "微信网关已3分钟没有任何消息，请管理员检查连接"


@pytest.fixture
def desk() -> Iterator[tuple[int, list[str]]]:
    """Somebody who listens for alarms: the port, and what was heard."""
    heard: list[str] = []

    class Listening(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append(json.loads(body)["message"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Listening)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, heard
    server.shutdown()
    thread.join(30)
    server.server_close()


async def test_an_alarm_arrives_at_every_address(desk: tuple[int, list[str]]) -> None:
    port, heard = desk
    send = other_route(f"json://127.0.0.1:{port}/one  json://127.0.0.1:{port}/two")
    assert send is not None
    await asyncio.wait_for(send(WORDS), 30)
    assert heard == [WORDS, WORDS]


async def test_an_alarm_that_cannot_be_delivered_ends_nothing_and_is_said(
    desk: tuple[int, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    send = other_route(f"nonsense://x json://127.0.0.1:{desk[0]}/one json://127.0.0.1:1/closed")
    assert send is not None
    await asyncio.wait_for(send(WORDS), 60)
    assert desk[1] == [WORDS]
    said = [record.getMessage() for record in caplog.records if record.name == "bot.alarms"]
    assert said == ["alarm_address_refused", "alarm_not_delivered"]


def test_without_an_address_there_is_no_other_route() -> None:
    assert other_route("") is None and other_route("  ") is None
