"""A change of keys: everything is sealed anew, nothing is lost, the old key may go."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, update
from sqlmodel import Session, col, select
from typer.testing import CliRunner

from bot import rekeying
from bot.cli import app
from bot.database import Database
from bot.doctor import _seals
from bot.settings import Settings
from handlers.privacy import phone_hash
from handlers.vault import Seal, Vault
from storage import people, sealing
from storage.enums import Source, TicketStatus, Urgency
from storage.page_tables import Audit
from storage.sessions import make_engine, sqlite_path, transaction
from storage.tables import Ticket
from tests.process import NINE, prepare

OLD, NEW, GONE = (Fernet.generate_key().decode() for _ in range(3))
LINGBAN = CliRunner()


def phone(number: int) -> str:
    return f"1380000{number:04d}"  # invented


def fill(engine: Engine, *vaults: Vault) -> Database:
    """One ticket for each vault, its phone and a name sealed by it; and one that has none."""
    prepare(engine)
    with transaction(engine) as session:
        room = people.rooms(session)[0].id or 0
        for number, vault in enumerate((*vaults, None)):
            sealed: dict[str, Any] = {}
            if vault is not None:
                sealed = {"phones": vault.seal(f"{phone(number)} 01061234567"), "people": vault.seal("钱样富")}
                sealed["phone_hash"] = phone_hash(phone(number), b"first")
            session.add(
                Ticket(
                    no=f"20260303-{number:04d}", room_id=room, source=Source.CITIZEN, category="其他",
                    urgency=Urgency.NORMAL, text="x", gist="x", status=TicketStatus.RESOLVED, created_at=NINE, **sealed,
                )
            )  # fmt: skip
    return Database(engine, inline=True)


@pytest.fixture
def quick(sqlite_template: Path, tmp_path: Path) -> Engine:
    (tmp_path / "quick.db").write_bytes(sqlite_template.read_bytes())
    return make_engine(f"sqlite:///{tmp_path}/quick.db", durable=False)


def opened(engine: Engine, vault: Vault) -> list[str]:
    with Session(engine) as session:
        rows = session.exec(select(Ticket).order_by(col(Ticket.id))).all()
        return [vault.open(row.phones).split()[0] for row in rows if row.phones] + [
            vault.open(row.people) for row in rows if row.people
        ]


def test_everything_is_sealed_with_the_first_key_and_the_old_one_may_go(engine: Engine) -> None:
    database = fill(engine, Vault([OLD]), Vault(), Vault([NEW]))
    both = Vault([NEW, OLD])
    assert rekeying.rotate(database, both) == Counter(unchanged=2, resealed=2, sealed=2)
    assert opened(engine, Vault([NEW])) == [phone(0), phone(1), phone(2), *["钱样富"] * 3]
    assert rekeying.rotate(database, both) == Counter(unchanged=6)
    assert rekeying.survey(database, Vault([NEW])) == {Seal.NEWEST: 6, Seal.OLDER: 0, Seal.PLAIN: 0, Seal.BROKEN: 0}


def test_what_no_key_opens_is_left_as_it_is_and_counted(quick: Engine) -> None:
    database = fill(quick, Vault([GONE]), Vault([OLD]))
    assert rekeying.rotate(database, Vault([NEW, OLD]))["lost"] == 2
    assert rekeying.survey(database, Vault([NEW]))[Seal.BROKEN] == 2
    assert rekeying.rotate(database, Vault([NEW, GONE]))["resealed"] == 2
    assert opened(quick, Vault([NEW])) == [phone(0), phone(1), "钱样富", "钱样富"]


def test_stopped_in_the_middle_it_goes_on_from_there(quick: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    database = fill(quick, *[Vault([OLD])] * 5)
    monkeypatch.setattr(rekeying, "BATCH", 2)
    replaced, original = [], sealing.replace

    def dies(session: Session, ticket_id: int, name: str, **values: str) -> bool:
        replaced.append(ticket_id)
        if len(replaced) == 7:  # in the middle of the second batch
            raise KeyboardInterrupt
        return original(session, ticket_id, name, **values)

    with monkeypatch.context() as broken:
        broken.setattr(sealing, "replace", dies)
        with pytest.raises(KeyboardInterrupt):
            rekeying.rotate(database, Vault([NEW, OLD]))
    counts = rekeying.survey(database, Vault([NEW, OLD]))
    assert (counts[Seal.NEWEST], counts[Seal.OLDER]) == (4, 6)
    assert rekeying.rotate(database, Vault([NEW, OLD]))["resealed"] == 6
    assert opened(quick, Vault([NEW])) == [*map(phone, range(5)), *["钱样富"] * 5]


def test_what_the_bot_writes_between_the_look_and_the_write_is_not_lost(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot still seals with the old key: a complainant adds a phone while the keys are changed."""
    database = fill(engine, Vault([OLD]), Vault([OLD]))
    look = sealing.behind

    def then_the_bot_writes(session: Session, after: int) -> list[sealing.SealedRow]:
        seen = look(session, after)
        with transaction(engine) as other:
            new = Vault([OLD]).seal("13911112222")
            other.execute(update(Ticket).where(col(Ticket.id) == seen[0].id).values(phones=new, people=None))
        return seen

    with monkeypatch.context() as racing:
        racing.setattr(sealing, "behind", then_the_bot_writes)
        assert rekeying.rotate(database, Vault([NEW, OLD]))["resealed"] == 3
    assert opened(engine, Vault([NEW])) == ["13911112222", phone(1), "钱样富"]
    with transaction(engine) as session:  # and a value that is not what was read any more is not replaced
        (first, _) = sealing.behind(session, 0)
        assert not sealing.replace(session, first.id, "phones", old="something else", new="x")


def test_a_phone_that_was_stored_plain_leaves_no_bytes_in_the_file(sqlite_template: Path, tmp_path: Path) -> None:
    (tmp_path / "live.db").write_bytes(sqlite_template.read_bytes())
    engine = make_engine(f"sqlite:///{tmp_path}/live.db")
    database = fill(engine, Vault(), Vault())
    rekeying.rotate(database, Vault([NEW]))
    database.close()
    path = sqlite_path(str(engine.url))
    assert path is not None and phone(0).encode() not in path.read_bytes()


def test_phones_are_hashed_anew_so_that_repeats_are_found_after_a_change(engine: Engine) -> None:
    database = fill(engine, Vault([OLD]), Vault([GONE]))
    done = rekeying.rehash(database, Vault([OLD]), b"second")
    assert done == Counter(lost=1, rehashed=1)
    with Session(engine) as session:
        hashes = session.exec(select(Ticket.phone_hash).order_by(col(Ticket.id))).all()
    assert hashes == [phone_hash(phone(0), b"second"), phone_hash(phone(1), b"first"), None]
    assert rekeying.rehash(database, Vault([OLD]), b"second")["rehashed"] == 0


def test_the_commands_say_what_they_did_and_what_is_left(
    quick: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(quick, Vault([OLD]), Vault([GONE]), Vault())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", str(quick.url))
    printed = LINGBAN.invoke(app, ["key"])
    assert Fernet(printed.output.strip()) and printed.exit_code == 0
    for command in ("rotate", "rehash"):
        refused = LINGBAN.invoke(app, ["key", command])
        assert refused.exit_code == 2 and "_KEY is empty" in refused.stderr
    monkeypatch.setenv("DATA_KEY", f"{NEW},{OLD}")
    monkeypatch.setenv("HASH_KEY", "second")
    left = LINGBAN.invoke(app, ["key", "rotate"])
    assert left.exit_code == 1 and "2 values are opened by no DATA_KEY and were left" in left.stderr
    assert "sealed anew: 2; sealed for the first time: 2; had the first key already: 0" in left.output
    monkeypatch.setenv("DATA_KEY", f"{NEW},{GONE}")
    whole = LINGBAN.invoke(app, ["key", "rotate"])
    assert whole.exit_code == 0 and "nothing needs the older keys now" in whole.output
    assert "hashed anew: 3; had this key already: 0" in LINGBAN.invoke(app, ["key", "rehash"]).output
    with Session(quick) as session:
        noted = [(row.user_name, row.subject, row.after) for row in session.exec(select(Audit).order_by(col(Audit.id)))]
    assert noted[0] == ("命令行", "密钥轮换 DATA_KEY", {"resealed": 2, "sealed": 2, "lost": 2})
    assert noted[-1][1] == "密钥轮换 HASH_KEY"
    assert not any(key in left.output + left.stderr + whole.output for key in (OLD, NEW, GONE))


def test_doctor_says_which_keys_are_still_needed(quick: Engine) -> None:
    database = fill(quick, Vault([OLD]), Vault([GONE]), Vault())

    def told(keys: str) -> dict[str, str]:
        settings = Settings(_env_file=None, data_key=keys)  # type: ignore[call-arg,arg-type]
        return {each.what: each.todo for each in _seals(settings, quick)}

    found = told(f"{NEW},{OLD}")
    assert list(found) == [
        "sealed phones and names: 0 by the first DATA_KEY",
        "2 sealed values are opened by no DATA_KEY",
        "2 phones and names are not sealed",
        "2 sealed values are opened by an older DATA_KEY only; it must stay",
    ]
    assert found["2 phones and names are not sealed"] == "python -m bot key rotate"
    rekeying.rotate(database, Vault([NEW, OLD, GONE]))
    assert list(told(NEW)) == ["sealed phones and names: 6 by the first DATA_KEY"]
