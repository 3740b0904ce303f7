"""What identifies a person: phones, identity numbers, plates, names, house numbers; and what merely looks like it.

Everything works on folded text (`text.fold`) and returns spans of the original. Privacy masks what is found here;
the complaint keeps the phones and names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from handlers.reading.text import data_lines
from handlers.reading.views import Span

_MANY_DIGITS = re.compile(r"\d(?:[ \-·.()]{0,3}\d){6}")  # no phone, card or identity number has fewer than seven
_MIXED = re.compile(r"[A-Za-z][·\-. ]?[A-Za-z0-9]{0,4}\d")
_GAP = r"[ \-·.]{0,2}"
_MOBILE = re.compile(rf"(?<!\d)(?:\+?(?:00)?86{_GAP})?(1[3-9]\d(?:{_GAP}\d){{8}})(?!\d)")
_LANDLINE = re.compile(r"(?<![\d\-])(?:\(?(0\d{2,3})\)?[ \-]{0,2})([2-9]\d{2,3}[ \-]{0,2}\d{4})(?!\d)")
_BARE_LANDLINE = re.compile(r"(?<![\d\-#])([5-8]\d{3}[ \-]?\d{4})(?![\d\-]|[元万平米块人户亩吨])")
_SERVICE_LINE = re.compile(r"(?<![\d\-])([48]00[ \-]?\d{3}[ \-]?\d{4})(?!\d)")
_NAMED_LANDLINE = re.compile(r"(?:电话|座机|固话|号码|tel)[:： ]{0,2}([2-9]\d{2,3}[ \-]?\d{4})(?!\d)", re.I)
_EXTENSION = re.compile(r"[ ,(]{0,2}(?:转|分机|ext\.?)[: ]{0,2}(\d{1,6})(?!\d)", re.I)
_ID18 = re.compile(rf"(?<![\dA-Za-z])([1-8]\d(?:{_GAP}\d){{15}}{_GAP}[\dXx])(?![\dA-Za-z])")
_ID15 = re.compile(r"(?<!\d)([1-8]\d{5}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3})(?!\d)")
_LONG_RUN = re.compile(r"(?<!\d)\d{4}(?:[ \-]?\d{4}){2}[ \-]?\d{4,7}(?!\d)|(?<!\d)\d{16,}(?!\d)")
_TOO_LONG_MOBILE = re.compile(r"(?<!\d)1[3-9]\d{10,13}(?!\d)")
_ORDER_BEFORE = re.compile(r"(?:编号|单号|编码|号码为|热线-?|怀柔|单)[】\])]?[:=＝ \t\n]{0,3}$")
_SPOKEN = re.compile(r"[零〇幺一二三四五六七八九]{7,12}")
_SAID_DIGITS = str.maketrans("零〇幺一二三四五六七八九", "001123456789")
_PHONE_BEFORE = re.compile(r"(?:电话|手机|座机|号码|联系方式|号)[是:为 ,]{0,3}$")
_PLATE = re.compile(
    r"([京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新][A-Za-z])[·\-. ]?([A-HJ-NP-Za-hj-np-z0-9]{5,6})(?![A-Za-z0-9])"
)
_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split()
)
_DATE_LIKE = re.compile(r"20[0-4]\d[-. ]?(?:0?[1-9]|1[0-2])[-. ]?(?:0?[1-9]|[12]\d|3[01])")


@dataclass(frozen=True, slots=True)
class Found:
    """A thing found: `kind` is phone, identity, card, plate or name; `value` is plain (digits only for numbers)."""

    kind: str
    value: str
    span: Span


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isascii() and (c.isdigit() or c in "Xx"))


def find_numbers(folded: str) -> list[Found]:
    """Return phones, identity numbers, cards and plates in order of place; they never overlap."""
    many = _MANY_DIGITS.search(folded) is not None
    spoken = _SPOKEN.search(folded) is not None
    if not many and not spoken and _MIXED.search(folded) is None:
        return []
    found: list[Found] = []
    taken = bytearray(len(folded) + 1)

    def add(kind: str, value: str, span: Span) -> None:
        if not any(taken[span[0] : span[1]]):
            taken[span[0] : span[1]] = b"\x01" * (span[1] - span[0])
            found.append(Found(kind, value, span))

    if many:
        _long_numbers(folded, add)
    if spoken:
        _spoken_numbers(folded, add)
    for match in _PLATE.finditer(folded):
        if any(c.isdigit() for c in match.group(2)):
            add("plate", match.group(1) + match.group(2), match.span())
    found.sort(key=lambda item: item.span)
    return found


def _spoken_numbers(folded: str, add: Callable[[str, str, Span], None]) -> None:
    """Find phones that a voice message spells: 一三八零零零零六六二二, 电话六九六五一二三四."""
    for match in _SPOKEN.finditer(folded):
        digits = match.group().translate(_SAID_DIGITS)
        named = _PHONE_BEFORE.search(folded, max(0, match.start() - 8), match.start()) is not None
        if re.fullmatch(r"1[3-9]\d{9}", digits) or (named and 7 <= len(digits) <= 12):
            add("phone", digits, match.span())


def _long_numbers(folded: str, add: Callable[[str, str, Span], None]) -> None:
    """Find identity numbers, phones and cards; the surer kind first, since a place is taken once."""
    for match in _ID18.finditer(folded):
        value = _digits(match.group(1))
        if value[:2] in _PROVINCES and value[6:8] in ("18", "19", "20"):
            add("identity", value.upper(), match.span(1))
    for match in _ID15.finditer(folded):
        if match.group(1)[:2] in _PROVINCES and not _is_order(folded, match.start()):
            add("identity", match.group(1), match.span(1))
    for match in _MOBILE.finditer(folded):
        value = _digits(match.group(1))
        if not _DATE_LIKE.match(folded, match.start(1) + 2):
            end, tail = _extension(folded, match.end())
            add("phone", value + tail, (match.start(1), end))
    for match in _LONG_RUN.finditer(folded):
        if not _is_order(folded, match.start()):
            add("card", _digits(match.group()), match.span())
    for match in _LANDLINE.finditer(folded):
        end, tail = _extension(folded, match.end())
        add("phone", match.group(1) + _digits(match.group(2)) + tail, (match.start(), end))
    for pattern in (_SERVICE_LINE, _NAMED_LANDLINE, _BARE_LANDLINE):
        for match in pattern.finditer(folded):
            end, tail = _extension(folded, match.end(1))
            add("phone", _digits(match.group(1)) + tail, (match.start(1), end))
    for match in _TOO_LONG_MOBILE.finditer(folded):
        if not _is_order(folded, match.start()):
            add("phone", match.group(), match.span())


def _extension(folded: str, end: int) -> tuple[int, str]:
    match = _EXTENSION.match(folded, end)
    return (match.end(), "-" + match.group(1)) if match else (end, "")


def _is_order(folded: str, start: int) -> bool:
    return _ORDER_BEFORE.search(folded, max(0, start - 12), start) is not None


# ---- names ------------------------------------------------------------------------------------------------------------

_TITLES = (
    r"先生|女士|小姐|大爷|大妈|大娘|大叔|大婶|大姐|大哥|大嫂|阿姨|叔叔|奶奶|爷爷|师傅|老师|同志|医生|大夫|护士"
    r"|经理|老板|总|主任|书记|村长|队长|站长|所长|镇长|乡长|处长|科长|局长|支书|婶|嫂|某某|某"
)
_PERSON_TITLES = r"先生|女士|小姐|大爷|大妈|大娘|大叔|大婶|大姐|大哥|大嫂|阿姨|某某|某"
_FIELD = re.compile(
    r"(?:联系人|诉求人|反映人|来电人|来话人|投诉人|举报人|姓名|当事人|申请人|求助人|户主|被反映人)"
    r"(?:姓名)?[】\]]?[:= \t\n是为叫]{0,3}([\u4e00-\u9fff·]{2,8})"
)
_NO_NAME = re.compile(
    r"匿名|保密|不愿|不详|未留|未提|无名|拒绝|电话|方式|号码|要求|反映|表示|称|说|地址|群众|市民|居民|村民|业主|本人|自己|家长|老兵|已|未|不|的|在|留|住"
)
_BEFORE_PHONE = re.compile(
    r"(?:^|[\s,。;:、(/|])(?:联系|找|我是|我叫|叫|请联系|请找)?([\u4e00-\u9fff]{2,3})[ ,:(]{0,2}(?=\+?(?:86)?1[3-9]\d)"
)
# 市民郑某某来电, 村民赵四家: a full name without a title between who it is and what he does.
_NAMED_CITIZEN = re.compile(
    r"(?:市民|居民|村民|业主|群众|网民|网友|租户|租客|商户|住户|家长|游客|乘客|户主|诉求人|来电人|反映人|投诉人|举报人|当事人)"
    r"(?:为|叫|是|:)?([\u4e00-\u9fff]{2,4}?)(?=来电|致电|打电话|拨打|电话|反映|投诉|举报|咨询|求助|诉称|称|表示|家|[,(:、。]|\d)"
)
_AT_HOME = re.compile(r"(?:村|社区|小区|楼|号|室)([\u4e00-\u9fff]{2,3}?)家(?=门|房|院|的|里|后|前|旁|隔壁|养|盖|违|私)")
_NO_GIVEN_NAME = re.compile(
    r"多次|再次|经常|连续|于[昨今前近\d]|向|时常|时有|都|常年|多年|普遍|强烈|集体|通过|从|今[天早日]|昨|近日|早上|晚上|上午|下午|"
    r"要求|希望|担心|等人|们|代表|自[家建]|户|全|方面|和平|单位|万|温馨|满意|关[于注心]|易|安全|成立|江边|白天|高[楼层]|金[额]|夏[天季]|"
    r"石[头块]|水[管井费表]|洪水|房[子屋]|古[树井]|花[园坛]|路[灯面口]|牛|季度|文[化明]|商[户铺]|连|管|单|曾|议|中|功|安[排宁]|便|烦|谢|任[意何]|店|家"
)
_CALLED = re.compile(r"(?:名叫|名字叫|我叫|他叫|她叫|姓名是)([\u4e00-\u9fff]{2,4})(?=[,。;:、\s()]|$)")


@lru_cache(maxsize=1)
def _double_surnames() -> frozenset[str]:
    return frozenset(data_lines("surnames.txt")[2].split())


@lru_cache(maxsize=1)
def _surnames() -> tuple[frozenset[str], re.Pattern[str]]:
    lines = data_lines("surnames.txt")
    safe = frozenset(lines[0])
    doubtful = frozenset(lines[1])
    double = lines[2].split()
    head = f"(?:{'|'.join(double)}|[{lines[0]}])"
    pattern = re.compile(rf"((?:老|小)?{head}|[{lines[1]}](?={_PERSON_TITLES}))([\u4e00-\u9fff]{{0,2}}?)({_TITLES})")
    return safe | doubtful, pattern


def _begins_like_a_name(name: str, *, most: int = 4) -> bool:
    """Whether it begins with a surname, of one character (and has at most so many in all) or of two."""
    return (name[0] in _surnames()[0] and len(name) <= most) or name[:2] in _double_surnames()


def find_names(folded: str) -> list[Found]:
    """Return personal names by title (李女士), by field (联系人:王小明) and before a phone (王小明13…)."""
    surnames, titled = _surnames()
    found = [Found("name", m.group(1), m.span(1)) for m in _CALLED.finditer(folded)]
    found = [Found("name", f.value, f.span) for f in found if _begins_like_a_name(f.value, most=3)]
    for match in titled.finditer(folded):
        if _is_person(folded, match):
            found.append(Found("name", match.group(1) + match.group(2) + match.group(3), match.span()))
    for pattern in (_NAMED_CITIZEN, _AT_HOME):
        for match in pattern.finditer(folded):
            name = match.group(1)
            if _begins_like_a_name(name) and not _NO_NAME.search(name) and not _NO_GIVEN_NAME.search(name):
                found.append(Found("name", name, match.span(1)))
    for match in _FIELD.finditer(folded):
        raw = match.group(1)
        cut = _NO_NAME.search(raw)
        name = raw[: cut.start()] if cut else raw
        name = re.split(rf"{_TITLES}", name)[0] or name
        if 2 <= len(name) <= 4 and (_begins_like_a_name(name) or name[0] in "小老"):
            found.append(Found("name", name, (match.start(1), match.start(1) + len(name))))
    for match in _BEFORE_PHONE.finditer(folded):
        name = match.group(1)
        if (_begins_like_a_name(name) or (name[0] in "小老" and name[1] in surnames)) and not _NO_NAME.search(name):
            found.append(Found("name", name, match.span(1)))
    return sorted(set(found), key=lambda item: (item.span[0], -item.span[1]))


_NOT_BEFORE = frozenset("由关对属位处终至基等善过")  # 关于老师, 由于先生: 于 is no surname there
_GENERIC = frozenset(["党支书记", "村主任"])


def _is_person(folded: str, match: re.Match[str]) -> bool:
    """Tell 王师傅 from 方经理-like accidents: the name part must not be a plain word."""
    start = match.start()
    before = folded[start - 1] if start else ""
    if match.group(1) == "于" and before in _NOT_BEFORE:
        return False
    middle = match.group(2)
    title = match.group(3)
    if title in ("总", "婶", "嫂", "某", "同志") and middle:
        return False
    if title == "总" and folded[match.end() : match.end() + 1] not in ("", " ", ",", "。", "!", ":", "说", "让", "、"):
        return False
    if middle and title not in ("先生", "女士", "小姐"):
        return False  # 张家大妈, 高楼经理: a given name before a role is rare, a word is not
    return not (middle and _NO_NAME.search(middle))
