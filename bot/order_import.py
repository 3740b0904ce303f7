"""Orders and call-back results of the hotline's Excel become what a message in the dispatch room would have become.

An order is put into the inbox as a message of the dispatch room and handled from there, by the running bot or at the
next start: once, by its order number. A call-back result is kept at once. Doing it again changes nothing: a file that
was taken before is known by its content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from bot.channels.base import InboundMessage
from bot.importers.orders import Odd, OrderRow, OrdersImportError, read_orders
from bot.receiver import stored_row
from handlers import closing, registry
from handlers.context import Context, load_district
from handlers.reading.index import reading_index
from handlers.reading.units import units_in_field
from storage import inbox, meta, people, tickets
from storage.enums import MessageType

ROOM = "dispatch"  # the id of the dispatch room for imported orders, whatever its topic
SENDER = "热线导入"


class NoDispatchRoom(Exception):
    """Orders cannot be dispatched: no room stands for the dispatch centre or supervision."""


@dataclass(frozen=True, slots=True)
class OrderFile:
    name: str
    digest: str  # SHA-256 of its content, by which it is known again
    orders: tuple[OrderRow, ...]
    odd: tuple[Odd, ...]

    @property
    def lost(self) -> int:
        """Rows that hold an order and were not taken."""
        return sum(odd.lost for odd in self.odd)


@dataclass
class Imported:
    """Order numbers by what became of them."""

    new: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    called_back: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)  # call-backs of orders that nobody knows; kept all the same
    taken_before: list[str] = field(default_factory=list)  # names of files
    routed: list[tuple[str, str]] = field(default_factory=list)  # a dry run only: order number and unit

    @property
    def sentence(self) -> str:
        """What was done, for the clerk."""
        text = f"新工单 {len(self.new)} 件，已有 {len(self.known)} 件，回访结果 {len(self.called_back)} 条"
        if self.strange:
            text += f"（其中 {len(self.strange)} 条的工单本系统没有）"
        return text


def read_file(path: Path) -> OrderFile:
    """Read a file of the hotline. Raises OrdersImportError, also where it changed while it was read."""
    before = _digest(path)
    read = read_orders(path)
    if _digest(path) != before:  # else what it became would pass for taken
        raise OrdersImportError(path, None, "文件在读取时被改动，请等它保存好后再导入")
    return OrderFile(path.name, before, read.orders, read.odd)


def _digest(path: Path) -> str:
    try:
        return digest_of_file(path)
    except OSError as error:
        raise OrdersImportError(path, None, f"文件打不开（{type(error).__name__}），请检查权限和路径") from None


def digest_of_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def import_files(session: Session, ctx: Context, files: Sequence[OrderFile], *, now: datetime) -> Imported:
    """Take the orders of files, each file once; the caller owns the transaction. Raises NoDispatchRoom."""
    done = Imported()
    for file in files:
        key = f"orders:{file.digest}"
        if meta.get(session, key):
            done.taken_before.append(file.name)
            done.known += [order.order_no for order in file.orders if order.text]
            continue
        import_orders(session, ctx, file.orders, now=now, done=done)
        meta.put(session, key, now.isoformat())
    return done


def import_orders(
    session: Session, ctx: Context, orders: Sequence[OrderRow], *, now: datetime, done: Imported | None = None
) -> Imported:
    """Take orders and call-back results; the caller owns the transaction. Raises NoDispatchRoom."""
    done = Imported() if done is None else done
    _hear_in_dispatch_room(session, ctx, now=now)
    for order in orders:
        if order.text:
            known = tickets.by_order_no(session, order.order_no) is not None
            stored = not known and inbox.add_once(session, [stored_row(_message(order, now), people.IMPORT_ACCOUNT)])
            (done.new if stored else done.known).append(order.order_no)
    for order in _results(orders):
        if _call_back(session, ctx, order, now=now):
            done.called_back.append(order.order_no)
            if order.order_no not in done.new and tickets.by_order_no(session, order.order_no) is None:
                done.strange.append(order.order_no)
    return done


def _results(orders: Iterable[OrderRow]) -> list[OrderRow]:
    """The last call-back result of each order: by its time where both tell one, else by the order of the rows."""
    last: dict[str, OrderRow] = {}
    for order in orders:
        if not order.called_back:
            continue
        before = last.get(order.order_no)
        times = (order.called_back_at, before.called_back_at if before else None)
        if before is None or None in times or times[0] >= times[1]:  # type: ignore[operator]
            last[order.order_no] = order
    return list(last.values())


def dry_run(session: Session, ctx: Context, files: Sequence[OrderFile], *, now: datetime) -> Imported:
    """What importing would do, the orders handled too; the caller rolls the transaction back."""
    done = import_files(session, ctx, files, now=now)
    ctx = Context(**{**vars(ctx), "district": load_district(session)})
    for order_no in done.new:
        row = inbox.find(session, channel=people.IMPORT_ACCOUNT, channel_room_id=ROOM, message_id=_message_id(order_no))
        assert row is not None
        registry.handle(session, ctx, row, now=now)
        session.flush()
        ticket = tickets.by_order_no(session, order_no)
        if ticket is None:
            unit = "不成工单（表扬、咨询或与已有诉求相同）"
        else:
            unit = ctx.district.unit_by_id[ticket.unit_id].name if ticket.unit_id else "待定单位"
        done.routed.append((order_no, unit))
    return done


def _hear_in_dispatch_room(session: Session, ctx: Context, *, now: datetime) -> None:
    """Bind the place where orders are heard to the dispatch room of today."""
    room = ctx.district.dispatch_room
    if room is None:
        raise NoDispatchRoom(
            "no room of the dispatch centre or of supervision; give it one in units.csv, then `reload`"
        )
    if ctx.district.bound.get((people.IMPORT_ACCOUNT, ROOM)) != room.id:
        people.bind_room(
            session, account=people.IMPORT_ACCOUNT, channel_room_id=ROOM, room_id=room.id, now=now, by="import"
        )


def _message_id(order_no: str) -> str:
    return f"order:{order_no}"


def _message(order: OrderRow, now: datetime) -> InboundMessage:
    return InboundMessage(
        room_id=ROOM,
        message_id=_message_id(order.order_no),
        sender_id="",
        sender_name=f"{SENDER} {order.order_no}",  # each a sender of its own: no order adds to the one before it
        type=MessageType.TEXT,
        text=order.as_message(),
        sent_at=now,
        received_at=now,
    )


def _call_back(session: Session, ctx: Context, order: OrderRow, *, now: datetime) -> bool:
    """Keep a result that is newer than, or differs from, the last one; a table is often exported again and again."""
    contacted = order.contacted is not False
    resolved = order.resolved is True
    at = min(order.called_back_at or now, now)
    last = tickets.last_call_back(session, order.order_no)
    if last is not None:
        same = (last.contacted, last.resolved, last.satisfaction) == (contacted, resolved, order.satisfaction)
        if at < last.at or (same and (order.called_back_at is None or at == last.at)):
            return False
        if at == last.at:  # corrected since
            at = now
    units = units_in_field(order.unit, reading_index(ctx.district.gazetteer)) if order.unit else []
    closing.call_back(
        session,
        ctx,
        order_no=order.order_no,
        at=at,
        contacted=contacted,
        resolved=resolved,
        satisfaction=order.satisfaction,
        source="import",
        now=now,
        unit_id=ctx.district.unit_by_name[units[0]].id if units else None,
    )
    return True
