"""The hotline's tables: order, call-back, and what an office does to a sheet before sending it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from bot.importers.orders import OrderRow, OrdersImport, OrdersImportError, read_orders
from storage.enums import Satisfaction
from tests.importers import builders
from tests.importers.builders import Rows

BEIJING = timezone(timedelta(hours=8))
DATA = Path(__file__).parent / "data"

TABLE: Rows = (
    ("演练热线工单导出 2026年3月", "", "", "", "", "", "", "", "", "", ""),
    (
        *("工单编号", "诉求人", "联系电话", "来电时间", "被反映街乡镇", "所在村社区", "小区点位", "问题分类"),
        *("主要内容", "二级承办单位", "办理时限"),
    ),
    (
        *("热线-260301-000201", "虚女士", "13900000003", "2026/3/1 下午3:05", "演练镇", "甲一村", "村口"),
        *("市政->道路->坑洼", "路面塌了一块，\n夜里有人摔倒", "演练镇", "7天"),
    ),
    ("", "", "", "", "", "", "", "", "", "", ""),
    (
        *("热线-260301-000202", "匿名", "", "2026-03-01 00:12:30", "不详", "", "", "", "渣土车夜间鸣笛", "区演练局"),
        "2026-03-08 18:00",
    ),
)
FIRST = OrderRow(
    sheet="工单",
    row=3,
    order_no="热线-260301-000201",
    text="路面塌了一块，\n夜里有人摔倒",
    caller="虚女士",
    phone="13900000003",
    unit="演练镇",
    township="演练镇",
    village="甲一村",
    place="村口",
    category=("市政", "道路", "坑洼"),
    time_limit="7天",
    received_at=datetime(2026, 3, 1, 15, 5, tzinfo=BEIJING),
)


def told(read: OrdersImport) -> tuple[tuple[str, int, str], ...]:
    return tuple((odd.sheet, odd.row, odd.why) for odd in read.odd)


@pytest.mark.parametrize("write", builders.WRITERS)
def test_a_workbook_of_either_library(tmp_path: Path, write: Callable[[Path, Mapping[str, Rows]], None]) -> None:
    write(tmp_path / "a.xlsx", {"说明": (("请勿外传",),), "工单": TABLE})
    orders = read_orders(tmp_path / "a.xlsx")
    assert orders.orders[0] == FIRST
    assert orders.orders[1].received_at == datetime(2026, 3, 1, 0, 12, 30, tzinfo=BEIJING)
    assert (len(orders.orders), orders.odd) == (2, ())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-8"])
def test_a_csv_in_every_encoding_of_an_office(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "工单.csv").write_bytes(builders.csv_text(TABLE).encode(encoding))
    orders = read_orders(tmp_path / "工单.csv").orders
    assert [(order.order_no, order.text, order.unit) for order in orders] == [
        ("热线-260301-000201", "路面塌了一块，\n夜里有人摔倒", "演练镇"),
        ("热线-260301-000202", "渣土车夜间鸣笛", "区演练局"),
    ]


def test_an_old_xls_with_a_real_date_and_a_phone_kept_as_a_number() -> None:
    orders = read_orders(DATA / "hotline.xls")
    assert orders.orders == (
        OrderRow(
            sheet="诉求明细",
            row=3,
            order_no="热线-260301-000101",
            text="演练村东口窨井盖松动，夜里响",
            caller="虚女士",
            phone="13900000001",
            unit="演练镇",
            received_at=datetime(2026, 3, 1, 8, 5, tzinfo=BEIJING),
        ),
        OrderRow(
            sheet="诉求明细",
            row=4,
            order_no="热线-260301-000102",
            text="演练小区三号楼单元门坏了关不上",
            caller="虚先生",
            phone="13900000002",
            unit="演练镇",
            received_at=datetime(2026, 3, 1, 15, 5, tzinfo=BEIJING),
            resolved=False,
        ),
    )
    assert orders.odd == ()


@pytest.mark.parametrize("name", ["hotline_libreoffice.xlsx", "hotline_libreoffice.xls", "hotline_libreoffice_gb18030.csv"])
def test_what_libreoffice_wrote_with_titles_other_headers_and_half_days(name: str) -> None:
    """Written by LibreOffice 7.4 from one table: two title lines, 工单编码/来话人/…, 上午12:05 is five past midnight."""
    read = read_orders(DATA / name)
    assert read.odd == ()
    assert [(order.row, order.order_no, order.phone, order.unit) for order in read.orders] == [
        (4, "热线-260303-000301", "13900000301", ""),
        (5, "热线-260303-000302", "", "区交通局"),
        (6, "热线-260303-000303", "13900000303", ""),
    ]
    assert [order.received_at for order in read.orders] == [
        datetime(2026, 3, 3, 0, 5, tzinfo=BEIJING),
        datetime(2026, 3, 3, 13, 30, tzinfo=BEIJING),
        datetime(2026, 3, 3, 16, 5, tzinfo=BEIJING),
    ]
    assert read.orders[0].text == "柳林村自来水停了两天，\n请尽快恢复。"
    assert read.orders[0].category == ("供水排水", "停水")
    second = read.orders[1]
    assert (second.contacted, second.resolved, second.satisfaction) == (True, False, Satisfaction.BAD)


def test_the_time_of_a_call_back(tmp_path: Path) -> None:
    rows = (("工单编号", "是否解决", "回访时间"), ("1001", "是", "2026/3/4 下午2:10"), ("1002", "否", "昨天"))
    builders.by_openpyxl(tmp_path / "a.xlsx", {"回访": rows})
    read = read_orders(tmp_path / "a.xlsx")
    assert [order.called_back_at for order in read.orders] == [datetime(2026, 3, 4, 14, 10, tzinfo=BEIJING), None]
    assert told(read) == (("回访", 3, "时间“昨天”看不懂，已留空"),)


def test_it_is_said_as_it_is_pasted_into_a_group() -> None:
    assert FIRST.as_message() == (
        "工单编号：热线-260301-000201\n"
        "来电时间：2026-03-01 15:05\n"
        "诉求人：虚女士\n"
        "联系电话：13900000003\n"
        "被反映街乡镇：演练镇\n"
        "所在村社区：甲一村\n"
        "小区点位：村口\n"
        "问题分类：市政->道路->坑洼\n"
        "承办单位：演练镇\n"
        "办理时限：7天\n"
        "诉求内容：路面塌了一块， 夜里有人摔倒"
    )


def test_the_second_level_unit_leads_and_the_first_filled_column_counts(tmp_path: Path) -> None:
    rows = (
        ("工单号", "来电内容", "承办单位", "二级承办单位", "来电号码", "联系方式"),
        ("1001", "楼道灯坏了", "怀柔区", "演练镇", "", "13900000004"),
        ("1002", "树枝挡了信号灯", "区演练局", "", "13900000005", ""),
    )
    builders.by_openpyxl(tmp_path / "a.xlsx", {"工单": rows})
    orders = read_orders(tmp_path / "a.xlsx").orders
    assert [(order.unit, order.phone) for order in orders] == [("演练镇", "13900000004"), ("区演练局", "13900000005")]


def test_call_back_columns(tmp_path: Path) -> None:
    rows = (
        ("工单编号", "是否联系", "是否解决", "是否满意", "是否有效回访"),
        ("1001", "是", "否", "不满意", "是"),
        ("1002", "已联系", "已解决", "基本满意", ""),
        ("1003", "是", "是", "满意", "否"),
        ("1004", "", "", "", ""),
        ("1005", "是", "看情况", "", "是"),
    )
    builders.by_openpyxl(tmp_path / "a.xlsx", {"回访": rows})
    orders = read_orders(tmp_path / "a.xlsx")
    assert [(o.order_no, o.contacted, o.resolved, o.satisfaction, o.called_back) for o in orders.orders] == [
        ("1001", True, False, Satisfaction.BAD, True),
        ("1002", True, True, Satisfaction.FAIR, True),
        ("1005", True, None, None, True),
    ]
    assert told(orders) == (
        ("回访", 4, "没有诉求内容，也没有回访结果，没有导入"),
        ("回访", 5, "没有诉求内容，也没有回访结果，没有导入"),
        ("回访", 6, "是否解决的“看情况”看不懂，已留空"),
    )
    assert str(orders.odd[2]) == "回访 第6行：是否解决的“看情况”看不懂，已留空"


def test_merged_cells_repeated_headers_and_footers(tmp_path: Path) -> None:
    """A two-line header, an order over two rows with a unit in each, the header again on page two, a sum."""
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet("台账")
        sheet.merge_range("A1:E1", "填表说明：演练")
        sheet.merge_range("A2:A3", "受理编号")
        sheet.merge_range("B2:B3", "问题描述")
        sheet.merge_range("C2:C3", "主办单位")
        sheet.merge_range("D2:E2", "回访情况")
        sheet.write_row("D3", ["是否解决", "是否满意"])
        sheet.merge_range("A4:A5", "2001")
        sheet.merge_range("B4:B5", "河道有异味")
        sheet.write("C4", "演练镇")
        sheet.write("C5", "区演练局")
        sheet.write_row("A6", ["受理编号", "问题描述", "主办单位", "是否解决", "是否满意"])
        sheet.write_row("A7", ["2002", "桥栏杆断了", "演练镇", "是", "满意"])
        sheet.write_row("A8", ["2002", "桥栏杆断了", "演练镇", "是", "满意"])
        sheet.write_row("B9", ["制表人：虚丁"])
    orders = read_orders(tmp_path / "a.xlsx")
    assert [(o.row, o.order_no, o.text, o.unit, o.resolved) for o in orders.orders] == [
        (4, "2001", "河道有异味", "演练镇", None),
        (5, "2001", "河道有异味", "区演练局", None),
        (7, "2002", "桥栏杆断了", "演练镇", True),
    ]
    assert told(orders) == (
        ("台账", 8, "和台账第 7 行完全相同，只取一次"),
        ("台账", 9, "没有工单编号，没有导入"),
    )


def test_numbers_that_excel_has_spoilt_are_refused(tmp_path: Path) -> None:
    rows = (
        ("工单编号", "主要内容", "联系电话"),
        (26030100000000123, "一", ""),
        (260301000001, "二", "1.39E+10"),
        ("2.603E+16", "三", ""),
        ("x" * 61, "四", ""),
    )
    builders.by_openpyxl(tmp_path / "a.xlsx", {"工单": rows})
    orders = read_orders(tmp_path / "a.xlsx")
    assert [(o.order_no, o.phone) for o in orders.orders] == [("260301000001", "")]
    lost = "工单编号被 Excel 存成了数字，后几位已丢失，没有导入；请把这一列设为文本重新导出"
    assert told(orders) == (
        ("工单", 2, lost),
        ("工单", 3, "联系电话被 Excel 存成了科学计数，已留空"),
        ("工单", 4, lost),
        ("工单", 5, "工单编号不像编号，没有导入"),
    )
    assert [odd.lost for odd in orders.odd] == [True, False, True, True]


def test_three_columns_of_category_and_a_doubtful_time(tmp_path: Path) -> None:
    rows = (
        ("工单编号", "标题", "一级分类", "二级分类", "三级分类", "登记时间", "工单类型", "工单性质"),
        ("3001", "路灯不亮", "市政", "照明", "", "前天下午", "求助", "协办"),
    )
    builders.by_xlsxwriter(tmp_path / "a.xlsx", {"工单": rows})
    orders = read_orders(tmp_path / "a.xlsx")
    assert (orders.orders[0].category, orders.orders[0].nature) == (("市政", "照明"), "协办")
    assert orders.orders[0].as_message() == ("工单编号：3001\n工单类型：求助\n问题分类：市政->照明\n诉求内容：路灯不亮")
    assert told(orders) == (("工单", 2, "时间“前天下午”看不懂，已留空"),)


def test_tabs_semicolons_and_the_carriage_returns_of_excel(tmp_path: Path) -> None:
    table = "演练热线导出\n工单编号{0}主要内容{0}办理时限\n4001{0}灯坏了，一周{0}7天\n"
    for mark in "\t;,":
        (tmp_path / "a.csv").write_text(table.format(mark), encoding="utf-8")
        assert [(o.text, o.time_limit) for o in read_orders(tmp_path / "a.csv").orders] == [("灯坏了，一周", "7天")]
    builders.by_xlsxwriter(tmp_path / "a.xlsx", {"工单": (("工单编号", "主要内容"), ("1", "灯坏了_x000D_\n一周"))})
    assert read_orders(tmp_path / "a.xlsx").orders[0].text == "灯坏了\n一周"


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    builders.by_openpyxl(tmp_path / "a.xlsx", {"工单": TABLE})
    assert read_orders(tmp_path / "a.xlsx") == read_orders(tmp_path / "a.xlsx")


@pytest.mark.parametrize(
    ("name", "body", "what"),
    [
        ("a.csv", "姓名,电话\n虚甲,1\n", "a.csv：找不到表头：前 20 行里要有“工单编号”和“诉求内容”"),
        ("a.csv", "工单编号\n1\n", "a.csv：找不到表头"),
        ("a.xlsx", "工单编号,主要内容\n", "a.xlsx：扩展名是 .xlsx，内容却是文本文件"),
        ("a.xls", "<html><table><tr><td>工单编号</td></tr></table></html>", "a.xls：扩展名是 .xls，内容却是网页"),
        ("a.xlsx", "%PDF-1.7", "a.xlsx：扩展名是 .xlsx，内容却是PDF 文件"),
        ("a.txt", "\x00\x01\x02", "a.txt：扩展名是 .txt，内容却是不认识的二进制文件"),
        ("a.doc", "x", "a.doc：不支持扩展名“.doc”"),
        ("a.csv", "", "a.csv：文件是空的"),
    ],
)
def test_what_is_no_table_of_orders(tmp_path: Path, name: str, body: str, what: str) -> None:
    (tmp_path / name).write_text(body, encoding="utf-8")
    with pytest.raises(OrdersImportError) as error:
        read_orders(tmp_path / name)
    assert str(error.value).startswith(what)


def test_a_truncated_xls_is_an_error_of_ours(tmp_path: Path) -> None:
    whole = (DATA / "hotline.xls").read_bytes()
    for length in (8, 512, 1024, 2048, 3000):
        (tmp_path / "a.xls").write_bytes(whole[:length])
        with pytest.raises(OrdersImportError):
            read_orders(tmp_path / "a.xls")
