"""Whatever a file holds, an importer answers, or raises its own error and no other."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.importers import people
from bot.importers.chat_exports import ChatImport, ChatImportError, read_chat, write_transcript
from bot.importers.orders import OrdersImportError, read_orders
from tests.importers import builders

EXAMPLES = 80
RELAXED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
ROOM = "演练镇工作群"
TYPES = "text image file audio video location url mini_program chat_history contact emoticon system note".split()

HEADERS = (
    "虚甲  9:00",
    "—————  2026-03-01  —————",
    "—————  2026-13-99  —————",
    "演练群 微信群上的聊天记录如下，请查收。",
    "2026-03-01 09:00:00 虚甲",
    "2026-03-01 09:00:00 ",
    "2026-02-30 99:99 【头衔】虚甲(100010)",
    "虚甲(wxid_1) 09:00:00",
    "虚甲(wxid_1) [群(1@chatroom)] 2026-03-01 09:00:00",
    "> 虚甲(wxid_1) 03-01 09:00:00",
    "虚甲 (2026-03-01 09:00:00):一",
    "1|虚甲:2026-03-01 09:00:00:一",
    "99999|me:2026-03-01 09:00:00:Image|img:x",
    "虚甲 2026-03-01 09:00",
    "虚甲：",
    "引用:虚甲:一",
    "「虚甲：一」",
    "- - - - - - - -",
    "[图片]",
    "[位置|a|b",
    "![文件|x](y)",
    "<msg><appmsg><type>57</type></appmsg></msg>",
    '{"ts": 1}',
    "",
    "",
)
CSV_HEADERS = (
    "localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime,Remark,NickName,Sender",
    "消息ID,类型,发送人,时间,内容,备注,昵称,更多信息",
    "Time,SenderName,Sender,TalkerName,Talker,Content",
    "id,MsgSvrID,type_name,is_sender,talker,room_name,msg,src,CreateTime",
)
KEYS = (
    *("seq", "time", "talker", "talkerName", "sender", "senderName", "isSelf", "type", "subType", "content"),
    *("contents", "refer", "title", "label", "messages", "lastTime", "session", "displayName", "createTime"),
    *("senderDisplayName", "isSend", "chatlab", "meta", "name", "members", "platformId", "timestamp"),
    *("replyToMessageId", "platformMessageId", "ts", "roomid", "id", "is_self", "talkerId", "roomId", "text"),
    *("msgid", "action", "from", "msgtime", "msgtype", "mixed", "item", "revoke", "pre_msgid", "role", "data"),
    *("type_name", "MsgSvrID", "msg", "CreateTime", "room_name", "chatrecord", "info", "chatInfo", "_type", "reply"),
)
WORDS = (
    *(
        "2026-03-01T09:00:00+08:00",
        "2026-03-01 09:00:00",
        "1772326800",
        "文本消息",
        "send",
        "recall",
        "mixed",
        "revoke",
    ),
    *(
        "<msg><appmsg><type>19</type><recorditem>x</recorditem></appmsg></msg>",
        "<!DOCTYPE a>",
        "[图片]",
        "\ud800",
        "\x00",
    ),
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, 3, 49, 57, 10000, 1772326800, 1772326800344, 10**40, -(10**20)]),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(WORDS),
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=10),
    max_leaves=25,
)
cells = st.one_of(
    st.text(max_size=12), st.sampled_from([*WORDS, "=1+1", '"', "1E+20", "二〇二六", "1", "是", "演练镇"])
)


def told(path: Path, **options: Any) -> None:
    """Read the chat; what comes out must be a transcript."""
    try:
        imported = read_chat(path, ROOM, **options)
    except ChatImportError as error:
        assert error.path == path and error.what and str(error)
        return
    assert_transcript(imported)
    write_transcript(imported.lines, path.with_suffix(".out"))


def assert_transcript(imported: ChatImport) -> None:
    ids = [line["id"] for line in imported.lines if "kind" not in line]
    assert len(ids) == len(set(ids))
    moments = [datetime.fromisoformat(line["at"]) for line in imported.lines]
    assert moments == sorted(moments) and all(moment.tzinfo for moment in moments)
    for line in imported.lines:
        assert line["room"] == ROOM and line["id"] and line["sender"]
        assert line.get("kind") == "recall" or line["type"] in TYPES
        assert "\x00" not in json.dumps(line, ensure_ascii=False)
    assert list(imported.odd) == sorted(imported.odd) and all(number >= 1 and why for number, why in imported.odd)


@RELAXED
@given(st.binary(max_size=400))
@example(b"\xff\xfe\x00")
@example(b"\xef\xbb\xbf")
def test_chats_of_any_bytes(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    told(tmp_path / "a.txt")


@RELAXED
@given(
    st.lists(st.sampled_from(HEADERS) | st.text(max_size=30), max_size=25), st.sampled_from([None, date(2026, 3, 1)])
)
def test_chats_of_any_lines(tmp_path: Path, lines: list[str], day: date | None) -> None:
    (tmp_path / "a.txt").write_text("\n".join(lines), encoding="utf-8", errors="surrogatepass")
    told(tmp_path / "a.txt", day=day, me="虚丁")


@RELAXED
@given(st.sampled_from(CSV_HEADERS), st.lists(st.lists(cells, max_size=14), max_size=6))
def test_chats_of_any_table(tmp_path: Path, header: str, rows: list[list[str]]) -> None:
    text = header + "\n" + "\n".join(",".join(row) for row in rows)
    (tmp_path / "a.csv").write_text(text, encoding="utf-8", errors="replace")
    told(tmp_path / "a.csv")


@RELAXED
@given(documents)
def test_chats_of_any_json(tmp_path: Path, document: object) -> None:
    (tmp_path / "a.json").write_text(json.dumps(document), encoding="utf-8")
    told(tmp_path / "a.json")


FULL: tuple[dict[str, object], ...] = (
    {"seq": 1, "time": "2026-03-01T09:00:00+08:00", "talker": "r", "sender": "a", "type": 1, "content": "一"},
    {"type_name": "文本", "talker": "a", "msg": "一", "CreateTime": "2026-03-01 09:00:00", "MsgSvrID": "1"},
    {"ts": 1772326800, "roomid": "r", "sender": "a", "content": "一", "type": 1, "id": "1"},
    {"talkerId": "a", "timestamp": 1772326800, "type": 7, "text": "一", "roomId": "r", "id": "1"},
    {"msgid": "1", "action": "send", "from": "a", "roomid": "r", "msgtime": 1772326800000, "msgtype": "mixed"},
    {"chatlab": {}, "meta": {}, "members": [], "messages": [{"sender": "a", "timestamp": 1772326800, "type": 0}]},
    {"chatInfo": {}, "messages": [{"timestamp": 1772326800000, "sender": {"name": "a"}, "content": {"text": "一"}}]},
    {"session": {}, "messages": [{"createTime": 1772326800, "type": "文本消息", "senderDisplayName": "a"}]},
)


@RELAXED
@given(st.lists(st.tuples(st.sampled_from(FULL), st.dictionaries(st.sampled_from(KEYS), documents)), max_size=4))
def test_chats_of_good_messages_with_any_field_replaced(
    tmp_path: Path, parts: list[tuple[dict[str, object], dict[str, object]]]
) -> None:
    messages = [{**whole, **changed} for whole, changed in parts]
    for document in (messages, messages[:1] and messages[0], {"messages": messages}):
        (tmp_path / "a.json").write_text(json.dumps(document), encoding="utf-8")
        told(tmp_path / "a.json")
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, messages)), encoding="utf-8")
    told(tmp_path / "a.jsonl")


def ordered(path: Path) -> None:
    """Read the orders; what comes out can be said in a group and written down."""
    try:
        found = read_orders(path)
    except OrdersImportError as error:
        assert error.path == path and error.what
        return
    for order in found.orders:
        assert order.order_no and (order.text or order.called_back)
        assert order.received_at is None or order.received_at.tzinfo is not None
        assert order.as_message().startswith("工单编号：")
        order.as_message().encode()


def rostered(path: Path) -> None:
    try:
        people.load(path)
    except people.RosterError as error:
        assert error.problems and all(problem.what and problem.todo for problem in error.problems)
        str(error).encode()


@RELAXED
@given(
    st.binary(max_size=300),
    st.sampled_from([".xlsx", ".xls", ".csv", ".txt", ""]),
    st.sampled_from([b"", b"PK\x03\x04"]),
)
def test_tables_of_any_bytes(tmp_path: Path, data: bytes, suffix: str, magic: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(magic + data)
    ordered(path)
    rostered(path)


@RELAXED
@given(st.lists(st.lists(cells, max_size=9), max_size=6))
def test_orders_of_any_cells(tmp_path: Path, rows: list[list[str]]) -> None:
    header = "工单编号,主要内容,来电时间,联系电话,问题分类,是否解决,是否满意,是否有效回访,二级承办单位\n"
    text = header + "\n".join(",".join(row) for row in rows)
    (tmp_path / "a.csv").write_text(text, encoding="utf-8", errors="replace")
    ordered(tmp_path / "a.csv")


@RELAXED
@given(st.sampled_from(sorted(builders.FILES)), st.lists(st.lists(cells, max_size=7), max_size=6))
def test_rosters_of_any_cells(tmp_path: Path, file: str, rows: list[list[str]]) -> None:
    header = ",".join(str(name) for name in builders.FILES[file][0])
    folder = builders.folder(tmp_path)
    text = header + "\n" + "\n".join(",".join(row) for row in rows)
    (folder / f"{file}.csv").write_text(text, encoding="utf-8", errors="replace")
    rostered(folder)


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "a.xlsx"
    rows = (("工单编号", "主要内容", "来电时间"), ("1001", "灯坏了", datetime(2026, 3, 1)))  # noqa: DTZ001 -- as Excel has it
    builders.by_openpyxl(path, {**builders.SHEETS, "工单": rows})
    return path.read_bytes()


@pytest.fixture(scope="module")
def old_workbook() -> bytes:
    return (Path(__file__).parents[1] / "importers" / "data" / "hotline.xls").read_bytes()


def damaged(data: bytes, changes: list[tuple[int, int]], cut: int | None) -> bytes:
    body = bytearray(data if cut is None else data[: cut % len(data)])
    for place, value in changes:
        if body:
            body[place % len(body)] = value
    return bytes(body)


changes = st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), max_size=12)
cuts = st.none() | st.integers(0, 2**20)


@RELAXED
@given(changes, cuts)
def test_damaged_workbooks(tmp_path: Path, workbook: bytes, changes: list[tuple[int, int]], cut: int | None) -> None:
    (tmp_path / "a.xlsx").write_bytes(damaged(workbook, changes, cut))
    ordered(tmp_path / "a.xlsx")
    rostered(tmp_path / "a.xlsx")


@RELAXED
@given(changes, cuts)
def test_damaged_old_workbooks(
    tmp_path: Path, old_workbook: bytes, changes: list[tuple[int, int]], cut: int | None
) -> None:
    (tmp_path / "a.xls").write_bytes(damaged(old_workbook, changes, cut))
    ordered(tmp_path / "a.xls")


@RELAXED
@given(st.data())
def test_workbooks_with_one_damaged_part(tmp_path: Path, workbook: bytes, data: st.DataObject) -> None:
    """The zip is sound, so that openpyxl itself meets the damage."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        part = data.draw(st.sampled_from(archive.namelist()))
        body = damaged(archive.read(part), data.draw(changes), data.draw(cuts))
    (tmp_path / "a.xlsx").write_bytes(builders.rezip(workbook, {part: body}))
    ordered(tmp_path / "a.xlsx")
    rostered(tmp_path / "a.xlsx")


@pytest.mark.parametrize("read", [read_orders, people.load, lambda path: read_chat(path, ROOM)])
@pytest.mark.parametrize("name", ["", "none", "a\x00b.xlsx", "a" * 300 + ".csv", "\ud800.csv", "dir.csv", "dir.xlsx"])
def test_paths_that_are_no_files(tmp_path: Path, read: Callable[[Path], object], name: str) -> None:
    if name.startswith("dir"):
        (tmp_path / name).mkdir()
    with pytest.raises((OrdersImportError, ChatImportError, people.RosterError)):
        read(tmp_path / name)
