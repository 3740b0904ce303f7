"""The one address that 企业微信 calls: checked, opened, and answered when what it told is stored. No other page is here.

It answers garbage with 4xx and never raises. 企业微信 waits five seconds; a message that cannot be stored within four is
answered with 503, so that it is told again, and is not lost silently.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.channels.wework_crypto import Seal, SealError
from bot.clock import Clock

log = logging.getLogger(__name__)
MOST_BODY_BYTES = 2**20
FRESH_SECONDS = 300  # of the request's timestamp, either way

Take = Callable[[object, int], Awaitable["str | None"]]


class NotKept(Exception):
    """The message could not be stored in time."""


class NotUnderstood(Exception):
    """Signed and sealed, and yet nothing that the documents describe."""


class Refused(Exception):
    """Answered with this status; the reason goes to the log."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Door:
    """`take(body, timestamp)` is given what was told, and gives words to say back or None; it may raise NotKept and
    NotUnderstood.
    """

    def __init__(self, seal: Seal, clock: Clock, path: str, take: Take) -> None:
        self._seal = seal
        self._clock = clock
        self._take = take
        self.app = Starlette(
            routes=[Route(path, self._verify, methods=["GET"]), Route(path, self._callback, methods=["POST"])]
        )

    def question(self) -> tuple[dict[str, str], str]:
        """The parameters of a question as 企业微信 asks it, and the answer that proves the whole way to this door."""
        wanted, nonce = secrets.token_hex(8), secrets.token_hex(8)
        sealed, timestamp = self._seal.seal(wanted.encode()), str(int(self._clock.now().timestamp()))
        signature = self._seal.signature(timestamp, nonce, sealed)
        return {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": sealed}, wanted

    async def _verify(self, request: Request) -> Response:
        try:
            message, _ = self._opened(request, request.query_params.get("echostr", ""))
        except Refused as refused:
            return _refuse(refused)
        return Response(message, media_type="text/plain")

    async def _callback(self, request: Request) -> Response:
        try:
            sealed = _sealed(await _body(request))
            message, timestamp = self._opened(request, sealed)
            words = await self._take(_json(message), timestamp)
        except Refused as refused:
            return _refuse(refused)
        except NotUnderstood:
            return _refuse(Refused(400, "not understood"))
        except ClientDisconnect:
            return PlainTextResponse("", 400)
        except NotKept:
            log.error("wework.not_kept")
            return PlainTextResponse("", 503)
        return PlainTextResponse("") if words is None else self._reply(words)

    def _opened(self, request: Request, sealed: str) -> tuple[bytes, int]:
        """What is within, and the request's timestamp. The signature comes first: nothing is opened for a stranger."""
        given = request.query_params
        signature, timestamp, nonce = (given.get(name, "") for name in ("msg_signature", "timestamp", "nonce"))
        if not (sealed and signature and timestamp and nonce):
            raise Refused(400, "parameters are missing")
        if not self._seal.is_signed(signature, timestamp, nonce, sealed):
            raise Refused(403, "the signature is wrong; WEWORK_TOKEN must be the robot's Token")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
            raise Refused(400, "the timestamp is no number")
        if abs(self._clock.now().timestamp() - int(timestamp)) > FRESH_SECONDS:
            raise Refused(403, "the timestamp is not of now; is the machine's clock right?")
        try:
            return self._seal.open(sealed), int(timestamp)
        except SealError:
            raise Refused(400, "cannot be opened; WEWORK_AES_KEY must be the robot's EncodingAESKey") from None

    def _reply(self, words: str) -> Response:
        """A passive answer (被动回复): a stream that is finished at once."""
        stream = {"id": secrets.token_hex(8), "finish": True, "content": words}
        sealed = self._seal.seal(json.dumps({"msgtype": "stream", "stream": stream}, ensure_ascii=False).encode())
        timestamp, nonce = int(self._clock.now().timestamp()), secrets.token_hex(8)
        signature = self._seal.signature(str(timestamp), nonce, sealed)
        told = {"encrypt": sealed, "msgsignature": signature, "timestamp": timestamp, "nonce": nonce}
        return Response(json.dumps(told), media_type="application/json")


def _refuse(refused: Refused) -> Response:
    log.warning("wework.refused", extra={"status": refused.status, "reason": str(refused)})
    return PlainTextResponse("", refused.status)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise Refused(413, "the body is too large")
    return bytes(body)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused(400, "no JSON") from None


def _sealed(body: bytes) -> str:
    told = _json(body)
    sealed = told.get("encrypt") if isinstance(told, dict) else None
    if not isinstance(sealed, str):
        raise Refused(400, "no field encrypt")
    return sealed
