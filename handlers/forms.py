"""Forms of the page as plain texts by field name: what is wrong is told per field, in Chinese. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any, TypeVar

NAME_LIMIT = 50  # characters of a name, an alias, a group's topic
LIST_LIMIT = 100  # aliases or examples
_SPLIT = re.compile(r"[;；、，,\n\r]")
_UNSEEN = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")  # control and direction marks

Form = Mapping[str, str]
T = TypeVar("T")


class EditRefused(Exception):
    """What is wrong, by field; nothing was changed."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("；".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit changed, for the audit: plain JSON, None where there was or is nothing."""

    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Reader:
    """Reads a form and collects what is wrong with it."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self.problems: dict[str, str] = {}

    def wrong(self, field: str, what: str) -> None:
        self.problems.setdefault(field, what)

    def done(self) -> None:
        if self.problems:
            raise EditRefused(self.problems)

    def text(self, field: str, *, needed: bool = True) -> str:
        text = self._form.get(field, "").strip()
        if needed and not text:
            self.wrong(field, "不能为空")
        return self._fit(field, text)

    def many(self, field: str) -> list[str]:
        parts = (part.strip() for part in _SPLIT.split(self._form.get(field, "")))
        found = [self._fit(field, part) for part in dict.fromkeys(parts) if part]
        if len(found) > LIST_LIMIT:
            self.wrong(field, f"最多{LIST_LIMIT}个")
        return found

    def yes(self, field: str) -> bool:
        return self._form.get(field, "") not in ("", "0")

    def clock(self, field: str) -> time:
        try:
            return time.fromisoformat(self._form.get(field, "").strip()).replace(second=0, microsecond=0, tzinfo=None)
        except ValueError:
            self.wrong(field, "请写成 08:30")
            return time()

    def day(self, field: str) -> date | None:
        text = self._form.get(field, "").strip()
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.wrong(field, "请写成 2026-03-09")
            return None

    def _fit(self, field: str, text: str) -> str:
        if len(text) > NAME_LIMIT:
            self.wrong(field, f"每个最多{NAME_LIMIT}个字")
        elif any(unicodedata.category(character) in _UNSEEN for character in text):
            self.wrong(field, "含有看不见的字符，请重新输入")
        return text


def found(row: T | None) -> T:
    """The row, or EditRefused where it is gone."""
    if row is None:
        raise EditRefused({"": "这一行已经不在，请刷新页面"})
    return row


def number(text: str) -> int:
    """A row's id; 0, which no row has, for anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
