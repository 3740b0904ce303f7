"""nonebot2: how many messages of chatter a second it brings past 50 matchers.

Run by `python -m benchmarks.peers` in an environment of its own: `python peer_nonebot.py FOLDER`; prints JSON. Counted:
the whole `handle_event` of a message, with 20 commands, 15 keywords and 15 regular expressions, none of which fits. Not
counted, because there is none: an adapter, a database, recognition.
"""

import asyncio
import json
import time
from typing import Any

import nonebot
from chatter import chatter
from nonebot.adapters import Adapter, Bot, Event, Message, MessageSegment
from nonebot.message import handle_event

MESSAGES, ROUNDS = 40, 2


class Segment(MessageSegment["Said"]):
    @classmethod
    def get_message_class(cls) -> type["Said"]:
        return Said

    def __str__(self) -> str:
        return str(self.data["text"])

    def is_text(self) -> bool:
        return True


class Said(Message[Segment]):
    @classmethod
    def get_segment_class(cls) -> type[Segment]:
        return Segment

    @staticmethod
    def _construct(msg: str) -> list[Segment]:
        return [Segment("text", {"text": msg})]


class Heard(Event):
    said: Said
    sender: str

    def get_type(self) -> str:
        return "message"

    def get_event_name(self) -> str:
        return "message.room"

    def get_event_description(self) -> str:
        return ""

    def get_user_id(self) -> str:
        return self.sender

    def get_session_id(self) -> str:
        return f"room_{self.sender}"

    def get_message(self) -> Message:
        return self.said

    def is_tome(self) -> bool:
        return False


class Rooms(Adapter):
    @classmethod
    def get_name(cls) -> str:
        return "rooms"

    async def _call_api(self, bot: Bot, api: str, **data: Any) -> None:
        return None


class Helper(Bot):
    async def send(self, event: Event, message: Any, **kwargs: Any) -> None:
        return None


def matchers() -> int:
    async def nothing() -> None:
        return None

    made = [nonebot.on_command(f"命令{n}") for n in range(20)]
    made += [nonebot.on_keyword({f"关键词{n}"}) for n in range(15)]
    made += [nonebot.on_regex(rf"^第{n}号.*(办结|退单)$") for n in range(15)]
    for each in made:
        each.append_handler(nothing)
    return len(made)


async def dispatch(bot: Bot, texts: list[str]) -> tuple[float, float]:
    """Messages a second, and CPU milliseconds of each."""
    events = [Heard(said=Said(text), sender=f"居民{n % 500}") for n, text in enumerate(texts)]
    began, cost = time.perf_counter(), time.process_time()
    for event in events:
        await handle_event(bot, event)
    return len(texts) / (time.perf_counter() - began), (time.process_time() - cost) * 1000 / len(texts)


def main() -> None:
    nonebot.init(driver="~none", log_level="ERROR")
    driver = nonebot.get_driver()
    driver.register_adapter(Rooms)
    number = matchers()
    bot = Helper(Rooms(driver), "bench")
    rounds = [asyncio.run(dispatch(bot, chatter(MESSAGES))) for _ in range(ROUNDS)]
    print(
        json.dumps(
            {
                "matchers": number,
                "chatter_per_second": round(max(rate for rate, _ in rounds)),
                "cpu_ms_per_message": round(min(cost for _, cost in rounds), 3),
            }
        )
    )


if __name__ == "__main__":
    main()
