"""Uploads that mean harm: too large, packed bombs, entities, merged ranges over the whole sheet."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl  # type: ignore[import-untyped]
import pytest

from bot.importers import chat_xml, files, people
from bot.importers.chat_exports import ChatImportError, read_chat
from bot.importers.orders import OrdersImportError, read_orders
from tests.importers import builders

SHEET = "xl/worksheets/sheet1.xml"
NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


@pytest.fixture
def workbook(tmp_path: Path) -> bytes:
    builders.by_openpyxl(tmp_path / "good.xlsx", {"工单": (("工单编号", "主要内容"), ("1001", "灯坏了"))})
    return (tmp_path / "good.xlsx").read_bytes()


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(OrdersImportError) as error:
        read_orders(path)
    return error.value.what


def test_files_over_the_limit_are_not_read_at_all(tmp_path: Path, workbook: bytes) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook)
    assert read_orders(path, limit=len(workbook)).orders
    with pytest.raises(OrdersImportError, match="MiB，请拆成几个文件分别导入"):
        read_orders(path, limit=len(workbook) - 1)
    with pytest.raises(people.RosterError, match="文件超过"):
        people.load(path, limit=100)
    (tmp_path / "a.txt").write_text("虚甲 2026-03-01 10:00\n你好\n", encoding="utf-8")
    with pytest.raises(ChatImportError, match="文件超过"):
        read_chat(tmp_path / "a.txt", "群", limit=10)


def test_a_packed_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, workbook: bytes) -> None:
    bomb = builders.rezip(workbook, {"xl/media/a.bin": bytes(files.UNPACKED_LIMIT_BYTES)})
    assert len(bomb) < 200_000
    assert refused(tmp_path / "a.xlsx", bomb).startswith("解压后超过 128 MiB")
    many = builders.rezip(workbook, {f"x/{n}": b"" for n in range(files.ZIP_PARTS_LIMIT)})
    assert refused(tmp_path / "a.xlsx", many).startswith("解压后超过 128 MiB 或部件过多")


def test_a_part_that_lies_about_its_size_is_refused(tmp_path: Path, workbook: bytes) -> None:
    """The directory claims 10 bytes, the stream unpacks to a million: zipfile stops at the claim and says so."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "x" * 1_000_000)
        archive.writestr("xl/workbook.xml", "")
    lying = body.getvalue().replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert refused(tmp_path / "a.xlsx", lying).startswith("工作簿已损坏")


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        '<!doctype x SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
@pytest.mark.parametrize("part", [SHEET, "xl/sharedStrings.xml", "[Content_Types].xml", "xl/_rels/workbook.xml.rels"])
def test_entities_and_document_types_are_refused(tmp_path: Path, workbook: bytes, declaration: str, part: str) -> None:
    body = f'<?xml version="1.0"?>{declaration}<worksheet {NS}><sheetData/></worksheet>'
    assert refused(tmp_path / "a.xlsx", builders.rezip(workbook, {part: body.encode()})).startswith(
        "工作簿的 XML 里有实体声明"
    )


def test_utf_16_does_not_hide_an_entity(tmp_path: Path, workbook: bytes) -> None:
    body = f'<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "b">]><worksheet {NS}/>'
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        what = refused(tmp_path / "a.xlsx", builders.rezip(workbook, {SHEET: body.encode(encoding)}))
        assert "编码异常" in what


def test_a_range_merged_over_the_whole_sheet_costs_nothing(tmp_path: Path, workbook: bytes) -> None:
    def cell(place: str, text: str) -> str:
        return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'

    rows = (
        f'<row r="1">{cell("A1", "工单编号")}{cell("B1", "主要内容")}</row>'
        f'<row r="2">{cell("A2", "1001")}{cell("B2", "灯坏了")}</row>'
        f'<row r="150000">{cell("B150000", "远处的一行")}</row>'
    )
    merged = '<mergeCells count="2"><mergeCell ref="A2:XFD1048576"/><mergeCell ref="A2:A1048576"/></mergeCells>'
    body = f"<worksheet {NS}><sheetData>{rows}</sheetData>{merged}</worksheet>"
    (tmp_path / "a.xlsx").write_bytes(builders.rezip(workbook, {SHEET: body.encode()}))
    started = time.monotonic()
    orders = read_orders(tmp_path / "a.xlsx")
    assert time.monotonic() - started < 5
    assert [order.row for order in orders.orders] == [2]
    assert [(each.row, each.why) for each in orders.odd] == [(150000, "没有工单编号，没有导入")]


def test_too_many_cells_and_a_row_beyond_the_end(tmp_path: Path, workbook: bytes) -> None:
    crowd = f"<worksheet {NS}><sheetData><row>{'<c/>' * (files.CELLS_LIMIT + 1)}</row></sheetData></worksheet>"
    assert refused(tmp_path / "a.xlsx", builders.rezip(workbook, {SHEET: crowd.encode()})).startswith("单元格超过")
    far = f'<worksheet {NS}><sheetData><row r="1000000"><c r="A1000000"><v>1</v></c></row></sheetData></worksheet>'
    assert refused(tmp_path / "a.xlsx", builders.rezip(workbook, {SHEET: far.encode()})).startswith("超过 200000 行")


def test_a_sheet_under_another_name_is_searched_too(tmp_path: Path, workbook: bytes) -> None:
    assert openpyxl.DEFUSEDXML  # stands behind our own search
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        rels = archive.read("xl/_rels/workbook.xml.rels").replace(b"sheet1.xml", b"sheet1.dat")
    body = f'<!DOCTYPE x [<!ENTITY a "灯坏了">]><worksheet {NS}><sheetData/></worksheet>'
    data = builders.rezip(workbook, {"xl/_rels/workbook.xml.rels": rels, "xl/worksheets/sheet1.dat": body.encode()})
    assert refused(tmp_path / "a.xlsx", data).startswith("工作簿的 XML 里有实体声明")


def test_an_empty_last_row_as_libreoffice_writes_it_is_no_row(tmp_path: Path, workbook: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        sheet = archive.read(SHEET).decode()
    last = '<row r="1048576" ht="12.8" customHeight="0"><c r="A1048576" s="0"/></row></sheetData>'
    (tmp_path / "a.xlsx").write_bytes(builders.rezip(workbook, {SHEET: sheet.replace("</sheetData>", last).encode()}))
    assert [order.order_no for order in read_orders(tmp_path / "a.xlsx").orders] == ["1001"]


def test_a_zip_that_is_no_workbook(tmp_path: Path) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("工单.csv", "工单编号")
    assert refused(tmp_path / "a.xlsx", body.getvalue()) == "内容是压缩包，不是 Excel 工作簿，请解压后导入其中的文件"


@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_nothing_but_plain_files_is_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(OrdersImportError, match="不是普通文件"):
        read_orders(tmp_path / name)
    with pytest.raises(ChatImportError, match="不是普通文件"):
        read_chat(tmp_path / name, "群")
    with pytest.raises(ChatImportError, match="不是普通文件"):
        read_chat(Path("/dev/zero"), "群")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04", "Excel 工作簿（.xlsx）或压缩包"),
        (b"\x89PNG\r\n", "图片"),
        (b"SQLite format 3\x00", "数据库文件"),
        (b"MZ\x90", "程序"),
        (b"abc\x00\x01", "不认识的二进制文件"),
    ],
)
def test_a_chat_that_is_no_text_is_told_what_it_is(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(ChatImportError) as error:
        read_chat(tmp_path / "a.txt", "群")
    assert str(error.value) == f"a.txt：内容不是文本，而是{words}，请导出为 txt、csv 或 json 再导入"


def test_xml_of_a_message_with_a_document_type_is_not_read() -> None:
    sound = "<msg><appmsg><title>演练通报</title><type>5</type></appmsg></msg>"
    parsed = chat_xml.parse(sound)
    assert parsed is not None and parsed.text == "演练通报"
    assert chat_xml.parse("<!DOCTYPE msg>" + sound) is None
    nested = sound
    for _ in range(6):
        nested = f"<msg><appmsg><type>57</type><refermsg><content>{escape(nested)}</content></refermsg></appmsg></msg>"
    assert chat_xml.parse(nested) is not None


def test_what_no_database_holds_is_dropped() -> None:
    assert files.clean("a\x00b\x1b[31m\ud800\r\nc\rd\u2005e") == "ab[31m\ufffd\nc\nd\u2005e"


def test_a_copy_that_was_cut_off_or_has_a_broken_byte_lost_the_whole_history(tmp_path: Path) -> None:
    """It was refused as neither UTF-8 nor GB18030; now the line is told and the rest goes on."""
    text = "演练镇-虚甲 2026-03-03 09:00:00\n市民反映，村口路灯坏了，请尽快维修。\n\n"
    whole = (text + "演练镇-虚乙 2026-03-03 09:05:00\n收到，马上去看\n").encode()
    for broken, lines in ((whole[:-2], [5]), (whole[:60] + b"\xff" + whole[60:], [2])):
        (tmp_path / "a.txt").write_bytes(broken)
        imported = read_chat(tmp_path / "a.txt", "群")
        assert len(imported.lines) == 2
        assert imported.odd == tuple((number, "有损坏的字节，按读得出的导入") for number in lines)
    (tmp_path / "a.txt").write_bytes(whole.decode().encode("gb18030"))
    assert read_chat(tmp_path / "a.txt", "群").odd == ()
    (tmp_path / "a.txt").write_bytes(whole.decode().encode("gb18030")[:-1] + b"\xff\xff")
    with pytest.raises(ChatImportError, match="或者文件已损坏，请重新导出"):
        read_chat(tmp_path / "a.txt", "群")
