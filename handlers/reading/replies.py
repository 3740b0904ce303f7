"""What an answer in the group means: the entry.

The order is that of certainty: the bot's own question first, then the fixed words (待办, 帮助), then a member put in
charge, then commands with a key word, then plain remarks. What none understands is chatter: None, and the bot
keeps quiet. Permissions are not looked at here, except to tell an order from a request (转 by a dispatcher or by a
handler).
"""

from __future__ import annotations

import re
from datetime import date

from handlers.reading import (
    duty_words,
    numbers,
    replies_assign,
    replies_commands,
    replies_done,
    replies_followup,
    replies_match,
    replies_menu,
    replies_remark,
    replies_several,
    replies_units,
)
from handlers.reading import replies_vetoes as v
from handlers.reading.replies_answer import WHO, Answer, take_apart
from handlers.reading.replies_remark import Remark, Says
from handlers.reading.replies_targets import aim, position
from handlers.reading.replies_text import MAX_CHARS, REF, trimmed
from handlers.reading.views import Act, Gazetteer, Intent, MessageView, RoomState
from storage.enums import MessageType, TicketStatus, UnitKind

_LONG_DONE = 60  # signs: longer reports of work done are news, unless they quote or number a ticket
_LONG = 80  # signs: a remark without number or quote is shorter
_DUTY_SIGN = re.compile("班|替|顶|值守")
_EVERY = re.compile(
    r"(?:都|全|全部|统统|一块儿?|一起|两个都|几个都|这[两三几]个)(?:由)?(?:我们?|领|接|收到|办|归我|给我|"
    r"我来)"
)


def read(view: MessageView, room: RoomState, gazetteer: Gazetteer, today: date) -> Intent | None:
    """Understand one message as an answer; None is silence. Pure and deterministic; never raises on any text."""
    if view.type is not MessageType.TEXT or not view.text.strip() or len(view.text) > MAX_CHARS * 4:
        return None
    if "接龙" in view.text[:40]:
        return None
    answer = take_apart(view, room, gazetteer, today)
    fixed = replies_menu.read(answer)
    if fixed is not None:
        return fixed
    understood = _ordered(answer)
    if room.just_asked is not None and (understood is None or not understood.explicit):
        followed = replies_followup.read(answer, room.just_asked)
        if followed is not None:
            return followed
    return understood


def read_all(view: MessageView, room: RoomState, gazetteer: Gazetteer, today: date) -> tuple[Intent, ...]:
    """All that one message orders, in its own order: 领1，2退单 重复. Never raises on any text."""
    first = read(view, room, gazetteer, today)
    if first is None or not first.explicit:
        return (first,) if first is not None else ()
    several = replies_several.read(view, room, lambda part, state: read(part, state, gazetteer, today))
    return tuple(several) or (first,)


def _ordered(answer: Answer) -> Intent | None:
    if not answer.text.strip(" ，,。.!！?？" + REF):
        return None
    for step in (replies_commands.menu, _assign, replies_commands.command, replies_commands.accept):
        intent = step(answer)
        if intent is not None:
            return intent
    for step in (replies_commands.call_back, _bare_unit, _duty):
        intent = step(answer)
        if intent is not None:
            return intent
    return _remark(answer)


def _assign(answer: Answer) -> Intent | None:
    member = replies_assign.assignee(answer) or replies_assign.stranger(answer)
    if member is None:
        return None
    if not answer.boss and replies_assign.promises(answer):
        return None  # read on: his remark accepts
    anchored = bool(answer.refs) or answer.quoted is not None
    if not anchored and (answer.quotes_other or len(answer.text) > _LONG):
        return None
    explicit = anchored or answer.boss
    return aim(answer, Act.ASSIGN, waiting=True, member=member, reason=trimmed(answer.plain), explicit=explicit)


def _bare_unit(answer: Answer) -> Intent | None:
    """`12 水务局` by a dispatcher: the answer to "which unit?"."""
    if not answer.routes or not answer.refs:
        return None
    rest = re.sub(r"^\s*(?:给|派|分|到|至|归|由|去|让)*\s*", "", answer.text.replace(REF, " ").replace(WHO, ""))
    found = replies_units.head(rest, answer.units)
    if not found.names or (
        trimmed(rest[found.end :]) and not re.match(r"[\s，,。]|办|处理|负责|吧", rest[found.end :])
    ):
        return None
    if v.QUESTION.search(rest):
        return None
    return aim(answer, Act.TRANSFER, waiting=None, units=found.names[:1], reason=trimmed(rest[found.end :]))


def _duty(answer: Answer) -> Intent | None:
    if len(answer.plain) > 60 or "\n" in answer.plain.strip() or not _DUTY_SIGN.search(answer.plain):
        return None
    text = answer.plain
    for person in answer.people:
        text = text.replace(WHO, person.name, 1)
    members = (*answer.room.members, *answer.people)
    change = duty_words.parse(text, members, answer.today, me=answer.me.name if answer.me else None)
    if change is None:
        return None
    return Intent(
        Act.DUTY,
        member=change.who,
        replaces=change.replaces,
        when=change.when,
        explicit=change.whole,
        reason=trimmed(text),
    )


def _remark(answer: Answer) -> Intent | None:
    """A remark in free words, with or without something that says which ticket."""
    numbered = bool(answer.refs)
    firm = numbered or answer.quoted is not None
    if not firm and (answer.quotes_other or len(answer.text) > _LONG):
        return None
    remark = replies_remark.read(answer.text.replace(WHO, "他"), firm=firm, boss=answer.boss)
    if remark.says is Says.NOTHING:
        return None
    if not numbered and answer.quoted is None and (foreign := numbers.foreign(answer.plain, answer.shorts)):
        claims = remark.says is Says.GO and "领" in remark.words
        return Intent(Act.ACCEPT, unknown_number=foreign, explicit=True) if claims else None
    if numbered and not answer.known and remark.says is not Says.WEAK:
        return aim(answer, _act(remark), waiting=True) if _strong(answer) else None
    if firm:
        return _firm(answer, remark, explicit=numbered)
    if not answer.member or remark.says in (Says.WEAK, Says.LATER, Says.NOT_OURS):
        return _outsider(answer, remark)
    return _loose(answer, remark)


def _strong(answer: Answer) -> bool:
    return any(r.strong for r in answer.refs)


def _act(remark: Remark) -> Act:
    if remark.says is Says.DONE:
        return Act.RESOLVE
    return Act.DECLINE if remark.says is Says.NOT_OURS else Act.ACCEPT


def _firm(answer: Answer, remark: Remark, *, explicit: bool) -> Intent | None:
    """The ticket is known by number or quote."""
    act = _act(remark)
    if act is Act.ACCEPT and remark.says is Says.GO and _has_it(answer):
        return None  # news on a ticket that is his already
    if act is Act.RESOLVE and (_is_over(answer) or (answer.routes and "回访" in answer.plain)):
        return None  # news on a ticket that is resolved, or what a caller told
    text = trimmed(answer.plain if not answer.refs else answer.text.replace(REF, " ").replace(WHO, ""))
    units = replies_commands.proposal(answer, answer.text) if act is Act.DECLINE else ()
    return aim(answer, act, waiting=True, reason=text, units=units, explicit=explicit, words=(remark.words,))


def _is_over(answer: Answer) -> bool:
    index = answer.known[0] if len(answer.known) == 1 else answer.quoted if not answer.known else None
    return index is not None and answer.room.tickets[index].status is TicketStatus.RESOLVED


def _has_it(answer: Answer) -> bool:
    if answer.me is None or len(answer.known) != 1:
        return False
    ticket = answer.room.tickets[answer.known[0]]
    return not ticket.waiting and ticket.owner == answer.me.name


def _outsider(answer: Answer, remark: Remark) -> Intent | None:
    """收到"
    " by somebody of another unit is no claim; only one that names a ticket is answered, with a refusal."""
    if remark.says is not Says.GO or answer.view.sender_unit is None or answer.routes or not remark.points:
        return None
    named = replies_match.named(remark.content, answer.room.tickets, answer.pool(waiting=True), singles=False)
    if named.index is None:
        return None
    return Intent(Act.ACCEPT, targets=(named.index,), reason=trimmed(answer.plain), words=(remark.words, named.words))


def _loose(answer: Answer, remark: Remark) -> Intent | None:
    """Neither number nor quote: what it names, else the one it can mean, else all of them and the bot asks."""
    if answer.view.room_kind not in (UnitKind.TOWN, UnitKind.AGENCY):
        return None
    if remark.says is Says.DONE:
        return _loose_done(answer, remark)
    waiting, taken = answer.pool(waiting=True), answer.pool(waiting=False)
    reason, words = trimmed(answer.plain), (remark.words,)
    spot = position(answer, waiting)
    if spot is not None:
        return Intent(Act.ACCEPT, targets=(spot,), reason=reason, words=words)
    named = replies_match.named(remark.content, answer.room.tickets, waiting, singles=remark.points)
    if named.index is not None:
        if _elsewhere(answer, remark, named.index):
            return None
        return Intent(Act.ACCEPT, targets=(named.index,), reason=reason, words=(*words, named.words))
    elsewhere = replies_match.named(remark.content, answer.room.tickets, taken, singles=remark.points)
    if elsewhere.index is not None and not named.rivals:
        mine = answer.room.tickets[elsewhere.index].owner
        if remark.points and mine is not None:
            return Intent(Act.ACCEPT, targets=(elsewhere.index,), reason=reason, words=(*words, elsewhere.words))
        return None  # it is about a ticket that a colleague has: no claim on another
    if remark.must_name or not waiting:
        return None
    if not named.rivals and replies_match.names_elsewhere(remark.content, _stems(answer)):
        return None
    rivals = named.rivals or waiting
    every = len(rivals) > 1 and _EVERY.search(answer.plain) is not None
    return Intent(Act.ACCEPT, targets=rivals, reason=reason, words=words, every=every, explicit=every)


def _stems(answer: Answer) -> tuple[str, ...]:
    kept = answer.gazetteer.__dict__.get("_village_stems")
    if not isinstance(kept, tuple):
        names = (n for v in answer.gazetteer.villages for n in (v.name, *v.aliases))
        kept = tuple(sorted({s for n in names if len(s := re.sub("(?:社区|村)$", "", n)) >= 2}))
        answer.gazetteer.__dict__["_village_stems"] = kept
    return kept


def _loose_done(answer: Answer, remark: Remark) -> Intent | None:
    """It is done, but what? The one it names; else, if it names nothing, those that a person has."""
    if len(answer.plain) > _LONG_DONE or replies_done.OWN_THINGS.search(answer.plain):
        return None
    taken, waiting = answer.pool(waiting=False), answer.pool(waiting=True)
    reason, words = trimmed(answer.plain), (remark.words,)
    spot = position(answer, taken or waiting)
    if spot is not None:
        return Intent(Act.RESOLVE, targets=(spot,), reason=reason, words=words)
    named = replies_match.named(remark.content, answer.room.tickets, tuple(sorted((*taken, *waiting))))
    if named.index is not None:
        if _elsewhere(answer, remark, named.index):
            return None
        # Nobody has accepted it: a colleague would ask whether it is this one (behaviour 6).
        unsure = named.index in waiting
        return Intent(Act.RESOLVE, targets=(named.index,), reason=reason, words=(*words, named.words), unsure=unsure)
    if replies_match.names_elsewhere(remark.content, _stems(answer)) and not named.rivals:
        return None
    fits = tuple(i for i in named.rivals if i in taken) or taken or waiting
    plain = replies_done.DONE_PLAIN.search(remark.words) is not None
    strange = not named.rivals and len(replies_done.DONE.sub("", remark.content)) > 2
    if not fits or (strange and (not taken or not plain or len(answer.plain) > 30)):
        return None
    # It names a thing, but none of a ticket: 水泵修好了 may be the one, or another's.
    return Intent(Act.RESOLVE, targets=fits, reason=reason, words=words, unsure=strange or fits == waiting)


def _elsewhere(answer: Answer, remark: Remark, index: int) -> bool:
    """The remark names a village, and it is not in the ticket: then it is about another matter of the same kind."""
    ticket = answer.room.tickets[index]
    stack = "|".join((ticket.text, ticket.place or "", ticket.village or ""))
    stems = [s for s in _stems(answer) if s in remark.content]
    return bool(stems) and not any(s in stack for s in stems)
