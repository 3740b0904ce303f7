"""Which ticket does a remark name by its place or matter: 东关那个, 退卡费那个, 下水道通开了?

Pairs of neighbouring signs of the remark are looked up in the tickets. Pairs that any ticket or any chat may hold
(村民, 物业, 现场) do not count. One ticket must fit better than all others, by something that the others lack; if
two fit alike, the remark names neither. Single signs (灯, 狗, 井) count only where no pair does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from handlers.reading.replies_text import compact
from handlers.reading.views import TicketView

_COMMON = frozenset(
    "村里 村民 村口 村村 市民 居民 群众 业主 反映 来电 投诉 举报 现场 处理 安排 人员 马上 我们 联系 情况 诉求"
    " 有人 没人 社区 街道 "
    "怀柔 北京 门口 旁边 路上 希望 尽快 要求 问题 今天 明天 昨天 上午 下午 晚上 已经 时候 时间 小时 分钟 物业"
    " 领导 主任 书记 师傅 电话 "
    "手机 老人 孩子 请处 请求 请尽 赶紧 抓紧 正在 过去 过来 出来 起来 下来 一下 一个 这个 那个 这边 那边 我去"
    " 我来 收到 到了 好的 了一 "
    "的人 人去 去看 看看 可以 不能 没有 不是 什么 怎么 大家 他们 你们 附近 里面 外面 上面 下面 前面 后面 一直"
    " 还是 就是 都是 工作 办理 "
    "解决 清理 维修 修好 好了 完了 完毕 了三 三天 两天 一周 一天 几天 多月 个月 半年 半个 联系本 本人 人解 家"
    "里 家门 自家 邻居 小区 号楼 "
    "小时 工单 派单 区里 镇里 村委 委会 尽早 要求 立即 现在 这就 单位 负责 通知 人来 没来 来人 不了 不去 去了"
    " 来了 在路 "
    "路边 边有 里有 车在 人在 主要 有一 有几 几个 一家 家一 一户 一处 两个 三个 的时 天没 天了 了两 没法 使用"
    " 影响 "
    "严重 危险 安全 请查 查处 请管 管管 管一 一管 请安 排人 请制 请清 请修 抢修 请抢 请抓 请维 希维 请拆 抓紧"
    "修".split()
)
_SINGLE = frozenset("灯树狗路桥井墙火烟油电门窗牛羊猪鸡虫草坑沟河雪冰石管线杆车水气味棚栏梯渣粪牌")
_DROPPED = re.compile(r"[^\w\u4e00-\u9fff]|_")


@dataclass(frozen=True, slots=True)
class Named:
    index: int | None  # the one ticket that is named; None: none, or several alike
    rivals: tuple[int, ...] = ()  # the tickets that fit alike, if several do
    words: str = ""  # what the remark and the ticket share


def _pairs(text: str) -> set[str]:
    clean = _DROPPED.sub("", compact(text))[:200]
    return {clean[i : i + 2] for i in range(len(clean) - 1)} - _COMMON


def _haystack(ticket: TicketView) -> str:
    parts = (ticket.text[:2000], ticket.place or "", ticket.village or "", ticket.category)
    return compact("|".join(parts).translate(_DIGITS).lower())


_DIGITS = {0xFF10 + i: str(i) for i in range(10)}


def named(remark: str, tickets: Sequence[TicketView], pool: Sequence[int], *, singles: bool = True) -> Named:
    """Find the ticket of `pool` (indexes into `tickets`) that a remark, freed of its stock phrases, names."""
    pairs = _pairs(remark)
    stacks = {i: _haystack(tickets[i]) for i in pool}
    hits = {i: {p for p in pairs if p in stack} for i, stack in stacks.items()}
    if not any(hits.values()) and singles:
        signs = set(remark) & _SINGLE
        hits = {i: {s for s in signs if s in stack} for i, stack in stacks.items()}
    best = max((len(h) for h in hits.values()), default=0)
    if best == 0:
        return Named(None)
    first = [i for i in pool if len(hits[i]) == best]
    if len(first) > 1:
        return Named(None, tuple(first))
    # It must hold something of the remark that no other ticket holds, or it is not told apart.
    others = set().union(*(hits[i] for i in pool if i != first[0]))
    if not hits[first[0]] - others:
        return Named(None, tuple(i for i in pool if hits[i]))
    return Named(first[0], (), "".join(sorted(hits[first[0]], key=remark.find)))


def names_elsewhere(remark: str, villages: Sequence[str]) -> bool:
    """The remark names a village or community by its stem: then it is about that place and no other."""
    clean = _DROPPED.sub("", compact(remark))[:200]
    return any(stem in clean for stem in villages)
