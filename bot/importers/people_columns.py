"""Which sheets and columns a roster has, by all their names. The first name is the template's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    field: str  # ours; a header of this name is known too
    titles: tuple[str, ...]
    required: bool = False  # the column must be there


@dataclass(frozen=True, slots=True)
class SheetSpec:
    title: str  # sheet name in a workbook; in a folder the file is <key>.csv
    columns: tuple[ColumnSpec, ...]
    required: bool = True
    needs_rows: bool = False


SHEETS: Mapping[str, SheetSpec] = {
    "units": SheetSpec(
        "单位",
        (
            ColumnSpec("name", ("单位", "单位名称", "名称", "unit", "name"), required=True),
            ColumnSpec("kind", ("类型", "单位类型", "类别", "kind"), required=True),
            ColumnSpec("aliases", ("别名", "简称", "aliases", "alias")),
            ColumnSpec("room", ("群名", "工作群", "微信群", "群聊名称", "room", "topic")),
        ),
        needs_rows=True,
    ),
    "members": SheetSpec(
        "花名册",
        (
            ColumnSpec("name", ("姓名", "name"), required=True),
            ColumnSpec("unit", ("单位", "单位名称", "所属单位", "unit"), required=True),
            ColumnSpec("role", ("角色", "职务", "身份", "role"), required=True),
            ColumnSpec("on_duty", ("值班", "是否值班", "在岗", "on_duty")),
            ColumnSpec("aliases", ("别名", "群昵称", "昵称", "aliases", "alias")),
            ColumnSpec("contact_id", ("微信号", "微信编号", "联系人编号", "企业微信账号", "userid", "contact_id")),
        ),
        needs_rows=True,
    ),
    "duty": SheetSpec(
        "值班",
        (
            ColumnSpec("unit", ("单位", "单位名称", "unit"), required=True),
            ColumnSpec("member", ("值班人", "姓名", "值班人员", "member", "name"), required=True),
            ColumnSpec("weekday", ("星期", "周几", "weekday")),
            ColumnSpec("day", ("日期", "值班日期", "day", "date")),
            ColumnSpec("starts", ("开始", "开始时间", "起", "starts", "start"), required=True),
            ColumnSpec("ends", ("结束", "结束时间", "止", "ends", "end"), required=True),
            ColumnSpec("line", ("班次", "班别", "line", "shift")),
        ),
        required=False,
    ),
    "villages": SheetSpec(
        "村居",
        (
            ColumnSpec("township", ("街乡镇", "乡镇", "街道乡镇", "镇街", "属地", "township"), required=True),
            ColumnSpec(
                "name",
                ("村居", "村居名称", "村社区", "村/社区", "名称", "所在村社区", "village", "name"),
                required=True,
            ),
            ColumnSpec("kind", ("类型", "类别", "kind"), required=True),
            ColumnSpec("aliases", ("别名", "俗名", "aliases", "alias")),
        ),
    ),
    "catalogue": SheetSpec(
        "派单目录",
        (
            ColumnSpec("category", ("类别", "问题分类", "分类", "category"), required=True),
            ColumnSpec(
                "lead_agency",
                ("主办单位", "牵头单位", "责任单位", "承办单位", "单位", "lead_agency", "lead"),
                required=True,
            ),
            ColumnSpec("examples", ("举例", "示例", "例", "说明", "examples")),
        ),
    ),
    "aliases": SheetSpec(
        "别名",
        (
            ColumnSpec("alias", ("别名", "俗名", "小区", "地名", "alias", "name"), required=True),
            ColumnSpec("township", ("街乡镇", "乡镇", "街道乡镇", "镇街", "属地", "township"), required=True),
            ColumnSpec("village", ("村居", "村社区", "村/社区", "所在村社区", "village")),
        ),
        required=False,
    ),
}
