"""Is the puppet there? A question to it that comes back through the event stream."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any


class Dings:
    def __init__(self) -> None:
        self._asked: dict[str, asyncio.Future[None]] = {}

    async def ask(self, stub: Any, seconds: float) -> float:
        """The round trip, in seconds. Raises what the call raises, and TimeoutError without an answer."""
        loop = asyncio.get_running_loop()
        mark, began = secrets.token_hex(8), loop.time()
        answer = self._asked[mark] = loop.create_future()
        try:
            await stub.ding(data=mark)
            await asyncio.wait_for(answer, seconds)
        finally:
            del self._asked[mark]
        return loop.time() - began

    def answered(self, words: str) -> None:
        """Some puppets answer without the mark: then the oldest question is answered."""
        answer = self._asked.get(words) or next(iter(self._asked.values()), None)
        if answer is not None and not answer.done():
            answer.set_result(None)
