"""The tables of the web page: who may log in, who is logged in, who saw what, who changed what.

No `from __future__ import annotations` here: SQLModel reads the annotations at class creation.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from storage import tables  # noqa: F401  (its naming of constraints comes first)
from storage.enums import PageRole
from storage.types import UtcDateTime, enum_column


class PageUser(SQLModel, table=True):
    """Somebody who may log in. `unit_id` is set for the role 单位 and for no other."""

    __tablename__ = "page_user"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    role: PageRole = Field(sa_type=enum_column(PageRole))
    unit_id: int | None = Field(default=None, foreign_key="unit.id")
    password: str  # argon2id hash
    active: bool = True
    created_at: datetime = Field(sa_type=UtcDateTime)


class PageSession(SQLModel, table=True):
    """A login. Only a hash of the cookie is kept: who reads the database cannot log in with it."""

    __tablename__ = "page_session"
    token_hash: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="page_user.id", index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)


class LoginFailure(SQLModel, table=True):
    """A wrong name or password; several of one name or one address lock it for a while."""

    __tablename__ = "login_failure"
    __table_args__ = (
        Index("ix_login_failure_name", "name", "at"),
        Index("ix_login_failure_address", "address", "at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    name: str
    address: str


class AccessLog(SQLModel, table=True):
    """Who saw which personal data, when, from where. Append-only."""

    __tablename__ = "access_log"
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    user_name: str
    address: str
    what: str  # "工单 20260303-0001", "导出 320 件"


class Audit(SQLModel, table=True):
    """Who changed what on the page: before and after. Append-only."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    user_name: str
    address: str
    subject: str  # "人员 东山镇 甄丙"
    before: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    after: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
