"""Files as a district's office makes them, written by two different libraries. Everybody in them is invented."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import xlsxwriter  # type: ignore[import-untyped]

Rows = Sequence[Sequence[object]]

UNITS: Rows = (
    ("单位", "类型", "别名", "群名"),
    ("演练镇", "街乡镇", "演练地区;演练办", "演练镇工作群"),
    ("排演街道", "街乡镇", "", "排演街道工作群"),
    ("区演练局", "区政府机构", "演练局、演练委", "区演练局工作群"),
    ("区派单所", "派单中心", "", "派单群"),
)
MEMBERS: Rows = (
    ("姓名", "单位", "角色", "值班", "别名", "微信号"),
    ("虚甲", "演练镇", "主要领导", "", "演练镇-虚甲", "wx_a"),
    ("虚乙", "演练镇", "诉求办理员", "是", "演练镇-虚乙；虚乙（网格）", ""),
    ("虚丙", "区派单所", "派单员", "否", "", ""),
)
DUTY: Rows = (
    ("单位", "值班人", "星期", "日期", "开始", "结束", "班次"),
    ("演练镇", "虚乙", "周六、周日", "", "08:30", "17:30", "白班"),
    ("演练镇", "虚甲", "", "2026-10-01", "17:30", "8:30", "夜班"),
    ("演练镇", "虚乙", "", "", "0:00", "24:00", "节假日"),
)
VILLAGES: Rows = (
    ("街乡镇", "村/社区", "类型", "别名"),
    ("演练镇", "甲一村", "村", "东沟；西沟"),
    ("排演街道", "乙一社区", "居委会", ""),
)
CATALOGUE: Rows = (
    ("类别", "主办单位", "举例"),
    ("市容环卫", "区演练局", "垃圾清运、公厕"),
    ("其他", "", ""),
)
ALIASES: Rows = (
    ("别名", "街乡镇", "村居"),
    ("演练花园", "排演街道", "乙一社区"),
    ("大水塔", "演练镇", ""),
)
SHEETS: Mapping[str, Rows] = {
    "单位": UNITS,
    "花名册": MEMBERS,
    "值班": DUTY,
    "村居": VILLAGES,
    "派单目录": CATALOGUE,
    "别名": ALIASES,
}
FILES: Mapping[str, Rows] = {
    "units": UNITS,
    "members": MEMBERS,
    "duty": DUTY,
    "villages": VILLAGES,
    "catalogue": CATALOGUE,
    "aliases": ALIASES,
}


def by_openpyxl(path: Path, sheets: Mapping[str, Rows]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)


def by_xlsxwriter(path: Path, sheets: Mapping[str, Rows]) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)


WRITERS: tuple[Callable[[Path, Mapping[str, Rows]], None], ...] = (by_openpyxl, by_xlsxwriter)


def csv_text(rows: Rows) -> str:
    return "".join(",".join(_quoted(str(cell)) for cell in row) + "\r\n" for row in rows)


def folder(path: Path, files: Mapping[str, Rows] = FILES, encoding: str = "utf-8") -> Path:
    path.mkdir(exist_ok=True)
    for name, rows in files.items():
        (path / f"{name}.csv").write_bytes(csv_text(rows).encode(encoding))
    return path


def with_row(rows: Rows, number: int, **cells: object) -> Rows:
    """Return the rows with some cells of row `number` (as Excel counts) replaced, by header."""
    header = [str(name) for name in rows[0]]
    changed = [list(row) for row in rows]
    for name, value in cells.items():
        changed[number - 1][header.index(name)] = value
    return changed


def rezip(data: bytes, replace: Mapping[str, bytes]) -> bytes:
    """Return a workbook with some of its parts replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename not in replace:
                new.writestr(part, old.read(part))
        for name, body in replace.items():
            new.writestr(name, body)
    return out.getvalue()


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\n') else cell
