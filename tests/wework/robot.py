"""企业微信's side of a callback, by the documents (101033, 90968, 100719): it seals, signs, asks, and retries nothing.

Written apart from the bot's code, so that a mistake is not made twice. The people and ids are invented.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from typing import Any

import httpx
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.log_watch import secret

TOKEN = secret("Tok3nForTests")
AES_KEY = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"


def seal_bytes(plain: bytes, key: str = AES_KEY) -> bytes:
    raw = base64.b64decode(key + "=")
    padder = padding.PKCS7(256).padder()
    cipher = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).encryptor()
    return cipher.update(padder.update(plain) + padder.finalize()) + cipher.finalize()


def open_sealed(sealed: str, key: str = AES_KEY) -> bytes:
    raw = base64.b64decode(key + "=")
    cipher = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).decryptor()
    unpadder = padding.PKCS7(256).unpadder()
    whole = unpadder.update(cipher.update(base64.b64decode(sealed)) + cipher.finalize()) + unpadder.finalize()
    return whole[20 : 20 + int.from_bytes(whole[16:20], "big")]


def seal(message: bytes, *, receiver: str = "", key: str = AES_KEY) -> str:
    whole = os.urandom(16) + len(message).to_bytes(4, "big") + message + receiver.encode()
    return base64.b64encode(seal_bytes(whole, key)).decode()


def sign(sealed: str, timestamp: str, nonce: str, token: str = TOKEN) -> str:
    return hashlib.sha1("".join(sorted([token, timestamp, nonce, sealed])).encode()).hexdigest()


class Robot:
    """Calls the bot's address as 企业微信 does. `seconds` is the time of day that both have."""

    def __init__(self, app: Any, seconds: Callable[[], float], path: str = "/wework") -> None:
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot.test")
        self._seconds = seconds
        self._path = path
        self._count = 0

    def signed(self, sealed: str, **instead: str) -> dict[str, str]:
        timestamp, nonce = str(int(self._seconds())), os.urandom(6).hex()
        given = {"timestamp": timestamp, "nonce": nonce, **instead}
        return {"msg_signature": sign(sealed, given["timestamp"], given["nonce"]), **given}

    async def verify(self, words: str, **instead: str) -> httpx.Response:
        sealed = seal(words.encode())
        return await self._http.get(self._path, params={"echostr": sealed, **self.signed(sealed), **instead})

    async def post(self, plain: bytes, **instead: str) -> httpx.Response:
        sealed = seal(plain)
        return await self.post_raw(json.dumps({"encrypt": sealed}).encode(), {**self.signed(sealed), **instead})

    async def post_raw(self, body: bytes, params: dict[str, str]) -> httpx.Response:
        return await self._http.post(self._path, content=body, params=params)

    async def tell(self, body: dict[str, Any], **instead: str) -> httpx.Response:
        return await self.post(json.dumps(body, ensure_ascii=False).encode(), **instead)

    async def say(
        self, chat: str, user: str, text: str, *, quote: str | None = None, id: str | None = None
    ) -> httpx.Response:
        """`user` writes in a group; what does not @ the robot would never come."""
        body = self.body(chat, user, id, msgtype="text", text={"content": text})
        if quote is not None:
            body["quote"] = {"msgtype": "text", "text": {"content": quote}}
        return await self.tell(body)

    def body(self, chat: str, user: str, id: str | None = None, **more: Any) -> dict[str, Any]:
        """`chat` "" is a private one, which has a response_url that tells no chatid."""
        self._count += 1
        place = {"chatid": chat, "chattype": "group"} if chat else {"chattype": "single"}
        url = f"https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=code-{self._count}"
        return {
            "msgid": id or f"msg-{self._count}",
            "aibotid": "aib-1",
            **place,
            "from": {"userid": user},
            "response_url": url,
            **more,
        }
