"""Messages that are half of something: a place, a picture, a phone; before a complaint or right after it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from handlers.reading.evidence import Observed
from handlers.reading.judging import MEDIA_TYPES
from handlers.reading.views import MessageView
from storage.enums import MessageType

_PLACEHOLDER = re.compile(r"^\s*(?:\[[^\]\n]{1,8}\]\s*)+$")
_CALL = re.compile(r"^[喂那个这嗯啊哎诶欸,。 .…!]{1,8}$|^(?:喂|哎|诶|那个|对了|还有|在吗|各位|麻烦问)[^\n]{0,6}$")
MAX_FRAGMENT = 30  # characters of a text that can be a mere beginning or addition

_CONTACT = re.compile(r"(?:电话|手机|联系方式|号码|微信|联系人|姓[\u4e00-\u9fff])|留(?:了)?(?:电话|号)")
_ADDS = re.compile(
    r"补充|对了|忘(?:了)?说|忘(?:了)?写|具体(?:位置|地址|是)?|位置(?:在|是)|地址(?:在|是|:)|就是?(?:那|这|在)|就那|就这|还有个?情况|另外"
    r"|刚才(?:那|说)|这个?(?:诉求人|来电人)|诉求人|来电人|照片|如图|见图|上图|是[\u4e00-\u9fff]{2,5}[镇乡村]的"
)
_SAYS_IT_ADDS = re.compile(r"^\W*(?:我|再|另外?)*补充(?:一下|一句|几句|一点|说明|个情况|[,:])")
_NOT_ADDING = re.compile(
    r"收到|谢谢|辛苦|好的|明白|怎么样|咋样|了没|了吗|吗[?]?$|已(?:经)?(?:联系|处理|安排|办)|派错|不用管|撤回|看错|我去|马上去|是不是该|哪个单位|会议|通知|哈哈"
)


def is_placeholder(text: str) -> bool:
    """Tell [图片] and [语音] from words."""
    return not text.strip() or _PLACEHOLDER.match(text) is not None


def usable_before(before: Sequence[MessageView]) -> tuple[list[int], list[str]]:
    """Return the indexes of the fragments that belong to what follows, and the texts among them to be read with it."""
    used, texts = [], []
    for position, view in enumerate(before):
        text = view.text.strip()
        if view.type in MEDIA_TYPES or view.type is MessageType.FILE:
            used.append(position)
            if text and not is_placeholder(text) and view.type is not MessageType.FILE:
                texts.append(text)
        elif view.type is MessageType.LOCATION:
            used.append(position)
            if text:
                texts.append(text)
        elif view.type is MessageType.TEXT and 0 < len(text) <= MAX_FRAGMENT and not _NOT_ADDING.search(text):
            used.append(position)
            texts.append(text)
    return used, texts


def is_supplement(view: MessageView, seen: Observed, has_phone: bool) -> bool:
    """Tell whether a message that is no complaint adds to one just told: a phone, an exact place, a name, 补充.

    Asked only where the sender told a complaint within the last two minutes.
    """
    text = seen.folded.strip()
    if view.type in MEDIA_TYPES or view.type is MessageType.LOCATION:
        return True
    if view.type is not MessageType.TEXT or _NOT_ADDING.search(text) or len(text) > 120:
        return False
    if _CALL.match(text):
        return False
    if has_phone or (_CONTACT.search(text) and len(text) <= 40):
        return True
    if _ADDS.search(text) and len(text) <= 60:
        return True
    return bool(seen.place.place or seen.place.village) and len(text) <= 20


def says_it_adds(seen: Observed) -> bool:
    """Tell whether a message that complains says that it adds to what was told: 补充一下，臭味很大."""
    return _SAYS_IT_ADDS.match(seen.folded.strip()) is not None
