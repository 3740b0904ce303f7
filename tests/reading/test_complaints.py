"""What is a complaint and what does it say: own sentences, expected values by hand."""

from __future__ import annotations

import pytest

from handlers.reading.explain import explain
from handlers.reading.gist import gist
from handlers.reading.routing import belongs_elsewhere, route
from storage.enums import MessageType, Source, Urgency
from tests.reading.sample import gazetteer, in_dispatch, in_town, reading

COMPLAINTS = [
    "口头村东头的路灯坏了四盏，天黑了啥也看不见，请赶紧修",
    "市民反映，峪口村村口垃圾桶满了好几天没人倒，臭气熏天",
    "东茶坞村有人往河里倒渣土，村民要求查一查",
    "北宅村自来水停了一天了，家里没法做饭，什么时候能来水",
    "有居民反映楼下烧烤摊半夜还在吵，油烟进屋，能不能管管",
]
NOTHING = [
    "收到，谢谢",
    "明天上午九点在三楼会议室开调度会，请各村书记参加",
    "【温馨提示】因管网检修，3月8日22时至次日5时停水，请提前储水",
    "今天共清理垃圾12处，劝离商贩3户，一切正常",
    "各村把上周的办理情况填到群文件表格里，下班前报给我",
    "市民送来锦旗，感谢咱们修好了路灯",
    "中午食堂吃饺子，谁去",
    "#接龙\n值班报名\n1. 张某\n2. 李某",
    "演练：假设某小区燃气泄漏，请各组报到",
    "那个路灯的件已经修好了，诉求人认可",
]


@pytest.mark.parametrize("text", COMPLAINTS)
def test_a_complaint_is_heard(text: str) -> None:
    assert len(reading(in_town(text)).complaints) == 1


@pytest.mark.parametrize("text", NOTHING)
def test_chatter_notices_and_reports_are_nothing(text: str) -> None:
    assert reading(in_town(text)).complaints == ()


def test_a_pasted_order_is_read_field_by_field() -> None:
    order = (
        "【工单编号】热线-260309-100001\n【来电人】甄样女士\n【联系方式】138 0000 5566\n【被反映街乡镇】桥梓镇\n"
        "【所在村社区】口头村\n【主要内容】市民反映，文化广场公厕锁门不开，要求开放。\n【承办单位】桥梓镇\n【办理时限】7天"
    )
    (complaint,) = reading(in_dispatch(order)).complaints
    assert complaint.order_no == "热线-260309-100001"
    assert complaint.phones[0] == "13800005566"
    assert (complaint.township, complaint.village) == ("桥梓镇", "口头村")
    assert complaint.source is Source.HOTLINE
    assert complaint.time_limit == "7天"
    assert route(complaint, gazetteer()).unit == "桥梓镇"
    assert "13800005566" not in gist(complaint)


def test_the_same_order_on_one_line_with_other_names_of_the_fields() -> None:
    order = "受理编号：260309000017；来话人：匿名；反映内容：峪口村村北养猪场粪水直排河沟；承办单位：区生态环境局"
    (complaint,) = reading(in_dispatch(order)).complaints
    assert (complaint.order_no, complaint.village, complaint.phones) == ("260309000017", "峪口村", ())
    assert route(complaint, gazetteer()).unit == "区生态环境局"


def test_an_order_that_only_praises_is_nothing() -> None:
    order = "诉求类型：表扬\n受理编号：260309000099\n反映内容：市民表扬窗口人员热情周到，表示感谢\n承办单位：区民政局"
    assert reading(in_dispatch(order)).complaints == ()


def test_two_orders_in_one_message_are_two_complaints() -> None:
    one = "工单编号：热线-260309-10000{n}\n主要内容：市民反映，{place}路灯不亮，请维修。\n承办单位：怀北镇"
    text = one.format(n=1, place="神山村") + "\n--------\n" + one.format(n=2, place="西庄村")
    assert [c.village for c in reading(in_dispatch(text)).complaints] == ["神山村", "西庄村"]


def test_a_numbered_list_of_separate_problems_is_a_ticket_each() -> None:
    text = "桥梓镇三件事麻烦处理：\n1、口头村公厕没水\n2、峪口村路灯坏了三盏\n3、北宅村口有人倒渣土"
    assert [c.village for c in reading(in_town(text)).complaints] == ["口头村", "峪口村", "北宅村"]


def test_a_village_misspelt_by_its_look_alike_is_found() -> None:
    (complaint,) = reading(in_town("西黄粱村的路灯坏了，请尽快修", "宝山镇")).complaints
    assert complaint.village == "西黄梁村"


def test_a_village_in_two_towns_is_its_rooms_own_and_is_asked_about_elsewhere() -> None:
    text = "四渡河村有人往河道里倒垃圾，请制止"
    assert reading(in_town(text, "渤海镇")).complaints[0].township == "渤海镇"
    (complaint,) = reading(in_dispatch(text)).complaints
    assert complaint.village is None and len(complaint.place_options) == 2
    assert route(complaint, gazetteer()).unit is None


@pytest.mark.parametrize(
    "text, urgency",
    [
        ("口头村变压器着火了，火苗往房上蹿，请立即派人", Urgency.URGENT),
        ("北宅村全村停水一天了，请抢修", Urgency.URGENT),
        ("市民扬言今晚不解决就从楼顶跳下去，请马上去人", Urgency.SENSITIVE),
        ("村民反映口头村村书记侵吞补偿款，要求查处", Urgency.SENSITIVE),
        ("口头村暖气不热，屋里只有十五度", Urgency.NORMAL),
        ("峪口村垃圾没人清运", Urgency.NORMAL),
    ],
)
def test_urgency_by_what_is_at_stake(text: str, urgency: Urgency) -> None:
    assert reading(in_town(text)).complaints[0].urgency is urgency


def test_a_complaint_that_belongs_elsewhere_is_noted_in_a_units_room() -> None:
    (complaint,) = reading(in_town("怀柔镇孟庄村路灯坏了，请维修", "桥梓镇")).complaints
    elsewhere = belongs_elsewhere(complaint, gazetteer(), "桥梓镇")
    assert elsewhere is not None and elsewhere.unit == "怀柔镇"


def test_a_forwarded_history_with_a_complaint_in_it_is_heard() -> None:
    text = "群聊的聊天记录\n甄某：峪口村村口污水井冒了，流了一路\n贾某：赶紧报一下"
    assert len(reading(in_town(text, type=MessageType.CHAT_HISTORY)).complaints) == 1


def test_the_explanation_names_verdict_evidence_and_fields() -> None:
    lines = explain(in_town("口头村东口的井盖丢了，请赶紧补上，电话13800001122"), gazetteer())
    assert {"verdict", "evidence", "field", "category"} <= {line.kind for line in lines}
    phone = next(line for line in lines if line.name == "phone")
    assert phone.span is not None and phone.value == "13800001122"


@pytest.mark.parametrize(
    "text, names",
    [
        ("市民郑样生来电反映，口头村垃圾五天没人清运，请处理", ("郑样生",)),
        ("口头村张样花家门口垃圾五天没人清运", ("张样花",)),
        ("口头村村民赵样家房子漏雨，请村里帮忙", ("赵样",)),
        ("市民欧阳样文来电反映口头村垃圾五天没人清运", ("欧阳样文",)),
        ("市民多次来电反映口头村垃圾五天没人清运", ()),
        ("居民连续反映口头村垃圾五天没人清运，请安排", ()),
        ("业主任意停车，口头村主路堵了，请处理", ()),
    ],
)
def test_a_full_name_without_a_title_is_a_name(text: str, names: tuple[str, ...]) -> None:
    """Shown in the groups once: only names with a title, a field or a phone behind them were hidden."""
    assert reading(in_town(text)).complaints[0].people == names
