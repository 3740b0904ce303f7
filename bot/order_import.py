"""Orders and call-back results of the hotline's Excel become what a message in the dispatch room would have become.

An order is put into the inbox as a message of the dispatch room and handled from there, by the running bot or at the
next start: once, by its order number. A call-back result is kept at once. Doing it again changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from bot.channels.base import InboundMessage
from bot.importers.orders import OrderRow
from bot.receiver import stored_row
from handlers import closing, registry
from handlers.context import Context, load_district
from storage import inbox, people, tickets
from storage.enums import MessageType

ACCOUNT = "import"  # the account under which the dispatch room hears imported orders
SENDER = "热线导入"


class NoDispatchRoom(Exception):
    """Orders cannot be dispatched: no room stands for the dispatch centre or supervision."""


@dataclass
class Imported:
    """Order numbers by what became of them."""

    new: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    called_back: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)  # call-backs of orders that nobody knows; kept all the same
    routed: list[tuple[str, str]] = field(default_factory=list)  # a dry run only: order number and unit


def import_orders(session: Session, ctx: Context, orders: tuple[OrderRow, ...], *, now: datetime) -> Imported:
    """Take the orders of a file; the caller owns the transaction. Raises NoDispatchRoom."""
    done = Imported()
    topic = _hearing(session, ctx, now=now)
    for order in orders:
        ticket = tickets.by_order_no(session, order.order_no)
        if order.text:
            stored = ticket is None and inbox.add_once(session, stored_row(_message(order, topic, now), ACCOUNT))
            (done.new if stored else done.known).append(order.order_no)
        if order.called_back and _call_back(session, ctx, order, now=now):
            done.called_back.append(order.order_no)
            if ticket is None and order.order_no not in done.new:
                done.strange.append(order.order_no)
    return done


def dry_run(session: Session, ctx: Context, orders: tuple[OrderRow, ...], *, now: datetime) -> Imported:
    """What importing would do, the orders handled too; the caller rolls the transaction back."""
    done = import_orders(session, ctx, orders, now=now)
    ctx = Context(**{**vars(ctx), "district": load_district(session)})
    fresh = set(done.new)
    for row in inbox.of_channel(session, ACCOUNT):
        if row.message_id.removeprefix("order:") not in fresh:
            continue
        registry.handle(session, ctx, row, now=now)
        session.flush()
        ticket = tickets.by_order_no(session, row.message_id.removeprefix("order:"))
        if ticket is None:
            unit = "不成工单（表扬、咨询或与已有诉求相同）"
        else:
            unit = ctx.district.unit_by_id[ticket.unit_id].name if ticket.unit_id else "待定单位"
        done.routed.append((row.message_id.removeprefix("order:"), unit))
    return done


def _hearing(session: Session, ctx: Context, *, now: datetime) -> str:
    """The topic under which the dispatch room hears what is imported; bound once."""
    room = ctx.district.dispatch_room
    if room is None:
        raise NoDispatchRoom("no room of the dispatch centre or of supervision; give it one in units.csv, then `init`")
    if ctx.district.bound.get((ACCOUNT, room.topic)) != room.id:
        people.bind_room(session, account=ACCOUNT, channel_room_id=room.topic, room_id=room.id, now=now, by="import")
    return room.topic


def _message(order: OrderRow, topic: str, now: datetime) -> InboundMessage:
    return InboundMessage(
        room_id=topic,
        message_id=f"order:{order.order_no}",
        sender_id="",
        sender_name=SENDER,
        type=MessageType.TEXT,
        text=order.as_message(),
        sent_at=now,
        received_at=now,
    )


def _call_back(session: Session, ctx: Context, order: OrderRow, *, now: datetime) -> bool:
    """Keep a result that differs from the last one of its order; a table is often exported again and again."""
    contacted = order.contacted is not False
    resolved = order.resolved is True
    last = tickets.last_call_back(session, order.order_no)
    if last and (last.contacted, last.resolved, last.satisfaction) == (contacted, resolved, order.satisfaction):
        return False
    closing.call_back(
        session,
        ctx,
        order_no=order.order_no,
        at=now,
        contacted=contacted,
        resolved=resolved,
        satisfaction=order.satisfaction,
        source="import",
        now=now,
    )
    return True
