"""A digest's numbers are those that the audit trail alone gives, after a replay of everything that can happen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlmodel import select

from storage.enums import EventKind
from storage.sessions import make_engine, reading
from storage.tables import Digest, Event
from tests.databases import fresh_url
from tests.digests.build import District, daily
from tests.digests.reconcile import differences

ROOM, WATER, DESK = "怀柔镇见诉领办工作群", "区水务局见诉领办工作群", "区接诉即办派单群"
FILES = {
    "units.csv": f"""unit,kind,aliases,room
怀柔镇,街乡镇,,{ROOM}
雁栖镇,街乡镇,,雁栖镇见诉领办工作群
区水务局,区政府机构,水务局,{WATER}
区城指中心,派单中心,,{DESK}
区政府督查室,督查,,区接诉即办督查群
""",
    "members.csv": """name,unit,role,on_duty,aliases,contact_id
孙样一,怀柔镇,主要领导,,怀柔镇-孙样一,
孙样三,怀柔镇,诉求办理员,是,怀柔镇-孙样三,
孙样四,怀柔镇,诉求办理员,,怀柔镇-孙样四,
李样三,雁栖镇,诉求办理员,是,雁栖镇-李样三,
陶样三,区水务局,诉求办理员,是,区水务局-陶样三,
葛样一,区城指中心,派单员,是,城指中心-葛样一,
韦样一,区政府督查室,督查员,是,督查室-韦样一,
""",
    "villages.csv": "township,village,kind,aliases\n怀柔镇,王化村,村,\n雁栖镇,范各庄村,村,\n",
    "catalogue.csv": """category,lead_agency,examples
市容环卫,区水务局,垃圾清运、公厕
供水排水,区水务局,停水、水质
其他,区水务局,以上都不是
""",
}
# time, room, sender, text, prompt quoted
STORY = (
    ("08:00:00", ROOM, "城指中心-葛样一", "市民反映，王化村村口垃圾桶满溢，三天没人清运，请处理。", None),
    ("08:03:00", ROOM, "怀柔镇-孙样三", "收到，马上去", "m0"),
    ("08:20:00", ROOM, "怀柔镇-孙样三", "办结1 垃圾已清运", None),
    ("08:40:00", DESK, "城指中心-葛样一", "重办1 群众说还没清", None),
    ("08:40:30", ROOM, "城指中心-葛样一", "重办1 群众说还没清", None),
    ("09:00:00", ROOM, "城指中心-葛样一", "市民反映，王化村公厕锁门不开，请尽快开放。", None),
    ("09:16:00", ROOM, "怀柔镇-孙样四", "收到，马上去", "m5"),
    ("09:30:00", WATER, "城指中心-葛样一", "市民反映，范各庄村自来水发黄，请查水质。", None),
    ("09:35:00", WATER, "区水务局-陶样三", "退1 村内管道由属地管护", None),
    ("09:40:00", DESK, "城指中心-葛样一", "1 转 雁栖镇", None),
    ("09:41:00", "雁栖镇见诉领办工作群", "雁栖镇-李样三", "领1", None),
    ("09:45:00", "雁栖镇见诉领办工作群", "雁栖镇-李样三", "吹哨1 水务局 请到场", None),
    ("10:30:00", ROOM, "城指中心-葛样一", "市民反映，王化村路边堆了建筑垃圾，请清理。", None),
    ("10:33:00", ROOM, "怀柔镇-孙样三", "收到，马上去", "m12"),
    ("11:00:00", ROOM, "城指中心-葛样一", "市民反映，王化村垃圾站异味扰民，请处理。", None),
    ("11:50:00", ROOM, "城指中心-葛样一", "市民反映，王化村街上垃圾没人扫，请处理。", None),
)
RECALLS = (("10:34:00", "m13", "怀柔镇-孙样三"), ("11:01:00", "m14", "城指中心-葛样一"))


def transcript(path: Path) -> Path:
    lines = []
    for number, (at, room, sender, text, quote) in enumerate(STORY):
        line = {"at": f"2026-03-03T{at}+08:00", "id": f"m{number}", "room": room, "sender": sender, "text": text}
        lines.append({**line, **({"quote": {"prompt_of": quote}} if quote else {})})
    for at, gone, sender in RECALLS:
        line = {"at": f"2026-03-03T{at}+08:00", "kind": "recall", "id": gone, "room": ROOM, "sender": sender}
        lines.append(line)
    lines.sort(key=lambda entry: str(entry["at"]))
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def test_a_replayed_day_agrees_with_its_events(tmp_path: Path) -> None:
    pytest.importorskip("bot.cli")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    url = fresh_url(tmp_path / "day.sqlite")
    command = [sys.executable, "-m", "bot", "replay", str(transcript(tmp_path / "day.jsonl"))]
    command += ["--units", str(tmp_path), "--out", str(tmp_path / "out"), "--database", url]
    subprocess.run([*command, "--until", "2026-03-03T12:10:00+08:00"], check=True, timeout=120)
    engine = make_engine(url)
    with reading(engine) as session:
        (digest,) = session.exec(select(Digest)).all()
        kinds = set(session.exec(select(Event.kind)))
        assert kinds >= {
            *(EventKind.ACCEPTED, EventKind.DECLINED, EventKind.TRANSFERRED, EventKind.WHISTLED),
            *(EventKind.RESOLVED, EventKind.REOPENED, EventKind.WITHDRAWN, EventKind.RECALLED, EventKind.OVERDUE),
        }
        assert differences(session, digest.numbers) == []
        totals = digest.numbers["totals"]
        assert totals["dispatched"] == 8 and totals["declined"] == 1 and totals["reopened"] == 1
    engine.dispose()


def test_a_wrong_number_is_found(district: District) -> None:
    """The comparison is not blind: a duty without its events, and a total that is one too high."""
    district.duty("怀柔镇", "2026-03-03 09:00:00", 60)
    wrong = differences(district.session, daily(district))
    assert "totals: dispatched is 1, the events say 0" in wrong
    assert "怀柔镇: mean_seconds is 60.0, the events say None" in wrong
