"""The empty roster workbook that `python -m bot template` writes: drop-downs, comments, example rows."""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from bot.importers.people_cells import DUTY_LINES
from bot.importers.people_columns import SHEETS
from storage.enums import Role, UnitKind

LAST_ROW = 2000  # of the drop-downs
TEMPLATE_SHEETS = ("units", "members", "duty", "villages", "catalogue")

_WIDTHS = {"aliases": 36, "examples": 48, "room": 32, "name": 22, "lead_agency": 22, "contact_id": 22}
_COMMENTS: dict[tuple[str, str], str] = {
    ("units", "name"): "单位的正式名称，全区唯一；其他表都用这个名称。",
    ("units", "kind"): "街乡镇：按属地主办；区政府机构：按派单目录主办；派单中心、督查：各有一个工作群。",
    ("units", "aliases"): "群里常用的叫法，几个用分号隔开；一个别名只能给一个单位。",
    ("units", "room"): "微信群的完整名称；还没有建群就留空。",
    ("members", "name"): "同一单位里不能重名。",
    ("members", "unit"): "从下拉里选，必须在“单位”表里。",
    ("members", "role"): "诉求办理员值班、领办、办结；领导在升级时被提醒；其余属于派单中心和督查。",
    ("members", "on_duty"): "没有排班表时，写“是”的人收到提醒。有“值班”表的单位以“值班”表为准。",
    ("members", "aliases"): "本人在群里的昵称，照抄；几个用分号隔开。",
    ("members", "contact_id"): "可不填；机器人第一次认出这个人后会自己记住。",
    ("duty", "unit"): "这张表可以不用。",
    ("duty", "member"): "必须是这个单位花名册里的人。",
    ("duty", "weekday"): "固定排班：周一 … 周日、工作日、每天、周一至周五。和日期只填一个。",
    ("duty", "day"): "只在这一天生效，盖过固定排班，例如 2026-03-09。",
    ("duty", "starts"): "24 小时制，例如 08:30。",
    ("duty", "ends"): "早于或等于开始的，算第二天。",
    ("duty", "line"): "白班、夜班、节假日，或留空；节假日：法定节假日都由此人值班，星期和日期都留空。",
    ("villages", "township"): "必须是“单位”表里类型为街乡镇的单位。",
    ("villages", "name"): "村或社区的正式名称。",
    ("villages", "aliases"): "自然村、小区、俗名，几个用分号隔开。",
    ("catalogue", "category"): "诉求的类别；“其他”一类没有主办单位。",
    ("catalogue", "lead_agency"): "按事项主办的单位，必须在“单位”表里。",
    ("catalogue", "examples"): "这一类常见的词，用顿号隔开，越具体认得越准。",
}
_EXAMPLES: dict[str, tuple[dict[str, str], ...]] = {
    "units": (
        {"name": "示例：某某镇", "kind": "街乡镇", "aliases": "某某地区;某某办", "room": "某某镇工作群"},
        {"name": "示例：区某某局", "kind": "区政府机构", "aliases": "某某局", "room": "区某某局工作群"},
    ),
    "members": (
        {"name": "示例：甲", "unit": "某某镇", "role": "主要领导", "aliases": "某某镇-甲"},
        {"name": "示例：乙", "unit": "某某镇", "role": "诉求办理员", "on_duty": "是", "aliases": "乙-某某镇"},
    ),
    "duty": (
        {
            "unit": "示例：某某镇",
            "member": "乙",
            "weekday": "工作日",
            "starts": "08:30",
            "ends": "17:30",
            "line": "白班",
        },
        {"unit": "示例：某某镇", "member": "乙", "day": "2026-10-01", "starts": "17:30", "ends": "08:30"},
    ),
    "villages": ({"township": "示例：某某镇", "name": "某某村", "kind": "村", "aliases": "东沟;西沟"},),
    "catalogue": ({"category": "示例：市容环卫", "lead_agency": "区某某局", "examples": "垃圾、公厕"},),
}


def write_template(path: Path) -> None:
    """Write the workbook. The caller decides what happens to a file that is already there."""
    book = Workbook()
    book.remove(book.active)
    for key in TEMPLATE_SHEETS:
        _write_sheet(book, key)
    book.save(path)


def _write_sheet(book: Workbook, key: str) -> None:
    spec = SHEETS[key]
    sheet = book.create_sheet(spec.title)
    sheet.freeze_panes = "A2"
    for number, column in enumerate(spec.columns, start=1):
        letter = get_column_letter(number)
        header = sheet.cell(1, number, column.titles[0])
        header.font = Font(bold=True, color="FFFFFF")
        header.fill = PatternFill("solid", fgColor="2F5D8A" if column.required else "7A8A99")
        header.alignment = Alignment(vertical="center")
        note = _COMMENTS.get((key, column.field))
        if note is not None:
            header.comment = Comment(note, "领办", width=320, height=90)
        sheet.column_dimensions[letter].width = _WIDTHS.get(column.field, 16)
        for row, example in enumerate(_EXAMPLES[key], start=2):
            cell = sheet.cell(row, number, example.get(column.field))
            cell.number_format = "@"  # text: Excel must not turn 08:30 or a long id into a number
            cell.font = Font(italic=True, color="808080")
        choices = _choices(key, column.field)
        if choices is not None:
            _drop_down(sheet, letter, *choices)


def _choices(key: str, field: str) -> tuple[str, bool] | None:
    """Return the formula of a drop-down and whether anything else is refused."""
    if field == "unit" or field == "lead_agency" or field == "township":
        return f"单位!$A$2:$A${LAST_ROW}", False
    literal = {
        ("units", "kind"): tuple(UnitKind),
        ("members", "role"): tuple(Role),
        ("members", "on_duty"): ("是", "否"),
        ("villages", "kind"): ("村", "社区"),
        ("duty", "line"): DUTY_LINES,
    }.get((key, field))
    if literal is not None:
        return f'"{",".join(literal)}"', True
    if (key, field) == ("duty", "weekday"):
        return '"周一,周二,周三,周四,周五,周六,周日,工作日,每天"', False
    return None


def _drop_down(sheet: object, letter: str, formula: str, strict: bool) -> None:
    rule = DataValidation(type="list", formula1=formula, allow_blank=True, showErrorMessage=strict)
    rule.errorTitle = "请从下拉里选"
    rule.error = "这一列只能填下拉里的值。"
    rule.add(f"{letter}2:{letter}{LAST_ROW}")
    sheet.add_data_validation(rule)  # type: ignore[attr-defined]
