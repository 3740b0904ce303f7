"""What the groups say reaches the channel whole, in order, and with its sender's name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.channels.base import ConnectionState
from storage.enums import MessageType
from tests.gateway.bench import GatewayBench, Person, until
from tests.gateway.watched import watching

ZHANG = Person("zhang", "张三", "怀柔镇-张三（网格员）")
LI = Person("li", "李 四🐟")
TOWN = "怀柔镇见诉领办群"
AT = "\u2005"


async def test_43_rooms_are_listed_with_their_topics_before_any_message(gateway: GatewayBench, tmp_path: Path) -> None:
    topics = [f"第{i}街乡见诉领办群" for i in range(43)]
    await gateway.add_rooms(topics, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        await gateway.emit(room=topics[0], sender="张三", text="先说一句")
        await seen.text("先说一句")
        assert {room.topic for room in seen.rooms[0].rooms} == set(topics)
        assert seen.events.index(seen.rooms[0]) < seen.events.index(seen.messages[0])
        assert seen.states[0].account == "bot"


async def test_a_sender_goes_by_group_nickname_else_by_name(gateway: GatewayBench, tmp_path: Path) -> None:
    room = await gateway.add_room(TOWN, [ZHANG, LI])
    async with watching(gateway, tmp_path) as seen:
        sent_at = datetime(2026, 3, 5, 1, 2, 3, tzinfo=UTC)
        await gateway.emit(room=TOWN, sender="张三", text="迎宾路有垃圾", at=sent_at)
        await gateway.emit(room=TOWN, sender="li", text="收到")
        first, second = await seen.text("迎宾路有垃圾"), await seen.text("收到")
        assert (first.sender_id, first.sender_name) == ("zhang", "怀柔镇-张三（网格员）")
        assert (first.room_id, first.type, first.is_self) == (room.id, MessageType.TEXT, False)
        assert first.sent_at == sent_at
        assert abs(first.received_at - second.received_at) < timedelta(seconds=30)
        assert second.sender_name == "李 四🐟"


async def test_stamps_in_seconds_are_read_as_such(gateway: GatewayBench, tmp_path: Path) -> None:
    await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        await gateway.emit(room=TOWN, sender="张三", text="秒", timestamp=1_772_672_523)
        assert (await seen.text("秒")).sent_at == datetime(2026, 3, 5, 1, 2, 3, tzinfo=UTC)


async def test_mentions_by_id_by_text_and_of_everyone(gateway: GatewayBench, tmp_path: Path) -> None:
    await gateway.add_room(TOWN, [ZHANG, LI])
    async with watching(gateway, tmp_path) as seen:
        by_id = await gateway.emit(room=TOWN, sender="李 四🐟", text=f"@小助手{AT}办一下", mentions=["bot", "张三"])
        by_text = await gateway.emit(room=TOWN, sender="张三", text="＠派单助手，迎宾路路灯坏了")
        everyone = await gateway.emit(room=TOWN, sender="张三", text=f"@所有人{AT}开会", mentions=["bot", "li"])
        other = await gateway.emit(room=TOWN, sender="张三", text=f"@李 四🐟{AT}你看看")
        quoting = "「张三：@派单助手 报修」\n- - - - - - - - - - - - - - -\n收到"
        quoted = await gateway.emit(room=TOWN, sender="李 四🐟", text=quoting)
        got = [await seen.message(i) for i in (by_id, by_text, everyone, other, quoted)]
        assert [m.mentions_bot for m in got] == [True, True, False, False, False]
        assert got[0].mentions == ("派单助手", "怀柔镇-张三（网格员）")
        assert got[2].mentions[0] == "@all"
        assert got[3].mentions == ("李 四🐟",)


async def test_every_event_twice_is_yielded_twice_with_the_same_id(gateway: GatewayBench, tmp_path: Path) -> None:
    await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        twice = await gateway.emit(room=TOWN, sender="张三", text="两遍", times=2)
        await gateway.emit(room=TOWN, sender="张三", text="完")
        await seen.text("完")
        assert [m.message_id for m in seen.messages].count(twice) == 2


async def test_unknown_types_and_odd_events_do_not_end_the_stream(gateway: GatewayBench, tmp_path: Path) -> None:
    await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        post = await gateway.emit(room=TOWN, sender="张三", type="post", text="当前版本不支持展示该内容")
        later = await gateway.emit(room=TOWN, sender="张三", type=99)
        tip = await gateway.emit(room=TOWN, type="unknown", text="张三邀请李四加入了群聊")
        for name, payload in [
            ("error", {"gerror": '{"code":36,"message":"The text is banned"}'}),
            ("error", {"data": "poll failed"}),
            ("error", 17),
            ("ready", {}),
            ("scan", {"status": 6, "qrcode": "https://example.invalid/x"}),
            ("heartbeat", {}),
            ("room-topic", {"roomId": "gone@chatroom"}),
            ("room-join", {"inviteeIdList": [None]}),
            ("message", {}),
            ("dirty", {"payloadType": 3}),
        ]:
            await gateway.event(name, payload)
        await gateway.emit(room=TOWN, sender="张三", text="还在")
        await seen.text("还在")
        kinds = [(await seen.message(i)).type for i in (post, later, tip)]
        assert kinds == [MessageType.UNKNOWN, MessageType.UNKNOWN, MessageType.SYSTEM]
        errors = [s.detail for s in seen.states if s.state is ConnectionState.ERROR]
        assert errors == ["The text is banned", "poll failed", "17"]
        assert [s.state for s in seen.states if s.state is ConnectionState.OFFLINE] == []


async def test_own_messages_come_back_marked(gateway: GatewayBench, tmp_path: Path) -> None:
    room = await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        await seen.channel.send_text(room.id, "请签收")
        echo = await seen.text("请签收")
        assert (echo.is_self, echo.room_id, echo.mentions_bot) == (True, room.id, False)


async def test_300_messages_keep_their_order_under_random_latency(gateway: GatewayBench, tmp_path: Path) -> None:
    topics = [f"群{i}" for i in range(5)]
    await gateway.add_rooms(topics, [ZHANG])
    await gateway.payload_latency(30)
    async with watching(gateway, tmp_path) as seen:
        batch = [gateway.message(room=topics[i % 5], sender="张三", text=f"第{i}条") for i in range(300)]
        await gateway.emit_many(batch)
        await until(lambda: len(seen.messages) == 300, 20)
        assert [m.text for m in seen.messages] == [f"第{i}条" for i in range(300)]
        assert gateway.counts()["roomMemberPayload"] <= 10, "one per person and room, plus the bot's own"


async def test_a_million_characters_nul_and_emoji_markup(gateway: GatewayBench, tmp_path: Path) -> None:
    await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        long = await gateway.emit(room=TOWN, sender="张三", text="长" * 1_000_000)
        marked = await gateway.emit(
            room=TOWN, sender="张三", text='A&amp;B 1&lt;2\x00<img class="emoji emoji1f250" src="x">好[旺柴]'
        )
        assert (await seen.message(long)).text == "长" * 1_000_000
        assert (await seen.message(marked)).text == "A&B 1<2🉐好[旺柴]"


async def test_a_recall_names_the_message_withdrawn(gateway: GatewayBench, tmp_path: Path) -> None:
    await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        said = await gateway.emit(room=TOWN, sender="张三", text="说错了")
        recall = await seen.message(await gateway.recall(said, room=TOWN, sender="张三"))
        assert (recall.type, recall.recalls) == (MessageType.RECALL, said)


async def test_a_payload_that_never_comes_is_kept_as_lost(gateway: GatewayBench, tmp_path: Path) -> None:
    await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        once, never = gateway.message(room=TOWN, sender="张三", text="一次"), gateway.message(room=TOWN, sender="张三")
        await gateway.lose(once["id"], times=2)
        await gateway.lose(never["id"])
        await gateway.emit_many([never, once])
        assert (await seen.message(once["id"])).text == "一次", "the third try brought it"
        lost = await seen.message(never["id"])
        assert (lost.type, lost.raw["lost"]) == (MessageType.UNKNOWN, True)
        assert [m.message_id for m in seen.messages] == [never["id"], once["id"]]


async def test_a_rename_is_told_by_its_event_and_a_new_room_by_its_first_message(
    gateway: GatewayBench, tmp_path: Path
) -> None:
    await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        await seen.topics(lambda t: t == {TOWN})
        await gateway.rename(TOWN, "怀柔镇新群名")
        await seen.topics(lambda t: t == {"怀柔镇新群名"})
        await gateway.add_room("刚建的群", [ZHANG])
        await gateway.emit(room="刚建的群", sender="张三", text="开张")
        await seen.text("开张")
        assert {room.topic for room in seen.rooms[-1].rooms} == {"怀柔镇新群名", "刚建的群"}


async def test_a_tip_that_we_send_too_often_is_told_as_such(gateway: GatewayBench, tmp_path: Path) -> None:
    room = await gateway.add_room(TOWN, [ZHANG])
    async with watching(gateway, tmp_path) as seen:
        await gateway.emit(room=TOWN, type="unknown", text="操作过于频繁，可稍后再试。")
        told = await seen.state(ConnectionState.HELD_BACK)
        assert (told.detail, told.room_id) == ("操作过于频繁，可稍后再试。", room.id)
        await gateway.emit(room=TOWN, type="unknown", text="你的微信登录环境存在异常。为了帐号安全，本次登录已失效。")
        await seen.state(ConnectionState.HELD_BACK, times=2)
        await gateway.emit(room=TOWN, sender="张三", text="操作过于频繁是什么意思")  # somebody's words are no tip
        await seen.text("操作过于频繁是什么意思")
        assert [each.state for each in seen.states].count(ConnectionState.HELD_BACK) == 2
