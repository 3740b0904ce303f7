"""Chat exports in plain text whose every message begins with a header line."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from bot.importers import moments
from bot.importers.chat_model import Collector, Quote, Said, code_of
from bot.importers.files import FileError
from storage.enums import MessageType

QQ_SYSTEM = "10000"  # QQ's own notices come from this number
HEADER_LIMIT = 200  # characters; a longer line is no header

# A name before a time; 受理时间：2026-03-01 09:00 is a line of a work order, not somebody who speaks.
NAME = r"(?P<name>\S(?:.*\S)?)(?<![：:=])(?<!时间)(?<!日期)(?<!时限)(?<!截止)"
_DATE = r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?"
_STAMP = rf"{_DATE}[ T]+{_CLOCK}"

MEMOTRACE = re.compile(rf"(?P<when>{_STAMP})(?:\s+(?P<name>\S.*?))?\s*")
QQ = re.compile(
    rf"(?P<when>{_STAMP})\s+(?:【[^】]{{1,20}}】)?(?P<name>.*?)(?:\((?P<id>\d{{4,12}})\)|<(?P<mail>[^<>\s]+@[^<>\s]+)>)"
)
CHATLOG = re.compile(
    r"(?!> )(?P<name>.*?)\((?P<id>[A-Za-z0-9_@.\-]+|我)\)(?: \[(?P<room>.*)\])? "
    r"(?P<when>(?:\d{4}-)?(?:\d{2}-\d{2} )?\d{2}:\d{2}:\d{2})"
)
EXPORTER = re.compile(rf"(?P<name>.+?) \((?P<when>{_STAMP})\):(?P<rest>.*)", re.DOTALL)
DUMP = re.compile(rf"(?P<code>\d{{1,5}})\|(?P<name>[^|]+?):(?P<when>{_STAMP}):(?P<rest>.*)", re.DOTALL)
PASTED = re.compile(rf"{NAME}[ \t\u3000]+(?P<when>{_STAMP})\s*")
CLOCKED = re.compile(rf"{NAME}[ \t\u3000]+(?P<when>{_CLOCK})\s*")
COLON = re.compile(r"(?P<name>[^：:，。！？,!?\s][^：:，。！？,!?]{0,19})[：:]\s*")

_LONG = (EXPORTER, DUMP)  # their text is on the header line
_CHATLOG_QUOTE = re.compile(r"(?P<name>.*?)\([^()\s]*\) [\d: \-]+")
_FILE_DATE = re.compile(r"(20\d{2})[-_.]?(\d{2})[-_.]?(\d{2})")
_MEMO_QUOTE = re.compile(r"引用[:：](?P<name>[^:：\n]{1,60})[:：](?P<text>.*)", re.DOTALL)
_QQ_HEAD = re.compile(r"消息对象[:：](?P<room>.*)")


@dataclass(slots=True)
class Block:
    number: int  # of its header line
    fields: dict[str, str | None]
    body: list[str] = field(default_factory=list)

    def get(self, name: str) -> str:
        return self.fields.get(name) or ""

    @property
    def text(self) -> str:
        return "\n".join(self.body).strip()


def matches(line: str, header: re.Pattern[str]) -> re.Match[str] | None:
    """Match a header; a line too long for one is cut off from the costly patterns."""
    if header in _LONG:
        found = header.match(line[:HEADER_LIMIT])
        return header.fullmatch(line) if found else None
    return header.fullmatch(line) if len(line) <= HEADER_LIMIT else None


def blocks(lines: Sequence[str], header: re.Pattern[str]) -> tuple[list[str], list[Block]]:
    """Cut the lines into what stands before the first header, and one block per header."""
    before: list[str] = []
    found: list[Block] = []
    for number, line in enumerate(lines, start=1):
        match = matches(line, header)
        if match:
            found.append(Block(number, match.groupdict()))
        elif found:
            found[-1].body.append(line)
        else:
            before.append(line)
    return before, found


def memotrace(lines: Sequence[str], collect: Collector) -> None:
    before, found = blocks(lines, MEMOTRACE)
    _report_before(before, collect)
    for block in found:
        name, text, kind = block.get("name"), block.text, MessageType.TEXT
        if not name or not text:  # a system tip: its text below a bare time, or (old versions) in the name's place
            name, text, kind = "", text or name, MessageType.SYSTEM
        quote = None
        head, mark, tail = text.rpartition("\n引用")
        quoted = _MEMO_QUOTE.fullmatch("引用" + tail) if mark else None
        if quoted:
            text, quote = head, Quote(quoted["text"].strip(), quoted["name"].strip())
        _add(collect, block, name, text, kind=kind, quote=quote)


def qq(lines: Sequence[str], collect: Collector) -> None:
    before, found = blocks(lines, QQ)
    room = next((match["room"].strip() for line in before if (match := _QQ_HEAD.match(line))), "")
    for block in found:
        kind = MessageType.SYSTEM if block.get("id") == QQ_SYSTEM else MessageType.TEXT
        sender_id = block.get("id") or block.get("mail")
        _add(collect, block, block.get("name"), block.text, kind=kind, sender_id=sender_id, room=room)


def chatlog(lines: Sequence[str], collect: Collector) -> None:
    before, found = blocks(lines, CHATLOG)
    _report_before(before, collect)
    if found and collect.day is None and not any(len(block.get("when")) > 14 for block in found):
        raise FileError("时间里没有完整日期", "请指明是哪一天，或用 chatlog 的 format=json 重新导出", found[0].number)
    for block in found:
        quote, body = _chatlog_quote(block.body)
        room = re.sub(r"\([^()]*\)$", "", block.get("room"))
        block.body = body
        sender_id = "" if block.get("id") == "我" else block.get("id")
        _add(collect, block, block.get("name"), block.text, sender_id=sender_id, quote=quote, room=room)


def _chatlog_quote(body: list[str]) -> tuple[Quote | None, list[str]]:
    count = next((i for i, line in enumerate(body) if not line.startswith(">")), len(body))
    if not count:
        return None, body
    quoted = [line[1:].removeprefix(" ") for line in body[:count]]
    name = _CHATLOG_QUOTE.fullmatch(quoted[0][:HEADER_LIMIT])
    if name:
        return Quote("\n".join(quoted[1:]).strip(), name["name"]), body[count:]
    return Quote("\n".join(quoted).strip()), body[count:]


def exporter(lines: Sequence[str], collect: Collector) -> None:
    before, found = blocks(lines, EXPORTER)
    title = next((line for line in before if line.strip()), "")
    for block in found:
        block.body.insert(0, block.get("rest"))
        _add(collect, block, block.get("name"), block.text, room=title.rpartition(" - ")[0].strip())


def dump(lines: Sequence[str], collect: Collector) -> None:
    _report_before(blocks(lines, DUMP)[0], collect)
    for block in blocks(lines, DUMP)[1]:
        block.body.insert(0, block.get("rest"))
        kind = code_of(int(block.get("code")), 0)
        if kind is None:
            collect.doubt(block.number, f"不认识的消息类型 {block.get('code')}，按系统消息处理")
        words, media, picture = block.text.rpartition("|img:")
        text = words if media and len(picture.split()) == 1 else block.text
        _add(collect, block, block.get("name"), text, kind=kind or MessageType.SYSTEM)


def pasted(lines: Sequence[str], collect: Collector) -> None:
    """Read `name YYYY-MM-DD HH:MM` and text; a `name：` after a blank line is a message whose time was lost."""
    _pasted(lines, collect, PASTED)


def clocked(lines: Sequence[str], collect: Collector) -> None:
    """Read `name HH:MM` and text, all of one day that the caller must know."""
    if collect.day is None:
        number = next(n for n, line in enumerate(lines, start=1) if matches(line, CLOCKED))
        raise FileError("只有钟点，没有日期", "请指明是哪一天", number)
    _pasted(lines, collect, CLOCKED)


def _pasted(lines: Sequence[str], collect: Collector, header: re.Pattern[str]) -> None:
    before, found = blocks(lines, header)
    _report_before(before, collect)
    for block in found:
        for index, line in enumerate(block.body[1:], start=1):
            if not block.body[index - 1].strip() and COLON.fullmatch(line) and any(block.body[index + 1 :]):
                collect.doubt(block.number + 1 + index, "这里起的一条没有时间，没有导入")
                del block.body[index:]
                break
        _add(collect, block, block.get("name"), block.text)


def colon(lines: Sequence[str], collect: Collector) -> None:
    number = next(n for n, line in enumerate(lines, start=1) if COLON.fullmatch(line[:HEADER_LIMIT]))
    raise FileError("所有消息都没有时间", "请用微信的“多选→转发到邮箱”，或从别的工具带时间导出", number)


def day_of_name(name: str) -> date | None:
    """Find the one date in a file name, for exports whose times have none."""
    days = set()
    for year, month, day in _FILE_DATE.findall(name[:200]):
        try:
            days.add(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return days.pop() if len(days) == 1 else None


def moment(when: str, day: date | None) -> datetime | None:
    """Read a header's time; one without date or year is of `day` (or of the latest such day not after it)."""
    if re.match(r"\d{4}\D", when):
        return moments.from_text(when)
    if day is None:
        return None
    if re.match(r"\d{1,2}-", when):
        month_day, _, clock = when.partition(" ")
        in_year = moments.from_text(f"{day.year}-{month_day} {clock}")
        return (
            in_year if in_year and in_year.date() <= day else moments.from_text(f"{day.year - 1}-{month_day} {clock}")
        )
    return moments.from_text(f"{day.isoformat()} {when}")


def _report_before(before: list[str], collect: Collector) -> None:
    number = next((n for n, line in enumerate(before, start=1) if line.strip()), None)
    if number is not None:
        collect.doubt(number, "第一条消息之前的文字，没有导入")


def _add(
    collect: Collector,
    block: Block,
    sender: str,
    text: str,
    *,
    kind: MessageType = MessageType.TEXT,
    sender_id: str = "",
    quote: Quote | None = None,
    room: str = "",
) -> None:
    when = block.get("when")
    at = moment(when, collect.day)
    collect.add(Said(block.number, at, sender, text, kind, sender_id=sender_id, quote=quote, when=when, room_name=room))


Reader = Callable[[Sequence[str], Collector], None]
Family = tuple[str, re.Pattern[str], Reader]
# The narrower pattern first.
DATED: tuple[Family, ...] = (
    ("qq", QQ, qq),
    ("chatlog-txt", CHATLOG, chatlog),
    ("wechatexporter", EXPORTER, exporter),
    ("wechat-dump", DUMP, dump),
    ("memotrace-txt", MEMOTRACE, memotrace),
    ("pasted", PASTED, pasted),
)
UNDATED: tuple[Family, ...] = (
    ("pasted-clock", CLOCKED, clocked),
    ("pasted-colon", COLON, colon),
)
