"""A change of keys while the bot runs: what is sealed is sealed anew, what is hashed is hashed anew.

In batches, each row looked at again in its own transaction, which is the only one that writes; so nothing that the bot
writes meanwhile is lost. Stopped anywhere it goes on from there: what has the newest key is left as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from sqlmodel import Session

from bot.database import Database
from handlers.privacy import phone_hash
from handlers.vault import Seal, SealBroken, Vault
from storage import retention, sealing
from storage.sealing import SEALED, SealedRow

BATCH = 100  # rows of one transaction
Work = Callable[[Session, SealedRow], Counter[str]]


def survey(database: Database, vault: Vault) -> dict[Seal, int]:
    """How many sealed values there are of each kind. Every one is tried."""
    counts: Counter[Seal] = Counter()
    for rows in _all(database):
        counts.update(vault.seal_of(value) for row in rows for value in _values(row).values())
    return {seal: counts[seal] for seal in Seal}


def rotate(database: Database, vault: Vault) -> Counter[str]:
    """Seal everything with the first key: `resealed`, `sealed` (it was plain), `unchanged`, `lost` (no key opens it)."""
    return _walk(database, partial(_needs_a_new_seal, vault), partial(_reseal, vault))


def rehash(database: Database, vault: Vault, key: bytes) -> Counter[str]:
    """Hash every phone with the key, out of the sealed ones: `rehashed`, `unchanged`, `lost`."""
    return _walk(database, partial(_needs_a_new_hash, vault, key), partial(_rehash, vault, key))


def _walk(database: Database, needs: Callable[[SealedRow], Counter[str]], work: Work) -> Counter[str]:
    """`needs` says what is to be done with a row, and what is not (`unchanged`, `lost`); `work` does it."""
    counts: Counter[str] = Counter()
    for rows in _all(database):
        todo = []
        for row in rows:
            found = needs(row)
            counts.update({kind: found[kind] for kind in ("unchanged", "lost")})
            if found["todo"]:
                todo.append(row.id)
        for start in range(0, len(todo), BATCH):
            counts += database.write_now(partial(_batch, ids=todo[start : start + BATCH], work=work))
    retention.write_back(database.engine)
    return counts


def _all(database: Database) -> Iterator[list[SealedRow]]:
    for after in range(0, database.read_now(sealing.last_ticket), sealing.STRIDE):
        yield database.read_now(partial(sealing.behind, after=after))


def _batch(session: Session, *, ids: list[int], work: Work) -> Counter[str]:
    retention.overwrite_what_is_freed(session)
    counts: Counter[str] = Counter()
    for row in sealing.of(session, ids):
        counts += work(session, row)
    return counts


def _values(row: SealedRow) -> dict[str, str]:
    return {name: value for name in SEALED if (value := getattr(row, name)) is not None}


def _needs_a_new_seal(vault: Vault, row: SealedRow) -> Counter[str]:
    kinds = {Seal.NEWEST: "unchanged", Seal.BROKEN: "lost"}
    return Counter(kinds.get(vault.seal_of(value), "todo") for value in _values(row).values())


def _reseal(vault: Vault, session: Session, row: SealedRow) -> Counter[str]:
    counts: Counter[str] = Counter()
    for name, value in _values(row).items():
        seal = vault.seal_of(value)
        if seal in (Seal.OLDER, Seal.PLAIN):
            new = vault.seal(vault.open(value))
            if sealing.replace(session, row.id, name, old=value, new=new):
                counts["sealed" if seal is Seal.PLAIN else "resealed"] += 1
    return counts


def _hash_of(vault: Vault, key: bytes, row: SealedRow) -> str | None:
    """The hash of the call-back number, the first one; None where it cannot be read."""
    try:
        numbers = vault.open(row.phones or "plain:").split()
    except SealBroken:
        return None
    return phone_hash(numbers[0], key) if numbers else None


def _needs_a_new_hash(vault: Vault, key: bytes, row: SealedRow) -> Counter[str]:
    if row.phone_hash is None or row.phones is None:
        return Counter()
    wanted = _hash_of(vault, key, row)
    return Counter(["lost" if wanted is None else "unchanged" if wanted == row.phone_hash else "todo"])


def _rehash(vault: Vault, key: bytes, session: Session, row: SealedRow) -> Counter[str]:
    wanted = _hash_of(vault, key, row)
    if wanted is None or row.phone_hash is None or wanted == row.phone_hash:
        return Counter()
    return Counter(rehashed=sealing.replace(session, row.id, "phone_hash", old=row.phone_hash, new=wanted))
