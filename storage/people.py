"""The district's own data: units, rooms, members, contacts, rota, places, catalogue."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, func, select

from storage import meta, remembered
from storage.tables import (
    Catalogue,
    Duty,
    Member,
    MemberContact,
    Meta,
    PlaceAlias,
    Room,
    RoomBinding,
    SeenRoom,
    Unit,
    Village,
)

IMPORT_ACCOUNT = "import"  # hears the hotline's files in the dispatch room; stands for no WeChat account
ROSTER_VERSION = "roster_version"  # counts every change of people, rooms, places; caches compare it


def units(session: Session) -> list[Unit]:
    """In the district's order, units that left included."""
    return list(session.exec(select(Unit).order_by(col(Unit.position), col(Unit.id))).all())


def rooms(session: Session) -> list[Room]:
    return list(session.exec(select(Room).order_by(col(Room.id))).all())


def members(session: Session) -> list[Member]:
    """In roster order, members that left included."""
    return list(session.exec(select(Member).order_by(col(Member.position), col(Member.id))).all())


def duties(session: Session) -> list[Duty]:
    return list(session.exec(select(Duty).order_by(col(Duty.id))).all())


def villages(session: Session) -> list[Village]:
    return list(session.exec(select(Village).order_by(col(Village.id))).all())


def place_aliases(session: Session) -> list[PlaceAlias]:
    return list(session.exec(select(PlaceAlias).order_by(col(PlaceAlias.id))).all())


def catalogue(session: Session) -> list[Catalogue]:
    return list(session.exec(select(Catalogue).order_by(col(Catalogue.position))).all())


def bindings(session: Session) -> list[RoomBinding]:
    return list(session.exec(select(RoomBinding).order_by(col(RoomBinding.id))).all())


def group_bindings(session: Session) -> list[RoomBinding]:
    """Which WeChat groups are whose, without the place where imported orders are heard."""
    return [binding for binding in bindings(session) if binding.account != IMPORT_ACCOUNT]


def contacts(session: Session) -> list[MemberContact]:
    return list(session.exec(select(MemberContact).order_by(col(MemberContact.id))).all())


def roster_version(session: Session) -> int:
    return remembered.once(session, ROSTER_VERSION, lambda: int(meta.get(session, ROSTER_VERSION, "0")), of=(Meta,))


def touch_roster(session: Session) -> None:
    meta.bump(session, ROSTER_VERSION)


def bind_room(session: Session, *, account: str, channel_room_id: str, room_id: int, now: datetime, by: str) -> None:
    """Say which room a channel's room id is; an older binding of either side to something else ends.

    A group that was held for an administrator is held no longer.
    """
    for old in session.exec(
        select(RoomBinding).where(
            RoomBinding.account == account,
            (col(RoomBinding.channel_room_id) == channel_room_id) | (col(RoomBinding.room_id) == room_id),
        )
    ).all():
        session.delete(old)
    session.flush()
    session.add(
        RoomBinding(account=account, channel_room_id=channel_room_id, room_id=room_id, bound_at=now, bound_by=by)
    )
    for seen in session.exec(
        select(SeenRoom).where(SeenRoom.account == account, SeenRoom.channel_room_id == channel_room_id)
    ).all():
        seen.held_because = None
        session.add(seen)
    session.flush()
    touch_roster(session)


def unbind_room(session: Session, *, account: str, channel_room_id: str) -> bool:
    """End a binding; False if there is none."""
    row = session.exec(
        select(RoomBinding).where(RoomBinding.account == account, RoomBinding.channel_room_id == channel_room_id)
    ).first()
    if row is None:
        return False
    session.delete(row)
    session.flush()
    touch_roster(session)
    return True


def add_room(session: Session, *, unit_id: int, topic: str) -> Room:
    """A room for a unit whose list names none."""
    room = Room(unit_id=unit_id, topic=topic)
    session.add(room)
    session.flush()
    return room


def see_room(
    session: Session, *, account: str, channel_room_id: str, topic: str, now: datetime, held_because: str | None
) -> None:
    """Keep what the gateway listed, for `check`, the page and the administrator."""
    row = session.exec(
        select(SeenRoom).where(SeenRoom.account == account, SeenRoom.channel_room_id == channel_room_id)
    ).first()
    if row is None:
        row = SeenRoom(account=account, channel_room_id=channel_room_id, topic=topic, seen_at=now)
    row.topic, row.seen_at, row.held_because = topic, now, held_because
    session.add(row)


def seen_rooms(session: Session) -> list[SeenRoom]:
    return list(session.exec(select(SeenRoom).order_by(col(SeenRoom.topic))).all())


def last_listed(session: Session) -> list[SeenRoom]:
    """The groups that each account's gateway listed last, by topic; ids of an earlier login are not among them."""
    seen = seen_rooms(session)
    last: dict[str, datetime] = {}
    for room in seen:
        last[room.account] = max(room.seen_at, last.get(room.account, room.seen_at))
    return [room for room in seen if room.seen_at == last[room.account]]


def learn_contact(session: Session, *, member_id: int, contact_id: str, now: datetime, source: str) -> MemberContact:
    """Keep a member's WeChat id; an id that is known for another member, who is still there, is held as a clash."""
    row = session.exec(select(MemberContact).where(MemberContact.contact_id == contact_id)).first()
    if row is None:
        row = MemberContact(member_id=member_id, contact_id=contact_id, learned_at=now, source=source)
    elif row.member_id != member_id:
        other = session.get(Member, row.member_id)
        if other is not None and is_there(session, other):
            row.clash = source
        else:
            row.member_id, row.learned_at, row.source, row.clash = member_id, now, source, None
    session.add(row)
    touch_roster(session)
    return row


def is_there(session: Session, member: Member) -> bool:
    """Whether the roster still has this person; a unit that left took its people with it."""
    unit = session.get(Unit, member.unit_id)
    return member.active and unit is not None and unit.active


def held_rooms(session: Session) -> list[SeenRoom]:
    """Rooms that were listed and could not be bound by themselves, with the reason."""
    query = select(SeenRoom).where(col(SeenRoom.held_because).is_not(None)).order_by(col(SeenRoom.id))
    return list(session.exec(query).all())


def rooms_of(session: Session, account: str) -> dict[int, str]:
    """The rooms that an account is in, with the channel's ids."""
    bound = select(RoomBinding.room_id, RoomBinding.channel_room_id).where(RoomBinding.account == account)
    return {room_id: channel_room_id for room_id, channel_room_id in session.exec(bound).all()}


def contacts_of(session: Session, names: Collection[str]) -> dict[str, str | None]:
    """The WeChat ids of active members by name, None where none is known; of two with one name the first of the roster."""
    if not names:
        return {}
    wanted = col(Member.name).in_(names) & col(Member.active)
    found = session.exec(
        select(Member.name, Member.id).where(wanted).order_by(col(Member.position), col(Member.id))
    ).all()
    known = select(MemberContact.member_id, MemberContact.contact_id).where(
        col(MemberContact.member_id).in_([member_id for _, member_id in found]),
        func.coalesce(MemberContact.clash, "") == "",
    )
    ids = {member_id: contact_id for member_id, contact_id in session.exec(known.order_by(col(MemberContact.id))).all()}
    contacts: dict[str, str | None] = {}
    for name, member_id in found:
        contacts.setdefault(name, ids.get(member_id or 0))
    return contacts
