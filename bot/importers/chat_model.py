"""What every chat export is turned into: lines of a replay transcript, with ids that stay the same run after run."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from bot.importers.files import FileError, clean
from storage.enums import MessageType

SYSTEM_SENDER = "系统消息"  # WeChat's own tips come from nobody
NAMES_SHOWN = 8  # rooms listed in an error
ID_DIGITS = 20  # hexadecimal digits of a made-up id

SELF_NAMES = ("我", "me")

_NEVER = datetime.fromtimestamp(0, UTC)
_RAW_SENDER = re.compile(r"(?P<id>[A-Za-z][\w\-@]{5,40}):\n")
_ROUNDED = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+")
_DASHES = re.compile(r"[-－—]\s?(?:[-－—]\s?){4,}")
_QUOTE_OPENERS = ("「", "“", '"', "[这是一条引用", "这是一条引用", "【这是一条引用")
_QUOTE_INTRODUCED = re.compile(r"[\[【]?这是一条引用[/／]?(?:回复)?消息[：:]?")
_QUOTE_MARKS = '「」“”"[]【】 \t\n'
_MENTION = re.compile(r"(?<![A-Za-z0-9_.])@([^\s@\u2005，,。：:；;]{1,40})(?=[\u2005\s，,。：:；;]|$)")
_PLACEHOLDER = re.compile(r"!?\[([^\[\]|:：]{1,12})(?:\s?[|:：]\s*([^\]\n]*))?\](?:\([^\s)]*\))?")
_ATTACHED = re.compile(r"\(请在附件中查看\)$")

# Words by which tools name a kind of message; only a whole message in brackets counts, [OK] and [强] stay text.
KINDS: Mapping[str, MessageType] = {
    **dict.fromkeys(("文本", "文字", "引用", "回复", "引用回复", "text"), MessageType.TEXT),
    **dict.fromkeys(("图片", "照片", "image", "photo"), MessageType.IMAGE),
    **dict.fromkeys(("语音", "音频", "voice", "audio"), MessageType.AUDIO),
    **dict.fromkeys(("视频", "小视频", "video"), MessageType.VIDEO),
    **dict.fromkeys(("表情", "表情包", "动画表情", "emoji", "sticker"), MessageType.EMOTICON),
    **dict.fromkeys(("文件", "file"), MessageType.FILE),
    **dict.fromkeys(("位置", "地理位置", "实时位置", "location"), MessageType.LOCATION),
    **dict.fromkeys(("名片", "个人名片", "用户名片", "公众号名片"), MessageType.CONTACT),
    **dict.fromkeys(("小程序",), MessageType.MINI_PROGRAM),
    **dict.fromkeys(
        ("聊天记录", "合并转发", "合并转发的聊天记录", "合并转发消息", "转发", "转发消息"), MessageType.CHAT_HISTORY
    ),
    **dict.fromkeys(
        ("链接", "分享链接", "卡片式链接", "网页链接", "分享", "公众号文章", "音乐", "视频号"), MessageType.URL
    ),
    **dict.fromkeys(("接龙", "群接龙", "群公告", "公告", "群笔记", "笔记"), MessageType.NOTE),
    **dict.fromkeys(
        ("系统", "系统通知", "系统提示", "撤回", "撤回消息", "拍一拍", "红包", "微信红包", "转账", "通话"),
        MessageType.SYSTEM,
    ),
    **dict.fromkeys(("语音通话", "视频通话", "音视频通话", "其他", "未知", "system"), MessageType.SYSTEM),
}
# WeChat's own numbers; of 49 the sub-type decides.
CODES: Mapping[int, MessageType] = {
    1: MessageType.TEXT,
    3: MessageType.IMAGE,
    34: MessageType.AUDIO,
    42: MessageType.CONTACT,
    43: MessageType.VIDEO,
    47: MessageType.EMOTICON,
    48: MessageType.LOCATION,
    10000: MessageType.SYSTEM,
    10002: MessageType.SYSTEM,
}
APP_CODES: Mapping[int, MessageType] = {
    1: MessageType.TEXT,
    5: MessageType.URL,
    6: MessageType.FILE,
    19: MessageType.CHAT_HISTORY,
    33: MessageType.MINI_PROGRAM,
    36: MessageType.MINI_PROGRAM,
    53: MessageType.NOTE,
    57: MessageType.TEXT,
    87: MessageType.NOTE,
    2000: MessageType.SYSTEM,
    2001: MessageType.SYSTEM,
}
_WORDLESS = frozenset((MessageType.IMAGE, MessageType.AUDIO, MessageType.VIDEO, MessageType.EMOTICON))


@dataclass(frozen=True, slots=True)
class Quote:
    text: str
    sender: str = ""
    id: str = ""


@dataclass(slots=True)
class Said:
    """One message as an export tells it. `number` is its line, or its place in a JSON list."""

    number: int
    at: datetime | None
    sender: str
    text: str = ""
    type: MessageType = MessageType.TEXT
    id: str = ""
    sender_id: str = ""
    quote: Quote | None = None
    recalls: str = ""  # id of the message that was withdrawn
    when: str = ""  # the time as written, for the report
    room_id: str = ""
    room_name: str = ""
    is_self: bool = False


@dataclass(slots=True)
class Collector:
    """Gather what is said; `finish` chooses the room, sorts, gives ids."""

    room: str
    me: str | None = None  # name of the person who exported, shown as 我 or me by most tools
    day: date | None = None  # for exports whose times have no date
    source_room: str | None = None
    said: list[Said] = field(default_factory=list)
    odd: list[tuple[int, str]] = field(default_factory=list)
    _told_of_self: bool = False

    def doubt(self, number: int, why: str) -> None:
        self.odd.append((number, why))

    def add(self, said: Said) -> None:
        if said.at is None:
            written = f"“{clean(said.when)[:30]}”" if said.when else ""
            self.doubt(said.number, f"没有看得懂的时间{written}，这一条没有导入")
            return
        said.text = clean(said.text).strip()
        self._settle_sender(said)
        if not said.sender:
            self.doubt(said.number, "没有发送人，这一条没有导入")
            return
        _read_text(said)
        if said.type in _WORDLESS:
            said.text = ""
        if not said.text and said.type is MessageType.TEXT and not said.recalls:
            self.doubt(said.number, "没有内容，这一条没有导入")
            return
        self.said.append(said)

    def _settle_sender(self, said: Said) -> None:
        """Name the sender: 我 becomes `me`, a nameless raw text may begin with the sender's id."""
        said.sender, said.sender_id = clean(said.sender).strip(), clean(said.sender_id).strip()
        raw = _RAW_SENDER.match(said.text) if not said.sender and not said.sender_id else None
        if raw:
            said.sender_id, said.text = raw["id"], said.text[raw.end() :].strip()
        said.sender = said.sender or said.sender_id
        if said.is_self or said.sender in SELF_NAMES:
            said.sender = self.me or (said.sender if said.sender not in ("", *SELF_NAMES) else "我")
            if said.sender == "我" and not self._told_of_self:
                self._told_of_self = True
                self.doubt(said.number, "“我”是导出的人，不知道是谁；请指明姓名，否则此人的领办不算")
        if not said.sender and said.type is MessageType.SYSTEM:
            said.sender = SYSTEM_SENDER

    def finish(self) -> tuple[dict[str, Any], ...]:
        chosen = self._of_room()
        chosen.sort(key=lambda said: said.at or _NEVER)  # add() lets none pass without a time
        seen: set[str] = set()
        ordinals: Counter[tuple[object, ...]] = Counter()
        lines = []
        for said in chosen:
            key = (said.at, said.sender, said.type, said.text)
            ordinals[key] += 1
            said.id = "" if _ROUNDED.fullmatch(said.id) else clean(said.id).strip()
            said.id = said.id or self._made_up(said, ordinals[key])
            if said.id in seen and not said.recalls:
                self.doubt(said.number, "和前面一条编号相同，只取一次")
                continue
            seen.add(said.id)
            lines.append(_line(said, self.room))
        return tuple(lines)

    def _made_up(self, said: Said, ordinal: int) -> str:
        parts = (self.room, said.at.isoformat() if said.at else "", said.sender, said.type, said.text, str(ordinal))
        return "x" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:ID_DIGITS]

    def _of_room(self) -> list[Said]:
        rooms = Counter((said.room_id, said.room_name) for said in self.said if said.room_id or said.room_name)
        if self.source_room is not None:
            chosen = [said for said in self.said if self.source_room in (said.room_id, said.room_name)]
            if not chosen:
                raise FileError(f"文件里没有群“{self.source_room}”", f"文件里有：{_names(rooms)}")
            return chosen
        if len({room_id or name for room_id, name in rooms}) <= 1:
            names = {name for _, name in rooms if name}
            if names and self.room not in names:
                self.doubt(1, f"聊天记录里的群名是“{min(names)[:60]}”，按“{self.room}”导入")
            return list(self.said)
        ids = {room_id for room_id, name in rooms if name == self.room}
        if not ids:
            raise FileError("文件里有几个群，分不清要哪一个", f"请指明其中一个：{_names(rooms)}")
        return [said for said in self.said if said.room_name == self.room or (said.room_id and said.room_id in ids)]


def kind_of(words: str) -> MessageType | None:
    """Translate a tool's name of a kind ("图片消息", "Image") into ours."""
    plain = words.strip().lower()
    return KINDS.get(plain) or KINDS.get(plain.removesuffix("消息"))


def code_of(code: int, sub: int) -> MessageType | None:
    """Translate WeChat's numbers; a packed number of newer versions holds the sub-type above 32 bits."""
    if code > 0xFFFFFFFF:
        code, sub = code & 0xFFFFFFFF, code >> 32
    return APP_CODES.get(sub, MessageType.URL) if code == 49 else CODES.get(code)


def _read_text(said: Said) -> None:
    """Turn a placeholder into its type, and a quotation written into the text into a quote."""
    found = _PLACEHOLDER.fullmatch(said.text) if len(said.text) <= 2000 else None
    kind = kind_of(found[1]) if found else None
    if found and kind is not None and kind is not MessageType.TEXT:
        said.type = kind if said.type is MessageType.TEXT else said.type
        said.text = _ATTACHED.sub("", (found[2] or "").split("|")[0].strip())
    elif said.quote is None and said.type is MessageType.TEXT:
        said.quote, said.text = split_quote(said.text)


def split_quote(text: str) -> tuple[Quote | None, str]:
    """Split 「name：text」, a line of dashes and the answer; at the last such line, for a quoted quotation."""
    if not text.startswith(_QUOTE_OPENERS):
        return None, text
    lines = text.split("\n")
    for index in range(len(lines) - 1, 0, -1):
        if len(lines[index]) <= 80 and _DASHES.fullmatch(lines[index].strip()):
            quoted = _QUOTE_INTRODUCED.sub("", "\n".join(lines[:index]), count=1).strip(_QUOTE_MARKS)
            name, colon, rest = quoted.partition("：") if "：" in quoted[:60] else quoted.partition(":")
            if not colon or len(name) > 60:
                name, rest = "", quoted
            return Quote(rest.strip(), name.strip()), "\n".join(lines[index + 1 :]).strip()
    return None, text


def _line(said: Said, room: str) -> dict[str, Any]:
    at = said.at.isoformat() if said.at else ""
    if said.recalls:
        return {"at": at, "kind": "recall", "id": clean(said.recalls).strip(), "room": room, "sender": said.sender}
    line: dict[str, Any] = {"at": at, "id": said.id, "room": room, "sender": said.sender}
    if said.sender_id:
        line["sender_id"] = said.sender_id
    line["type"] = said.type.value
    line["text"] = said.text
    if said.quote is not None:
        quote = {"id": said.quote.id, "sender": clean(said.quote.sender), "text": clean(said.quote.text)}
        line["quote"] = {key: value for key, value in quote.items() if value or key == "text"}
    mentions = ["@all" if name == "所有人" else name for name in _MENTION.findall(said.text)]
    if mentions and said.type is MessageType.TEXT:
        line["mentions"] = list(dict.fromkeys(mentions))
    return line


def _names(rooms: Mapping[tuple[str, str], int]) -> str:
    shown = [f"{name or room_id}（{count} 条）" for (room_id, name), count in sorted(rooms.items())]
    return "、".join(shown[:NAMES_SHOWN]) + ("…" if len(shown) > NAMES_SHOWN else "") or "没有群"
