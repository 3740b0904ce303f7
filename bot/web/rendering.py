"""Templates and what they may call: Beijing times, lengths of time, shares."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bot.web.guard import parts_of
from bot.web.parts import Right, Visitor
from handlers import texts
from handlers.policy import BEIJING

HERE = Path(__file__).parent


def clock(at: datetime | None) -> str:
    return f"{at.astimezone(BEIJING):%H:%M:%S}" if at else "—"


def moment(at: datetime | None) -> str:
    return f"{at.astimezone(BEIJING):%m-%d %H:%M}" if at else "—"


def day_and_time(at: datetime | None) -> str:
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}" if at else "—"


def took(seconds: float | None) -> str:
    return texts.minutes(seconds) if seconds is not None else "—"


def share(rate: float | None) -> str:
    return f"{rate * 100:.1f}%" if rate is not None else "—"


NAVIGATION = (  # address, word, the right that it takes
    ("/", "总览", None),
    ("/tickets", "工单", None),
    ("/reports", "报表", Right.EVERY_UNIT),
    ("/roster", "花名册", Right.EVERY_UNIT),
    ("/catalogue", "派单目录", Right.EVERY_UNIT),
    ("/changes", "变更记录", Right.EDIT),
    ("/accesses", "访问记录", Right.EDIT),
)
PROBLEMS = {  # what `bot.health` calls them
    "not connected to WeChat": "没有连上微信",
    "the ticker stands still": "计时停住了",
    "a step is late": "有提醒晚了",
    "a message could not be sent for a minute": "有消息一分钟没发出去",
    "the gateway is silent": "网关没有动静",
    "messages are parked": "有消息没能处理",
    "less than 500 MB of disk are free": "磁盘快满了",
}


def problem(said: str) -> str:
    return PROBLEMS.get(said, said)


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(clock=clock, moment=moment, day_and_time=day_and_time, took=took, share=share, problem=problem)
    made.globals.update(Right=Right, nav=NAVIGATION)
    return made


ENVIRONMENT = _environment()


def render(
    request: Request, template: str, who: Visitor | None = None, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page; `who` decides what its navigation shows."""
    parts = parts_of(request)
    shown = {
        "who": who,
        "path": request.url.path,
        "notice": parts.notice,
        "simulator": parts.simulator,
        "now": parts.clock.now(),
        **values,
    }
    return HTMLResponse(ENVIRONMENT.get_template(template).render(shown), status_code=status)
