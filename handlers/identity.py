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
    district = ctx.district
    unit = district.unit_by_id[room.unit_id].name if room else None
    found = names.identify(message.sender_name, district.gazetteer, unit)
    by_name = _info(ctx, found.member.name, found.member.unit) if found.member else None
    if not message.sender_id:
        return Speaker(message.sender_name, by_name, ambiguous=len(found.candidates) > 1)
    known = district.member_by_id.get(district.contacts.get(message.sender_id, 0))
    if known is None:
        if by_name:
            people.learn_contact(
                session,
                member_id=by_name.id,
                contact_id=message.sender_id,
                now=now,
                source=f"nickname: {message.sender_name}",
            )
        return Speaker(message.sender_name, by_name, ambiguous=len(found.candidates) > 1)
    if message.sender_id in district.clashes:
        return Speaker(message.sender_name, None, ambiguous=True, clash=True)
    if by_name and by_name.id != known.id:
        people.learn_contact(
            session,
            member_id=by_name.id,
            contact_id=message.sender_id,
            now=now,
            source=f"nickname: {message.sender_name}",
        )
        meta.warn_once(
            session,
            key=f"contact-clash:{message.sender_id}",
            text=f"contact {message.sender_id} was {known.name}, now says {by_name.name}",
            now=now,
        )
        return Speaker(message.sender_name, None, ambiguous=True, clash=True)
    return Speaker(message.sender_name, known)


def _info(ctx: Context, name: str, unit: str) -> MemberInfo | None:
    owner = ctx.district.unit_by_name.get(unit)
    if owner is None:
        return None
    return next((m for m in ctx.district.members_of.get(owner.id, ()) if m.name == name), None)


def say_who(speaker: Speaker) -> str:
    if speaker.clash:
        return texts.held_contact(speaker.shown)
    return texts.ambiguous_sender(speaker.shown) if speaker.ambiguous else texts.unknown_sender(speaker.shown)
