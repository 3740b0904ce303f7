"""What comes in: only what 企业微信 signed, each message once, its words, quote and pictures; anything else is a 4xx."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.responses import Response

from bot.channels import wework as module
from bot.channels import wework_messages
from bot.channels.base import ConnectionState, InboundMessage, Mention, PermanentError, QuoteRef
from bot.channels.wework import WeworkChannel
from bot.channels.wework_crypto import Seal, SealError, decode_key
from bot.clock import SystemClock, VirtualClock
from storage.enums import MessageType
from tests.wework.rig import KEY, OTHER, Alive, Heard, Robot, RoomsChanged, StateChange, listening, make_channel
from tests.wework.robot import AES_KEY, TOKEN, open_sealed, seal, seal_bytes, sign
from tests.wework.service import Service

NINE = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


class Still(VirtualClock):
    """Stands still; whoever sleeps waits until the test lets him go on."""

    def __init__(self) -> None:
        super().__init__(NINE)
        self.go_on = asyncio.Event()
        self._sleeps, self._slept = 0, asyncio.Condition()

    async def slept(self, times: int) -> None:
        """Until somebody went to sleep for the n-th time: what he did before is done."""
        async with asyncio.timeout(5), self._slept:
            await self._slept.wait_for(lambda: self._sleeps >= times)

    async def sleep(self, seconds: float) -> None:
        async with self._slept:
            self._sleeps += 1
            self._slept.notify_all()
        await self.go_on.wait()
        self.go_on.clear()
        self._now += timedelta(seconds=seconds)


class Bench:
    def __init__(self, folder: Path, heard: Heard, service: Service, clock: Still) -> None:
        self.folder, self.heard, self.service, self.clock = folder, heard, service, clock
        self.channel: WeworkChannel = heard.channel
        self.robot = Robot(self.channel._door.app, lambda: clock.now().timestamp())


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock = Still()
    service = Service({KEY, OTHER}, clock.monotonic)
    async with listening(make_channel(service, clock, tmp_path)) as heard:
        await heard.until(lambda: heard.of(StateChange))
        yield Bench(tmp_path, heard, service, clock)


def test_the_documents_own_example_is_signed_and_opened_as_they_say() -> None:
    """Document 90968. It is sealed for an application, whose receive id follows the text: not for a robot."""
    given_key = Seal("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C")
    sealed = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
    assert given_key.signature("1409659589", "263014780", sealed) == "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"
    assert given_key.open_bytes(base64.b64decode(sealed))[20:] == b"1616140317555161061wx5823bf96d3bd56c7"
    with pytest.raises(SealError):
        given_key.open(sealed)


@pytest.mark.parametrize("wrong", ["", "a" * 42, "a" * 44, "a" * 42 + "=", "水" * 43, "a" * 42 + "-"])
def test_a_key_of_another_form_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="43 letters and digits"):
        decode_key(wrong)


@given(st.binary(max_size=300))
def test_what_is_sealed_opens_again_by_either_side(message: bytes) -> None:
    ours = Seal(TOKEN, AES_KEY)
    assert ours.open(seal(message)) == message
    assert open_sealed(ours.seal(message)) == message


async def test_the_address_is_verified_with_the_bare_words(bench: Bench) -> None:
    answer = await bench.robot.verify("1616140317555161061")
    assert (answer.status_code, answer.content) == (200, b"1616140317555161061")


async def test_a_message_comes_in_with_its_chat_sender_words_and_time_and_is_answered_when_stored(bench: Bench) -> None:
    answer = await bench.robot.say("wr-town", "zhou3", "@派单助手 领1", quote="1号工单，请领办", id="m1")
    assert (answer.status_code, answer.content) == (200, b"")
    [got] = bench.heard.messages
    assert got == InboundMessage(
        room_id="wr-town", message_id="m1", sender_id="zhou3", sender_name="zhou3", type=MessageType.TEXT, text="领1",
        sent_at=NINE, received_at=NINE, mentions=(), mentions_bot=True, quote=QuoteRef(None, "", "1号工单，请领办"),
        raw={"msgtype": "text", "msgid": "m1", "aibotid": "aib-1"},
    )  # fmt: skip


async def test_other_names_stay_in_the_words_and_the_names_before_a_quoted_text_do_not(bench: Bench) -> None:
    await bench.robot.say("wr-town", "zhou1", "@派单助手 指派 @周样三", quote="@周样三 @派单助手 1号工单，请领办")
    [got] = bench.heard.messages
    assert (got.text, got.mentions) == ("指派 @周样三", ("周样三",))
    assert got.quote == QuoteRef(None, "", "1号工单，请领办")


async def test_the_same_message_told_again_is_handed_on_once(bench: Bench) -> None:
    for _ in range(3):
        assert (await bench.robot.say("wr-town", "zhou3", "@派单助手 领1", id="m1")).status_code == 200
    assert len(bench.heard.messages) == 1


async def test_what_cannot_be_stored_in_time_is_answered_503_and_is_stored_when_told_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "KEEP_SECONDS", 0.01)
    bench.heard.keeps = False
    assert (await bench.robot.say("wr-town", "zhou3", "@派单助手 领1", id="m1")).status_code == 503
    [got] = bench.heard.messages
    assert got.kept is not None
    got.kept()
    assert (await bench.robot.say("wr-town", "zhou3", "@派单助手 领1", id="m1")).status_code == 200
    assert len(bench.heard.messages) == 1
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == ["wework.not_kept"]


async def test_words_with_pictures_come_as_words_and_pictures_each_opened_and_named(bench: Bench) -> None:
    bench.service.downloads["a"] = lambda: Response(seal_bytes(PNG))
    bench.service.downloads["b"] = lambda: Response(seal_bytes(b"\xff\xd8\xff picture"))
    items = [
        {"msgtype": "text", "text": {"content": "@派单助手 垃圾成堆"}},
        {"msgtype": "image", "image": {"url": "https://files.test/files/a"}},
        {"msgtype": "image", "image": {"url": "https://files.test/files/b"}},
    ]
    await bench.robot.tell(bench.robot.body("wr-town", "ge", "m1", msgtype="mixed", mixed={"msg_item": items}))
    await bench.heard.until(lambda: len(bench.heard.messages) == 3)
    words, first, second = bench.heard.messages
    assert (words.type, words.text, words.message_id) == (MessageType.TEXT, "垃圾成堆", "m1")
    assert (first.type, first.message_id, first.file_name) == (MessageType.IMAGE, "m1#1", "file.png")
    assert (second.message_id, second.file_name) == ("m1#2", "file.jpg")
    assert first.file is not None and first.file.read_bytes() == PNG and first.file.parent == bench.folder


async def test_a_file_keeps_the_name_that_the_server_tells_without_its_path(bench: Bench) -> None:
    told = {"content-disposition": "attachment; filename*=UTF-8''..%2F%E5%8F%B0%E8%B4%A6.xlsx"}
    bench.service.downloads["f"] = lambda: Response(seal_bytes(b"PK\x03\x04 table"), headers=told)
    url = "https://files.test/files/f"
    await bench.robot.tell(bench.robot.body("", "zhou3", "m1", msgtype="file", file={"url": url}))
    [got] = bench.heard.messages
    assert (got.type, got.room_id, got.file_name) == (MessageType.FILE, "", "台账.xlsx")


def large() -> Response:
    return Response(b"\0" * (20 * 2**20 + 16))


@pytest.mark.parametrize(
    ("url", "answer", "why"),
    [
        ("https://files.test/files/none", None, "404"),
        ("http://files.test/files/x", None, "没有可用的下载地址"),
        ("file:///etc/passwd", None, "没有可用的下载地址"),
        ("https://files.test/\x01", None, "给不出这个文件"),
        ("", None, "没有可用的下载地址"),
        ("https://files.test/files/x", lambda: Response(PNG), "解不开"),
        ("https://files.test/files/x", lambda: Response(b""), "解不开"),
        ("https://files.test/files/x", lambda: Response(seal_bytes(b"")), "内容为空"),
        ("https://files.test/files/x", large, "超过 20 MB"),
        ("https://files.test/files/x", lambda: Response("", 302, {"location": "https://files.test/files/y"}), "302"),
    ],
)
async def test_a_picture_that_cannot_be_had_is_told_as_such_and_nothing_is_left_behind(
    bench: Bench, url: str, answer: Callable[[], Response] | None, why: str
) -> None:
    if answer is not None:
        bench.service.downloads["x"] = answer
    await bench.robot.tell(bench.robot.body("", "zhou3", "m1", msgtype="image", image={"url": url}))
    await bench.heard.until(lambda: bench.heard.messages)
    [got] = bench.heard.messages
    assert got.file is None and why in (got.file_problem or "")
    assert list(bench.folder.iterdir()) == []


async def test_a_voice_comes_as_the_words_that_were_understood_and_what_is_unknown_is_kept_as_such(
    bench: Bench,
) -> None:
    await bench.robot.tell(bench.robot.body("", "zhou3", "v", msgtype="voice", voice={"content": "收到"}))
    await bench.robot.tell(bench.robot.body("", "zhou3", "u", msgtype="location", location={}))
    assert [(m.type, m.text) for m in bench.heard.messages] == [(MessageType.TEXT, "收到"), (MessageType.UNKNOWN, "")]


async def test_an_event_is_answered_and_says_nothing(bench: Bench) -> None:
    body = {"msgid": "e", "msgtype": "event", "event": {"eventtype": "enter_chat"}, "from": {"userid": "zhou3"}}
    assert (await bench.robot.tell(body)).status_code == 200
    assert not bench.heard.messages


async def test_a_group_in_no_list_is_told_its_number_in_a_sealed_answer(bench: Bench) -> None:
    answer = await bench.robot.say("wr-new", "zhou3", "@派单助手 在吗")
    told = answer.json()
    assert told["msgsignature"] == sign(told["encrypt"], str(told["timestamp"]), told["nonce"])
    within = json.loads(open_sealed(told["encrypt"]))
    assert within["msgtype"] == "stream" and within["stream"]["finish"] is True
    assert within["stream"]["content"] == "本群编号 wr-new"
    assert len(bench.heard.messages) == 1  # it is handed on as well: an administrator may bind the group from inside


async def test_a_private_message_can_be_answered_once_within_the_hour(bench: Bench) -> None:
    bench.service.responses["code-1"] = bench.clock.monotonic()
    await bench.robot.say("", "zhou3", "帮助")
    await bench.channel.send_text("zhou3", "可以说：领1")
    assert [(said.key, said.text) for said in bench.service.said] == [("response:code-1", "可以说：领1")]
    with pytest.raises(PermanentError):
        await bench.channel.send_text("zhou3", "再说一句")
    await bench.robot.say("", "zhou3", "帮助")
    bench.clock.move_to(NINE + timedelta(hours=1))
    with pytest.raises(PermanentError):
        await bench.channel.send_text("zhou3", "太晚了")


async def test_an_answer_is_never_sent_to_an_address_that_is_not_the_services(bench: Bench) -> None:
    body = bench.robot.body("", "zhou3", msgtype="text", text={"content": "帮助"})
    await bench.robot.tell({**body, "response_url": "https://qyapi.weixin.qq.com.example.test/steal"})
    with pytest.raises(PermanentError):
        await bench.channel.send_text("zhou3", "答")


# ---- strangers and garbage -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instead", "status"),
    [
        ({"msg_signature": "0" * 40}, 403),
        ({"msg_signature": "签名"}, 403),
        ({"msg_signature": ""}, 400),
        ({"nonce": "another"}, 403),  # the signature no longer fits
        ({"timestamp": ""}, 400),
    ],
)
async def test_what_is_not_signed_is_refused(bench: Bench, instead: dict[str, str], status: int) -> None:
    assert (await bench.robot.verify("x", **instead)).status_code == status
    body = bench.robot.body("wr-town", "zhou3", msgtype="text", text={"content": "领1"})
    assert (await bench.robot.tell(body, **instead)).status_code == status
    assert not bench.heard.messages


@pytest.mark.parametrize(
    ("timestamp", "status"),
    [
        (str(int(NINE.timestamp()) - 301), 403),
        (str(int(NINE.timestamp()) + 301), 403),
        (str(int(NINE.timestamp()) - 300), 200),
        ("12a", 400),
        ("1" * 13, 400),
        ("١٢٣", 400),
    ],
)
async def test_an_old_request_that_is_well_signed_is_refused(bench: Bench, timestamp: str, status: int) -> None:
    sealed = seal(b"x")
    answer = await bench.robot.verify("x", **bench.robot.signed(sealed, timestamp=timestamp), echostr=sealed)
    assert answer.status_code == status


async def test_what_is_sealed_with_another_key_or_for_another_receiver_is_refused(bench: Bench) -> None:
    for sealed in (seal(b"{}", key="Z" * 43), seal(b"{}", receiver="wx5823"), "!!!", "AAAA"):
        body = json.dumps({"encrypt": sealed}).encode()
        assert (await bench.robot.post_raw(body, bench.robot.signed(sealed))).status_code == 400


async def test_a_body_over_a_megabyte_is_not_read_on(bench: Bench) -> None:
    assert (await bench.robot.post_raw(b" " * (2**20 + 1), bench.robot.signed("x"))).status_code == 413


async def test_nothing_else_is_served_there(bench: Bench) -> None:
    transport = httpx.ASGITransport(bench.channel._door.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bot.test") as anybody:
        assert [(await anybody.get(path)).status_code for path in ("/", "/login", "/health", "/metrics", "/docs")] == [
            404
        ] * 5
        assert (await anybody.delete("/wework")).status_code == 405


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
keys = st.sampled_from(["msgid", "msgtype", "chattype", "chatid", "from", "text", "mixed", "quote", "image", "url"])
bodies = st.dictionaries(keys, json_values | st.sampled_from(["group", "text", "mixed", "image"]), max_size=10)


@settings(max_examples=60)
@given(body=json_values | bodies)
def test_no_body_breaks_the_reading(body: object) -> None:
    got = wework_messages.read(body, bot_name="派单助手", sent_at=NINE, received_at=NINE)
    for part in got.parts if got else ():
        assert part.message.message_id and part.message.sender_id


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(body=st.binary(max_size=200) | json_values.map(lambda v: json.dumps(v).encode()), signed=st.booleans())
def test_garbage_is_answered_4xx_and_never_raises(tmp_path: Path, body: bytes, signed: bool) -> None:
    """Outside, as a stranger sends it; and inside a seal that is right."""

    async def send() -> int:
        clock = SystemClock()
        channel = make_channel(Service(set(), clock.monotonic), clock, tmp_path)
        robot = Robot(channel._door.app, lambda: clock.now().timestamp())
        answer = await (robot.post(body) if signed else robot.post_raw(body, robot.signed("x")))
        await channel.close()
        return answer.status_code

    assert 400 <= asyncio.run(send()) < 500


# ---- whether it works ------------------------------------------------------------------------------------------------


async def test_it_is_online_once_it_listens_and_the_service_answers_and_lists_the_groups(bench: Bench) -> None:
    [rooms] = bench.heard.of(RoomsChanged)
    assert [(room.room_id, room.topic) for room in rooms.rooms] == [
        ("wr-town", "庙城镇见诉领办工作群"),
        ("topic:区接诉即办督查群", "区接诉即办督查群"),
    ]
    assert [state.state for state in bench.heard.of(StateChange)] == [ConnectionState.ONLINE]


async def test_a_quiet_night_is_told_as_being_alive_and_not_as_silence(bench: Bench) -> None:
    for number in range(1, 4):
        bench.clock.go_on.set()
        await bench.heard.until(lambda number=number: len(bench.heard.of(Alive)) == number)
    assert bench.heard.of(Alive)[-1].at == NINE + timedelta(seconds=60)
    assert len(bench.heard.of(StateChange)) == 1


class Looks:
    """A service that can be away, and a public address that leads to the bot or elsewhere."""

    def __init__(self) -> None:
        self.away = False
        self.app: httpx.ASGITransport | None = None

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "qyapi.weixin.qq.com":
            if self.away:
                raise httpx.ConnectError("away")
            return httpx.Response(404)
        return await self.app.handle_async_request(request) if self.app else httpx.Response(502)


async def test_an_address_that_no_longer_leads_to_the_bot_is_offline_after_two_looks_and_online_after_one(
    tmp_path: Path,
) -> None:
    """A proxy that stands wrong: complaints would vanish, and units be blamed for answers that nobody heard."""
    looks, clock = Looks(), Still()
    http = httpx.AsyncClient(transport=httpx.MockTransport(looks.handle))
    channel = make_channel(
        Service(set(), clock.monotonic), clock, tmp_path, http=http, public_url="https://lingban.test/wework"
    )
    looks.app = httpx.ASGITransport(channel._door.app)
    async with listening(channel) as heard:
        await heard.until(lambda: heard.of(StateChange))
        looks.app = None
        clock.go_on.set()
        await clock.slept(2)  # one look that failed is no outage
        assert len(heard.of(StateChange)) == 1
        clock.go_on.set()
        await heard.until(lambda: len(heard.of(StateChange)) == 2)
        looks.app = httpx.ASGITransport(channel._door.app)
        clock.go_on.set()
        await heard.until(lambda: len(heard.of(StateChange)) == 3)
        told = [(state.state, state.detail) for state in heard.of(StateChange)]
    assert told == [
        (ConnectionState.ONLINE, ""),
        (ConnectionState.OFFLINE, "WEWORK_PUBLIC_URL does not lead to this bot (HTTP 502)"),
        (ConnectionState.ONLINE, ""),
    ]


async def test_a_service_that_is_away_from_the_start_is_told_once_and_the_callback_still_hears(tmp_path: Path) -> None:
    looks, clock = Looks(), Still()
    looks.away = True
    http = httpx.AsyncClient(transport=httpx.MockTransport(looks.handle))
    channel = make_channel(Service(set(), clock.monotonic), clock, tmp_path, http=http)
    robot = Robot(channel._door.app, lambda: clock.now().timestamp())
    async with listening(channel) as heard:
        await heard.until(lambda: heard.of(StateChange))
        clock.go_on.set()
        assert (await robot.say("wr-town", "zhou3", "@派单助手 领1")).status_code == 200
        looks.away = False
        clock.go_on.set()
        await heard.until(lambda: len(heard.of(StateChange)) == 2)
        assert [state.state for state in heard.of(StateChange)] == [ConnectionState.OFFLINE, ConnectionState.ONLINE]


async def test_a_port_that_is_taken_is_told_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Still()
    taken = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    service = Service(set(), clock.monotonic)
    async with taken:
        async with listening(make_channel(service, clock, tmp_path, port=port, serve=None)) as heard:
            await heard.until(lambda: heard.of(StateChange))
            [state] = heard.of(StateChange)
            assert state.state is ConnectionState.OFFLINE and f"WEWORK_PORT {port}" in state.detail
            taken.close()
            await taken.wait_closed()
            clock.go_on.set()
            await heard.until(lambda: len(heard.of(StateChange)) == 2)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as anybody:
                assert (await anybody.get("/wework")).status_code == 400
                assert (await anybody.get("/")).status_code == 404
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == ["wework.cannot_listen"]
    assert not [r for r in caplog.records if r.name == "uvicorn.access"]  # an address holds signatures


# ---- what goes out ---------------------------------------------------------------------------------------------------


async def test_whom_a_prompt_is_for_is_called_by_userid_and_whoever_has_none_is_named_at_the_end(bench: Bench) -> None:
    people = [Mention("周样三", "zhou3"), Mention("周样四", None), Mention("周样五", None), Mention("周样三", "zhou3")]
    await bench.channel.send_text("wr-town", "1号工单，请领办", people)
    [said] = bench.service.said
    assert (said.key, said.text, said.mentioned) == (KEY, "1号工单，请领办\n@周样四 @周样五", ("zhou3",))


async def test_more_names_than_fit_are_left_off_and_the_text_is_whole(bench: Bench) -> None:
    text = "水" * 600
    await bench.channel.send_text("wr-town", text, [Mention(f"周样某{n}", None) for n in range(100)])
    [said] = bench.service.said
    assert said.text.startswith(text) and 2000 < len(said.text.encode()) <= 2048


async def test_a_group_whose_number_nobody_knows_is_spoken_to_all_the_same(bench: Bench) -> None:
    await bench.channel.send_text("topic:区接诉即办督查群", "逾期提醒")
    assert bench.service.texts(OTHER) == ["逾期提醒"]


@pytest.mark.parametrize("text", ["", "  \n"])
async def test_an_empty_text_and_an_unknown_group_are_refused_for_good(
    bench: Bench, tmp_path: Path, text: str
) -> None:
    with pytest.raises(PermanentError):
        await bench.channel.send_text("wr-town", text)
    with pytest.raises(PermanentError):
        await bench.channel.send_text("wr-nobody", "喂")
    with pytest.raises(PermanentError):
        await bench.channel.send_file("wr-nobody", tmp_path / "x.png")
    assert bench.service.calls == 0
