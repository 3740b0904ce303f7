"""A double of 企业微信 that follows the public documents strictly (91770, 99110: message push; 90313: error codes).

It runs in this process behind httpx's ASGI transport. What it took in is `said`; what it refuses, it refuses with the
documents' errcode. Nothing here uses the bot's own code.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

API = "https://qyapi.weixin.qq.com"


@dataclass(frozen=True)
class Said:
    key: str
    kind: str
    text: str = ""
    mentioned: tuple[str, ...] = ()
    content: bytes = b""
    name: str = ""


@dataclass
class Media:
    key: str
    name: str
    content: bytes
    at: float


@dataclass
class Service:
    """`keys` are the webhooks that exist; `seconds` is the clock of the double."""

    keys: set[str]
    seconds: Callable[[], float]
    said: list[Said] = field(default_factory=list)
    calls: int = 0
    before: Callable[[], None] = lambda: None  # raises what happens before a message is taken
    after: Callable[[], None] = lambda: None  # … after it was shown, before the answer
    answer_with: Response | None = None  # instead of anything, once
    downloads: dict[str, Callable[[], Response]] = field(default_factory=dict)  # by path
    responses: dict[str, float] = field(default_factory=dict)  # response codes that may still be used, since when
    _taken: dict[str, list[float]] = field(default_factory=dict)
    _media: dict[str, Media] = field(default_factory=dict)

    def client(self) -> httpx.AsyncClient:
        app = Starlette(
            routes=[
                Route("/cgi-bin/webhook/send", self._send, methods=["POST"]),
                Route("/cgi-bin/webhook/upload_media", self._upload, methods=["POST"]),
                Route("/cgi-bin/aibot/response", self._respond, methods=["POST"]),
                Route("/files/{name}", self._file),
            ]
        )
        return httpx.AsyncClient(transport=httpx.ASGITransport(app))

    def texts(self, key: str) -> list[str]:
        return [said.text for said in self.said if said.key == key and said.kind == "text"]

    async def _send(self, request: Request) -> Response:
        self.calls += 1
        if self.answer_with is not None:
            answer, self.answer_with = self.answer_with, None
            return answer
        self.before()
        key = request.query_params.get("key", "")
        if key not in self.keys:
            return _error(93000, "invalid webhook url")
        taken = [at for at in self._taken.get(key, []) if self.seconds() - at < 60]
        if len(taken) >= 20:
            return _error(45009, "api freq out of limit")
        try:
            body = json.loads((await request.body()).decode("utf-8"))
        except ValueError:
            return _error(40035, "invalid parameter: bad json")
        said = self._read(key, body)
        if isinstance(said, Response):
            return said
        self._taken[key] = [*taken, self.seconds()]
        self.said.append(said)
        self.after()
        return JSONResponse({"errcode": 0, "errmsg": "ok"})

    def _read(self, key: str, body: dict[str, Any]) -> Said | Response:
        kind = body.get("msgtype")
        part = body.get(kind) if isinstance(kind, str) else None
        if kind not in ("text", "markdown", "image", "file") or not isinstance(part, dict):
            return _error(40008, "invalid message type")
        if kind in ("text", "markdown"):
            content = part.get("content")
            if not content:
                return _error(44004, "empty content")
            if len(content.encode("utf-8")) > (2048 if kind == "text" else 4096):
                return _error(40058, "content exceed max length")
            return Said(key, kind, content, tuple(part.get("mentioned_list", [])))
        if kind == "image":
            picture = base64.b64decode(part["base64"], validate=True)
            if hashlib.md5(picture).hexdigest() != part["md5"]:
                return _error(301019, "media md5 not match")
            if len(picture) > 2 * 1024 * 1024:
                return _error(40009, "invalid image size")
            if not picture.startswith((b"\x89PNG", b"\xff\xd8\xff")):
                return _error(40004, "invalid media type")
            return Said(key, kind, content=picture)
        media = self._media.get(part.get("media_id", ""))
        if media is None or media.key != key or self.seconds() - media.at > 3 * 86_400:
            return _error(40007, "invalid media_id")
        return Said(key, kind, content=media.content, name=media.name)

    async def _upload(self, request: Request) -> Response:
        key = request.query_params.get("key", "")
        if key not in self.keys:
            return _error(93000, "invalid webhook url")
        if request.query_params.get("type") not in ("file", "voice"):
            return _error(40004, "invalid media type")
        async with request.form() as form:
            upload = form.get("media")
            if upload is None or isinstance(upload, str):
                return _error(41005, "missing media data")
            content, name = await upload.read(), upload.filename or ""
        if not 5 < len(content) <= 20 * 1024 * 1024:
            return _error(40006, "invalid meida size")
        media_id = f"media-{len(self._media) + 1}"
        self._media[media_id] = Media(key, name, content, self.seconds())
        return JSONResponse({"errcode": 0, "errmsg": "ok", "type": "file", "media_id": media_id})

    async def _respond(self, request: Request) -> Response:
        code = request.query_params.get("response_code", "")
        since = self.responses.pop(code, None)  # once only
        if since is None or self.seconds() - since > 3600:
            return _error(40058, "invalid response_code")
        body = await request.json()
        if body["msgtype"] != "markdown" or len(body["markdown"]["content"].encode()) > 20_480:
            return _error(40008, "invalid message type")
        self.said.append(Said(f"response:{code}", "markdown", body["markdown"]["content"]))
        return JSONResponse({"errcode": 0, "errmsg": "ok"})

    async def _file(self, request: Request) -> Response:
        make = self.downloads.get(request.path_params["name"])
        return make() if make else Response(status_code=404)


def _error(code: int, words: str) -> Response:
    return JSONResponse({"errcode": code, "errmsg": f"{words}, hint: [1], from ip: 192.0.2.1"})
