"""What speaks for and against a complaint, as named numbers; the model weighs them.

Word evidence is `w:section`, grows slowly with the number of different words, and carries their spans for `explain`.
The rest says what the message looks like: who writes where, places, numbers, form of the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from handlers.reading import model
from handlers.reading.index import ReadingIndex
from handlers.reading.model import ngrams
from handlers.reading.places import Finder, PlaceFound
from handlers.reading.text import JUDGE_LIMIT, fold
from handlers.reading.views import MessageView, Span
from handlers.reading.words import WordHits
from storage.enums import MessageType, Role, UnitKind

_CURVE = (0.0, 1.0, 1.5, 1.8, 2.0)  # of 0, 1, 2, 3, 4 and more different words

_ROOMS = {
    UnitKind.TOWN: "town",
    UnitKind.AGENCY: "agency",
    UnitKind.DISPATCH: "dispatch",
    UnitKind.SUPERVISION: "supervision",
}
_LEADERS = (Role.HEAD, Role.DEPUTY)
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("asks", re.compile(r"(?:[?]|吗|呢|没|吧|么)[?!\s]*$")),
    ("asks_if_done", re.compile(r"(?:了没有?|了吗|没有|怎么样了?|咋样了?|进展)[?!\s]*$|[了去到看]没[?,!]")),
    ("headed", re.compile(r"^\s*(?:【[^】\n]{2,14}】|关于|各位|各单位|各村|通知|公告|转发|提示|提醒|#)")),
    ("titled", re.compile(r"^[\u4e00-\u9fff\d]{2,10}[:]")),
    ("at_all", re.compile(r"@所有人|@all", re.I)),
    ("link", re.compile(r"https?://")),
    (
        "counts",
        re.compile(r"(?:\d[\d.]{0,7}\s{0,2}(?:件|人次?|处|起|台|份|张|公里|宗|%|户|名|万|辆|盏|套|车).{0,18}){2,}"),
    ),
    ("rates", re.compile(r"\d%|同比|环比")),
    ("hours", re.compile(r"\d{1,2}[:点时]\d{0,2}\s*(?:至|到|-|—|~)|\d{1,2}[:]\d{2}\s*(?:至|到|-)")),
    (
        "future",
        re.compile(
            r"明天|明早|明日|今晚|后天|下周|本周[一二三四五六日末]|下班前|月底前|即日起|届时|预计|清明将至|周[一二三四五六日]"
        ),
    ),
    ("day_and_hour", re.compile(r"\d{1,2}月\d{1,2}日.{0,8}\d{1,2}(?:[:时点]|日)")),
    (
        "own_life",
        re.compile(
            r"^(?:今天|昨天|昨晚|早上|刚才)?[,]?(?:我|俺|咱)(?!们?[镇局村]?(?:接|收)到)|我[家妈爸这]|我们(?:单位|办公室|小区)"
        ),
    ),
    (
        "past_work",
        re.compile(
            r"(?:今天|昨天|上午|下午|刚才|已经?|全部|现场|正在).{0,12}(?:清理|修好|处理|完成|拉走|恢复|换|解决|联系|拆|劝离|疏通|告知|答复|上报)[^,。]{0,6}(?:了|完|毕|好)"
        ),
    ),
    (
        "under_way",
        re.compile(
            r"我们(?:上门|去过|已|联系|跟|派|正)|(?:校|医院|物业|公司|交警|派出所|教委|水务|园林)(?:已经?|那边)?(?:派人|介入|回了|答复)|正在?(?:抢修|维修|施工|处理|清|修|挖|焊|接|核|协调|对接|联系|调|排查)|(?:抢修|维修|施工)(?:队|人员)|到现场|到场"
        ),
    ),
    (
        "the_matter",  # one that all know of: …那件, …的事,
        re.compile(
            r"[\u4e00-\u9fff]那?(?:件|单|单子|事儿?|那户|那家|那拨|那处|那块)(?:,|我|咱|跟|今|昨|明|已|人家|物业|交警|谁|还|水务|供|转|问|怎|咋|的?延)"
        ),
    ),
    (
        "praised",
        re.compile(
            r"锦旗|感谢信|点赞|表扬|夸[咱我他她]|都夸|好评|致谢|电[话来]?.{0,2}感谢|特意.{0,6}谢|太感人|[送谢]来?.{0,2}面旗"
        ),
    ),
    ("article", re.compile(r"^\W{0,3}(?:《[^》\n]{2,30}》.{0,6})?第[一二三四五六七八九十百\d]{1,5}条")),
    (
        "piece",  # of writing: 信息稿: …, 会议纪要: …, 一线故事 | …
        re.compile(
            r"^.{0,14}(?:稿|信息|简报|简讯|解读|读懂|故事|案例|学习|科普|课堂|规定|条例|纪要|样板|模板|题|讲义|培训|提示|宣传[单册]?|内容|复盘)\W{0,2}[:|丨!]"
        ),
    ),
    (
        "who_has_it",
        re.compile(r"谁(?:在|来)?(?:跟|盯|接了|负责|有|会|去了|知道|家有)|给个话|回话|咋回复|怎么回复|口径|算谁|归谁"),
    ),
    ("that_one", re.compile(r"那[件个单户条](?!.{0,3}(?:养|院|路|人|老))|这[件单]|刚才|上次|后来")),
    (
        "let_someone",
        re.compile(
            r"(?:请|麻烦|要求|希望|盼|让|帮忙?|赶紧|尽快|马上|立即|抓紧).{0,12}(?:处理|解决|修|清|查|管|拆|补|派|去|来|看|联系|回复|核|治|换|退|给|发|协调|安排|恢复|疏|整)"
        ),
    ),
    (
        "how_long",
        re.compile(
            r"(?:[一二两三四五六七八九十半好几\d]+个?(?:多)?(?:天|周|星期|礼拜|月|年|小时|钟头|回|次|趟|宿|晚))"
        ),
    ),
    ("exclaims", re.compile(r"!!|!$|急")),
    ("someone_does", re.compile(r"有(?:个|人|一?户|家|几[户家个]|[\u4e00-\u9fff]?村民|群众|居民|车|条|棵|辆)")),
    (
        "told",
        re.compile(
            r"(?:市民|居民|村民|群众|业主|家长|游客|来电人|诉求人|大[妈爷姐哥娘]|先生|女士|乘客|老乡|老人|消费者).{0,14}(?:反映|称|说|问|投诉|举报|质疑|要求|来电|咨询|打电话)"
        ),
    ),
    ("laughs", re.compile(r"哈哈|嘿嘿|笑死|\[(?:捂脸|呲牙|笑哭|偷笑|太阳|奸笑)\]|[\U0001F600-\U0001F64F]")),
    ("order_no", re.compile(r"(?:热线|怀柔)-?\d{6}")),
    ("phone", re.compile(r"1[3-9]\d[ -]?\d{4}[ -]?\d{4}")),
)
# What was done succeeded (拉走了, 焊上了, 谈妥了), and no new trouble follows.
_NO_MORE = r"不再?(?:漏|冒|响|吵|堵|臭|[反返]味|[反返]水|跳闸|晃|滴|黑|闪|呛|乱停|占道|积水|扰民)[^,。]{0,2}了"
_CAME_OUT = re.compile(
    r"(?:清|修|换|拉|补|拆|挖|堵|焊|接|锯|铺|扫|捞|收|填|灭|谈|说|办|找|劝|调|通|弄|装|测|查|销|立|移|搬)"
    r"(?:完毕?|好|走|通|上|出来|回去|干净|妥|到.{0,4}|着|离|开|掉|新的?)了"
    r"|(?:恢复|同意|认可|承诺|答应|签收|扑灭|解决|修复|更换|核实|处理|上门)了|没意见|没反弹"
    rf"|{_NO_MORE}"
)
_TROUBLE_AFTER = re.compile(
    rf"又|还[是在有没]|没(?!意见|反弹|事|问题|再|有?异味)|(?!{_NO_MORE})不(?!再|用|影响|错)|却|至今|跑了|结果|更"
)
_SPEAKER = re.compile(r"^[^:\n]{1,14}:[ ]?", re.M)
_DIGITS = re.compile(r"\d+")


@dataclass(slots=True)
class Observed:
    """A text with everything found in it that the verdict needs."""

    folded: str
    features: dict[str, float] = field(default_factory=dict)
    spans: dict[str, list[tuple[str, Span]]] = field(default_factory=dict)
    words: WordHits = field(default_factory=WordHits)
    finder: Finder | None = None
    place: PlaceFound = field(default_factory=PlaceFound)
    grams: set[str] = field(default_factory=set)
    plain: str = ""  # what the n-grams are taken from: places, phones and figures made alike


def observe(view: MessageView, index: ReadingIndex, *, text: str | None = None, known: Sequence[str] = ()) -> Observed:
    """Read the text of a message (or the given part of it) once; return its features."""
    folded = fold((view.text if text is None else text)[:JUDGE_LIMIT])
    if view.type is MessageType.CHAT_HISTORY:
        folded = _SPEAKER.sub(lambda found: " " * len(found.group()), folded)
    lowered = folded.lower()
    seen = Observed(folded)
    seen.words = index.words.find(lowered)
    own = view.room_unit if view.room_kind is UnitKind.TOWN else None
    seen.finder = Finder(index.places, folded, own)
    seen.place = seen.finder.find()
    features = seen.features
    for (family, section), hits in seen.words.by_section.items():
        if family == "evidence":
            features[f"w:{section}"] = _CURVE[min(4, len({word for word, _ in hits}))]
            seen.spans[f"w:{section}"] = hits
        elif family == "urgency" and section in ("threat", "danger", "outage", "group"):
            features[f"u:{section}"] = 1.0
            seen.spans[f"u:{section}"] = hits
    topics = {section for family, section in seen.words.by_section if family == "category"}
    features["topics"] = _CURVE[min(4, len(topics))]
    _shape(seen, view)
    _context(features, view)
    _together(seen, known)
    seen.plain = _plain(lowered, seen.finder)
    seen.grams = ngrams(seen.plain)
    _sound(seen)
    return seen


def _shape(seen: Observed, view: MessageView) -> None:
    text, features = seen.folded, seen.features
    for name, pattern in _SHAPES:
        found = pattern.search(text)
        if found:
            features[name] = 1.0
            seen.spans[name] = [(found.group()[:20], found.span())]
    came_out = next((found for found in _CAME_OUT.finditer(text) if not _TROUBLE_AFTER.search(text, found.end())), None)
    if came_out:
        features["settled"] = 1.0
        seen.spans["settled"] = [(came_out.group(), came_out.span())]
    length = len(text.strip())
    features["len:" + next(str(n) for n in (4, 8, 14, 25, 60, 150, 10**9) if length <= n)] = 1.0
    if seen.place.village or seen.place.options:
        features["village"] = 1.0
    elif seen.place.township:
        features["town"] = 1.0
    elif seen.place.place:
        features["free_place"] = 1.0
    if seen.place.span:
        seen.spans["village" if "village" in features else "town"] = [(seen.place.place or "", seen.place.span)]


def _context(features: dict[str, float], view: MessageView) -> None:
    features["room:" + _ROOMS[view.room_kind]] = 1.0
    if view.type is not MessageType.TEXT:
        features["type:" + view.type.value] = 1.0
    if view.sender_role in (Role.DISPATCHER, Role.SUPERVISOR):
        features["from:" + ("dispatcher" if view.sender_role is Role.DISPATCHER else "supervisor")] = 1.0
    elif view.sender_unit is not None and view.sender_unit == view.room_unit:
        features["from:leader" if view.sender_role in _LEADERS else "from:own"] = 1.0
    else:
        features["from:other"] = 1.0
    if view.quote_text:
        features["quotes"] = 1.0
    if view.mentions:
        features["mentions"] = 1.0


_CALM = (
    "w:notice",
    "w:meeting",
    "w:statistics",
    "w:materials",
    "w:done",
    "w:praise",
    "w:study",
    "w:followup",
    "w:colleague",
)


_HANDLED = ("settled", "under_way", "the_matter", "who_has_it", "praised", "article", "piece")
_OFFICIAL = frozenset((*_CALM, "headed", "titled"))
_SOMETHING_TO_GO_TO = frozenset({"village", "town", "told", "w:caller", "phone", "order_no"})
TALK_UNIT = 3.0  # log-odds of the talk model that count as one
TALK_LIMIT = 3.0  # of which so many count at most
TALK_FEATURES = frozenset(
    f"sounds:{side}{where}" for side in ("citizen", "talk") for where in ("", ":alone", ":official")
)


def _together(seen: Observed, known: Sequence[str]) -> None:
    """Evidence that only counts in company: a place with a problem and nothing official about it."""
    features = seen.features
    place = "village" in features or "town" in features or "free_place" in features
    problem = features.get("w:problem", 0.0)
    if problem and place:
        features["place_and_problem"] = problem
    if problem and not any(name in features for name in (*_CALM, *_HANDLED)):
        features["plain_problem"] = problem
    if problem and ("told" in features or "w:caller" in features):
        features["told_problem"] = 1.0
    if place and not problem and len(seen.folded) < 20:
        features["place_alone"] = 1.0
    if known and _about_known(seen, known):
        features["about_known"] = 1.0


def _sound(seen: Observed) -> None:
    """Let the corpus speak: louder where nothing is named that one could go to, and apart where offices write."""
    score = model.talk().score(seen.grams) / TALK_UNIT
    name = "sounds:citizen" if score > 0 else "sounds:talk"
    value = min(TALK_LIMIT, abs(score))
    features = seen.features
    alone = not features.keys() & _SOMETHING_TO_GO_TO
    official = not features.keys().isdisjoint(_OFFICIAL)
    features[name + (":alone" if alone else "")] = value
    if official:
        features[name + ":official"] = value


def _about_known(seen: Observed, known: Sequence[str]) -> bool:
    """Tell whether a ticket of the room is meant: same place word or subject, and words of a follow-up."""
    if not ({"w:followup", "asks_if_done", "that_one", "w:done"} & seen.features.keys()):
        return False
    ours = _pairs(seen.folded)
    return any(len(ours & _pairs(fold(text[:JUDGE_LIMIT]))) >= 2 for text in known[-20:])


def _pairs(text: str) -> set[str]:
    return {
        text[i : i + 2]
        for i in range(len(text) - 1)
        if "\u4e00" <= text[i] <= "\u9fff" and "\u4e00" <= text[i + 1] <= "\u9fff"
    }


def _plain(lowered: str, finder: Finder) -> str:
    """Make places, long numbers and figures alike, so that n-grams learn words, not villages."""
    parts, at = [], 0
    for hit in finder.hits:
        if hit.name.kind == "agency":
            continue
        if hit.name.kind == "village" and hit.name.short and hit.name.weak:
            continue
        parts += [lowered[at : hit.span[0]], "村" if hit.name.kind == "village" else "镇"]
        at = hit.span[1]
    text = "".join([*parts, lowered[at:]])
    return _DIGITS.sub(lambda found: "#" if len(found.group()) >= 6 else "0", text)
