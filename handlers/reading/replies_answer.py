"""An answer taken apart before it is understood: text, numbers, people, quoted ticket, and who speaks.

The text here has one sign for each ticket number (REF) and for each roster member it names or @-s (WHO), so that the
wordings can be read without knowing the names of a district.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from handlers.reading import mentions, names, numbers, quotes, replies_units
from handlers.reading.replies_text import normalise, without_modifiers
from handlers.reading.views import Gazetteer, MemberEntry, MessageView, RoomState
from storage.enums import Role, TicketStatus

WHO = "\x02"
_ORDERS = frozenset((Role.HEAD, Role.DEPUTY, Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN))
_ROUTES = frozenset((Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN))
_UNIT_SPEAKS = re.compile(r"\s*(?:怀柔区|怀柔)?(?=(.))")
_SPEAKS = re.compile(r"[\s,，:：]*(?:[\u4e00-\u9fff]{2,3})?\s*(?:已?收到|已|马上|立即|这就|正在|领|接|我)")
_FRONT_NUMBER = re.compile(r"\s*\d{1,3}\s*")
# A helping unit may have accepted while the lead still waits: then the ticket's own status is not 已领办.
_OPEN = frozenset((TicketStatus.WAITING, TicketStatus.ACCEPTED, TicketStatus.REOPENED))
_QUOTE_SAME = 16  # signs of a ticket's text that a quoted text must share to be about it


@dataclass(frozen=True, slots=True)
class Answer:
    view: MessageView
    room: RoomState
    gazetteer: Gazetteer
    today: date
    plain: str  # normalised, without quote and emoji; numbers and names still in it
    text: str  # the same with REF and WHO
    refs: tuple[numbers.NumberRef, ...]
    people: tuple[MemberEntry, ...]  # in order of the WHO signs
    me: MemberEntry | None  # the sender, if the roster knows him
    quoted: int | None  # the ticket that the quoted message is about
    quotes_other: bool  # it quotes something that is no ticket: a notice, a colleague
    units: replies_units.UnitIndex

    @property
    def boss(self) -> bool:
        return self.view.sender_role in _ORDERS

    @property
    def routes(self) -> bool:
        return self.view.sender_role in _ROUTES

    @property
    def member(self) -> bool:
        return self.view.sender_unit is not None and self.view.sender_unit == self.view.room_unit

    @property
    def known(self) -> tuple[int, ...]:
        """Indexes of the tickets named by number, each once, in the order named."""
        index = {t.short: i for i, t in enumerate(self.room.tickets)}
        return tuple(dict.fromkeys(index[r.value] for r in self.refs if r.value in index))

    @property
    def unknown(self) -> int | None:
        return next((r.value for r in self.refs if not r.known), None)

    @property
    def shorts(self) -> frozenset[int]:
        return frozenset(t.short for t in self.room.tickets)

    def pool(self, *, waiting: bool) -> tuple[int, ...]:
        """Indexes of the waiting tickets, or of those that a person has and that are open."""
        return tuple(
            i
            for i, t in enumerate(self.room.tickets)
            if (t.waiting if waiting else (not t.waiting and t.status in _OPEN))
        )


def take_apart(view: MessageView, room: RoomState, gazetteer: Gazetteer, today: date) -> Answer:
    """Normalise, cut off an embedded quote, and mark numbers and names. Never raises."""
    split = quotes.split(view.text[:4000])
    body = without_modifiers(normalise(mentions.plain_emoji(split.body)))
    quote = view.quote_text if view.quote_text is not None else split.text
    quoted = room.quoted if room.quoted is not None else _quoted_by_text(quote, room)
    if quoted is not None and not 0 <= quoted < len(room.tickets):
        quoted = None
    me = _sender(view, gazetteer)
    plain, people = _mark_people(_own_unit_as_we(body, view, gazetteer), view, room, gazetteer, me)
    refs = _refs(plain, room, quoted, replies_units.index_of(gazetteer))
    return Answer(
        view=view,
        room=room,
        gazetteer=gazetteer,
        today=today,
        plain=plain,
        text=numbers.without(plain, refs),
        refs=refs,
        people=people,
        me=me,
        quoted=quoted,
        quotes_other=quote is not None and quoted is None and not room.quotes_bot,
        units=replies_units.index_of(gazetteer),
    )


def _refs(
    plain: str, room: RoomState, quoted: int | None, units: replies_units.UnitIndex
) -> tuple[numbers.NumberRef, ...]:
    bare = plain.strip(" .。!！+")
    if quoted is not None and bare.isdigit() and room.tickets[quoted].short != numbers.value_of(bare):
        return ()  # a lone 1 under a quote means "yes", whatever the quoted ticket's number is
    if quoted is not None and set(bare) == {"1"}:
        return ()
    follows = [WHO]
    front = _FRONT_NUMBER.match(plain)
    if front is not None and replies_units.at(plain, front.end(), units, short=True) is not None:
        follows.append(plain[front.end() : front.end() + 2])  # 4水务局
    return numbers.find(plain, {t.short for t in room.tickets}, follows)


def _quoted_by_text(quote: str | None, room: RoomState) -> int | None:
    """The one ticket whose text begins as the quoted one does: some puppets deliver a quote without its id."""
    if quote is None:
        return None
    key = normalise(quote).replace(" ", "")[:_QUOTE_SAME]
    if len(key) < _QUOTE_SAME // 2:
        return None
    fits = [i for i, t in enumerate(room.tickets) if key in normalise(t.text).replace(" ", "")]
    return fits[0] if len(fits) == 1 else None


def _mark_people(
    body: str, view: MessageView, room: RoomState, gazetteer: Gazetteer, me: MemberEntry | None
) -> tuple[str, tuple[MemberEntry, ...]]:
    """Put WHO for each member named or @-ed, 我"
    " for the sender's own name, the unit's name for an @-ed unit."""
    people: dict[str, MemberEntry] = {}
    text = body
    if "@" in text:
        text = _mark_mentions(text, view, room, gazetteer, me, people)
    for member in room.members or _members_of(gazetteer, view.room_unit):
        if member.name and member.name in text:
            text = _put(text, member.name, member, me, people)
    if view.sender_role in _ORDERS:
        text = _mark_given_names(text, room.members, me, people)
    for unit in {t.unit for t in room.tickets if t.unit and t.unit != view.room_unit}:
        for member in _members_of(gazetteer, unit):
            if member.name in text:
                text = _put(text, member.name, member, me, people)
    ordered = tuple(people[c] for c in re.findall("[\ue000-\ue0ff]", text))
    return re.sub("[\ue000-\ue0ff]", WHO, text), ordered


def _mark_given_names(
    text: str, members: tuple[MemberEntry, ...], me: MemberEntry | None, people: dict[str, MemberEntry]
) -> str:
    """建国你跑一趟: a leader calls his people by their given names, where only one of the room has it, and no other
    surname stands before it."""
    for member in members:
        given = member.name[1:]
        if len(given) < 2 or given not in text or sum(m.name.endswith(given) for m in members) > 1:
            continue
        called = re.compile(
            rf"(?<=[让叫请派由给排]){re.escape(given)}|(?:(?<![\u4e00-\u9fff])|(?<=[号个单件边那])){re.escape(given)}"
            r"(?=[，,\s]*(?:你|您|去|来|跑|负责|盯|办|处理|马上|辛苦|抓紧|牵头|带))"
        )
        if called.search(text):
            text = _put(text, given, member, me, people)
    return text


def _own_unit_as_we(body: str, view: MessageView, gazetteer: Gazetteer) -> str:
    """庙城镇收到, 水务局马上派人: said by its own member, the unit's name is "we"."""
    if view.sender_unit is None or view.sender_unit != view.room_unit:
        return body
    match = _UNIT_SPEAKS.match(body)
    if match is None:
        return body
    found = replies_units.at(body, match.start(1), replies_units.index_of(gazetteer), short=True)
    if found is None or found[0] != view.sender_unit or _SPEAKS.match(body, found[1]) is None:
        return body
    return "我们" + body[found[1] :]


def _sender(view: MessageView, gazetteer: Gazetteer) -> MemberEntry | None:
    found = names.identify(view.sender_name, gazetteer, view.room_unit).member
    return found if found is None or view.sender_unit in (None, found.unit) else None


def _put(text: str, spelling: str, member: MemberEntry, me: MemberEntry | None, people: dict[str, MemberEntry]) -> str:
    if member == me:
        return text.replace(spelling, "我")
    sign = next((s for s, m in people.items() if m == member), None) or chr(0xE000 + len(people) % 256)
    people[sign] = member
    return text.replace(spelling, sign)


def _mark_mentions(
    text: str,
    view: MessageView,
    room: RoomState,
    gazetteer: Gazetteer,
    me: MemberEntry | None,
    people: dict[str, MemberEntry],
) -> str:
    known: Iterable[str] = {
        *view.mentions,
        *(m.name for m in room.members),
        *(a for m in room.members for a in m.aliases),
    }
    known = tuple(sorted({normalise(n) for n in known if n}))
    # A dispatcher who is @-ed only to be told (@葛某 领2) is not the one who shall go.
    here = {view.room_unit, *(t.unit for t in room.tickets)}
    for name in mentions.strip(text, known).names:
        found = names.identify(name, gazetteer, view.room_unit).member
        unit = replies_units.at(name, 0, replies_units.index_of(gazetteer), short=False)
        if found is not None and found.unit in here:
            text = _put(text, "@" + name, found, me, people)
        elif unit is not None and unit[1] == len(name):
            text = text.replace("@" + name, f" {unit[0]} ")
    return mentions.strip(text, known).text


def _members_of(gazetteer: Gazetteer, unit: str | None) -> tuple[MemberEntry, ...]:
    kept = gazetteer.__dict__.get("_members_by_unit")
    if not isinstance(kept, dict):
        kept = {}
        for member in gazetteer.members:
            kept[member.unit] = (*kept.get(member.unit, ()), member)
        gazetteer.__dict__["_members_by_unit"] = kept
    found = kept.get(unit, ())
    return found if isinstance(found, tuple) else ()
