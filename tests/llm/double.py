"""A double of /v1/chat/completions that answers as it is told, and remembers all that reached it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx

from bot.clock import VirtualClock
from bot.language_model import LanguageModel
from tests.process import NINE

ADDRESS = "http://127.0.0.1:8000/v1"
CATEGORIES = ("市容环卫", "供水排水", "其他")
Reply = Callable[[], tuple[int, bytes, dict[str, str]]]


def says(content: Any, status: int = 200) -> Reply:
    """A reply whose message is this; what is no string is made JSON."""
    words = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return raw(json.dumps({"choices": [{"message": {"content": words}}]}).encode(), status)


def verdict(word: str, category: str | None = None) -> Reply:
    return says({"verdict": word, "category": category})


def raw(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return lambda: (status, body, headers or {})


def fails(error: BaseException) -> Reply:
    def reply() -> tuple[int, bytes, dict[str, str]]:
        raise error

    return reply


class Double(httpx.AsyncBaseTransport):
    """Gives the replies in turn, the last one for ever; `hangs` never answers."""

    def __init__(self, *replies: Reply, hangs: bool = False, limit: float = 2.0) -> None:
        self.requests: list[httpx.Request] = []
        self._replies = list(replies) or [verdict("unsure")]
        self.hangs = hangs
        self.limit = limit

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.hangs:
            await asyncio.Event().wait()
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        status, body, headers = reply()
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    def model(self, address: str = ADDRESS, key: str = "secret-key") -> LanguageModel:
        return LanguageModel(address, "small", key, VirtualClock(NINE), limit=self.limit, transport=self)

    @property
    def asked(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]

    @property
    def texts(self) -> list[str]:
        """The texts that were asked about."""
        return [json.loads(asked["messages"][1]["content"])["text"] for asked in self.asked]

    @property
    def all_that_came(self) -> str:
        """Addresses, heads and bodies, escapes undone."""
        parts = [f"{r.url} {dict(r.headers)} {r.content.decode()}" for r in self.requests]
        bodies = [message["content"] for asked in self.asked for message in asked["messages"]]
        return "\n".join([*parts, *bodies, *self.texts])
