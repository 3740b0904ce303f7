"""What goes out by a webhook: taken by a service that follows the documents, or failed in one of three told ways."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from bot.channels.base import PermanentError, TemporaryError, UnknownResult
from bot.channels.wework_webhook import Webhooks
from bot.clock import VirtualClock
from tests.wework.service import Said, Service

NINE = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)
KEY, OTHER = "3f1c2d7a-0000-4000-8000-00000000000a", "3f1c2d7a-0000-4000-8000-00000000000b"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


class Bench:
    def __init__(self) -> None:
        self.clock = VirtualClock(NINE)
        self.service = Service({KEY, OTHER}, self.clock.monotonic)
        self.webhooks = Webhooks(self.service.client(), self.clock)


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_text_arrives_and_names_its_people_by_userid(bench: Bench) -> None:
    await bench.webhooks.text(KEY, "1号工单，请领办", ["zhou3", "zhou4"])
    assert bench.service.said == [Said(KEY, "text", "1号工单，请领办", ("zhou3", "zhou4"))]


async def test_2048_bytes_go_and_one_more_is_refused_without_a_call(bench: Bench) -> None:
    await bench.webhooks.text(KEY, "水" * 682 + "ab")
    with pytest.raises(PermanentError, match="2049 bytes"):
        await bench.webhooks.text(KEY, "水" * 683)
    assert bench.service.calls == 1


async def test_a_png_goes_as_a_picture_with_its_md5(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "日报.png").write_bytes(PNG)
    await bench.webhooks.file(KEY, tmp_path / "日报.png")
    assert bench.service.said == [Said(KEY, "image", content=PNG)]


async def test_a_workbook_and_a_picture_over_2_mb_go_as_files_under_their_names(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "台账.xlsx").write_bytes(b"PK\x03\x04 table")
    (tmp_path / "大图.png").write_bytes(PNG + b"\0" * 2 * 2**20)
    for name in ("台账.xlsx", "大图.png"):
        await bench.webhooks.file(KEY, tmp_path / name)
    assert [(said.kind, said.name) for said in bench.service.said] == [("file", "台账.xlsx"), ("file", "大图.png")]


@pytest.mark.parametrize("content", [None, b"", b"12345", b"\0" * (20 * 2**20 + 1)])
async def test_a_file_that_is_not_there_or_of_a_size_not_taken_is_refused_for_good(
    bench: Bench, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "x.bin").write_bytes(content)
    with pytest.raises(PermanentError):
        await bench.webhooks.file(KEY, tmp_path / "x.bin")
    assert bench.service.said == []


async def test_the_21st_of_a_minute_waits_for_its_turn_and_the_other_groups_do_not(bench: Bench) -> None:
    for number in range(20):
        await bench.webhooks.text(KEY, f"第{number}条")
        bench.clock.move_to(datetime.fromtimestamp(NINE.timestamp() + number + 1, UTC))
    with pytest.raises(TemporaryError) as held:
        await bench.webhooks.text(KEY, "第21条")
    assert (held.value.wait, bench.service.calls) == (40.0, 20)  # the first was sent 20 seconds ago
    await bench.webhooks.text(OTHER, "别的群")
    await bench.clock.sleep(40)
    await bench.webhooks.text(KEY, "第21条")
    assert bench.service.texts(KEY)[-1] == "第21条"


async def test_a_service_that_says_too_often_is_left_alone_for_a_minute_and_only_for_that_group(bench: Bench) -> None:
    """After a restart our own count is empty while the service's is not."""
    for _ in range(20):
        await bench.webhooks.text(KEY, "旧进程")
    again = Webhooks(bench.service.client(), bench.clock)
    for _ in range(3):
        with pytest.raises(TemporaryError) as told:
            await again.text(KEY, "新进程")
        assert told.value.wait == 60.0
    await again.text(OTHER, "别的群")
    assert bench.service.calls == 22
    await bench.clock.sleep(60)
    await again.text(KEY, "新进程")


async def test_a_wrong_key_is_refused_for_good_and_never_shown(bench: Bench) -> None:
    with pytest.raises(PermanentError, match="errcode 93000: the webhook key is wrong") as refused:
        await bench.webhooks.text("no-such-key-1234", "喂")
    assert "no-such-key-1234" not in str(refused.value)


def raising(error: Exception) -> Callable[[], None]:
    def happen() -> None:
        raise error

    return happen


@pytest.mark.parametrize("error", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.ProxyError("x")])
async def test_what_could_not_connect_was_not_sent(bench: Bench, error: Exception) -> None:
    bench.service.before = raising(error)
    with pytest.raises(TemporaryError):
        await bench.webhooks.text(KEY, "喂")


@pytest.mark.parametrize("error", [httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x"), httpx.ReadError("x")])
async def test_what_was_cut_off_after_the_question_is_unknown(bench: Bench, error: Exception) -> None:
    bench.service.after = raising(error)
    with pytest.raises(UnknownResult):
        await bench.webhooks.text(KEY, "喂")
    assert bench.service.texts(KEY) == ["喂"]  # it had arrived


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Response("<html>502 Bad Gateway</html>", 502), UnknownResult),
        (Response("", 200), UnknownResult),
        (JSONResponse([1]), UnknownResult),
        (JSONResponse({"errcode": None}), UnknownResult),
        (JSONResponse({"errcode": True}), UnknownResult),
        (Response("slow down", 429), TemporaryError),
        (JSONResponse({"errcode": -1, "errmsg": "system busy"}), TemporaryError),
        (JSONResponse({"errcode": 45033, "errmsg": "concurrent"}), TemporaryError),
        (JSONResponse({"errcode": 40058, "errmsg": "too long"}), PermanentError),
        (JSONResponse({"errcode": 93004, "errmsg": "robot stopped"}), PermanentError),
        (JSONResponse({"errcode": 301019, "errmsg": "md5"}), PermanentError),
    ],
)
async def test_each_answer_is_one_of_three_failures(
    bench: Bench, answer: Response, expected: type[Exception]
) -> None:
    bench.service.answer_with = answer
    with pytest.raises(expected):
        await bench.webhooks.text(KEY, "喂")
    assert bench.service.said == []


async def test_an_upload_that_fails_is_only_temporary_since_nothing_was_shown(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04 table")

    def cut(_request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("x")

    webhooks = Webhooks(httpx.AsyncClient(transport=httpx.MockTransport(cut)), bench.clock)
    with pytest.raises(TemporaryError):
        await webhooks.file(KEY, tmp_path / "a.xlsx")
