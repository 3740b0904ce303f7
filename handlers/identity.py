"""Who is speaking: by contact id, else by the nickname's structure against the roster; never by a loose substring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from handlers import texts
from handlers.context import Context, MemberInfo, RoomInfo
from handlers.reading import names
from storage import meta, people
from storage.tables import InboxMessage


@dataclass(frozen=True, slots=True)
class Speaker:
    shown: str  # the name as the room shows it
    member: MemberInfo | None
    ambiguous: bool = False
    clash: bool = False  # this contact id is held for an administrator

    @property
    def name(self) -> str:
        return self.member.name if self.member else self.shown


def identify(session: Session, ctx: Context, message: InboxMessage, room: RoomInfo | None, *, now: datetime) -> Speaker:
    """The roster's member behind a message, or nobody.

    A contact id seen with a unique nickname is learned; seen later with another member's nickname it is held for an
    administrator, and counts for nobody until then. The id of somebody who left the roster is as good as unseen.
    """
    speaker, by_name, known = _recognise(ctx, message, room)
    contact = message.sender_id
    settled = known is not None and (contact in ctx.district.clashes or known == by_name)
    if not contact or by_name is None or settled:
        return speaker
    source = f"nickname: {message.sender_name}"
    people.learn_contact(session, member_id=by_name.id, contact_id=contact, now=now, source=source)
    if known is not None:
        warning = f"contact {contact} was {known.name}, now says {by_name.name}"
        meta.warn_once(session, key=f"contact-clash:{contact}", text=warning, now=now)
    return speaker


def recognise(ctx: Context, message: InboxMessage, room: RoomInfo | None) -> Speaker:
    """The same, learning nothing."""
    return _recognise(ctx, message, room)[0]


def _recognise(
    ctx: Context, message: InboxMessage, room: RoomInfo | None
) -> tuple[Speaker, MemberInfo | None, MemberInfo | None]:
    """Who speaks; whose the nickname is; whose the contact id is."""
    district, shown = ctx.district, message.sender_name
    found = names.identify(shown, district.gazetteer, district.unit_by_id[room.unit_id].name if room else None)
    by_name = _info(ctx, found.member.name, found.member.unit) if found.member else None
    known = district.member_by_id.get(district.contacts.get(message.sender_id, 0)) if message.sender_id else None
    if known is None:
        return Speaker(shown, by_name, ambiguous=len(found.candidates) > 1), by_name, None
    if message.sender_id in district.clashes or (by_name and by_name.id != known.id):
        return Speaker(shown, None, ambiguous=True, clash=True), by_name, known
    return Speaker(shown, known), by_name, known


def _info(ctx: Context, name: str, unit: str) -> MemberInfo | None:
    owner = ctx.district.unit_by_name.get(unit)
    if owner is None:
        return None
    return next((m for m in ctx.district.members_of.get(owner.id, ()) if m.name == name), None)


def say_who(speaker: Speaker) -> str:
    if speaker.clash:
        return texts.held_contact(speaker.shown)
    return texts.ambiguous_sender(speaker.shown) if speaker.ambiguous else texts.unknown_sender(speaker.shown)
