"""Where a complaint came from: 12345, 媒体, 领导批示, 巡查 or 群众."""

from __future__ import annotations

import re

from storage.enums import Source

_HOTLINE = re.compile(
    r"(?:热线|怀柔)-?\d{6}|12345(?:热线)?(?:转|派|来|接|工单)|市12345|(?:打|拨打?|致电)了?12345|热线转"
    r"|区分中心关注|工单(?:编?号|编码)[:= ]?\d{8}"
)
_LEADER = re.compile(
    r"(?:领导|区长|书记|主任|市长|副区长)批示|批示[:]|(?:区长|书记|市长)信箱|领导交办|区领导.{0,4}(?:要求|指示|关注)"
)
_MEDIA_HEAD = re.compile(
    r"^.{0,4}(?:【.{0,6}(?:曝光|网传|网曝|视频|舆情|媒体).{0,6}】)|记者调查|记者实地|记者走访|媒体报道|舆情|网传|网曝|曝光台"
)
_MEDIA_CALLS = re.compile(
    r"(?:报社|电视台|媒体|新闻)?.{0,4}记者.{0,8}(?:打来|来电|采访|核实|致电|询问|暗访|问)|(?:电视台|报社|媒体).{0,6}(?:播出|报道|曝光了|来电|采访)"
)
_PATROL = re.compile(
    r"(?:巡查|暗访|检查|抽查|巡逻|夜查|督查|巡河|网格员)(?:时|中|组)?(?:发现|看到|见)|暗访|(?:我|刚)?巡查.{0,6}发现|(?:刚才?|今天|上午|下午|昨天|我|在)巡(?:查|河|逻)到"
)


def source_of(folded: str, *, order: bool, link: bool) -> Source:
    """Return the source; `order` is a pasted work order, `link` a forwarded article or video."""
    if order or _HOTLINE.search(folded):
        return Source.HOTLINE
    if _LEADER.search(folded):
        return Source.LEADER
    if link or _MEDIA_HEAD.search(folded) or _MEDIA_CALLS.search(folded):
        return Source.MEDIA
    if _PATROL.search(folded):
        return Source.PATROL
    return Source.CITIZEN
