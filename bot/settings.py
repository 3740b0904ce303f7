"""Every setting of the bot, typed and checked together. Read in the composition root only; secrets never shown.

`config.example.env` says the same with units and meanings; a test keeps the two equal.
"""

from __future__ import annotations

import re
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from cryptography.fernet import Fernet
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from handlers.context import Context
from handlers.digest_windows import DigestSettings
from handlers.early_meeting import EarlyMeetingRules
from handlers.policy import Ladder, Policy
from handlers.rates import RateWeights
from handlers.vault import Vault

from bot.sender import Pace, Waits  # isort: skip
from bot.settings_wework import WeworkSettings  # isort: skip

SHORTEST_KEY = 8  # characters of a part of an address that may be a key
PLACEHOLDERS = ("change-me", "changeme", "your-token", "xxx")


class SettingsError(Exception):
    """All that is wrong with the settings, a line each: name, value, what is allowed."""


def _numbers(value: object) -> object:
    """A list of numbers written as 30,60,90,120."""
    if isinstance(value, str):
        return [part for part in value.replace("，", ",").split(",") if part.strip()]
    return value


Minutes = Annotated[list[int], BeforeValidator(_numbers)]


class Settings(WeworkSettings):
    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", enable_decoding=False)

    # where things are
    database_url: str = "sqlite:///data/lingban.db"
    files_dir: Path = Path("data/files")
    units_dir: Path | None = None
    orders_dir: Path | None = None

    # WeChat
    gateway_endpoint: str = ""
    gateway_token: SecretStr = SecretStr("")
    gateway_tls_ca: Path | None = None
    gateway_tls_name: str = ""
    account: str = "lingban"
    bot_name: str = "派单助手"

    # the rules
    accept_window_minutes: int = Field(default=15, ge=1, le=24 * 60)
    grace_seconds: int = Field(default=2, ge=0, le=60)
    reminder_minutes: int = Field(default=5, ge=1)
    escalation_minutes: int = Field(default=10, ge=1)
    again_minutes: Minutes = [30, 60, 90, 120]
    urgent_reminder_minutes: int = Field(default=3, ge=1)
    urgent_escalation_minutes: int = Field(default=8, ge=1)
    urgent_again_minutes: Minutes = list(range(10, 121, 10))
    gather_seconds: int = Field(default=120, ge=0, le=3600)
    same_text_minutes: int = Field(default=10, ge=0, le=24 * 60)
    repeat_days: int = Field(default=7, ge=0, le=365)
    limit_reminder_hours: Minutes = [24, 2]

    # a language model for doubtful messages
    llm_base_url: str = ""
    llm_model: str = ""
    llm_api_key: SecretStr = SecretStr("")

    # sending
    seconds_between_messages: float = Field(default=3.0, ge=0, le=600)
    room_messages_per_minute: int = Field(default=10, ge=1, le=1000)
    send_timeout_seconds: float = Field(default=15.0, ge=1, le=300)
    echo_wait_seconds: int = Field(default=60, ge=5, le=3600)
    backlog_settle_seconds: int = Field(default=5, ge=0, le=600)
    replay_pacing: bool = False

    # the digest
    digest_time: time = time(12, 5)
    digest_window_hour: int = Field(default=12, ge=0, le=23)
    digest_month_day: int = Field(default=19, ge=1, le=28)
    baseline_seconds: int | None = Field(default=None, ge=0)
    digest_font: str = ""
    rate_fair: float = 0.9
    rate_response: float = 0.1
    rate_satisfaction: float = 0.4
    rate_solution: float = 0.5
    early_meeting_listed: int = Field(default=10, ge=0, le=100)
    early_meeting_units: int = Field(default=3, ge=0, le=100)
    early_meeting_overdue: int = Field(default=2, ge=1)
    early_meeting_slowest_seconds: int = Field(default=900, ge=0)
    early_meeting_below_points: float = Field(default=10.0, ge=0, le=100)
    early_meeting_below_answerable: int = Field(default=3, ge=1)
    early_meeting_declines: int = Field(default=2, ge=1)
    early_meeting_repeats: int = Field(default=2, ge=1)
    early_meeting_volume_units: int = Field(default=0, ge=0, le=100)
    early_meeting_call_back_units: int = Field(default=3, ge=0, le=100)
    early_meeting_call_back_base: int = Field(default=3, ge=1)

    # backups
    backup_dir: Path | None = None
    backup_time: time = time(3, 30)
    backup_keep: int = Field(default=14, ge=1, le=1000)

    # how long personal data is kept
    retention_days: int | None = Field(default=None, ge=30, le=36_500)

    # secrets
    data_key: SecretStr = SecretStr("")
    hash_key: SecretStr = SecretStr("")

    # the web page and health
    web_host: str = "127.0.0.1"
    web_port: int = Field(default=8080, ge=1, le=65535)
    web_https: bool = False
    page_url: str = ""
    silent_gateway_minutes: int = Field(default=3, ge=1, le=24 * 60)
    alarm_urls: SecretStr = SecretStr("")
    log_level: str = "INFO"
    log_file: Path | None = None
    log_days: int = Field(default=190, ge=1, le=36_500)

    @field_validator("digest_time", "backup_time", mode="before")
    @classmethod
    def _clock(cls, value: object) -> object:
        return time.fromisoformat(value) if isinstance(value, str) else value

    @field_validator("gateway_token")
    @classmethod
    def _no_placeholder(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value().lower() in PLACEHOLDERS:
            raise ValueError("is still the placeholder; put the gateway's token there")
        return value

    @field_validator("data_key")
    @classmethod
    def _fernet(cls, value: SecretStr) -> SecretStr:
        for key in filter(None, value.get_secret_value().split(",")):
            try:
                Fernet(key.strip().encode())
            except ValueError:
                raise ValueError(
                    "must be keys made by `python -m bot key`, several with a comma, newest first"
                ) from None
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
        return value

    @field_validator("llm_base_url")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be http://host:port/v1 or https://…, without ? and #")
        if parts.port == 0:  # one that is no number raises here
            raise ValueError("must name a port from 1 to 65535")
        if parts.username or parts.password:
            raise ValueError("must hold no user and no password; put the key into LLM_API_KEY")
        return value.rstrip("/")

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator(
        *("units_dir", "orders_dir", "backup_dir", "gateway_tls_ca", "baseline_seconds", "retention_days", "log_file"),
        mode="before",
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _ladders_rise(self) -> Settings:
        for name, rungs in (
            ("REMINDER_MINUTES, ESCALATION_MINUTES", (self.reminder_minutes, self.escalation_minutes)),
            (
                "URGENT_REMINDER_MINUTES, URGENT_ESCALATION_MINUTES",
                (self.urgent_reminder_minutes, self.urgent_escalation_minutes),
            ),
        ):
            if not rungs[0] < rungs[1] < self.accept_window_minutes:
                raise ValueError(
                    f"{name} must rise and stay below ACCEPT_WINDOW_MINUTES ({self.accept_window_minutes})"
                )
        for name, again in (("AGAIN_MINUTES", self.again_minutes), ("URGENT_AGAIN_MINUTES", self.urgent_again_minutes)):
            if list(again) != sorted(set(again)) or any(minutes <= 0 for minutes in again):
                raise ValueError(f"{name} must be rising numbers above 0, such as 30,60,90,120")
        return self

    @model_validator(mode="after")
    def _ports_differ(self) -> Settings:
        if self.channel == "wework" and self.wework_port == self.web_port:
            raise ValueError("WEWORK_PORT must be another than WEB_PORT: the page is never on the callback's port")
        return self

    @model_validator(mode="after")
    def _model_is_named(self) -> Settings:
        if self.llm_base_url and not self.llm_model:
            raise ValueError("LLM_MODEL is empty; with LLM_BASE_URL the model must be named as its server names it")
        return self

    @model_validator(mode="after")
    def _digests_can_be(self) -> Settings:
        """What the digest refuses is told with the other settings, before anything runs."""
        try:
            self._weights()
        except ValueError as error:
            raise ValueError(f"RATE_FAIR, RATE_RESPONSE, RATE_SATISFACTION, RATE_SOLUTION: {error}") from None
        if self.digest_time < time(self.digest_window_hour):
            raise ValueError("DIGEST_TIME must not come before DIGEST_WINDOW_HOUR, at which the window ends")
        return self

    def secrets(self) -> list[str]:
        """Everything that no log line may hold: whole values, each of several, and what addresses hold."""
        found = []
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, SecretStr) and (secret := value.get_secret_value().strip()):
                found += [secret, *re.split(r"[\s,]+", secret)]
        for address in (self.database_url, *self.alarm_urls.get_secret_value().split()):
            found += _secrets_of(address)
        return list(dict.fromkeys(filter(None, found)))

    # ---- what the parts are given ------------------------------------------------------------------------------------

    def policy(self) -> Policy:
        def ladder(reminder: int, escalation: int, again: list[int]) -> Ladder:
            return Ladder(
                timedelta(minutes=reminder), timedelta(minutes=escalation), tuple(timedelta(minutes=m) for m in again)
            )

        return Policy(
            window=timedelta(minutes=self.accept_window_minutes),
            grace=timedelta(seconds=self.grace_seconds),
            normal=ladder(self.reminder_minutes, self.escalation_minutes, self.again_minutes),
            pressing=ladder(self.urgent_reminder_minutes, self.urgent_escalation_minutes, self.urgent_again_minutes),
            gather=timedelta(seconds=self.gather_seconds),
            same_text=timedelta(minutes=self.same_text_minutes),
            repeat=timedelta(days=self.repeat_days),
            limit_reminders=tuple(timedelta(hours=hours) for hours in self.limit_reminder_hours),
        )

    def context(self) -> Context:
        """The context of the rules, still without the district's data."""
        from bot.knowledge import EMPTY

        keys = [key.strip() for key in self.data_key.get_secret_value().split(",") if key.strip()]
        base = Context(
            district=EMPTY,
            policy=self.policy(),
            vault=Vault(keys),
            account=self.account,
            bot_name=self.bot_name,
            page_url=self.page_url,
        )
        secret = self.hash_key.get_secret_value()
        return base if not secret else Context(**{**vars(base), "hash_key": secret.encode()})

    def digests(self) -> DigestSettings:
        return DigestSettings(
            daily_at=self.digest_time,
            window_hour=self.digest_window_hour,
            month_day=self.digest_month_day,
            baseline_seconds=self.baseline_seconds,
            font=self.digest_font or None,
            rates=self._weights(),
            early_meeting=EarlyMeetingRules(
                units_per_rule=self.early_meeting_units,
                most_overdue=self.early_meeting_overdue,
                slowest_seconds=self.early_meeting_slowest_seconds,
                below_mean_points=self.early_meeting_below_points,
                below_mean_answerable=self.early_meeting_below_answerable,
                most_declines=self.early_meeting_declines,
                most_repeats=self.early_meeting_repeats,
                most_volume=self.early_meeting_volume_units,
                call_back_base=self.early_meeting_call_back_base,
                call_back_units=self.early_meeting_call_back_units,
                listed=self.early_meeting_listed,
            ),
        )

    def _weights(self) -> RateWeights:
        return RateWeights(self.rate_fair, self.rate_response, self.rate_satisfaction, self.rate_solution)

    def pace(self) -> Pace:
        """A webhook's limit is its group's own, so that the groups of 企业微信 do not wait for each other."""
        between = 0.0 if self.channel == "wework" else self.seconds_between_messages
        return Pace(between=timedelta(seconds=between), per_room=self.room_messages_per_minute, on=True)

    def waits(self) -> Waits:
        """A webhook echoes nothing: there is nothing to wait for."""
        echo = 0 if self.channel == "wework" else self.echo_wait_seconds
        return Waits(send=self.send_timeout_seconds, echo=timedelta(seconds=echo))


def _secrets_of(address: str) -> list[str]:
    """Of a database's address the password; of an alarm's everything that may be a key: user, password, host, long parts."""
    found = urlsplit(address)
    if address.startswith(("sqlite", "postgresql")):
        return [unquote(found.password or "")]
    parts = [found.username or "", found.password or "", *found.path.split("/"), found.query]
    parts += [] if "." in found.netloc else [found.netloc]  # wecombot://KEY
    return [each for part in parts for each in (part, unquote(part)) if len(each) >= SHORTEST_KEY]


def load_settings() -> Settings:
    """Read the environment and `.env`. Raises SettingsError with every problem at once."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_problem(each) for each in error.errors())) from None


def _problem(each: object) -> str:
    assert isinstance(each, dict)
    name = ".".join(str(part) for part in each["loc"][:1]).upper() or "settings"
    secret = any(word in name for word in ("TOKEN", "KEY", "PASSWORD")) or "@" in str(each["input"])
    shown = "" if secret or not each["loc"] else f" = {each['input']!r}"
    return f"{name}{shown}: {each['msg'].removeprefix('Value error, ')}"
