"""The whole bot with a model's server on a real socket: what is said in a group becomes a prompt by its word."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlmodel import select

from bot.app import Bot, open_database
from bot.channels.simulator import SimulatorChannel
from bot.clock import SystemClock
from bot.roster import load_into
from bot.settings import Settings
from storage.migrate import upgrade
from storage.sessions import transaction
from storage.tables import SecondOpinion
from tests import district
from tests.gateway.bench import free_port, until
from tests.llm.test_stories import BELOW, NICK

ROOM = district.room("东山镇")


@asynccontextmanager
async def server(answer: dict[str, str] | None) -> AsyncIterator[str]:
    """An address that answers each question with this; None: takes it and says nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        await reader.readexactly(length)
        if answer is None:
            await reader.read()
        else:
            body = json.dumps({"choices": [{"message": {"content": json.dumps(answer)}}]}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    finally:
        listening.close()
        await listening.wait_closed()


async def lives_with(folder: Path, address: str) -> Bot:
    """A bot that heard one doubtful sentence, and what is certain after it; stopped."""
    given = Settings(
        _env_file=None, database_url=f"sqlite:///{folder}/x.db", files_dir=folder, web_port=free_port(),
        backlog_settle_seconds=0, seconds_between_messages=0, llm_base_url=address, llm_model="small",
    )  # fmt: skip
    engine = open_database(given)
    upgrade(engine)
    clock = SystemClock()
    with transaction(engine) as session:
        load_into(session, district.roster(), now=clock.now())
    rooms = [district.room(unit) for unit in (*district.TOWNS, *district.AGENCIES)]
    channel = SimulatorChannel(clock, [*rooms, district.DISPATCH, district.SUPERVISION], given.bot_name)
    bot = Bot(given, engine, channel, clock)
    stop = asyncio.Event()
    running = asyncio.create_task(bot.run(stop))
    await until(lambda: bot.gate.is_open, 20, "the bot is ready")
    channel.say(ROOM, NICK, BELOW)
    await until(lambda: sum(bot.doubts.counts.values()) > 0, 20, "the model was asked")  # type: ignore[union-attr]
    channel.say(ROOM, NICK, "石桥村路灯坏了两盏，请尽快维修")
    await until(lambda: any("石桥村路灯" in said.text for said in channel.said_in(ROOM) if said.by_bot), 20, "a prompt")
    stop.set()
    await asyncio.wait_for(running, 10)
    bot.said = [said.text for said in channel.said_in(ROOM) if said.by_bot]  # type: ignore[attr-defined]
    return bot


async def test_a_model_that_answers_makes_the_ticket(tmp_path: Path) -> None:
    async with server({"verdict": "complaint"}) as address:
        bot = await lives_with(tmp_path, address)
    first, second = bot.said  # type: ignore[attr-defined]
    assert first.startswith("@") and "路边堆了点土" in first and "石桥村路灯坏了两盏" in second
    rows = bot.database.read_now(lambda session: list(session.exec(select(SecondOpinion)).all()))
    assert [(row.opinion.value, row.model) for row in rows] == [("complaint", "small")]
    assert rows[0].milliseconds < 2000


async def test_a_model_that_is_silent_costs_two_seconds_and_the_rules_word_stands(tmp_path: Path) -> None:
    async with server(None) as address:
        bot = await lives_with(tmp_path, address)
    [only] = bot.said  # type: ignore[attr-defined]
    assert "石桥村路灯坏了两盏" in only
    [row] = bot.database.read_now(lambda session: list(session.exec(select(SecondOpinion)).all()))
    assert row.opinion.value == "timeout" and 1900 <= row.milliseconds < 9000
