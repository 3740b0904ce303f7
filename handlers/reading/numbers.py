"""Short numbers: which ticket does "2", "二号单", "第一个" or "最后那个" mean, and when is a digit no ticket at all.

`find` takes the numbers of the room, because a number is a ticket only if it is one here. Strong forms (领3, #3, 3号单,
办结3) are reported even if the room has no such number, so that the bot can say so; weak forms (a bare 3 in front,
3号) are then no reference. 12点, 3号楼, 2箱, 138…, 3月8日, 10:30 never are.
Texts must be normalised (`replies_text.normalise`): digits are ASCII here.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from handlers.reading.replies_text import REF

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "壹": 1, "贰": 2, "叁": 3}
_HAN = "零〇一二三四五六七八九十两"
MAX_SHORT = 999  # a room shows a thousand prompts a day at most; more digits are an order number or a phone


def value_of(word: str) -> int | None:
    """12, 十二, 二十, 一百零三 as a number from 1 to 999; None for anything else."""
    if word.isascii() and word.isdigit():
        number = int(word) if len(word) <= 3 else 0
        return number if 1 <= number <= MAX_SHORT else None
    total = rest = 0
    for char in word:
        if char == "百":
            total, rest = total + (rest or 1) * 100, 0
        elif char == "十":
            total, rest = total + (rest or 1) * 10, 0
        elif char in _DIGITS:
            if rest:
                return None  # 一二: two digits in a row are no number
            rest = _DIGITS[char]
        else:
            return None
    number = total + rest
    return number if 1 <= number <= MAX_SHORT else None


# What makes the digit in front of it something else than a ticket.
_MEASURE = (
    # With a blank between or not …
    r"(?!\s*(?:[時时分秒天日月年周岁楼层栋幢座室户米里元块万千百%％‰度次遍瓶袋盒箱桶包份页辆台架组期级届吨亩"
    r"克升站线环批趟轮班套床顿餐杯]|"
    r"点(?!位)|个(?!单|工单|诉求|我|是|不|就|由|让|请|也|已|退|转|还|归|属|马|收|派|咱|$|\s|[，,。、；;：:])|"
    r"单元|单位|小时|公里|平米|平方|季度|年级|"
    r"号(?:楼|院|线|路|门|井|机|库|桥|厅|会|文件|公馆|厂房|地块|房|车|通知|电话|热线|令|下午|上午|晚上|之前|前|开会|到期|"
    r"截止|召开|"
    r"检查)|[.:/~-]\s*\d)|"
    # … and only right behind: "1 人已派" is ticket 1, "1人" is not.
    r"(?:[人位名口斤寸家间把根支棵张条本些下起直定般边旁样会串声句步半共]|路(?!上)|\d|[.:/]\d))"
)
_TAIL = (
    r"(?:\s*(?:号工单|号单子?|号诉求|号件|号任务|号那个|号这个|号|单子?(?!元|位)|件(?!套)|个(?:工单|"
    r"单子?|诉求)?))?"
)
_NUMBER = r"(\d{1,3}|[" + _HAN + r"]{1,3})"
_WORD = (
    r"(?:领办|领单|领取|认领|领|接单|接办|接|退单|退回|退|申请转派|转派|转办|转|改派|吹哨报到|吹哨|办结|结案|"
    r"完结|延期|申请延期|重办|回访|催办|催|查询|查|指派|派|收到|同意|维持|销号|撤单|工单|诉求|单号|编号)"
)
_HAN_END = r"(?=$|[\s，,。.、；;：:！!？?~号单了吧啊哈呀]|我|退|办|转|领|接|收|让|由|请|归|不|这|那)"

# 领3, 退 3, 办结：3, 接单#3, 领第3单; a Chinese numeral only where the word ends (领一, but not 领一下, 查一查).
_AFTER_WORD = re.compile(
    _WORD + r" *(?:了|下|单)? *[:：#\[【(（-]? *(?:第)?((?<!\d)\d{1,3})" + _MEASURE + r"(?!的|件)" + _TAIL
)
_AFTER_WORD_HAN = re.compile(_WORD + r" *[:：#]? *(?:第)?([" + _HAN + r"]{1,3})" + _MEASURE + _HAN_END + _TAIL)
_AFTER_VERB = re.compile(r"(?:去办|去处理|办理|处理|负责|跟进|我办) *(?:第)?(\d{1,3})(?:号|单|件)?[。.!！吧]*$")
_HASH = re.compile(r"#\s*(\d{1,3})" + _MEASURE + _TAIL)
_ORDINAL = re.compile(
    r"(?<!倒数)第\s*"
    + _NUMBER
    + r"(?:\s*(?:号工单|号单|号|单子?(?!元|位)|件(?!套)|个(?:工单|单子?|诉求)?|条|项|起)|(?=\s|$|[，,。]))"
)
_NUMBERED = re.compile(
    r"(?<![\d月年第.:/~\-"
    + _HAN
    + r"])"
    + _NUMBER
    + r"\s*号"
    + _MEASURE.replace("号(?:", "(?:").replace(r"|\d|[.:/]\d", "")  # here 号 is read already: 3号楼, 2号3号
    + r"(工单|单子?(?!元|位)|诉求|件|任务|那个|这个)?"
)
_FRONT = re.compile(
    r"^\s*(?:(?:把|将|关于|申请|请|我们|我|那个|工单|诉求|\x02)\s*)*+[【\[(（]?(\d{1,3})(?:[】\])）]|\s*[，,：:。.-]|(?=\s|"
    r"$|[\u4e00-\u9fff@\x02]))" + _MEASURE + r"(?!\s*的)(?:\s*[、.．])?" + _TAIL
)
_FRONT_HAN = re.compile(
    r"^\s*([" + _HAN + r"]{1,3})(?:(?:单子?|号单)(?=我|咱|俺|是|归|领|接|收到|退|转|马上|已|\s)|"
    r"[，,、]\s*(?=我来|我去|我领|我接|我办|收到|马上))"
)
# 9办结 is a command like 办结9, so a 9 that the room has not is a slip to be told.
_COMMANDS = re.compile(r"\s*(?:领办|领了?(?:$|[\s，,。])|接单|退单|办结(?!率)|延期|重办|吹哨|转派|改派|催办)")
_LIST = re.compile(
    r"(?:^|[\s，,；;。])1\s*[、.．)）](?!\d)[\s\S]*?[\s，,；;。]2\s*[、.．)）](?!\d)"
)  # 1、注意防火 2、注意防汛
_NUMBERED_LINE = re.compile(r"^[ 【（(]*\d", re.MULTILINE)
_FRONT_NEXT = re.compile(
    r"\s+|$|"
    r"[领接退转吹办延重催查收马我已请让由交派维同指不是还给安在正完搞处弄申改回未没去先这那归属就和跟认承签揽进情状怎应该"
    r"到有市诉"
    r"、@ok]|单|号|件|[你您](?=去|来|办|跑|处理|跟|盯|负责|抓紧|马上|辛苦)"
)
_JOINED = re.compile(
    r"\s*(?:[、,，和跟及与/+&]|\s)\s*(?:#|第)?(\d{1,3})"
    + _MEASURE
    + r"(?=\s|$|[、，,。和跟及与领接我都两三号单收])"
    + _TAIL
)
_FOREIGN = re.compile(r"^\s*(?:那个\s*)?第?" + _NUMBER + r"\s*(?:号|个|单)(?!楼|院|线|路|门|井|机)")
_DATE_BEFORE = re.compile(r"(?:今天|明天|昨天|后天|今儿|明儿|本月|下月|上月|月)\s*$")

# Words that point by position. The waiting or accepted tickets they choose from are the caller's to say.
_RELATIVE = (
    (re.compile(r"倒数第([一二三1-3])\s*(?:个|单|件|条|号)"), 0),
    (re.compile(r"(?:最上面|最前面|最早|头一)\s*(?:的|那)?\s*(?:个|单|件|条)?"), 1),
    (
        re.compile(
            r"(?:最后|最新|最近|最下面|最末)\s*(?:的|那|这|一|那一)?\s*(?:个|单|件|条|起)|"
            r"(?:上面|楼上|上边|刚才|刚刚|刚发的?|上一|前一|上头)\s*(?:的|那|这|一|那一|发的|派的)?\s*(?:个|"
            r"单|件|条)(?!月|星期|礼拜|人|小时|环节)"
        ),
        -1,
    ),
)


@dataclass(frozen=True, slots=True)
class NumberRef:
    value: int
    start: int
    end: int
    strong: bool  # a form that can only be a ticket number
    known: bool  # the room has it


@dataclass(frozen=True, slots=True)
class Position:
    """最后那个 is -1, the one before it -2; 头一个 is 0."""

    index: int
    start: int
    end: int


def find(text: str, numbers: Collection[int], names: Collection[str] = ()) -> tuple[NumberRef, ...]:
    """Every ticket number a normalised text names, in order of place; `names` may follow a bare number (1张"
    "某办)."""
    found: list[NumberRef] = []
    if len(_NUMBERED_LINE.findall(text)) >= 3:
        return ()  # a 接龙 or a list of points

    def add(match: re.Match[str], strong: bool, start: int | None = None) -> None:
        value = value_of(match[1])
        if value is None:
            return
        known = value in numbers
        begin = match.start() if start is None else start
        if (known or strong) and not any(begin < r.end and match.end() > r.start for r in found):
            found.append(NumberRef(value, begin, match.end(), strong, known))

    for match in _HASH.finditer(text):
        add(match, True)
    for pattern in (_AFTER_WORD, _AFTER_WORD_HAN):
        for match in pattern.finditer(text):
            add(match, True, match.start(1))
    for match in _ORDINAL.finditer(text):
        add(match, False)
    for match in _AFTER_VERB.finditer(text):
        add(match, False, match.start(1))
    for match in _NUMBERED.finditer(text):
        if not _DATE_BEFORE.search(text[max(0, match.start() - 4) : match.start()]):
            add(match, bool(match[2]))
    front = None if _LIST.search(text) else _FRONT.match(text)
    if front is None and not _LIST.search(text):
        front = _FRONT_HAN.match(text)
    if front is not None and _may_follow(text[front.end() :], names):
        add(front, _COMMANDS.match(text, front.end()) is not None, front.start(1))
    _add_joined(text, numbers, found)
    found.sort(key=lambda r: r.start)
    return tuple(found)


def foreign(text: str, numbers: Collection[int]) -> int | None:
    """A number at the head, in a weak form, that the room has not: 7号我去 is about no ticket of this room."""
    match = _FOREIGN.match(text)
    value = value_of(match[1]) if match else None
    return value if value is not None and value not in numbers else None


def _may_follow(rest: str, names: Collection[str]) -> bool:
    return _FRONT_NEXT.match(rest) is not None or any(rest.startswith(n) for n in names)


def _add_joined(text: str, numbers: Collection[int], found: list[NumberRef]) -> None:
    """领1、3 and 1 和 2 我都领了: what is joined to a number by a sign, if the room has it."""
    for ref in tuple(found):
        end = ref.end
        for _ in range(20):
            match = _JOINED.match(text, end)
            value = value_of(match[1]) if match else None
            if match is None or value is None or value not in numbers:
                break
            if not any(match.start() < r.end and match.end() > r.start for r in found):
                found.append(NumberRef(value, match.start(), match.end(), ref.strong, True))
            end = match.end()


def without(text: str, refs: Collection[NumberRef]) -> str:
    """The text with one REF sign in place of each number."""
    parts: list[str] = []
    at = 0
    for ref in sorted(refs, key=lambda r: r.start):
        parts += [text[at : ref.start], REF]
        at = max(at, ref.end)
    return "".join(parts) + text[at:]


def position(text: str) -> Position | None:
    """最后那个, 上面那个, 倒数第二个: a ticket by its place in the row."""
    for pattern, index in _RELATIVE:
        match = pattern.search(text)
        if match is None:
            continue
        if index == 0:
            back = value_of(match[1]) or 1
            return Position(-back, match.start(), match.end())
        return Position(0 if index == 1 else -1, match.start(), match.end())
    return None
