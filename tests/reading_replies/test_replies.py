"""What the table cannot say: unsure and several targets, the bot's own question, other rooms, reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from handlers.reading import replies
from handlers.reading.views import Act, Intent, TicketView
from storage.enums import MessageType, TicketStatus, UnitKind
from tests.reading_replies import world


def _read(signs: str, sender: str, text: str, quoted: int | None = None) -> Intent:
    intent = world.read(signs, sender, text, quoted)
    assert intent is not None
    return intent


def test_a_bare_acceptance_with_several_waiting_names_them_all() -> None:
    intent = _read("w3w", "h3", "收到")
    assert (intent.act, intent.targets, intent.explicit) == (Act.ACCEPT, (0, 2), False)


def test_two_numbers_mean_both() -> None:
    intent = _read("www", "h3", "领1、3")
    assert (intent.targets, intent.every) == ((0, 2), True)


def test_an_unknown_number_is_said() -> None:
    assert _read("w", "h3", "领7").unknown_number == 7
    assert _read("w", "h3", "退7 不归我们").unknown_number == 7


def test_a_result_for_an_unknown_number_resolves_no_other_ticket() -> None:
    """Before, 7办结 in a room with one accepted ticket resolved that one."""
    intent = _read("3", "h3", "7办结 器材换好了")
    assert (intent.targets, intent.unknown_number) == ((), 7)


def test_done_without_quote_on_a_waiting_ticket_is_unsure() -> None:
    intent = _read("w", "h3", "器材已经修好了")
    assert (intent.act, intent.targets, intent.unsure) == (Act.RESOLVE, (0,), True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("退1 这段路归邻镇养护", "这段路归邻镇养护"),
        ("1退单，原因：重复", "重复"),
        ("退1", ""),
        ("退单1。", ""),
        ("请退1", ""),
    ],
)
def test_the_reason_is_what_is_left(text: str, reason: str) -> None:
    assert _read("w", "h3", text).reason == reason


def test_the_result_keeps_its_punctuation() -> None:
    assert _read("3", "h3", "办结1 横杠已换，拧紧了；已回复市民。").reason == "横杠已换，拧紧了；已回复市民"


def test_a_member_who_asks_for_a_transfer_declines_with_a_proposal() -> None:
    intent = _read("w", "h3", "1 转 水务局 管网归他们")
    assert (intent.act, intent.units) == (Act.DECLINE, ("区水务局",))
    assert "管网归他们" in intent.reason


def test_a_result_that_mentions_a_transfer_stays_a_result() -> None:
    assert _read("3", "h3", "办结1 已修好，材料已转交水务局").act is Act.RESOLVE


def test_a_proposal_inside_a_decline() -> None:
    assert _read("w", "h3", "退单，主路归交通局养护", 0).units == ("区交通局",)


def test_quote_of_a_notice_is_no_ticket() -> None:
    view = replace(world.view("h3", "收到"), quote_text="各位，下周一起实行新的考勤办法，请知悉。")
    assert replies.read(view, world.room("w"), world.GAZETTEER, world.TODAY) is None


def test_a_quote_without_its_id_is_found_by_its_text() -> None:
    view = replace(world.view("h3", "好的"), quote_text="桃山村有人露天焚烧秸秆，浓烟滚滚")
    intent = replies.read(view, world.room("ww"), world.GAZETTEER, world.TODAY)
    assert intent is not None
    assert intent.targets == (1,)


@pytest.mark.parametrize("kind", [k for k in MessageType if k is not MessageType.TEXT])
def test_only_text_answers(kind: MessageType) -> None:
    view = replace(world.view("h3", "收到"), type=kind)
    assert replies.read(view, world.room("w"), world.GAZETTEER, world.TODAY) is None


@pytest.mark.parametrize("kind", [UnitKind.DISPATCH, UnitKind.SUPERVISION])
def test_a_bare_received_accepts_nothing_in_other_rooms(kind: UnitKind) -> None:
    view = replace(world.view("D", "收到"), room_kind=kind, room_unit="区城指中心")
    assert replies.read(view, world.room("w"), world.GAZETTEER, world.TODAY) is None


def test_dispatch_room_answers() -> None:
    ticket = TicketView(4, "20260302-0004", TicketStatus.UNROUTED, False, "河道漂着死鱼", unit="庙城镇")
    room = replace(world.room("0"), tickets=(ticket,))
    for text, act, units in (
        ("4 转 水务", Act.TRANSFER, ("区水务局",)),
        ("4水务局", Act.TRANSFER, ("区水务局",)),
        ("4 维持", Act.KEEP, ()),
        ("4同意", Act.AGREE, ()),
        ("转水务局", Act.TRANSFER, ("区水务局",)),
    ):
        view = replace(world.view("D", text), room_kind=UnitKind.DISPATCH, room_unit="区城指中心")
        intent = replies.read(view, room, world.GAZETTEER, world.TODAY)
        assert intent is not None, text
        assert (intent.act, intent.targets, intent.units) == (act, (0,), units), text


@pytest.mark.parametrize(
    ("asked", "text", "targets", "reason"),
    [
        ((Act.ACCEPT, None), "2", (1,), ""),
        ((Act.ACCEPT, None), "第二个", (1,), ""),
        ((Act.ACCEPT, None), "桃山那个", (1,), ""),
        ((Act.DECLINE, None), "1号", (0,), ""),
        ((Act.DECLINE, 1), "那块地是邻镇的", (1,), "那块地是邻镇的"),
        ((Act.RESOLVE, 0), "横杠换好了", (0,), "横杠换好了"),
    ],
)
def test_short_answers_to_the_bots_question(
    asked: tuple[Act, int | None], text: str, targets: tuple[int, ...], reason: str
) -> None:
    intent = world.read("ww", "h3", text, None, asked)
    assert intent is not None
    assert (intent.act, intent.targets, intent.reason) == (asked[0], targets, reason)


@pytest.mark.parametrize("text", ["哈哈", "稍等", "为什么？", "算了", "ok", "[捂脸]"])
def test_other_talk_does_not_answer_the_question(text: str) -> None:
    assert world.read("ww", "h3", text, None, (Act.DECLINE, 1)) is None


def test_a_command_goes_before_the_question() -> None:
    intent = world.read("ww", "h3", "领1", None, (Act.DECLINE, 1))
    assert intent is not None
    assert (intent.act, intent.targets) == (Act.ACCEPT, (0,))


def test_extension_asked_for_its_date() -> None:
    intent = world.read("3", "h3", "到周五吧，等配件", None, (Act.EXTEND, 0))
    assert intent is not None
    assert intent.until == date(2026, 3, 6)


def test_fixed_words() -> None:
    assert _read("w", "h3", "查 20260302-0001").number == "20260302-0001"
    assert _read("0", "h3", "查 热线-260302-000123").number == "热线-260302-000123"
    assert _read("0", "L1", "绑定 庙城").units == ("庙城镇",)
    call_back = _read("0", "D", "热线-260302-000123 回访不满意，桶还是满的")
    assert (call_back.act, call_back.number) == (Act.CALL_BACK, "热线-260302-000123")
    duty = _read("0", "L1", "今晚苗长林值班")
    assert (duty.act, duty.member, duty.when, duty.explicit) == (Act.DUTY, "苗长林", "今晚", True)
