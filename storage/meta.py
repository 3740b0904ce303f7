"""Facts of the database itself: leases, warnings said once, outages, quiet after a restore, single values."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from storage.enums import OutageKind
from storage.inbox import insert_or_nothing
from storage.tables import Lease, Meta, Outage, Warning_

QUIET = "quiet"  # present in a backup and in what was restored from it, until a person confirms
QUIET_ENDED = "quiet_ended"  # when that was, ISO 8601


@dataclass(frozen=True, slots=True)
class Quiet:
    """A database that was restored from a backup: nothing is said from it until a person confirms."""

    backup_at: datetime  # what happened after this is known only as far as the groups told it again
    last_said: int  # the newest outbox row of the backup

    def as_text(self) -> str:
        return json.dumps({"backup_at": self.backup_at.isoformat(), "last_said": self.last_said})


def quiet(session: Session) -> Quiet | None:
    """The mark of a restored database that nobody confirmed yet."""
    told = get(session, QUIET)
    if not told:
        return None
    values = json.loads(told)
    return Quiet(datetime.fromisoformat(values["backup_at"]), values["last_said"])


def end_quiet(session: Session, *, now: datetime) -> None:
    session.execute(delete(Meta).where(col(Meta.key) == QUIET))
    put(session, QUIET_ENDED, now.isoformat())


def quiet_ended(session: Session) -> datetime | None:
    """When a person last let a restored database speak."""
    told = get(session, QUIET_ENDED)
    return datetime.fromisoformat(told) if told else None


def get(session: Session, key: str, default: str = "") -> str:
    row = session.get(Meta, key)
    return row.value if row else default


def put(session: Session, key: str, value: str) -> None:
    row = session.get(Meta, key)
    if row is None:
        session.add(Meta(key=key, value=value))
    else:
        row.value = value
        session.add(row)


def bump(session: Session, key: str) -> int:
    """Count a version up, so that caches of what it guards are read anew."""
    value = int(get(session, key, "0")) + 1
    put(session, key, str(value))
    return value


def warn_once(session: Session, *, key: str, text: str, now: datetime) -> bool:
    """Keep a warning; False when it was given before."""
    return insert_or_nothing(session, Warning_, [{"key": key, "at": now, "text": text}]) == 1


def warnings(session: Session) -> list[Warning_]:
    return list(session.exec(select(Warning_).order_by(col(Warning_.id))).all())


def running(session: Session, *, now: datetime) -> list[str]:
    """The processes that work on this database, as their leases tell."""
    held = session.exec(select(Lease).where(Lease.holder != "", col(Lease.until) > now)).all()
    return sorted({each.holder for each in held})


def lease(session: Session, name: str) -> Lease | None:
    return session.get(Lease, name, populate_existing=True)


def write_lease(session: Session, *, name: str, holder: str, until: datetime) -> None:
    """Let a process hold a lease, or nobody ("")."""
    session.merge(Lease(name=name, holder=holder, until=until))


def forget_leases(session: Session) -> None:
    """Of a copy: whoever held one holds it on the database that was copied."""
    session.execute(delete(Lease))


def start_outage(session: Session, *, kind: OutageKind, account: str, at: datetime) -> None:
    """Note that nothing comes in or goes out from `at`; an outage that is open already stays as it is."""
    if open_outage(session, account) is None:
        session.add(Outage(kind=kind, account=account, started_at=at))
        session.flush()


def end_outage(session: Session, *, account: str, at: datetime) -> Outage | None:
    outage = open_outage(session, account)
    if outage is not None:
        outage.ended_at = max(at, outage.started_at)
        session.add(outage)
    return outage


def open_outage(session: Session, account: str) -> Outage | None:
    return session.exec(select(Outage).where(Outage.account == account, col(Outage.ended_at).is_(None))).first()
