"""Which tickets of the last days may be the same matter."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, or_
from sqlmodel import Session, col, select

from storage import remembered
from storage.enums import TicketStatus
from storage.tables import Ticket


class Earlier(NamedTuple):
    """A ticket that another may repeat, as far as it is compared."""

    id: int
    no: str
    status: TicketStatus
    phone_hash: str | None
    text: str


_EARLIER: Any = [col(getattr(Ticket, name)) for name in Earlier._fields]


def _query(*same: Any) -> Any:
    return (
        select(*_EARLIER)
        .where(
            Ticket.created_at >= bindparam("since"),
            Ticket.created_at <= bindparam("until"),
            or_(*same),
            col(Ticket.blanked_at).is_(None),
        )
        .order_by(col(Ticket.id).desc())
        .limit(200)
    )


_SAME_PHONE = col(Ticket.phone_hash) == bindparam("phone_hash")
_SAME_VILLAGE = (col(Ticket.village) == bindparam("village")) & (col(Ticket.township) == bindparam("township"))
_SAME_UNIT = col(Ticket.village).is_(None) & (col(Ticket.unit_id) == bindparam("unit_id"))
_CANDIDATES = {
    ("phone", "village"): _query(_SAME_PHONE, _SAME_VILLAGE),
    ("phone", "unit"): _query(_SAME_PHONE, _SAME_UNIT),
    ("phone", ""): _query(_SAME_PHONE),
    ("", "village"): _query(_SAME_VILLAGE),
    ("", "unit"): _query(_SAME_UNIT),
}


def candidates(
    session: Session,
    *,
    since: datetime,
    until: datetime,
    phone_hash: str | None,
    village: str | None,
    township: str | None,
    unit_id: int | None,
) -> list[Earlier]:
    """Tickets within a time that may be the same matter: same call-back number, or same place; newest first.

    One whose text was blanked is like nothing any more.
    """
    place = "village" if village else "unit" if unit_id is not None else ""
    query = _CANDIDATES.get(("phone" if phone_hash else "", place))
    if query is None:
        return []
    remembered.flush_of(session, Ticket)
    given = {"phone_hash": phone_hash, "village": village, "township": township, "unit_id": unit_id}
    rows = session.connection().execute(query, {"since": since, "until": until, **given})
    return [Earlier(*row) for row in rows]
