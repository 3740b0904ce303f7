"""A database with a million tickets for `benchmarks.pages`, made by SQLite itself in bounded batches.

One ticket and one lead duty every 86.4 seconds over 1,000 days, 43 units, the busiest with a tenth of all. Everything
is arithmetic on the ticket's number: two runs make the same rows.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text
from sqlmodel import Session

from storage.enums import DigestKind, Role, UnitKind
from storage.migrate import upgrade
from storage.sessions import make_engine, transaction
from storage.tables import Catalogue, Digest, Member, Room, Unit

UNITS, TOWNS = 43, 16
MEMBERS = 4  # of each unit
TICKETS = 1_000_000
A_DAY = 1_000
BATCH = 100_000
END = datetime(2026, 3, 19, 4, tzinfo=UTC)  # noon in Beijing
CATEGORIES = tuple(f"类别{number:02}" for number in range(25))
PLACES = ("口头村", "东关", "西三村", "青春苑", "湖光小区", "下园", "杨家东庄", "渤海所", "红螺镇", "大杖子")
MATTERS = (
    "垃圾多日没人清运",
    "井盖丢失",
    "路灯不亮",
    "半夜施工噪声扰民",
    "污水外溢",
    "占道经营",
    "楼道堆物",
    "停水",
    "暖气不热",
    "乱停车",
)
DISK_SPARE = 4 * 10**9  # bytes that must stay free

_TICKETS = """
WITH RECURSIVE seq(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM seq WHERE n + 1 < :last),
mixed AS (SELECT n, (n * 2654435761) % 1000003 AS a, (n * 40503 + 77) % 65521 AS b FROM seq),
made AS (
  SELECT n, a, b, strftime('%Y-%m-%d %H:%M:%S', :start, '+' || CAST(n * 86400 / :a_day AS TEXT) || ' seconds') AS at,
    CASE WHEN a % 10 = 0 THEN 1 ELSE 1 + b % :units END AS unit FROM mixed)
INSERT INTO ticket (id, no, order_no, room_id, unit_id, source, category, urgency, urgency_words, place, village,
  township, phones, phone_hash, text, gist, status, declines, created_at, closed_at)
SELECT n + 1, strftime('%Y%m%d', at) || '-' || printf('%07d', n), CASE WHEN b % 3 THEN '热线-' || printf('%012d', n) END,
  unit, unit, '12345', '类别' || printf('%02d', a % 25), CASE a % 100 WHEN 1 THEN '敏感' WHEN 2 THEN '紧急' ELSE '一般' END,
  '[]', place.word || (n % 97) || '号', place.word, '单位' || printf('%02d', 1 + unit % 16), NULL, NULL,
  '市民反映，' || place.word || (n % 97) || '号附近' || matter.word || '，编号' || n || '，请尽快处理。',
  place.word || '附近' || matter.word, CASE WHEN n > :last_open AND b % 7 = 0 THEN '待领办'
    WHEN n > :last_open THEN '已领办' ELSE '已办结' END,
  0, at || '.000000', CASE WHEN n > :last_open THEN NULL ELSE strftime('%Y-%m-%d %H:%M:%S.000000', at, '+3 hours') END
FROM made JOIN word AS place ON place.kind = 'place' AND place.no = a % 10
JOIN word AS matter ON matter.kind = 'matter' AND matter.no = b % 10
"""
_DUTIES = """
INSERT INTO assignment (id, ticket_id, unit_id, short, role, status, urgency, dispatched_at, due_at, owner_id,
  assigned_by, assigned_at, accepted_at, accepted_by, on_time, ended_at)
SELECT id, id, unit_id, 1 + id % 99, '主办',
  CASE status WHEN '待领办' THEN '待领办' WHEN '已办结' THEN '已办结' ELSE '已领办' END,
  urgency, created_at, strftime('%Y-%m-%d %H:%M:%S.000000', created_at, '+15 minutes'),
  CASE WHEN status <> '待领办' THEN 4 * unit_id - id % 4 END, CASE WHEN status <> '待领办' THEN '自领' END,
  CASE WHEN status <> '待领办' THEN taken END, CASE WHEN status <> '待领办' THEN taken END,
  CASE WHEN status <> '待领办' THEN '成员' END, CASE WHEN status <> '待领办' THEN took <= 900 END, closed_at
FROM (SELECT *, took, strftime('%Y-%m-%d %H:%M:%S.000000', created_at, '+' || took || ' seconds') AS taken
  FROM (SELECT *, (id * 7919) % 1200 + 10 AS took FROM ticket WHERE id > :first AND id <= :last))
"""
_EVENTS = """
INSERT INTO event (ticket_id, assignment_id, at, kind, "by", detail)
SELECT id, id, created_at, '派单', '系统', '' FROM ticket WHERE id > :first AND id <= :last
"""


def fill(path: Path, tickets: int = TICKETS) -> Engine:
    """Make the file, in at most a few minutes; refuses where the disk would get full."""
    if shutil.disk_usage(path.parent).free < DISK_SPARE + 2_500 * tickets:
        raise SystemExit(f"not enough room under {path.parent} for {tickets} tickets")
    engine = make_engine(f"sqlite:///{path}", durable=False)
    upgrade(engine)
    with transaction(engine) as session:
        _district(session)
        session.connection().execute(
            text("CREATE TABLE word (kind TEXT, no INTEGER, word TEXT, PRIMARY KEY (kind, no))")
        )
        for kind, words in (("place", PLACES), ("matter", MATTERS)):
            rows = [{"kind": kind, "no": number, "word": word} for number, word in enumerate(words)]
            session.connection().execute(text("INSERT INTO word VALUES (:kind, :no, :word)"), rows)
    start = END - timedelta(days=tickets / A_DAY)
    for first in range(0, tickets, BATCH):
        last = min(first + BATCH, tickets)
        given = {"first": first, "last": last, "start": f"{start:%Y-%m-%d %H:%M:%S}", "a_day": A_DAY, "units": UNITS}
        with transaction(engine) as session:
            session.connection().execute(text(_TICKETS), {**given, "last_open": tickets - 3_000})
            for statement in (_DUTIES, _EVENTS):
                session.connection().execute(text(statement), {"first": first, "last": last})
    with engine.connect() as connection:
        connection.execute(text("DROP TABLE word"))
        connection.execute(text("ANALYZE"))
        connection.commit()
    engine.dispose()
    return make_engine(f"sqlite:///{path}")


def _district(session: Session) -> None:
    for number in range(1, UNITS + 3):
        kind = UnitKind.TOWN if number <= TOWNS else UnitKind.AGENCY
        kind = {UNITS + 1: UnitKind.DISPATCH, UNITS + 2: UnitKind.SUPERVISION}.get(number, kind)
        session.add(Unit(id=number, name=f"单位{number:02}", kind=kind, position=number))
    session.flush()
    for number in range(1, UNITS + 3):
        session.add(Room(id=number, unit_id=number, topic=f"群{number:02}"))
        for place in range(MEMBERS):
            member = MEMBERS * number - place
            session.add(Member(id=member, unit_id=number, name=f"成员{member:03}", role=Role.HANDLER, position=member))
    for number, category in enumerate(CATEGORIES):
        session.add(Catalogue(category=category, lead_agency="单位17", position=number))
    for days in range(1_000):
        end = END - timedelta(days=days)
        session.add(
            Digest(
                kind=DigestKind.DAILY,
                window_start=end - timedelta(days=1),
                window_end=end,
                text="文字",
                posted=True,
                numbers={"totals": {"dispatched": A_DAY, "on_time_rate": 0.9, "overdue_open": 3}},
                created_at=end,
            )  # fmt: skip
        )
    session.flush()
