"""One gRPC connection to a Wechaty gateway: token, keepalive, deadlines, and what each failure means."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from grpclib.client import Channel as GrpcChannel
from grpclib.config import Configuration
from grpclib.const import Status
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError

from bot.channels.base import ChannelError, PermanentError, TemporaryError, UnknownResult
from bot.channels.wechaty_stubs import PuppetStub
from bot.channels.wechaty_text import storable
from bot.channels.wechaty_tls import TlsConfig, explain, make_context

MOST_ERROR_CHARS = 200

# What a call over this connection can raise; TimeoutError and ssl.SSLError are OSErrors.
# AssertionError is betterproto's when a stream ends without a reply.
CALL_ERRORS = (GRPCError, StreamTerminatedError, ProtocolError, OSError, AssertionError)

# The gateway hands a puppet's exception on as status UNKNOWN with its words; these say more than the status.
_REFUSED_FOR_GOOD = ("not found", "not exist", "no payload", "no such", "larger than max", "banned", "invalid")
_MAYBE_SENT = ("timeout", "timed out", "timedout", "econnreset", "socket hang up", "aborted")
_GOOD_STATUS = frozenset({Status.INVALID_ARGUMENT, Status.NOT_FOUND, Status.OUT_OF_RANGE, Status.UNIMPLEMENTED})
_MAYBE_STATUS = frozenset(
    {Status.CANCELLED, Status.DEADLINE_EXCEEDED, Status.UNAVAILABLE, Status.INTERNAL, Status.ABORTED}
)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the channel waits, in seconds; the defaults are those of a real gateway."""

    connect: float = 10.0
    ping_every: float = 10.0  # HTTP/2 keepalive: a frozen gateway is noticed within the sum of the two
    ping_answer: float = 5.0
    greeting: float = 5.0  # of the first heartbeat after connecting; older gateways send none
    start: float = 20.0  # the gateway itself gives the puppet 15
    payload: float = 10.0
    payload_tries: int = 3
    name: float = 3.0  # a nickname is worth no more: some puppets search 50 s for an unknown member
    reconnect_wait: float = 60.0  # a payload asked for when the gateway went away waits this long for it
    file: float = 30.0
    send: float = 15.0
    ding: float = 15.0
    try_every: float = 60.0  # after so long without a word, the way to the puppet and back is tried
    rooms: float = 10.0  # the whole list of rooms after a login
    rooms_every: float = 600.0  # topics are read again, for puppets that tell of no rename
    names_live: float = 600.0
    least_silence: float = 90.0
    taken_slot: float = 60.0  # how long another client may hold the event stream before a person is told


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a gateway is and how to enter. `token` is a secret: it never shows in `repr` or in an error."""

    host: str
    port: int
    token: str
    tls: TlsConfig | None = None

    def __repr__(self) -> str:
        return f"Endpoint({self.host}:{self.port}, tls={self.tls is not None})"


def parse_endpoint(endpoint: str, token: str, tls: TlsConfig | None) -> Endpoint:
    """`host:port` or `[v6]:port`; ValueError says what is wrong."""
    host, _, port = endpoint.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise ValueError(f"the gateway's endpoint must be host:port, not {endpoint!r}")
    if not token.strip():
        raise ValueError("the gateway's token is empty")
    return Endpoint(host, int(port), token.strip(), tls)


class Link:
    """An open connection. It never reopens itself: whoever owns it makes a new one."""

    def __init__(self, endpoint: Endpoint, timing: Timing) -> None:
        self._endpoint = endpoint
        self._timing = timing
        self._metadata = {"authorization": f"Wechaty {endpoint.token}"}
        tls = endpoint.tls
        # At DEBUG hpack logs every header in clear, the token among them.
        logging.getLogger("hpack").setLevel(logging.INFO)
        self._channel = GrpcChannel(
            endpoint.host,
            endpoint.port,
            ssl=make_context(tls) if tls else None,
            config=Configuration(
                _keepalive_time=timing.ping_every,
                _keepalive_timeout=timing.ping_answer,
                _keepalive_permit_without_calls=True,
                _http2_max_pings_without_data=0,
                # grpclib skips a ping that is due a hair early; half the interval lets each one through
                _http2_min_sent_ping_interval_without_data=timing.ping_every / 2,
                ssl_target_name_override=(tls.server_name if tls else None),
            ),
        )
        self._open = False

    @property
    def is_open(self) -> bool:
        return self._open and self._channel._connected

    async def connect(self) -> None:
        """Open the connection; OSError (TimeoutError and ssl.SSLError are two) if that fails."""
        async with asyncio.timeout(self._timing.connect):
            protocol = await self._channel.__connect__()
        _close_without_waiting(protocol.processor.connection)
        self._open = True

    def stub(self, seconds: float) -> Calls:
        """The gateway's calls, each with a deadline of `seconds`."""
        return Calls(PuppetStub(self._channel, timeout=seconds, metadata=self._metadata))

    def events(self) -> AsyncGenerator[Any, None]:
        """The event stream, without a deadline; read it in a task of its own."""
        stream: AsyncGenerator[Any, None] = PuppetStub(self._channel, metadata=self._metadata).event()
        return stream

    def close(self) -> None:
        """Drop the connection; every call on it fails at once."""
        self._open = False
        self._channel.close()


async def apart(call: Coroutine[Any, Any, Any]) -> Any:
    """Await grpclib in a task of its own; StreamTerminatedError where that task was cancelled by grpclib.

    grpclib wakes a waiting caller by cancelling its task. When a connection dies at an unlucky moment that
    CancelledError gets out, and would end without a word whichever loop of ours was waiting.
    """
    task = asyncio.create_task(call)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
    if task.cancelled():
        raise StreamTerminatedError("the call was cut off")
    return task.result()


class Calls:
    """The stub's calls by name, each awaited apart. `raw` is the stub itself, for the calls that stream."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        call = getattr(self.raw, name)
        return lambda **values: apart(call(**values))


def _close_without_waiting(connection: Any) -> None:
    """Make a missed ping cut the connection at once.

    grpclib closes it politely, which first waits for unsent bytes to leave or for the TLS farewell: a frozen
    gateway takes neither, and the calls would hang for as long as it does.
    """
    transport, politely = connection._transport, connection.close

    def close() -> None:
        politely()
        transport.abort()

    connection.close = close


def redact(text: str, token: str) -> str:
    """One line, without the token (the gateway echoes a wrong one) and not too long."""
    line = " ".join(storable(text).split())
    return (line.replace(token, "***") if token else line)[:MOST_ERROR_CHARS]


def describe(error: BaseException, token: str) -> str:
    """What happened, for logs and operators: no token, no traceback."""
    if isinstance(error, GRPCError):
        return redact(f"{error.status.name}: {error.message or ''}", token)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return redact(explain(error), token)
    return redact(f"{type(error).__name__}: {error}", token)


def send_error(error: BaseException, token: str) -> ChannelError:
    """What a failed send means, once the connection stood: was anything said in the group?"""
    words = describe(error, token)
    if isinstance(error, StreamTerminatedError) or not isinstance(error, GRPCError):
        return UnknownResult(words)
    lower = (error.message or "").lower()
    if error.status is Status.UNAUTHENTICATED or error.status is Status.PERMISSION_DENIED:
        return TemporaryError(words)
    if error.status in _GOOD_STATUS or any(mark in lower for mark in _REFUSED_FOR_GOOD):
        return PermanentError(words)
    if error.status in _MAYBE_STATUS or any(mark in lower for mark in _MAYBE_SENT):
        return UnknownResult(words)
    return TemporaryError(words)


async def probe(endpoint: str, token: str, tls: TlsConfig | None = None, *, timing: Timing | None = None) -> str | None:
    """None when the gateway can be reached with this token, else what is wrong and what to do about it.

    Asks for the version only: nothing is started, and a running bot is not disturbed.
    """
    timing = timing or Timing()
    try:
        where = parse_endpoint(endpoint, token, tls)
        link = Link(where, timing)
    except ValueError as error:
        return redact(str(error), token)
    try:
        await link.connect()
    except TimeoutError:
        return f"{endpoint}: no answer within {timing.connect:g} s; is the address right, does a firewall drop it?"
    except ssl.SSLError as error:
        return f"{endpoint}: {explain(error)}"
    except OSError as error:
        reason = redact(error.strerror or str(error), token)
        if tls is not None and isinstance(error, ConnectionResetError):
            return f"{endpoint}: closed during the TLS handshake; the gateway may not speak TLS on this port"
        return f"{endpoint}: cannot be reached ({reason}); is the gateway running?"
    try:
        await link.stub(timing.payload).version()
    except CALL_ERRORS as error:
        if isinstance(error, GRPCError) and error.status is Status.UNAUTHENTICATED:
            return f"{endpoint}: the gateway refuses the token; set the one it was started with"
        if isinstance(error, StreamTerminatedError | ProtocolError) and tls is None:
            return f"{endpoint}: closed the connection; it seems to expect TLS: set its CA, or disable TLS there"
        return f"{endpoint}: {describe(error, token)}"
    finally:
        link.close()
    return None
