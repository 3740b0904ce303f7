"""What a reader is given and what it answers: plain frozen values, no database.

`MessageView` is a message as the group shows it. `Gazetteer` holds the district's own data (units, places, catalogue,
roster names), built once per roster version. `Reading` is what a message says as a complaint, `Intent` what it says as
an answer. Spans are (start, end) offsets into the message's text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from storage.enums import MessageType, Opinion, Role, Source, TicketStatus, UnitKind, Urgency

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class MessageView:
    text: str
    type: MessageType = MessageType.TEXT
    room_kind: UnitKind = UnitKind.TOWN
    room_unit: str | None = None  # the unit whose room this is
    sender_name: str = ""  # as the room shows it
    sender_unit: str | None = None  # None: not in the roster, or ambiguous
    sender_role: Role | None = None
    mentions: tuple[str, ...] = ()  # names as the room shows them, without the bot's own
    mentions_bot: bool = False
    quote_text: str | None = None


@dataclass(frozen=True, slots=True)
class UnitEntry:
    name: str
    kind: UnitKind
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VillageEntry:
    township: str
    name: str
    kind: str  # 村 or 社区
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceAlias:
    """A 小区, hamlet or landmark that stands for an official village or community; filled by the district."""

    alias: str
    township: str
    village: str | None = None


@dataclass(frozen=True, slots=True)
class CategoryEntry:
    name: str
    lead_agency: str | None  # None: nobody leads by subject (其他)
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberEntry:
    name: str
    unit: str
    role: Role
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gazetteer:
    units: tuple[UnitEntry, ...] = ()
    villages: tuple[VillageEntry, ...] = ()
    categories: tuple[CategoryEntry, ...] = ()
    members: tuple[MemberEntry, ...] = ()
    place_aliases: tuple[PlaceAlias, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    what: str  # a stable name: "order_fields", "problem_word", "register:notice", …
    weight: float  # log-odds towards "complaint"
    span: Span | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Complaint:
    text: str  # the part of the message (and of `before`) that tells it
    order_no: str | None = None
    source: Source = Source.CITIZEN
    category: str = "其他"
    runner_up: str | None = None
    urgency: Urgency = Urgency.NORMAL
    urgency_words: tuple[str, ...] = ()
    place: str | None = None  # the address as written
    village: str | None = None
    township: str | None = None
    place_options: tuple[tuple[str, str], ...] = ()  # (township, village) where the name exists twice
    phones: tuple[str, ...] = ()  # digits only, extension after "-"; the call-back number first
    people: tuple[str, ...] = ()  # personal names found, to be masked
    units_named: tuple[str, ...] = ()  # official names: 承办单位, "请X局", @-ed; the leading one first
    accuses_official: bool = False  # of the unit itself, a village secretary too
    time_limit: str | None = None  # 办理时限 as written ("7天", "2026-03-09 18:00")


@dataclass(frozen=True, slots=True)
class Reading:
    complaints: tuple[Complaint, ...] = ()
    supplement: bool = False  # adds to a complaint that the sender just told, if there is one
    used_before: tuple[int, ...] = ()  # indexes into `before` that became part of the (first) complaint
    score: float = 0.0  # log-odds of the verdict; ≥ 0 means complaint
    evidence: tuple[Evidence, ...] = ()
    spans: tuple[tuple[str, Span], ...] = ()  # every field found, by name
    margin: float | None = None  # of doubtful free text only: log-odds above (below: negative) what was needed
    moved: Opinion | None = None  # the second opinion, where the rules alone read it otherwise

    @property
    def doubtful(self) -> bool:
        """Whether a second opinion could decide."""
        return self.margin is not None


@dataclass(frozen=True, slots=True)
class Route:
    """Where a complaint of the dispatch or supervision room goes; no unit: ask the dispatcher."""

    unit: str | None
    why: str  # "named" | "place" | "category" | "ambiguous" | "unknown"
    options: tuple[str, ...] = ()  # units to offer when asking


class Act(StrEnum):
    ACCEPT = "accept"
    ASSIGN = "assign"
    DECLINE = "decline"
    TRANSFER = "transfer"
    KEEP = "keep"  # 维持
    AGREE = "agree"  # 同意
    WHISTLE = "whistle"
    RESOLVE = "resolve"
    EXTEND = "extend"
    REOPEN = "reopen"
    URGE = "urge"  # 催12
    STATUS = "status"  # 查12, 查 工单号
    TODO = "todo"  # 待办
    MINE = "mine"  # 我的
    HELP = "help"
    DAILY = "daily"  # 日报
    DUTY = "duty"  # 今晚李四值班
    BIND = "bind"  # 绑定 庙城镇
    CALL_BACK = "call_back"  # 回访不满意 / 未解决, with an order or ticket number


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket that has a number in this room, as a colleague would remember it."""

    short: int
    no: str
    status: TicketStatus
    waiting: bool  # the assignment of this room's unit still waits for a person
    text: str
    category: str = "其他"
    place: str | None = None
    village: str | None = None
    township: str | None = None
    unit: str | None = None  # of this room's assignment; in the dispatch room the unit that declined
    owner: str | None = None  # member name
    order_no: str | None = None


@dataclass(frozen=True, slots=True)
class RoomState:
    tickets: tuple[TicketView, ...] = ()  # in order of their prompts, resolved ones of today included
    quoted: int | None = None  # index into tickets of the one that the quoted message is about
    quotes_bot: bool = False  # the quoted message is the bot's own
    members: tuple[MemberEntry, ...] = ()  # of the room's unit
    just_asked: tuple[Act, int | None] | None = None  # the bot's last question to this sender: act, index


@dataclass(frozen=True, slots=True)
class Intent:
    act: Act
    targets: tuple[int, ...] = ()  # indexes into RoomState.tickets that it can mean; one: it is that
    explicit: bool = False  # a command by number or key word, not a mere remark
    unknown_number: int | None = None  # a number that no ticket of this room has
    number: str | None = None  # a ticket or order number as written
    reason: str = ""  # reason, result or matter: the rest of the sentence
    member: str | None = None  # roster name, for ASSIGN and DUTY
    replaces: str | None = None  # roster name who hands over, for DUTY
    units: tuple[str, ...] = ()  # official names, for TRANSFER, WHISTLE, DECLINE with a proposal, BIND
    until: date | None = None
    when: str = ""  # for DUTY: "今晚", "明天", "3月8日" as written
    words: tuple[str, ...] = field(default=())  # what decided, for explain
    every: bool = False  # each of the targets is meant (领1、3), not one of them
    unsure: bool = False  # a colleague would ask back, even if there is only one target
