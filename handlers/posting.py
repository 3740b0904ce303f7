"""A digest goes to the supervision room: text in parts, picture and Excel with the last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from handlers.context import Context
from handlers.speaking import say
from storage.enums import SayKind


def post_digest(
    session: Session, ctx: Context, *, digest_id: int, texts: Sequence[str], attachments: Sequence[str], now: datetime
) -> None:
    """Put the parts of a digest into the outbox, in order, each once."""
    for part, text in enumerate(texts):
        last = part == len(texts) - 1
        say(
            session,
            ctx,
            room=ctx.district.supervision_room,
            kind=SayKind.DIGEST,
            text=text,
            key=f"digest:{digest_id}:{part}",
            now=now,
            attachments=attachments if last else (),
        )
