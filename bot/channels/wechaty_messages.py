"""From a message id to an InboundMessage: its payload, its sender's name, whom it mentions, its file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.channels import wechaty_files as files
from bot.channels.base import ChannelEvent, ConnectionState, InboundMessage, StateChange
from bot.channels.wechaty_link import CALL_ERRORS, Timing, describe
from bot.channels.wechaty_names import Names
from bot.channels.wechaty_payloads import FILE_TYPES, Content, moment, raw_fields, read_content
from bot.channels.wechaty_text import (
    mentions_everyone,
    mentions_name,
    names_mentioned,
    spoken,
    storable,
)
from storage.enums import MessageType

log = logging.getLogger(__name__)

WINDOW = 32  # payloads fetched side by side
FILES_AT_ONCE = 8
MOST_MENTIONS_NAMED = 20  # padlocal turns @所有人 into every member's id
PAUSE_SECONDS = 0.3  # between tries for one payload; grows with each
ALL = "@all"

# WeChat's tips that the account is being held back; the send itself was reported as a success (puppet-padlocal#109)
HELD_BACK = ("操作过于频繁", "发送消息过于频繁", "登录环境存在异常")


@dataclass(frozen=True, slots=True)
class Whole:
    """A message whose payload came, before its file."""

    message: InboundMessage
    wants_file: bool
    file_name: str


class MessageReader:
    """`stub` waits for a connection, or gives None; `account` gives the bot's own contact id, "" while unknown."""

    def __init__(
        self,
        *,
        stub: Callable[[float], Awaitable[Any | None]],
        account: Callable[[], str],
        names: Names,
        bot_names: Sequence[str],
        files_dir: Path,
        token: str,
        pause: Callable[[float], Awaitable[None]],
        timing: Timing,
    ) -> None:
        self._stub = stub
        self._account = account
        self._names = names
        self._bot_names = tuple(bot_names)
        self._files_dir = files_dir
        self._token = token
        self._pause = pause
        self._timing = timing
        self._window = asyncio.Semaphore(WINDOW)
        self._downloads = asyncio.Semaphore(FILES_AT_ONCE)

    async def read(self, message_id: str, received_at: datetime, hold: Callable[[str], None]) -> list[ChannelEvent]:
        """The message, and before it a StateChange where it is a tip that WeChat holds the account back.

        Never raises but for cancellation: what cannot be had is given as an UNKNOWN message with `raw["lost"]`.
        `hold(room_id)` is called before a file is fetched, which may take long.
        """
        async with self._window:
            try:
                payload, problem = await self._payload(message_id)
                whole = await self._whole(payload, message_id, received_at) if payload is not None else None
            except Exception:  # one odd message must not end the stream of all others
                log.exception("wechaty.message_unreadable", extra={"message_id": message_id})
                whole, problem = None, "unreadable"
        if whole is None:
            return [_lost(message_id, received_at, problem)]
        message = whole.message
        if whole.wants_file:
            hold(message.room_id)
            message = await self._with_file(whole)
        if message.type is MessageType.SYSTEM and any(tip in message.text for tip in HELD_BACK):
            state = StateChange(
                ConnectionState.HELD_BACK, received_at, message.text[:100], self._account(), message.room_id
            )
            return [state, message]
        return [message]

    async def _payload(self, message_id: str) -> tuple[Any | None, str]:
        """The payload, or None and why not."""
        problem = "the gateway was away"
        for attempt in range(1, self._timing.payload_tries + 1):
            stub = await self._stub(self._timing.payload)
            if stub is None:
                break
            try:
                return await stub.message_payload(id=message_id), ""
            except CALL_ERRORS as error:
                problem = describe(error, self._token)
            if attempt < self._timing.payload_tries:
                await self._pause(PAUSE_SECONDS * attempt)
        log.error("wechaty.message_lost", extra={"message_id": message_id, "reason": problem})
        return None, problem

    async def _whole(self, payload: Any, message_id: str, received_at: datetime) -> Whole:
        account = self._account()
        room_id, sender_id = storable(payload.room_id), storable(payload.from_id)
        content = read_content(payload, account)
        is_tip = content.type is MessageType.SYSTEM
        is_self = bool(account) and sender_id == account and not is_tip
        named = sender_id and sender_id != room_id and not is_tip
        name = await self._names.of(room_id, sender_id) if named else ""
        mentions, mentions_bot = await self._mentions(content, room_id, payload.mention_ids, is_self or is_tip)
        raw = raw_fields(payload, content.text)
        if len(content.recalled) > 1:
            raw["recall_ids"] = list(content.recalled)
        message = InboundMessage(
            room_id=room_id,
            message_id=message_id,
            sender_id=sender_id,
            sender_name=name,
            type=content.type,
            text=content.text,
            sent_at=moment(payload.timestamp, received_at),
            received_at=received_at,
            mentions=mentions,
            mentions_bot=mentions_bot,
            quote=content.quote,
            recalls=content.recalled[0] if content.recalled else None,
            is_self=is_self,
            raw=raw,
        )
        return Whole(message, content.type in FILE_TYPES and not is_self, storable(payload.filename))

    async def _mentions(
        self, content: Content, room_id: str, ids: Sequence[str], ours: bool
    ) -> tuple[tuple[str, ...], bool]:
        """Names @-ed, and whether the bot is one of them.

        A puppet that gives no ids leaves the text. @所有人 addresses the bot only if its name is there as well.
        """
        words = content.spoken if content.spoken is not None else spoken(content.text)
        everyone = mentions_everyone(words, ids)
        if ours or not (ids or "@" in words or "＠" in words):
            return (), False
        account = self._account()
        own_alias = [await self._names.of(room_id, account)] if account and room_id else []
        by_name = mentions_name(words, [*self._bot_names, *own_alias])
        if everyone:
            return (ALL, *names_mentioned(words)), by_name
        known = [storable(i) for i in ids]
        named = await asyncio.gather(*(self._names.of(room_id, i) for i in known[:MOST_MENTIONS_NAMED]))
        names = (*named, *known[MOST_MENTIONS_NAMED:]) if known else names_mentioned(words)
        return names, by_name or (bool(account) and account in known)

    async def _with_file(self, whole: Whole) -> InboundMessage:
        message, name = whole.message, whole.file_name
        shown = files.safe_name(name) if name else None
        try:
            async with self._downloads:
                stub = await self._stub(self._timing.file)
                if stub is None:
                    raise files.FileProblem("文件未取到：网关断开")
                got = await files.fetch(stub, message.message_id, self._files_dir, name=name, seconds=self._timing.file)
        except files.FileProblem as problem:
            log.warning("wechaty.no_file", extra={"message_id": message.message_id, "reason": str(problem)})
            return replace(message, file_name=shown, file_problem=str(problem))
        except CALL_ERRORS as error:
            reason = describe(error, self._token)
            log.warning("wechaty.no_file", extra={"message_id": message.message_id, "reason": reason})
            return replace(message, file_name=shown, file_problem="文件未取到：网关给不出这个文件")
        return replace(message, file=got.path, file_name=got.name)


def _lost(message_id: str, received_at: datetime, problem: str) -> InboundMessage:
    """A message of which nothing but its id is known; stored, so that an operator sees it."""
    return InboundMessage(
        room_id="",
        message_id=message_id,
        sender_id="",
        sender_name="",
        type=MessageType.UNKNOWN,
        text="",
        sent_at=received_at,
        received_at=received_at,
        raw={"lost": True, "id": message_id, "problem": problem},
    )
