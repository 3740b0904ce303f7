"""The channel of a replay: whatever is sent arrives at once and is remembered by its id."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from bot.channels.base import ChannelEvent, Mention


class TranscriptChannel:
    name = "replay"

    def __init__(
        self,
        on_text: Callable[[str, str, Sequence[Mention]], Awaitable[None]],
        on_file: Callable[[str, Path], Awaitable[None]],
    ) -> None:
        """Both are told what is sent, and where."""
        self._on_text = on_text
        self._on_file = on_file
        self._count = 0

    async def events(self) -> AsyncIterator[ChannelEvent]:
        """A replay feeds the receiver itself."""
        return
        yield

    async def send_text(self, to: str, text: str, mentions: Sequence[Mention] = ()) -> str | None:
        self._count += 1
        await self._on_text(to, text, mentions)
        return f"said-{self._count}"

    async def send_file(self, to: str, path: Path) -> str | None:
        self._count += 1
        await self._on_file(to, path)
        return f"said-{self._count}"

    async def close(self) -> None:
        return None
