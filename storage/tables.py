"""Every table, with the constraint that makes its rule a database fact.

No `from __future__ import annotations` here: SQLModel reads the annotations at class creation.
Times are aware UTC (`UtcDateTime`); enums are stored by value and checked.
"""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, MetaData, Text, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from storage.enums import (
    AssignedBy,
    AssignmentRole,
    AssignmentStatus,
    DigestKind,
    EventKind,
    InboxState,
    MessageType,
    Opinion,
    OutageKind,
    OutboxState,
    Role,
    Satisfaction,
    SayKind,
    Source,
    Step,
    TicketStatus,
    UnitKind,
    Urgency,
)
from storage.types import UtcDateTime, enum_column

# Named constraints, so that a migration can drop what an earlier one made.
SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention


# ---- the district's own data, loaded from files ----------------------------------------------------------------------


class Unit(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    kind: UnitKind = Field(sa_type=enum_column(UnitKind))
    aliases: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    position: int  # order of the district's list; ties in the digest are broken by it
    active: bool = True  # a unit that left the list keeps its history


class Room(SQLModel, table=True):
    """A WeChat group that belongs to a unit; known by its topic until a channel binds its id."""

    id: int | None = Field(default=None, primary_key=True)
    unit_id: int = Field(foreign_key="unit.id", unique=True)
    topic: str = Field(unique=True)


class RoomBinding(SQLModel, table=True):
    """Which room id of which account is which room. One channel room can never be two rooms."""

    __tablename__ = "room_binding"
    __table_args__ = (UniqueConstraint("account", "channel_room_id"), UniqueConstraint("account", "room_id"))
    id: int | None = Field(default=None, primary_key=True)
    account: str
    channel_room_id: str
    room_id: int = Field(foreign_key="room.id", index=True)
    bound_at: datetime = Field(sa_type=UtcDateTime)
    bound_by: str = "topic"


class SeenRoom(SQLModel, table=True):
    """A room that the gateway listed, bound or not; what an administrator chooses from."""

    __tablename__ = "seen_room"
    __table_args__ = (UniqueConstraint("account", "channel_room_id"),)
    id: int | None = Field(default=None, primary_key=True)
    account: str
    channel_room_id: str
    topic: str
    seen_at: datetime = Field(sa_type=UtcDateTime)
    held_because: str | None = None


class Member(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("unit_id", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    unit_id: int = Field(foreign_key="unit.id")
    name: str = Field(index=True)
    role: Role = Field(sa_type=enum_column(Role))
    on_duty: bool = False  # on duty whenever the rota has no line for the moment
    aliases: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    position: int  # roster order; breaks ties when the system assigns
    active: bool = True


class MemberContact(SQLModel, table=True):
    """A stable WeChat id of a member, given by the roster or learned from a unique nickname."""

    __tablename__ = "member_contact"
    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    contact_id: str = Field(unique=True)
    learned_at: datetime = Field(sa_type=UtcDateTime)
    source: str  # "roster", "nickname: …", "admin"
    clash: str | None = None  # another member's nickname seen under this id; held for an administrator


class Duty(SQLModel, table=True):
    """A line of the rota: weekly (`weekday`) or dated (`day`, which goes before weekly)."""

    id: int | None = Field(default=None, primary_key=True)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    member_id: int = Field(foreign_key="member.id")
    weekday: int | None = None  # 0 = Monday
    day: date | None = None
    starts: time  # Beijing time
    ends: time  # Beijing time; at or before `starts`: the next day
    line: str = ""  # 白班, 夜班, 节假日, or ""
    source: str = "roster"


class Village(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("township", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    township: str
    name: str
    kind: str
    aliases: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class PlaceAlias(SQLModel, table=True):
    __tablename__ = "place_alias"
    id: int | None = Field(default=None, primary_key=True)
    alias: str = Field(unique=True)
    township: str
    village: str | None = None


class Catalogue(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    category: str = Field(unique=True)
    lead_agency: str
    examples: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    position: int


# ---- what comes in ---------------------------------------------------------------------------------------------------


class InboxMessage(SQLModel, table=True):
    """Every message seen, stored before it is understood."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "channel_room_id", "message_id"),
        Index("ix_inbox_new", "id", sqlite_where=text("state = 'new'"), postgresql_where=text("state = 'new'")),
        Index("ix_inbox_sender", "room_id", "sender_name", "sent_at"),
        Index("ix_inbox_room", "room_id", "sent_at"),
        Index(
            "ix_inbox_own",
            "channel_room_id",
            "received_at",
            sqlite_where=text("is_self = 1"),
            postgresql_where=text("is_self"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    channel: str
    channel_room_id: str  # "" in a private chat
    message_id: str
    room_id: int | None = Field(default=None, foreign_key="room.id")  # set when understood
    sender_id: str = ""
    sender_name: str = ""
    type: MessageType = Field(sa_type=enum_column(MessageType))
    text: str = Field(default="", sa_column=Column(Text, nullable=False))
    mentions: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    mentions_bot: bool = False
    quote: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    file: str | None = None
    file_name: str | None = None
    file_problem: str | None = None
    recalls: str | None = None
    is_self: bool = False
    raw: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    sent_at: datetime = Field(sa_type=UtcDateTime)  # WeChat's stamp
    received_at: datetime = Field(sa_type=UtcDateTime)
    state: InboxState = Field(default=InboxState.NEW, sa_type=enum_column(InboxState))
    attempts: int = 0
    error: str | None = Field(default=None, sa_column=Column(Text))
    became: str | None = None  # "ticket:20260303-0001", "accept", "attachment", … ; None: nothing
    blanked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # when its personal data was blanked


class SecondOpinion(SQLModel, table=True):
    """What a language model said of a message that the rules found doubtful; kept, so that none is asked for twice."""

    __tablename__ = "second_opinion"
    inbox_id: int = Field(
        sa_column=Column(Integer, ForeignKey("inbox.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    )
    opinion: Opinion = Field(sa_type=enum_column(Opinion))
    category: str | None = None  # as the model named it; compared, never used
    margin: float  # log-odds of the rules above (below: negative) what was needed
    model: str
    prompt: int  # which wording of the question
    asked_at: datetime = Field(sa_type=UtcDateTime)
    milliseconds: int


# ---- complaints and duties -------------------------------------------------------------------------------------------


class Ticket(SQLModel, table=True):
    __table_args__ = (
        Index("ix_ticket_repeat", "phone_hash", "created_at"),
        Index("ix_ticket_village", "village", "created_at"),
        Index("ix_ticket_category", "category", "id"),
        Index("ix_ticket_status", "status", "id"),
        Index("ix_ticket_unit_id", "unit_id", "id"),
        # One live ticket for one order; an order whose message was recalled may be posted anew.
        Index(
            "uq_ticket_order_no",
            "order_no",
            unique=True,
            sqlite_where=text("status <> '已撤销'"),
            postgresql_where=text("status <> '已撤销'"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    no: str = Field(unique=True)  # YYYYMMDD-NNNN, by the Beijing day of its first message
    order_no: str | None = Field(default=None, index=True)
    room_id: int = Field(foreign_key="room.id", index=True)  # where it was reported
    unit_id: int | None = Field(default=None, foreign_key="unit.id")  # leads now; null while 待定单位
    source: Source = Field(sa_type=enum_column(Source))
    category: str
    runner_up: str | None = None
    urgency: Urgency = Field(sa_type=enum_column(Urgency))
    urgency_words: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    place: str | None = None
    village: str | None = None
    township: str | None = None
    phones: str | None = None  # sealed; only the page behind a login shows them
    people: str | None = None  # sealed personal names of the text
    phone_hash: str | None = None  # keyed hash of the call-back number
    text: str = Field(sa_column=Column(Text, nullable=False))  # as told
    gist: str  # one masked line, what the groups see
    time_limit: str | None = None  # the order's own 办理时限 as written
    limit_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    status: TicketStatus = Field(sa_type=enum_column(TicketStatus))
    repeat_of_id: int | None = Field(default=None, foreign_key="ticket.id")
    note: str | None = None  # 疑似… , shown in prompts
    declines: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime, index=True)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # resolved or withdrawn
    blanked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # when its personal data was blanked


class TicketMessage(SQLModel, table=True):
    """Which messages a ticket was made of, and the pictures that belong to it."""

    __tablename__ = "ticket_message"
    __table_args__ = (UniqueConstraint("ticket_id", "inbox_id"),)
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    inbox_id: int = Field(foreign_key="inbox.id", index=True)
    part: str = "complaint"  # complaint, attachment, evidence
    message_id: str
    sent_at: datetime = Field(sa_type=UtcDateTime)


class RoomNumber(SQLModel, table=True):
    """The short number under which a room knows a ticket; never used twice in a day."""

    __tablename__ = "room_number"
    __table_args__ = (UniqueConstraint("room_id", "day", "short"),)
    id: int | None = Field(default=None, primary_key=True)
    room_id: int = Field(foreign_key="room.id")
    day: date  # Beijing
    short: int
    ticket_id: int = Field(foreign_key="ticket.id", index=True)


class Assignment(SQLModel, table=True):
    """One unit's duty on a ticket, with its own clock. All time-to-accept numbers come from here."""

    __table_args__ = (
        # At most one lead duty of a ticket is alive.
        Index(
            "uq_assignment_lead",
            "ticket_id",
            unique=True,
            sqlite_where=text("role = '主办' AND status IN ('待领办', '已领办')"),
            postgresql_where=text("role = '主办' AND status IN ('待领办', '已领办')"),
        ),
        Index("ix_assignment_window", "dispatched_at", "unit_id"),
        Index("ix_assignment_open", "unit_id", "status"),
        Index("ix_assignment_unit_day", "unit_id", "dispatched_at"),
        Index("ix_assignment_unit_ticket", "unit_id", "ticket_id", "id"),
        Index(
            "ix_assignment_waiting",
            "due_at",
            "id",
            sqlite_where=text("status = '待领办'"),
            postgresql_where=text("status = '待领办'"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    unit_id: int = Field(foreign_key="unit.id")
    short: int
    role: AssignmentRole = Field(sa_type=enum_column(AssignmentRole))
    status: AssignmentStatus = Field(default=AssignmentStatus.WAITING, sa_type=enum_column(AssignmentStatus))
    urgency: Urgency = Field(sa_type=enum_column(Urgency))  # of the ladder, fixed at dispatch
    dispatched_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    owner_id: int | None = Field(default=None, foreign_key="member.id", index=True)
    assigned_by: AssignedBy | None = Field(default=None, sa_type=enum_column(AssignedBy))
    assigned_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    accepted_by: str | None = None
    accepted_inbox_id: int | None = Field(default=None, foreign_key="inbox.id")  # a recall of it undoes it
    on_time: bool | None = None
    overdue_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # when overdue was announced
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # resolved, declined, transferred, withdrawn
    proposal_unit_id: int | None = Field(default=None, foreign_key="unit.id")  # asked for in the decline
    reason: str | None = None  # of the decline, or the result of the resolution


class Event(SQLModel, table=True):
    """Append-only audit trail."""

    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    assignment_id: int | None = Field(default=None, foreign_key="assignment.id")
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    kind: EventKind = Field(sa_type=enum_column(EventKind))
    by: str = ""  # a member's name, "系统", or the sender as shown
    detail: str = Field(default="", sa_column=Column(Text, nullable=False))
    inbox_id: int | None = Field(default=None, foreign_key="inbox.id")


class Deadline(SQLModel, table=True):
    """The next step of a waiting assignment. One row pends per assignment; fired rows stay as the record."""

    __table_args__ = (
        UniqueConstraint("assignment_id", "step", "round"),
        Index(
            "ix_deadline_pending",
            "due_at",
            "id",
            sqlite_where=text("fired_at IS NULL"),
            postgresql_where=text("fired_at IS NULL"),
        ),
        Index(
            "ix_deadline_parked",
            "assignment_id",
            sqlite_where=text("outcome = 'parked'"),
            postgresql_where=text("outcome = 'parked'"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    assignment_id: int = Field(foreign_key="assignment.id")
    step: Step = Field(sa_type=enum_column(Step))
    round: int = 0  # counts the repetitions of `again`
    due_at: datetime = Field(sa_type=UtcDateTime)
    fired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str | None = None  # "said", "overtaken", "settled", "parked"
    attempts: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))  # that failed
    error: str | None = Field(default=None, sa_column=Column(Text))


# ---- what goes out ---------------------------------------------------------------------------------------------------


class OutboxMessage(SQLModel, table=True):
    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_open",
            "priority",
            "id",
            sqlite_where=text("state IN ('pending', 'sending', 'unknown')"),
            postgresql_where=text("state IN ('pending', 'sending', 'unknown')"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    dedup_key: str = Field(unique=True)  # "assignment:17:overdue"; said once, whatever happens
    room_id: int | None = Field(default=None, foreign_key="room.id", index=True)
    to_member_id: int | None = Field(default=None, foreign_key="member.id")  # a private message
    to_contact: str | None = None  # of the private message's WeChat id
    account: str | None = None  # that the private message must go through: the one that was asked
    kind: SayKind = Field(sa_type=enum_column(SayKind))
    priority: int  # 0 ladder, 1 answers, 2 digests
    text: str = Field(sa_column=Column(Text, nullable=False))
    mentions: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))  # member names
    tickets: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))  # ticket nos
    attachments: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))  # paths
    assignment_id: int | None = Field(default=None, foreign_key="assignment.id", index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    not_before: datetime = Field(sa_type=UtcDateTime)
    state: OutboxState = Field(default=OutboxState.PENDING, sa_type=enum_column(OutboxState))
    attempts: int = 0
    parts_sent: int = 0  # of a message that was cut
    taken_by: str | None = None  # the account that sends it
    sending_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    message_id: str | None = Field(default=None, index=True)  # the channel's id, where it told one
    error: str | None = None
    blanked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # when its personal data was blanked


class Digest(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("kind", "window_start", "window_end"),)
    id: int | None = Field(default=None, primary_key=True)
    kind: DigestKind = Field(sa_type=enum_column(DigestKind))
    window_start: datetime = Field(sa_type=UtcDateTime)
    window_end: datetime = Field(sa_type=UtcDateTime)
    numbers: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = Field(sa_type=UtcDateTime)
    posted: bool = False
    picture: str | None = None
    ledger: str | None = None
    blanked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # when its personal data was blanked


class CallBack(SQLModel, table=True):
    """A call-back result from outside; 三率 come from here and never from the chat."""

    __tablename__ = "call_back"
    __table_args__ = (UniqueConstraint("order_no", "at"),)
    id: int | None = Field(default=None, primary_key=True)
    order_no: str = Field(index=True)
    ticket_id: int | None = Field(default=None, foreign_key="ticket.id")
    unit_id: int | None = Field(default=None, foreign_key="unit.id")
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    contacted: bool
    resolved: bool
    satisfaction: Satisfaction | None = Field(default=None, sa_type=enum_column(Satisfaction))
    excluded: bool = False  # 剔除
    source: str = ""


# ---- the bot itself --------------------------------------------------------------------------------------------------


class Outage(SQLModel, table=True):
    """A time in which nothing could come in or go out; its minutes are stated in the digest."""

    id: int | None = Field(default=None, primary_key=True)
    kind: OutageKind = Field(sa_type=enum_column(OutageKind))
    account: str
    started_at: datetime = Field(sa_type=UtcDateTime, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Warning_(SQLModel, table=True):
    """Something a person should know once: an ignored room, an ambiguous name."""

    __tablename__ = "warning"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    at: datetime = Field(sa_type=UtcDateTime)
    text: str = Field(sa_column=Column(Text, nullable=False))


class Lease(SQLModel, table=True):
    """Who may send for an account, or lead the digests; renewed by the holder, taken over when it expires."""

    name: str = Field(primary_key=True)
    holder: str
    until: datetime = Field(sa_type=UtcDateTime)


class Meta(SQLModel, table=True):
    """Single facts of the database: roster version, last tick, quiet after a restore."""

    key: str = Field(primary_key=True)
    value: str
