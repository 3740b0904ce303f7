"""@ and emoji in an answer: which names are @-ed, and the text without them.

A name is followed by U+2005, another blank, a comma, or nothing at all; the sign may be full-width; a name may hold
blanks. So known names are tried, the longest first, and only what is unknown is cut at the next blank.
Emoji come as words ([OK]), as signs (👌) or as `<img class="emoji …">`: a few mean something, the rest nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_AT = "[@＠]"
_AFTER = r"[\u2005\u00a0\u3000\s,，:：、]*"
_UNKNOWN = re.compile(_AT + r"[^\s\u2005\u00a0\u3000@＠,，:：。！？!?]{1,40}(?:[\u2005\u00a0\u3000\s,，:：、]+|$)")
_GLUED = re.compile("领|接单|退|转|吹哨|办结|延期|重办|催|查|待办|我的|帮助|日报|收到|绑定|[#＃0-9０-９]")
_EMOJI_TAG = re.compile(
    r"<(?:img|span)\b[^<>]{0,200}?\bemoji\s{0,4}emoji([0-9a-f]{2,14})\b[^<>]{0,200}>(?:</span>)?",
    re.IGNORECASE,
)
_EMOJI_WORD = re.compile(r"\[([A-Za-z\u4e00-\u9fff]{1,6})\]")
_MEANING = {"OK": "ok", "ok": "ok", "Ok": "ok", "好的": "好的", "收到": "收到", "NO": "不", "no": "不"}
_KNOWN_WORDS = frozenset(
    "强 抱拳 玫瑰 握手 鼓掌 合十 微笑 呲牙 捂脸 旺柴 加油 胜利 爱心 太阳 咖啡 奸笑 偷笑 愉快 憨笑 拥抱 庆祝"
    " 礼物 让我看看 "
    "叹气 苦涩 裂开 社会社会 吃瓜 哇 流泪 大哭 发怒 尴尬 惊讶 难过 酷 汗 抓狂 吐 困 惊恐 流汗 悠闲 奋斗 疑问"
    " 嘘 晕 衰 骷髅 "
    "再见 擦汗 鼓掌 坏笑 哈欠 鄙视 委屈 快哭了 阴险 亲亲 可怜 笑脸 生病 脸红 破涕为笑 恐惧 失望 无语 嘿哈 机"
    "智 皱眉 耶 "
    "天啊 Emm 打脸 翻白眼 让我看看 叹气 西瓜 啤酒 蛋糕 拳头 弱 跳跳 发抖 怄火 转圈 发 福 烟花 爆竹 猪头 月亮"
    " 勾引 666".split()
)
_SIGNS = re.compile("[👌🆗]+")
_PRAISE = re.compile(
    "[\U0001f300-\U0001f44b\U0001f44d-\U0001f596\U0001f597-\U0001f64f\U0001f680-\U0001faff\u2600-\u26ff\u2702-\u275f"
    "\u2b50\u2b55\u2764]+"
)


@dataclass(frozen=True, slots=True)
class Mentions:
    text: str  # without the @-parts; a blank stands where one was
    names: tuple[str, ...]  # as written, without @


@lru_cache(maxsize=256)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted({n for n in names if n.strip()}, key=lambda n: (-len(n), n))
    return re.compile(_AT + "(" + "|".join(re.escape(n) for n in longest_first) + ")" + _AFTER)


def strip(text: str, names: Iterable[str] = ()) -> Mentions:
    """Take the @-parts out. `names` are those that the room or the roster knows; the rest ends at a blank."""
    if "@" not in text and "＠" not in text:
        return Mentions(text, ())
    known = tuple(n for n in names if n.strip())
    found: list[str] = []

    def take(match: re.Match[str]) -> str:
        found.append(match[1])
        return " "

    if known:
        text = _pattern(known).sub(take, text)

    def take_unknown(match: re.Match[str]) -> str:
        cut = _GLUED.search(match[0], 3)
        if cut is not None:  # @某助手领2: no blank behind a name that nobody told us
            found.append(match[0][1 : cut.start()])
            return " " + match[0][cut.start() :]
        found.append(match[0].strip("@＠\u2005\u00a0\u3000 \t\r\n,，:：、"))
        return " "

    text = _UNKNOWN.sub(take_unknown, text)
    return Mentions(text, tuple(dict.fromkeys(found)))


def plain_emoji(text: str) -> str:
    """Replace emoji of all three forms by their meaning ("ok") or by a blank; other text is left alone."""
    if "<" in text:
        text = _EMOJI_TAG.sub(lambda m: _sign(m[1]), text)
    if "[" in text:
        text = _EMOJI_WORD.sub(lambda m: _word(m), text)
    return _PRAISE.sub(" ", _SIGNS.sub(" ok ", text))


def _sign(hexadecimal: str) -> str:
    code = int(hexadecimal[:6], 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else " "


def _word(match: re.Match[str]) -> str:
    meaning = _MEANING.get(match[1])
    if meaning is not None:
        return f" {meaning} "
    return " " if match[1] in _KNOWN_WORDS else match[0]
