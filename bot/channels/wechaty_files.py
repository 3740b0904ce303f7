"""Files of the group: fetched once, at once, up to a size; sent as a base64 box up to another.

A second fetch of the same stream, or a late one, has been seen to end the gateway's process: nothing here retries.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import re
import tempfile
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.channels.base import PermanentError
from bot.channels.wechaty_link import apart
from bot.channels.wechaty_text import storable

MOST_RECEIVED_BYTES = 20 * 2**20
MOST_SENT_BYTES = 5 * 2**19  # 2.5 MiB; the gateway refuses messages over 4 MiB, and base64 adds a third
MOST_NAME_CHARS = 60

_UNSAFE = re.compile(r"[^\w.（）()\-]+")


class FileProblem(Exception):
    """Why there is no file, in the words shown to people."""


@dataclass(frozen=True, slots=True)
class Fetched:
    path: Path
    name: str  # as the sender's, cleaned


def safe_name(name: str, fallback: str = "file") -> str:
    """A file name without path, control or shell characters, at most 60 long, its suffix kept."""
    base = unicodedata.normalize("NFC", storable(name)).replace("\\", "/").rsplit("/", 1)[-1]
    clean = _UNSAFE.sub("_", base).strip("._ ")
    stem, dot, suffix = clean.rpartition(".")
    if dot and 0 < len(suffix) <= 10:
        return f"{stem[: MOST_NAME_CHARS - len(suffix) - 1] or fallback}.{suffix}"
    return clean[:MOST_NAME_CHARS] or fallback


async def fetch(stub: Any, message_id: str, folder: Path, *, name: str, seconds: float) -> Fetched:
    """Stream one message's file into `folder` as `<hash>-<name>`; FileProblem if it cannot be had whole.

    The same content under the same name is stored once. Other errors of the call pass through.
    """
    try:
        async with asyncio.timeout(seconds):
            got: Fetched = await apart(_receive(stub.raw.message_file_stream(id=message_id), folder, name))
            return got
    except TimeoutError:
        raise FileProblem(f"文件未取到：{seconds:g} 秒内没有收完") from None


@contextmanager
def disk() -> Iterator[None]:
    """Tell a full or read-only disk from a lost connection; both are OSErrors."""
    try:
        yield
    except OSError as error:
        raise FileProblem(f"文件未取到：无法写入（{error.strerror}）") from None


async def _receive(stream: AsyncIterator[Any], folder: Path, name: str) -> Fetched:
    digest, size = hashlib.sha256(), 0
    with disk():
        folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=".part-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            async for response in stream:
                chunk = response.file_box_chunk
                name = name or chunk.name
                size += len(chunk.data)
                if size > MOST_RECEIVED_BYTES:
                    raise FileProblem(f"文件未取到：超过 {MOST_RECEIVED_BYTES // 2**20} MB")
                digest.update(chunk.data)
                with disk():
                    file.write(chunk.data)
            if not size:
                raise FileProblem("文件未取到：内容为空")
            with disk():
                await asyncio.to_thread(to_disk, file)
        shown = safe_name(name)
        path = folder / f"{digest.hexdigest()[:16]}-{shown}"
        with disk():
            os.replace(part, path)
        return Fetched(path, shown)
    finally:
        Path(part).unlink(missing_ok=True)
        await stream.aclose()  # type: ignore[attr-defined]


def to_disk(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def box(path: Path) -> str:
    """The gateway's file box as JSON; PermanentError if the file is missing, empty or too large."""
    try:
        size = path.stat().st_size
        if size > MOST_SENT_BYTES:
            raise PermanentError(
                f"file {path.name} is {size / 2**20:.1f} MiB; the gateway takes up to {MOST_SENT_BYTES / 2**20} MiB: "
                "send a link to it instead"
            )
        content = path.read_bytes()
    except OSError as error:
        raise PermanentError(f"file {path.name} cannot be read: {error.strerror}") from None
    if not content:
        raise PermanentError(f"file {path.name} is empty")
    encoded = base64.b64encode(content).decode()
    # `boxType` and `type` are the old and the new name of the same field
    fields = {"type": 1, "boxType": 1, "name": path.name, "base64": encoded, "size": size, "metadata": {}}
    return json.dumps(fields, ensure_ascii=False)
