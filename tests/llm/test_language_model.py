"""What is made of a model's answers: a word of the list in exactly the form asked for, or nothing; and never an error."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clock import SystemClock
from bot.language_model import LARGEST_ANSWER, Answer, LanguageModel, leaves_the_district
from storage.enums import Opinion
from tests.llm.double import CATEGORIES, Double, Reply, fails, raw, says, verdict

TEXT = "东头那个灯又不亮了"


def ask(double: Double, text: str = TEXT) -> Answer:
    async def run() -> Answer:
        model = double.model()
        try:
            return await model.ask(text, CATEGORIES)
        finally:
            await model.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    "reply, opinion, category",
    [
        (verdict("complaint", "市容环卫"), Opinion.COMPLAINT, "市容环卫"),
        (verdict("not"), Opinion.NOT, None),
        (verdict("unsure"), Opinion.UNSURE, None),
        (says({"verdict": "complaint"}), Opinion.COMPLAINT, None),
    ],
)
def test_an_answer_in_the_form_asked_for(reply: Reply, opinion: Opinion, category: str | None) -> None:
    assert ask(Double(reply)) == Answer(opinion, category)


@pytest.mark.parametrize(
    "reply",
    [
        says("这是诉求"),
        says('好的：{"verdict":"complaint","category":null}'),
        says('```json\n{"verdict":"complaint","category":null}\n```'),
        says('{"verdict":"complaint"'),
        says({"verdict": "complaint", "unit": "区水务局"}),
        says({"verdict": "complaint", "category": "市容环卫", "say": "大家好"}),
        says({"verdict": "是"}),
        says({"verdict": ["complaint"]}),
        says({"verdict": "complaint", "category": "我们没有的类别"}),
        says({"verdict": "complaint", "category": "市" * 21}),
        says({"verdict": "complaint", "category": 1}),
        says(" " * 400 + '{"verdict":"complaint"}'),
        says("[" * 250),
        raw(b""),
        raw(b'{"choices":['),
        raw(b'{"choices":[]}'),
        raw(b'{"choices":[{"message":{"content":null}}]}'),
        raw(b'{"choices":[{"message":{"tool_calls":[{"function":{"name":"send"}}]}}]}'),
        raw(b"\xff\xfe\x00"),
        raw(b"[" * 60_000),
    ],
)
def test_an_answer_in_any_other_form_is_discarded(reply: Reply) -> None:
    assert ask(Double(reply)) == Answer(Opinion.INVALID, None, 0, "an answer in another form than asked for")


@pytest.mark.parametrize(
    "reply, reason",
    [
        (raw(b"{}", 500), "status 500"),
        (raw(b"{}", 401), "status 401"),
        (raw(b"x" * (LARGEST_ANSWER + 1)), f"an answer of more than {LARGEST_ANSWER} bytes"),
        (raw(b"", 307, {"Location": "http://example.com/v1/chat/completions"}), "status 307"),
        (fails(httpx.ConnectError("refused")), "ConnectError"),
        (fails(httpx.RemoteProtocolError("cut")), "RemoteProtocolError"),
    ],
)
def test_an_address_that_fails_gives_no_opinion(reply: Reply, reason: str) -> None:
    double = Double(reply)
    assert ask(double) == Answer(Opinion.FAILED, None, 0, reason)
    assert {request.url.host for request in double.requests} == {"127.0.0.1"}  # nowhere else, whatever it answers


def test_a_compressed_answer_is_not_unpacked() -> None:
    assert ask(Double(raw(b"\x1f\x8b" + b"0" * 99, headers={"Content-Encoding": "gzip"}))).opinion is Opinion.INVALID


def test_a_server_that_knows_no_schema_is_asked_once_more_without_and_then_always_so() -> None:
    double = Double(raw(b"response_format?", 400), verdict("complaint"))
    model = double.model()

    async def run() -> list[Answer]:
        return [await model.ask(TEXT, CATEGORIES) for _ in range(2)]

    assert [answer.opinion for answer in asyncio.run(run())] == [Opinion.COMPLAINT] * 2
    assert ["response_format" in asked for asked in double.asked] == [True, False, False]


def test_a_server_that_refuses_both_ways_is_asked_twice_and_no_more() -> None:
    double = Double(raw(b"no", 400))
    assert ask(double).reason == "status 400"
    assert len(double.requests) == 2


def test_the_question() -> None:
    double = Double(verdict("not"))
    ask(double)
    [asked] = double.asked
    assert (asked["model"], asked["temperature"], asked["stream"], asked["max_tokens"]) == ("small", 0, False, 60)
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]
    assert json.loads(asked["messages"][1]["content"]) == {"text": TEXT}
    form = asked["response_format"]["json_schema"]
    assert form["strict"] and form["schema"]["additionalProperties"] is False
    assert form["schema"]["properties"]["verdict"]["enum"] == ["complaint", "not", "unsure"]
    [request] = double.requests
    assert str(request.url) == "http://127.0.0.1:8000/v1/chat/completions"
    assert request.headers["Authorization"] == "Bearer secret-key"


def test_an_address_without_a_key_is_sent_none() -> None:
    double = Double()
    asyncio.run(double.model(key="").ask(TEXT, CATEGORIES))
    assert "Authorization" not in double.requests[0].headers


def test_an_answer_that_does_not_come_is_given_up() -> None:
    answer = ask(Double(hangs=True, limit=0.05))
    assert (answer.opinion, answer.reason) == (Opinion.TIMEOUT, "no answer within 0.05 s")


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that sends a byte of its answer now and then, for ever: no pause is ever long."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        taken, _ = listening.accept()
        with taken:
            taken.recv(65_536)
            taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n")
            while not over.wait(0.02):
                try:
                    taken.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    over.set()
    thread.join()
    listening.close()


def test_a_real_server_that_answers_byte_by_byte_is_given_up_at_the_limit(dripping: str) -> None:
    async def run() -> Answer:
        model = LanguageModel(dripping, "small", "", SystemClock(), limit=0.3)
        try:
            return await model.ask(TEXT, CATEGORIES)
        finally:
            await model.close()

    answer = asyncio.run(run())
    assert answer.opinion is Opinion.TIMEOUT
    assert 250 <= answer.milliseconds < 5000


def test_the_environments_proxies_are_not_used(dripping: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, dripping.removesuffix("/v1"))
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()  # nobody listens there: through the proxy the call would hang instead

    async def run() -> Answer:
        return await LanguageModel(f"http://127.0.0.1:{port}/v1", "small", "", SystemClock(), limit=0.5).ask(TEXT, ())

    assert asyncio.run(run()).reason == "ConnectError"
    with socket.create_connection(("127.0.0.1", int(dripping.rsplit(":", 1)[1].removesuffix("/v1")))) as served:
        served.sendall(b"x")  # lets the server's thread end


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["verdict", "category", "choices", "message", "content", "x"]), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=200) | ANY_JSON.map(lambda each: json.dumps(each).encode()), status=st.integers(200, 599))
def test_no_reply_whatever_raises(body: bytes, status: int) -> None:
    assert ask(Double(raw(body, status))).opinion in (Opinion.INVALID, Opinion.FAILED)


@settings(max_examples=60, deadline=None)
@given(content=st.text(max_size=60) | ANY_JSON.map(json.dumps), text=st.text(max_size=60))
def test_whatever_the_model_says_is_an_opinion_of_the_list(content: str, text: str) -> None:
    answer = ask(Double(says(content)), text)
    assert answer.opinion in Opinion
    assert answer.category is None or answer.category in CATEGORIES


@pytest.mark.parametrize(
    "address, far",
    [
        ("http://127.0.0.1:8000/v1", False),
        ("http://localhost:8000/v1", False),
        ("http://[::1]:8000/v1", False),
        ("http://10.20.30.40/v1", False),
        ("http://192.168.1.5:11434/v1", False),
        ("https://8.8.8.8/v1", True),
        ("https://nobody-has-this-name.invalid/v1", True),
    ],
)
def test_an_address_outside_is_told_from_one_inside(address: str, far: bool) -> None:
    assert leaves_the_district(address) is far
