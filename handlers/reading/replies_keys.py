"""The key words of commands, and where they may stand: beside a number, leading a quoting message, or at the very head.

To add a key word, put it into the `near` words of its act; into `alone` too only if nobody says it in talk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from handlers.reading.replies_answer import WHO
from handlers.reading.replies_text import REF, any_of
from handlers.reading.views import Act

_BLANK = r"[\s，,:：]"
# What people put in front of a command, and between a number and its command.
LEAD = (
    "(?>"
    + any_of(
        "请 麻烦 申请 我们这边 我们 我 先 再 把 将 那个 这个 这单 那单 此单 该单 此件 该件 工单 需要 需 要 就 给 "
        "也 得 应该 应 呃 嗯 好的 你好 您好 领导 老师 各位 建议 还是 已经 已 可以 想 拟 特此 关于 对 单 件 号 的"
    )
    + f"|{_BLANK}|{WHO}(?={_BLANK})|{REF})*+"
)
LINK = (
    "(?>"
    + any_of(
        "请 麻烦 申请 我单位 我镇 我局 我们 我 先 再 需要 需 要 就 给 也 建议 还是 已经 已 可以 想 拟 单 件 号 "
        "工单 这个 那个 这单 啊 呃 嗯 予以 全部 现在 现 可 由 应该 应"
    )
    + r"|[\s，,:：。-])*+"
)
_NO_TALK = "(?!" + "|".join("率 的 数 情况 原因 流程 标准 要 须 需 时 后 有 工作 及 量 材料 期限 不 了的".split()) + ")"


@dataclass(frozen=True, slots=True)
class Key:
    """`near`: the word beside a number or leading a quoting message; `alone`: with neither, at the very head."""

    act: Act
    near: re.Pattern[str]
    alone: re.Pattern[str]


def _key(act: Act, near: str, alone: str) -> Key:
    return Key(act, re.compile(near), re.compile("^" + LEAD + "(?:" + alone + ")"))


_WHISTLE = "(?:申请|发起)?吹(?:个|一下)?哨(?:报到)?(?!人|机制|的|工作|制度)"
_SOME_DAYS = r"(?=[\d一二三四五六七八九十两]+[天日周个])"
_NOT_MOVED = "(?!" + "|".join("告 达 发 账 运 弯 移了 一下 圈 身 过去 天 年 让".split()) + ")"
_MOVE = any_of("转派 转办 转给 转到 转至 转交(?!通) 改派 改转") + "|转"
_NOT_BACK = (
    "(?!"
    + "|".join(
        "款 费 卡 休 货 钱 订 伍 役 税 押 学 房 票 群 出 还 后 烧 步 一步 下来 路 耕 热 缩 居 换 赔 给 线 潮 场".split()
    )
    + ")"
)
# Where two keys begin at one place (退回重办), the earlier of this list is meant.
KEYS: tuple[Key, ...] = (
    _key(Act.WHISTLE, _WHISTLE, _WHISTLE),
    _key(
        Act.REOPEN,
        any_of("退回重办 打回重办 重办 重新办理 重新处理 返工重办 打回去?重新"),
        any_of("重办 退回重办 打回重办") + _NO_TALK,
    ),
    _key(
        Act.EXTEND,
        "(?:申请)?(?:办理)?(?:时限|期限)?(?:"
        + any_of("延期 延长 延后 延到 延至 宽限 展期 顺延 推迟 缓期 缓到 缓至")
        + f"|[延缓]{_SOME_DAYS})(?:办理|处理|办结)?",
        "(?:申请)?(?:延期|展期|延到|延至)",
    ),
    _key(
        Act.TRANSFER,
        "(?:" + any_of("转往 转去 派给 派到 派往 移交(?!通) 移送 划转 划给 交给 推给") + f"|{_MOVE}){_NOT_MOVED}",
        rf"(?:{_MOVE}){_NOT_MOVED}(?!\d)",
    ),
    _key(
        Act.DECLINE,
        any_of("退单 退回去? 退件 退掉 退了(?!款|费|休) 拒收 拒单 拒签") + "|退" + _NOT_BACK,
        "(?:退单|退回去?工单|退件|[^，,。\x01]{1,12}?"
        + any_of("那个 这个 那单 这单 那件 这件")
        + r"\s*(?:先|就|给|我们)*+(?:退单|退回|退了吧|退掉))"
        + _NO_TALK,
    ),
    _key(
        Act.RESOLVE,
        rf"(?:办结(?!\d)|结案){_NO_TALK}|完结|销号|销单|闭环(?!管理)|结单",
        rf"(?:办结|结案|销号)(?!\d){_NO_TALK}",
    ),
)

ACCEPT_BEFORE = re.compile(
    "^"
    + LEAD
    + any_of("领办 领单 领下 领走 领取 领 接单 接办 接下 接 认领 承办 签收 收到 抢 揽")
    + r"(?:[了下单第到工号:：#\[【(（-]|\s)*+"
    + REF
)
BACK_OUT = re.compile("算了|不领|领错|发错|打错|点错|搞错|按错|作废|撤回|不对|说错|是不是|还是不")
_KEPT = any_of("维持原派 维持原单位 维持 不同意 驳回") + "(?![^，,。]{0,4}秩序)"
KEEP = re.compile(f"^{LEAD}{_KEPT}" + rf"|^{LEAD}维持(?:原派|原单位|原承办)?\s*{REF}")
AGREE = re.compile(rf"^{LEAD}(?:同意|准了?|批准)(?!的|书|不)|^{LEAD}(?:同意|批准)(?:转派|退单|转)?\s*{REF}")
AGREE_QUOTED = re.compile(r"^\s*我?(?:同意|批准)(?:转派|转|退单|你们的意见|意见)?[。!！\s]*$")
_URGED = any_of("催办 催单 催一下 催催 催促 再催 催")
URGE = re.compile(rf"^{LEAD}{_URGED}\s*{REF}|{REF}{LINK}{_URGED}(?!什么|啥|了)")
URGE_QUOTED = re.compile(rf"^\s*再?{_URGED}[。!！\s]*$")
_PROGRESS = any_of(
    "办理情况 进度 进展 状态 什么情况 现在什么情况 情况 怎么样了? 到哪了? 到哪一步了? 办到哪了? 办得怎么样了?"
)
STATUS = re.compile(
    rf"^{LEAD}"
    + any_of("查询 查看 查一下 查查 查 看看 看一下 看")
    + rf"\s*{REF}\s*的?(?:{_PROGRESS})?[。?？!！\s]*$|"
    + rf"^\s*{REF}\s*的?(?:查询|查一下|查|{_PROGRESS})[。?？!！\s]*$"
)
ENDS_ASKING = re.compile(r"(?:[?？]|吗|么|行不行|可以不|没有|是不是|能不能)[。!！\s]*$")
CALL_BACK = re.compile(
    any_of("不满意 未解决 没解决 没有解决 不认可 还没解决 没有得到解决 未得到解决 仍未 没给解决 没处理 没修好 没弄好")
)
CALLED = re.compile("回访|复访|回电")
