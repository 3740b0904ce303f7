"""Several acts in one message: 领1，2退单 重复. Each clause that commands by a number of its own is an act of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from handlers.reading.replies_text import normalise
from handlers.reading.views import Act, Intent, MessageView, RoomState

# A clause ends at a sign, or at a blank before the next command with a number: 领1 退2 重复.
_CLAUSES = re.compile(
    r"[，,；;。\n]+|\s+(?=(?:领办?|接单?|退单?|转派?|办结|延期|重办|催办?|维持|同意|吹哨|指派)\s*#?\d{1,3}(?!\d))"
)
_ACTS = frozenset(
    (Act.ACCEPT, Act.ASSIGN, Act.DECLINE, Act.TRANSFER, Act.KEEP, Act.AGREE, Act.WHISTLE, Act.RESOLVE, Act.EXTEND)
) | {Act.REOPEN, Act.URGE}
_MOST = 12  # acts in one message; more is a list that somebody pasted


def read(
    view: MessageView, room: RoomState, read_one: Callable[[MessageView, RoomState], Intent | None]
) -> list[Intent]:
    """The acts of a message that gives several orders, each for tickets of its own; none if it gives one.

    A clause without a number of its own belongs to the act before it, as its reason.
    """
    clauses = [clause for clause in _CLAUSES.split(normalise(view.text)) if clause.strip()]
    if not 2 <= len(clauses) <= 3 * _MOST:
        return []
    alone = replace(room, quoted=None, quotes_bot=False, just_asked=None)

    def act_of(text: str) -> Intent | None:
        intent = read_one(replace(view, text=text, quote_text=None), alone)
        if intent is None or not intent.explicit or intent.act not in _ACTS:
            return None
        numbered = any(c.isdigit() for c in text) and (intent.targets or intent.unknown_number is not None)
        return intent if numbered else None

    parts: list[str] = []
    for clause in clauses:
        if act_of(clause) is not None:
            parts.append(clause)
        elif parts:
            parts[-1] += f"，{clause}"
        else:
            return []
    acts = [intent for part in parts if (intent := act_of(part)) is not None]
    named = [target for intent in acts for target in intent.targets]
    if len(acts) < 2 or len(acts) != len(parts) or len(acts) > _MOST or len(named) != len(set(named)):
        return []
    whole = read_one(view, room)
    if whole is not None and set(whole.targets) == set(named) and len({_order(intent) for intent in acts}) == 1:
        return []  # the same for each of them: 领1，领2
    return acts


def _order(intent: Intent) -> tuple[object, ...]:
    return intent.act, intent.member, intent.units, intent.until, intent.reason
