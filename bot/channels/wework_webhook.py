"""企业微信's message push (群机器人 webhook): one key, one group; texts, pictures and files, no more than 20 a minute.

Facts: developer.work.weixin.qq.com, documents 91770 and 99110 (消息推送), 90313 (错误码). A push echoes nothing, so that an
answer that does not come leaves the outcome unknown for good; docs/wework.md says what follows.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import defaultdict, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from bot.channels.base import PermanentError, TemporaryError, UnknownResult
from bot.clock import Clock

API = "https://qyapi.weixin.qq.com"
PER_MINUTE = 20
MINUTE = 60.0  # seconds
MOST_TEXT_BYTES = 2048
MOST_MARKDOWN_BYTES = 4096
MOST_IMAGE_BYTES = 2 * 2**20
LEAST_FILE_BYTES, MOST_FILE_BYTES = 6, 20 * 2**20  # "more than 5 bytes"

PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")  # PNG and JPEG, by their first bytes

TOO_OFTEN = 45009
SHUT = (93000, 93004, 93008)  # a key that is wrong, a robot that was stopped, a robot that is not in the group
# What the documents call passing, with the seconds to wait; any other code is a refusal that stays one.
PASSING = {-1: 5.0, TOO_OFTEN: MINUTE, 45033: 5.0, 40007: 0.0}  # busy; too often; too many at once; the upload is gone

# The connection was never made, so that nothing can have arrived.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class Webhooks:
    """Sends by key. Every call may raise TemporaryError, PermanentError or UnknownResult; no error holds a key."""

    def __init__(self, http: httpx.AsyncClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._sent: dict[str, deque[float]] = defaultdict(deque)  # by key, of the last minute
        self._shut_until: dict[str, float] = {}  # keys that were told to wait

    async def text(self, key: str, text: str, userids: Sequence[str] = ()) -> None:
        """A text; `userids` are @-ed by 企业微信 itself, which shows their names."""
        size = len(text.encode())
        if size > MOST_TEXT_BYTES:
            raise PermanentError(f"the text has {size} bytes, 企业微信 takes {MOST_TEXT_BYTES}")
        body: dict[str, Any] = {"content": text}
        if userids:
            body["mentioned_list"] = list(userids)
        await self._send(key, {"msgtype": "text", "text": body})

    async def file(self, key: str, path: Path) -> None:
        """A picture as one where it is a PNG or JPEG of up to 2 MB, anything else as a file of up to 20 MB."""
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise PermanentError(f"file {path.name} cannot be read: {error.strerror}") from None
        if content.startswith(PICTURES) and len(content) <= MOST_IMAGE_BYTES:
            await self._send(key, {"msgtype": "image", "image": _image(content)})
            return
        if not LEAST_FILE_BYTES <= len(content) <= MOST_FILE_BYTES:
            raise PermanentError(f"file {path.name} has {len(content)} bytes; 企业微信 takes more than 5, up to 20 MB")
        self._wait_for_turn(key)  # before a large upload that would be for nothing
        media = await self._upload(key, path.name, content)
        await self._send(key, {"msgtype": "file", "file": {"media_id": media}})

    async def respond(self, url: str, text: str) -> None:
        """Answer a private message at the address that came with it: once, within the hour."""
        if len(text.encode()) > MOST_MARKDOWN_BYTES:
            raise PermanentError("the answer is too long for 企业微信")
        body = {"msgtype": "markdown", "markdown": {"content": text}}
        try:
            answer = await self._http.post(url, json=body)
        except NOT_SENT as error:
            raise TemporaryError(f"企业微信 cannot be reached: {type(error).__name__}") from None
        except httpx.HTTPError as error:
            raise UnknownResult(f"no answer of 企业微信: {type(error).__name__}") from None
        _judge(answer, sending=True)

    async def reachable(self) -> str:
        """Why the service cannot be reached, "" if it can. Any answer will do: nothing is asked, nothing counted."""
        try:
            await self._http.get(f"{API}/")
        except httpx.HTTPError as error:
            return f"企业微信 cannot be reached: {type(error).__name__}"
        return ""

    async def _upload(self, key: str, name: str, content: bytes) -> str:
        """The media id, good for three days and this key. Nothing is shown by an upload, so it may always be repeated."""
        try:
            answer = await self._http.post(
                f"{API}/cgi-bin/webhook/upload_media",
                params={"key": key, "type": "file"},
                files={"media": (name, content, "application/octet-stream")},
            )
        except httpx.HTTPError as error:
            raise TemporaryError(f"a file could not be uploaded: {type(error).__name__}") from None
        media = self._told(key, answer, sending=False).get("media_id")
        if not isinstance(media, str) or not media:
            raise TemporaryError("the upload was answered without a media_id")
        return media

    async def _send(self, key: str, body: dict[str, Any]) -> None:
        self._wait_for_turn(key)
        self._sent[key].append(self._clock.monotonic())
        try:
            answer = await self._http.post(f"{API}/cgi-bin/webhook/send", params={"key": key}, json=body)
        except NOT_SENT as error:
            raise TemporaryError(f"企业微信 cannot be reached: {type(error).__name__}") from None
        except httpx.HTTPError as error:
            raise UnknownResult(f"no answer of 企业微信: {type(error).__name__}") from None
        self._told(key, answer, sending=True)

    def _wait_for_turn(self, key: str) -> None:
        """TemporaryError, without a call, while this key has had its twenty; the other keys are not held up."""
        now, sent = self._clock.monotonic(), self._sent[key]
        while sent and now - sent[0] >= MINUTE:
            sent.popleft()
        wait = self._shut_until.get(key, now) - now
        if len(sent) >= PER_MINUTE:
            wait = max(wait, sent[0] + MINUTE - now)
        if wait > 0:
            raise TemporaryError(f"this group has had its {PER_MINUTE} messages of the minute", wait=wait)

    def _told(self, key: str, answer: httpx.Response, *, sending: bool) -> dict[str, Any]:
        try:
            return _judge(answer, sending=sending)
        except TemporaryError as error:
            if error.wait >= MINUTE:
                self._shut_until[key] = self._clock.monotonic() + error.wait
            raise


def _image(content: bytes) -> dict[str, str]:
    """The document asks for the MD5 of the content as it is before base64."""
    return {
        "base64": base64.b64encode(content).decode(),
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
    }


def _judge(answer: httpx.Response, *, sending: bool) -> dict[str, Any]:
    """The answer's fields where `errcode` is 0; else which of the three ways it failed.

    An answer that is none of 企业微信's own (a proxy's error page) leaves open whether a message was sent.
    """
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise TemporaryError("HTTP 429", wait=MINUTE)
    try:
        told = answer.json()
        code = told["errcode"]
    except (ValueError, KeyError, TypeError):
        code = None
    if isinstance(code, bool) or not isinstance(code, int):
        failed = UnknownResult if sending else TemporaryError
        raise failed(f"HTTP {answer.status_code} without an errcode")
    if code == 0:
        return dict(told)
    if code in PASSING:
        raise TemporaryError(f"errcode {code}", wait=PASSING[code])
    meaning = ": the webhook key is wrong, or its robot was stopped or removed" if code in SHUT else ""
    raise PermanentError(f"errcode {code}{meaning}")
