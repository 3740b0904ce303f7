"""The parts of the Wechaty channel that need no gateway: order, heartbeats, errors, files, names."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from bot.backoff import delay
from bot.channels.base import (
    ChannelEvent,
    ConnectionState,
    InboundMessage,
    PermanentError,
    StateChange,
    TemporaryError,
    UnknownResult,
)
from bot.channels.wechaty import TlsConfig, WechatyChannel
from bot.channels.wechaty_files import MOST_SENT_BYTES, FileProblem, box, fetch, safe_name
from bot.channels.wechaty_inflow import Inflow, Place
from bot.channels.wechaty_link import apart, describe, parse_endpoint, redact, send_error
from bot.channels.wechaty_names import Names
from bot.channels.wechaty_watch import CONNECT_GREETING, HeartbeatWatch
from storage.enums import MessageType
from tests.gateway.watched import HostClock

NOW = datetime(2026, 3, 5, tzinfo=UTC)
OFFLINE = StateChange(ConnectionState.OFFLINE, NOW)


def message(message_id: str, room: str = "r") -> InboundMessage:
    return InboundMessage(room, message_id, "zhang", "张三", MessageType.TEXT, "", NOW, NOW)


def test_neither_wechaty_nor_its_puppet_service_is_imported() -> None:
    """They do not import on Python 3.11, make a folder where they stand, and turn the log's cutting of secrets off."""
    found = "[name for name in sys.modules if name.split('.')[0] in ('wechaty', 'wechaty_puppet_service')]"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, bot.channels.wechaty; print({found})"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


# -- back-off


def test_delays_double_up_to_half_a_minute_and_go_on_for_ever() -> None:
    assert [delay(n, lambda: 0.0) for n in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert delay(10**9, lambda: 0.0) == 30
    assert delay(-1, lambda: 0.0) == 0.5
    assert (delay(3, lambda: 1.0), delay(3, lambda: 7.0)) == (2, 2), "at most half is taken off"


# -- order


async def take(inflow: Inflow, count: int) -> list[Any]:
    async with asyncio.timeout(5):
        return [await inflow.get() for _ in range(count)]


async def test_events_leave_in_the_order_they_came() -> None:
    inflow, gates = Inflow(), [asyncio.Event() for _ in range(3)]
    for i, gate in enumerate(gates):

        async def fetch_one(_: Place, i: int = i, gate: asyncio.Event = gate) -> Sequence[ChannelEvent]:
            await gate.wait()
            return [message(str(i))]

        await inflow.add(fetch_one)
    for gate in reversed(gates):
        gate.set()
    assert [m.message_id for m in await take(inflow, 3)] == ["0", "1", "2"]
    await inflow.close()


async def test_a_file_holds_up_its_own_room_only_and_news_nothing() -> None:
    inflow, file = Inflow(), asyncio.Event()

    async def picture(place: Place) -> Sequence[ChannelEvent]:
        place.lane = "a"
        await file.wait()
        return [message("picture", "a")]

    async def said(message_id: str, room: str) -> Sequence[ChannelEvent]:
        return [message(message_id, room)]

    await inflow.add(picture)
    await inflow.add(lambda _: said("a2", "a"))
    await inflow.add(lambda _: said("b1", "b"))
    inflow.tell(OFFLINE)
    first = await take(inflow, 2)
    assert [first[0], first[1].message_id] == [OFFLINE, "b1"]
    file.set()
    assert [m.message_id for m in await take(inflow, 2)] == ["picture", "a2"]
    await inflow.close()
    assert await inflow.get() is None


# -- heartbeats


def test_silence_counts_only_after_the_puppet_has_shown_heartbeats() -> None:
    watch = HeartbeatWatch(90)
    watch.heartbeat(CONNECT_GREETING, 0)
    watch.heartbeat(CONNECT_GREETING, 5)
    watch.heartbeat("alive", 10)
    assert watch.silence_seconds() is None
    watch.heartbeat("alive", 25)
    assert watch.silence_seconds() == 90
    watch.heartbeat("alive", 85)
    assert watch.silence_seconds() == 180, "three intervals of a minute"
    watch.heartbeat("alive", 9_000)
    assert watch.silence_seconds() == 360, "a pause of our own does not make it blind"


# -- errors

TOKEN = "secret-token"


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (GRPCError(Status.UNAUTHENTICATED, f'Invalid Wechaty TOKEN "{TOKEN}"'), TemporaryError),
        (GRPCError(Status.UNKNOWN, "not logged in, no this.__currentUserId yet."), TemporaryError),
        (GRPCError(Status.UNKNOWN, "Room not found"), PermanentError),
        (GRPCError(Status.UNKNOWN, "RoomMock.load(): 9@chatroom not exist"), PermanentError),
        (GRPCError(Status.RESOURCE_EXHAUSTED, "Received message larger than max (5 vs 4)"), PermanentError),
        (GRPCError(Status.RESOURCE_EXHAUSTED, "slow down"), TemporaryError),
        (GRPCError(Status.UNIMPLEMENTED, None), PermanentError),
        (GRPCError(Status.UNKNOWN, "WorkproErrorCode: 20001, Feature temporarily unavailable"), TemporaryError),
        (GRPCError(Status.UNKNOWN, "ESOCKETTIMEDOUT"), UnknownResult),
        (GRPCError(Status.UNAVAILABLE, None), UnknownResult),
        (StreamTerminatedError("Connection lost"), UnknownResult),
        (TimeoutError(), UnknownResult),
        (ConnectionResetError(), UnknownResult),
    ],
)
def test_what_a_failed_send_means(error: Exception, meaning: type[Exception]) -> None:
    found = send_error(error, TOKEN)
    assert type(found) is meaning
    assert TOKEN not in str(found)


def test_errors_are_one_line_without_the_token() -> None:
    assert redact(f"a\n{TOKEN}\x00 b", TOKEN) == "a *** b"
    assert describe(TimeoutError(), TOKEN) == "no answer in time"
    assert describe(OSError(f"no {TOKEN}"), TOKEN) == "OSError: no ***"
    assert "handshake" in describe(ssl.SSLError(1, "odd"), TOKEN)


async def test_a_call_cancelled_from_within_is_a_lost_connection_and_a_cancelled_caller_stays_cancelled() -> None:
    """grpclib cancels the task that waits for it; once that ended our loop and the bot stayed deaf without a word."""

    async def cut_off() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.Event().wait()

    with pytest.raises(StreamTerminatedError):
        await apart(cut_off())
    begun = asyncio.Event()

    async def long() -> None:
        begun.set()
        await asyncio.Event().wait()

    caller = asyncio.create_task(apart(long()))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller


@pytest.mark.parametrize("endpoint", ["", "host", "host:", ":1", "host:0", "host:70000", "host:１２"])
def test_an_endpoint_that_is_none_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        parse_endpoint(endpoint, TOKEN, None)


def test_endpoints() -> None:
    there = parse_endpoint("[::1]:8788", f" {TOKEN}\n", None)
    assert (there.host, there.port, there.token) == ("::1", 8788, TOKEN)
    assert TOKEN not in repr(there)
    with pytest.raises(ValueError, match="token"):
        parse_endpoint("h:1", " ", None)


def test_a_ca_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "none.pem"):
        with pytest.raises(ValueError, match=name):
            WechatyChannel(
                name="t",
                endpoint="h:1",
                token=TOKEN,
                files_dir=tmp_path,
                clock=HostClock(),
                tls=TlsConfig(tmp_path / name),
            )


# -- files


@dataclass
class Chunk:
    data: bytes = b""
    name: str = ""

    @property
    def file_box_chunk(self) -> Chunk:
        return self


class FileStub:
    def __init__(self, *chunks: Chunk) -> None:
        self._chunks = chunks
        self.raw = self  # as `Calls` has it

    async def message_file_stream(self, *, id: str) -> AsyncIterator[Chunk]:
        del id
        for chunk in self._chunks:
            yield chunk


async def test_a_file_without_a_name_in_its_payload_takes_that_of_the_box(tmp_path: Path) -> None:
    stub = FileStub(Chunk(name="名单.xlsx"), Chunk(b"ab"), Chunk(b"c"))
    first = await fetch(stub, "m", tmp_path, name="", seconds=1)
    again = await fetch(stub, "m2", tmp_path, name="", seconds=1)
    assert first == again and first.path.read_bytes() == b"abc"
    assert (first.name, len(list(tmp_path.iterdir()))) == ("名单.xlsx", 1)


async def test_a_disk_that_refuses_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file where the folder should be")
    with pytest.raises(FileProblem, match="无法写入"):
        await fetch(FileStub(Chunk(b"x")), "m", tmp_path / "files", name="a", seconds=1)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\a\\b.jpg", "b.jpg"),
        (".htaccess", "htaccess"),
        ("报告（终）.pdf", "报告（终）.pdf"),
        ("a b\n;rm.sh", "a_b_rm.sh"),
        ("长" * 100 + ".jpeg", "长" * 55 + ".jpeg"),
        ("///", "file"),
    ],
)
def test_file_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_box_holds_the_file_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "图.png"
    path.write_bytes(b"x" * MOST_SENT_BYTES)
    assert json.loads(box(path))["name"] == "图.png"
    path.write_bytes(b"x" * (MOST_SENT_BYTES + 1))
    with pytest.raises(PermanentError, match=r"2\.5 MiB"):
        box(path)


# -- names


@dataclass
class Member:
    room_alias: str = ""
    name: str = ""


class NameStub:
    def __init__(self) -> None:
        self.asked = 0
        self.alias: str | None = "张三（网格员）"

    async def room_member_payload(self, *, id: str, member_id: str) -> Member:
        self.asked += 1
        if self.alias is None:
            raise GRPCError(Status.UNKNOWN, "no member")
        return Member(self.alias)

    async def contact_payload(self, *, id: str) -> Member:
        raise GRPCError(Status.UNKNOWN, "no contact")


async def test_a_name_is_asked_once_per_lifetime_and_again_when_dirty() -> None:
    stub = NameStub()
    names = Names(lambda _: stub, deadline=1, live=600)
    got = await asyncio.gather(*(names.of("r", "zhang") for _ in range(50)))
    assert set(got) == {"张三（网格员）"} and stub.asked == 1
    stub.alias = "张三（新）"
    assert await names.of("r", "zhang") == "张三（网格员）"
    names.forget("r")
    assert await names.of("r", "zhang") == "张三（新）"
    stub.alias = None
    names.forget("zhang")
    assert await names.of("r", "zhang") == "张三（新）", "the last known one, where none can be had"
    assert await names.of("r", "li") == "li"
    await names.close()
