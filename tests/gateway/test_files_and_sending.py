"""Files both ways, and what each failed send means."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bot.channels.base import Mention, PermanentError, TemporaryError, UnknownResult
from storage.enums import MessageType
from tests.gateway.bench import GatewayBench, Person, until
from tests.gateway.watched import watching

ZHANG = Person("zhang", "张三")
TOWN = "怀柔镇见诉领办群"
OTHER = "泉河街道见诉领办群"
MIB = 2**20


@pytest.mark.parametrize("kind", ["buffer", "stream"])
async def test_a_picture_arrives_whole_and_is_kept_under_a_safe_name(
    gateway: GatewayBench, tmp_path: Path, kind: str
) -> None:
    await gateway.add_room(TOWN, [ZHANG])
    content = bytes(range(256)) * 2000
    async with watching(gateway, tmp_path) as seen:
        sent = await gateway.picture(room=TOWN, sender="张三", name="../../现场 1.jpg", content=content, kind=kind)
        got = await seen.message(sent)
        assert (got.type, got.text, got.file_problem) == (MessageType.IMAGE, "", None)
        assert got.file is not None and got.file.parent == tmp_path / "files"
        assert got.file.read_bytes() == content
        assert got.file.name == f"{hashlib.sha256(content).hexdigest()[:16]}-现场_1.jpg"
        assert gateway.counts()["messageFileStream"] == 1


async def test_a_missing_a_stalled_an_empty_and_a_huge_file_are_told_and_the_bot_lives(
    gateway: GatewayBench, tmp_path: Path
) -> None:
    await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path, timing_changes={"file": 2.0}) as seen:
        ids = [
            await gateway.picture(room=TOWN, sender="张三", kind="missing"),
            await gateway.picture(room=TOWN, sender="张三", size=0),
            await gateway.picture(room=TOWN, sender="张三", size=21 * MIB, name="录像.mp4", type="video"),
            await gateway.picture(room=TOWN, sender="张三", kind="stalled"),
        ]
        await gateway.emit(room=TOWN, sender="张三", text="图发了")
        await seen.text("图发了", 20)
        got = [await seen.message(i) for i in ids]
        assert [m.file for m in got] == [None] * 4
        assert [bool(m.file_problem and m.file_problem.startswith("文件未取到")) for m in got] == [True] * 4
        assert "20 MB" in str(got[2].file_problem)
        assert [m.message_id for m in seen.messages][:4] == ids, "in order within the room"
        assert not list((tmp_path / "files").glob(".part-*"))


async def test_a_slow_file_holds_up_only_its_own_room(gateway: GatewayBench, tmp_path: Path) -> None:
    await gateway.add_rooms([TOWN, OTHER], [ZHANG])
    async with watching(gateway, tmp_path, timing_changes={"file": 3.0}) as seen:
        slow = await gateway.picture(room=TOWN, sender="张三", kind="stalled")
        await gateway.emit(room=TOWN, sender="张三", text="这是照片")
        await gateway.emit(room=OTHER, sender="张三", text="别处的事")
        await seen.text("别处的事", 2)
        assert not [m for m in seen.messages if m.message_id == slow]
        await seen.text("这是照片", 6)
        assert [m.text for m in seen.messages] == ["别处的事", "", "这是照片"]


async def test_a_text_goes_out_with_names_and_ids(gateway: GatewayBench, tmp_path: Path) -> None:
    room = await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        people = [Mention("张三", "zhang"), Mention("李 四", None), Mention("张三", "zhang")]
        message_id = await seen.channel.send_text(room.id, "请 15 分钟内领办 001", people)
        sent = (await gateway.wait_sent(lambda s: s.room == TOWN)).text
        assert sent == "@张三\u2005@李 四\u2005请 15 分钟内领办 001"
        assert gateway.sent()[0].mentions == ("zhang",)
        assert (await seen.message(str(message_id))).is_self


async def test_a_puppet_that_tells_no_id_is_no_failure(gateway: GatewayBench, tmp_path: Path) -> None:
    room = await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        await gateway.sending("no_id")
        assert await seen.channel.send_text(room.id, "无号") is None


@pytest.mark.parametrize(
    ("mode", "error", "raised"),
    [
        ("fail", "puppet is busy", TemporaryError),
        ("fail", "room not found", PermanentError),
        ("fail", "request timed out", UnknownResult),
        ("swallow", None, UnknownResult),
        ("late", None, UnknownResult),
    ],
)
async def test_what_a_failed_send_means(
    gateway: GatewayBench, tmp_path: Path, mode: str, error: str | None, raised: type[Exception]
) -> None:
    room = await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path, timing_changes={"send": 1.0}) as seen:
        await gateway.sending(mode, error=error)
        with pytest.raises(raised):
            await seen.channel.send_text(room.id, "试试")
        if mode == "late":
            await seen.text("试试")  # the echo resolves it


async def test_a_room_that_is_gone_is_refused_for_good(gateway: GatewayBench, tmp_path: Path) -> None:
    async with watching(gateway, tmp_path) as seen:
        with pytest.raises(PermanentError):
            await seen.channel.send_text("gone@chatroom", "有人吗")


async def test_a_send_cut_off_by_a_kill_has_an_unknown_result(gateway: GatewayBench, tmp_path: Path) -> None:
    import asyncio

    room = await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        await gateway.sending("swallow")
        sending = asyncio.create_task(seen.channel.send_text(room.id, "半句"))
        await until(gateway.sent)
        gateway.kill()
        with pytest.raises(UnknownResult):
            await sending


async def test_files_go_out_up_to_the_limit(gateway: GatewayBench, tmp_path: Path) -> None:
    room = await gateway.add_room(TOWN, [ZHANG])
    table = tmp_path / "日报.xlsx"
    async with watching(gateway, tmp_path) as seen:
        table.write_bytes(b"x" * (5 * MIB // 2))
        assert await seen.channel.send_file(room.id, table)
        sent = await gateway.wait_sent(lambda s: s.file is not None)
        assert (sent.file, sent.size) == ("日报.xlsx", 5 * MIB // 2)
        table.write_bytes(b"x" * (5 * MIB // 2 + 1))
        with pytest.raises(PermanentError, match="link"):
            await seen.channel.send_file(room.id, table)
        with pytest.raises(PermanentError):
            await seen.channel.send_file(room.id, tmp_path / "none.png")
        with pytest.raises(PermanentError):
            await seen.channel.send_text(room.id, " \x00")
