"""What a language model said of doubtful messages: kept once, read when their turn comes."""

from collections.abc import Collection
from typing import Any

from sqlmodel import Session, col, select

from storage.enums import InboxState, Opinion
from storage.inbox import insert_or_nothing
from storage.tables import InboxMessage, SecondOpinion


def keep(session: Session, inbox_id: int, values: dict[str, Any]) -> bool:
    """Keep an opinion; False when there is one, or when the message was understood without it meanwhile."""
    message = session.get(InboxMessage, inbox_id)
    if message is None or message.state is not InboxState.NEW:
        return False
    return insert_or_nothing(session, SecondOpinion, [{"inbox_id": inbox_id, **values}]) == 1


def of(session: Session, inbox_ids: Collection[int]) -> dict[int, Opinion]:
    """The opinions that there are on these messages."""
    if not inbox_ids:
        return {}
    query = select(SecondOpinion.inbox_id, SecondOpinion.opinion).where(col(SecondOpinion.inbox_id).in_(inbox_ids))
    return {inbox_id: Opinion(said) for inbox_id, said in session.exec(query).all()}
