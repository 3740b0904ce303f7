"""The settings of 企业微信's robot, a part of `bot.settings`. Whatever is wrong is told before anything runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from bot.channels.wework_crypto import decode_key


class WeworkSettings(BaseSettings):
    channel: Literal["wechaty", "wework"] = "wechaty"
    wework_token: SecretStr = SecretStr("")
    wework_aes_key: SecretStr = SecretStr("")
    wework_rooms_file: Path | None = None
    wework_host: str = "127.0.0.1"
    wework_port: int = Field(default=8081, ge=1, le=65535)
    wework_path: str = "/wework"
    wework_public_url: str = ""

    @field_validator("wework_token")
    @classmethod
    def _robots_token(cls, value: SecretStr) -> SecretStr:
        given = value.get_secret_value()
        if given and not (given.isascii() and given.isalnum() and len(given) <= 32):
            raise ValueError("must be the robot's Token as 企业微信 shows it: up to 32 letters and digits")
        return value

    @field_validator("wework_aes_key")
    @classmethod
    def _robots_key(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            decode_key(value.get_secret_value())
        return value

    @field_validator("wework_rooms_file", mode="before")
    @classmethod
    def _no_file(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("wework_path")
    @classmethod
    def _one_path(cls, value: str) -> str:
        if not re.fullmatch(r"/[0-9A-Za-z_/-]{1,100}", value):
            raise ValueError("must begin with / and hold letters, digits, - and _ alone, such as /wework")
        return value

    @field_validator("wework_public_url")
    @classmethod
    def _public(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s?#]+", value):
            raise ValueError("must be the callback's whole address, such as https://lingban.example.cn/wework")
        return value

    @model_validator(mode="after")
    def _wework_is_whole(self) -> Self:
        if self.channel != "wework":
            return self
        given = {
            "WEWORK_TOKEN": self.wework_token.get_secret_value(),
            "WEWORK_AES_KEY": self.wework_aes_key.get_secret_value(),
            "WEWORK_ROOMS_FILE": self.wework_rooms_file,
        }
        if missing := [name for name, value in given.items() if not value]:
            raise ValueError(f"CHANNEL=wework needs {', '.join(missing)}; see docs/wework.md")
        return self
