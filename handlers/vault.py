"""Personal data at rest: sealed with the key from the settings, opened only for the page behind a login."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

PLAIN = "plain:"  # marks what was stored while no key was set, so that a key set later can seal it


class Seal(StrEnum):
    """What opens a stored value."""

    NEWEST = "newest"  # the first key
    OLDER = "older"  # one of the others only
    PLAIN = "plain"  # it is not sealed
    BROKEN = "broken"  # no key that is given


class SealBroken(Exception):
    """The stored value was sealed with a key that is not among the given ones."""


class Vault:
    """Seals with the first key and opens with any; without keys it only marks the text as plain."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._fernet = MultiFernet([Fernet(key.encode()) for key in keys]) if keys else None
        self._newest = Fernet(keys[0].encode()) if keys else None

    @property
    def has_key(self) -> bool:
        return self._newest is not None

    def seal(self, text: str) -> str:
        if self._fernet is None:
            return PLAIN + text
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises SealBroken when no key fits."""
        if sealed.startswith(PLAIN):
            return sealed[len(PLAIN) :]
        if self._fernet is None:
            raise SealBroken("the value is sealed and no DATA_KEY is set")
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SealBroken("no DATA_KEY opens this value") from None

    def seal_of(self, sealed: str) -> Seal:
        """Which key opens it."""
        if sealed.startswith(PLAIN):
            return Seal.PLAIN
        if self._newest is None or self._fernet is None:
            return Seal.BROKEN
        for fernet, seal in ((self._newest, Seal.NEWEST), (self._fernet, Seal.OLDER)):
            try:
                fernet.decrypt(sealed.encode())
                return seal
            except InvalidToken:
                continue
        return Seal.BROKEN
