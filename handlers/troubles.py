"""What supervision is told when the bot itself has trouble."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from handlers import texts
from handlers.context import Context
from handlers.policy import BEIJING
from handlers.speaking import alert_supervision


def tell_of_parked(session: Session, ctx: Context, *, inbox_id: int, count: int, now: datetime) -> None:
    """A message could not be handled; it is kept, and a person must look."""
    alert_supervision(session, ctx, text=texts.parked(count), key=f"parked:{inbox_id}", now=now)


def tell_of_silence(session: Session, ctx: Context, *, minutes: int, logged_out: bool, now: datetime) -> str:
    """The gateway went silent; supervision is told as soon as anything can be sent. The sentence, for other routes."""
    text = texts.logged_out(minutes) if logged_out else texts.silent_gateway(minutes)
    alert_supervision(session, ctx, text=text, key=f"silent:{int(now.timestamp())}", now=now)
    return text


def tell_of_held_back(session: Session, ctx: Context, *, account: str, now: datetime) -> str:
    """WeChat shows no more of what the account says; told once an hour. The sentence, for other routes."""
    text = texts.held_back()
    alert_supervision(session, ctx, text=text, key=f"held-back:{account}:{now.astimezone(BEIJING):%Y%m%d%H}", now=now)
    return text


def tell_of_refused(session: Session, ctx: Context, *, room_id: int, now: datetime) -> str | None:
    """A room takes no message any more; supervision is told once a day. The sentence, for other routes; None: told before."""
    text = texts.room_refuses(ctx.district.room_by_id[room_id].topic)
    first = alert_supervision(
        session, ctx, text=text, key=f"refused:{room_id}:{now.astimezone(BEIJING):%Y%m%d}", now=now
    )
    return text if first else None


def tell_of_failure(session: Session, ctx: Context, *, since: datetime, now: datetime) -> None:
    """For a while nothing could be written; it works again, and what was missed was said with the tick before."""
    alert_supervision(
        session, ctx, text=texts.was_failing(since=since, until=now), key=f"failing:{int(since.timestamp())}", now=now
    )


def tell_of_backup(session: Session, ctx: Context, *, now: datetime) -> None:
    """The nightly backup failed; told once a day."""
    alert_supervision(
        session, ctx, text=texts.backup_failed(), key=f"backup-failed:{now.astimezone(BEIJING):%Y%m%d}", now=now
    )


def tell_of_lost_digest(session: Session, ctx: Context, *, now: datetime) -> None:
    """A digest whose sending had no outcome and that no echo proved."""
    alert_supervision(session, ctx, text=texts.digest_lost(), key=f"digest-lost:{int(now.timestamp())}", now=now)


def tell_of_failed_digest(session: Session, ctx: Context, *, kind: str, key: str, now: datetime) -> None:
    """A digest that could not be made; `key` names its window, which is told of once."""
    alert_supervision(session, ctx, text=texts.digest_failed(kind), key=f"digest-failed:{key}", now=now)


def tell_of_bad_orders(session: Session, ctx: Context, *, name: str, rows: int, key: str, now: datetime) -> None:
    """A file of the watched folder could not be read, or `rows` of it; told once for each `key`."""
    alert_supervision(
        session,
        ctx,
        text=texts.orders_lost(name, rows) if rows else texts.orders_refused(name),
        key=f"orders-bad:{key}",
        now=now,
    )
