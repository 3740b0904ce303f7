"""What went wrong with a message on its way: its content never came, it came again after a login, its end was cut off."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlmodel import Session

from handlers import texts
from handlers.context import Context, RoomInfo
from handlers.speaking import alert_supervision, say
from storage import inbox
from storage.enums import MessageType, SayKind
from storage.tables import InboxMessage

LATE = timedelta(seconds=60)  # after its stamp; some puppets hand out old messages anew, with other ids, at each login
# wechat4u ends a text at a colon before a line break: 诉求如下:⏎… arrives as 诉求如下, and the rest is gone.
_HEADING = re.compile(r"^.{0,30}(?:如下|诉求内容|反映内容|问题描述|主要内容)$")


def content_lost(session: Session, ctx: Context, message: InboxMessage, *, now: datetime) -> str | None:
    """A message of which the gateway gave nothing but its id; supervision is told once an hour. None: it is none."""
    if not (message.raw or {}).get("lost"):
        return None
    alert_supervision(
        session, ctx, text=texts.content_lost(now), key=f"content-lost:{message.channel}:{now:%Y%m%d%H}", now=now
    )
    return "lost"


def came_before(session: Session, message: InboxMessage, room: RoomInfo) -> str | None:
    """`copy:ID` for a message that this account heard already under another id; None: it is new."""
    if message.type is not MessageType.TEXT or message.received_at - message.sent_at < LATE:
        return None
    first = inbox.first_of(session, message, room.id)
    return f"copy:{first.id}" if first is not None else None


def ask_for_the_rest(session: Session, ctx: Context, message: InboxMessage, room: RoomInfo, *, now: datetime) -> None:
    """A heading of somebody of the roster and nothing under it: asked once to be sent again."""
    if message.type is MessageType.TEXT and _HEADING.match(message.text.strip()):
        say(
            session,
            ctx,
            room=room,
            kind=SayKind.QUESTION,
            text=texts.heading_alone(message.text.strip()[-12:]),
            key=f"message:{message.id}:heading",
            now=now,
        )
