"""The context of the rules, made anew whenever the roster, the rooms or the rota changed."""

from __future__ import annotations

from dataclasses import replace

from sqlmodel import Session

from handlers.context import Context, District, load_district
from handlers.policy import Policy
from handlers.reading.views import Gazetteer
from storage import people

EMPTY = District(version=-1, units=(), rooms=(), members=(), duties=(), gazetteer=Gazetteer())


class Knowledge:
    def __init__(self, base: Context | None = None) -> None:
        """`base` carries policy, keys and names; its district is replaced by the database's."""
        self._base = base or Context(district=EMPTY, policy=Policy())
        self._context: Context | None = None

    def context(self, session: Session) -> Context:
        version = people.roster_version(session)
        if self._context is None or self._context.district.version != version:
            self._context = replace(self._base, district=load_district(session))
        return self._context
