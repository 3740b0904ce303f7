"""Pictures and files of a callback: fetched at once, up to a size, opened with the robot's key, named by what they are."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from email.message import Message
from pathlib import Path
from urllib.parse import unquote

import httpx

from bot.channels.wechaty_files import MOST_RECEIVED_BYTES, Fetched, FileProblem, disk, safe_name, to_disk
from bot.channels.wework_crypto import Seal, SealError

FETCH_SECONDS = 60.0  # of one file; the address is good for five minutes
_TYPES = (
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF8", ".gif"),
    (b"%PDF", ".pdf"),
    (b"PK\x03\x04", ".zip"),
)


async def fetch(http: httpx.AsyncClient, url: str, seal: Seal, folder: Path) -> Fetched:
    """One file into `folder` as `<hash>-<name>`; FileProblem if it cannot be had whole. Tried once."""
    if not url.startswith("https://"):
        raise FileProblem("文件未取到：没有可用的下载地址")
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            content, name = await _download(http, url)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL):
        raise FileProblem("文件未取到：企业微信给不出这个文件") from None
    try:
        plain = seal.open_bytes(content)
    except SealError:
        raise FileProblem("文件未取到：解不开，请核对 WEWORK_AES_KEY") from None
    if not plain:
        raise FileProblem("文件未取到：内容为空")
    suffix = next((suffix for head, suffix in _TYPES if plain.startswith(head)), "")
    shown = safe_name(name or f"file{suffix}")
    return Fetched(await asyncio.to_thread(_keep, plain, folder, shown), shown)


async def _download(http: httpx.AsyncClient, url: str) -> tuple[bytes, str]:
    """The sealed content, and the name where the server tells one."""
    content = bytearray()
    async with http.stream("GET", url, follow_redirects=False) as answer:
        if answer.status_code != httpx.codes.OK:
            raise FileProblem(f"文件未取到：下载地址答复 {answer.status_code}")
        async for chunk in answer.aiter_bytes():
            content += chunk
            if len(content) > MOST_RECEIVED_BYTES:
                raise FileProblem(f"文件未取到：超过 {MOST_RECEIVED_BYTES // 2**20} MB")
    header = Message()
    header["content-disposition"] = answer.headers.get("content-disposition", "")
    return bytes(content), unquote(header.get_filename() or "")


def _keep(content: bytes, folder: Path, shown: str) -> Path:
    """The same content under the same name is stored once."""
    path = folder / f"{hashlib.sha256(content).hexdigest()[:16]}-{shown}"
    with disk():
        folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=".part-", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                to_disk(file)
            os.replace(part, path)
        finally:
            Path(part).unlink(missing_ok=True)
    return path
