"""Two accounts in one room: what both hear is one thing, and what one says is nothing to the other."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete
from sqlmodel import col

from bot.channels.base import InboundMessage
from bot.clock import VirtualClock
from bot.inbox_worker import InboxWorker
from bot.knowledge import Knowledge
from storage.enums import MessageType
from storage.sessions import transaction
from storage.tables import Assignment, InboxMessage, OutboxMessage, RoomBinding, Ticket, TicketMessage
from tests import district
from tests.process import LAMP, NINE, CrashNow, Groups, Process, lost_answer, prepare

HANDLER = district.nick("东山镇", 3)


@pytest.fixture
def pair(engine: Engine, tmp_path: Path) -> tuple[Process, Process]:
    prepare(engine, "one", "two")
    clock = VirtualClock(NINE)
    one, two = (Process(engine, Groups(name), clock, tmp_path) for name in ("one", "two"))
    for process in (one, two):  # a message each, so that both are at work at once
        process.worker = InboxWorker(process.database, clock, Knowledge(), process.gate, batch=1)
    return one, two


def at_once(*processes: Process) -> None:
    """Both processes understand what they heard, in the same instant."""
    barrier = threading.Barrier(len(processes))
    failed: list[BaseException] = []

    def understand(process: Process) -> None:
        barrier.wait()
        try:
            asyncio.run(process.worker.drain())
        except BaseException as error:  # a thread's error would be lost otherwise
            failed.append(error)

    threads = [threading.Thread(target=understand, args=(process,)) for process in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failed == []


def test_what_two_processes_hear_in_the_same_instant_is_one_ticket_each(
    pair: tuple[Process, Process], caplog: pytest.LogCaptureFixture
) -> None:
    """Before: on PostgreSQL neither saw the other's copy before its commit, and each made a ticket."""
    for number in range(40):
        for process in pair:
            text = f"市民反映，东山镇柳林村第{number}根电线杆旁的路灯坏了，请尽快维修。"
            process.hear("东山镇", district.DISPATCHER, text)
    at_once(*pair)
    texts = Counter(ticket.text for ticket in pair[0].rows(Ticket))
    assert len(texts) == 40 and set(texts.values()) == {1}
    assert sorted(ticket.no for ticket in pair[0].rows(Ticket)) == [f"20260303-{n:04d}" for n in range(1, 41)]
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == []
    numbers = Counter(duty.short for duty in pair[0].rows(Assignment))
    assert numbers == Counter(range(1, 41))


def test_different_rooms_at_once_get_numbers_without_a_clash(
    pair: tuple[Process, Process], caplog: pytest.LogCaptureFixture
) -> None:
    one, two = pair
    for number in range(40):
        one.hear("东山镇", district.DISPATCHER, f"市民反映，柳林村第{number}根电线杆旁的路灯坏了，请尽快维修。")
        two.hear("西河镇", district.DISPATCHER, f"市民反映，梁家庄村第{number}户门前垃圾没人清运，请处理。")
    at_once(one, two)
    assert sorted(ticket.no for ticket in one.rows(Ticket)) == [f"20260303-{n:04d}" for n in range(1, 81)]
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == []
    assert {row.attempts for row in one.rows(InboxMessage)} == {0}


def test_what_one_account_says_is_no_complaint_to_the_other(pair: tuple[Process, Process]) -> None:
    """Before: the other account heard the prompt as a member's words and made a ticket of it."""
    one, two = pair
    one.hear("东山镇", district.DISPATCHER, LAMP)
    one.step()
    (said,) = [text for _, text in one.groups.arrived if "请在09:15前领办" in text]
    for name in ("派单助手", "另一个助手"):
        two.wait(seconds=1)
        two.hear("东山镇", name, "@甄丙\u2005" + said)
        two.step()
    assert len(two.rows(Ticket)) == 1
    assert two.groups.arrived == []


@pytest.mark.parametrize("first", [0, 1])
def test_a_recall_is_heard_whichever_account_hears_it_first(pair: tuple[Process, Process], first: int) -> None:
    """Before: a recall heard first by the account whose copy had been the second one was lost."""
    ids = [process.hear("东山镇", district.DISPATCHER, LAMP) for process in pair]
    for process in pair:
        process.step()
    for index in (first, 1 - first):
        process = pair[index]
        process.hear("东山镇", district.DISPATCHER, "", type=MessageType.RECALL, recalls=ids[index])
        process.step()
    assert [ticket.status.value for ticket in pair[0].rows(Ticket)] == ["已撤销"]
    said = [text for process in pair for _, text in process.groups.arrived if "发布人已撤回" in text]
    assert len(said) == 1


def test_a_picture_that_both_accounts_hear_is_kept_once(pair: tuple[Process, Process]) -> None:
    one, two = pair
    for process in pair:
        process.hear("东山镇", HANDLER, "", type=MessageType.IMAGE)
    for process in pair:
        process.step()
    one.wait(seconds=20)
    for process in pair:
        process.hear("东山镇", HANDLER, "柳林村村口垃圾桶满得盖不上，臭得很，快派人清一下")
    for process in pair:
        process.step()
    (ticket,) = one.rows(Ticket)
    parts = [part.part for part in one.rows(TicketMessage) if part.ticket_id == ticket.id]
    assert sorted(parts) == ["attachment", "complaint"]


def test_a_word_of_receipt_said_twice_in_a_second_is_a_twin_of_no_twin(pair: tuple[Process, Process]) -> None:
    one, two = pair
    for process in pair:
        process.hear("东山镇", district.DISPATCHER, LAMP)
        process.step()
    one.wait(seconds=30)
    for _ in range(2):
        for process in pair:
            process.hear("东山镇", HANDLER, "收到")
    for process in pair:
        process.step()
    became = [row.became for row in one.rows(InboxMessage) if row.text == "收到"]
    assert [word is not None and word.startswith("twin:") for word in became] == [False, True, False, True]
    said = Counter(row.dedup_key for row in one.rows(OutboxMessage) if "由甄丙领办" in row.text)
    assert len(said) == 1


def test_a_private_question_is_answered_by_the_account_that_was_asked(pair: tuple[Process, Process]) -> None:
    """Before: whichever account sent first answered, to a contact that only the other one has."""
    one, two = pair
    for process in pair:
        process.hear("东山镇", district.DISPATCHER, LAMP)
        process.step()
    before = len(one.groups.arrived)
    asked = InboundMessage(
        room_id="", message_id="private-1", sender_id="contact-of-two", sender_name=HANDLER, type=MessageType.TEXT,
        text="待办", sent_at=NINE, received_at=NINE,
    )  # fmt: skip
    two.database.write_now(lambda session: two.receiver.store_in(session, [asked]))
    one.step()  # it understands the question first
    one.step()
    assert len(one.groups.arrived) == before
    two.groups.after = lost_answer
    two.step()
    assert [to for to, _ in two.groups.arrived] == ["contact-of-two"]
    one.wait(seconds=61)
    one.step()  # of the other's private message it knows nothing
    assert len(one.groups.arrived) == before
    two.groups.after = lambda: None
    two.step()
    assert [(to, text[:3]) for to, text in two.groups.arrived[1:]] == [("contact-of-two", "补发：")]


def test_an_account_leaves_what_is_unknown_of_rooms_that_it_is_not_in_to_the_one_that_hears_the_echo(
    pair: tuple[Process, Process],
) -> None:
    """Before: the account that could not hear the echo said after a minute that there was none."""
    one, two = pair
    with transaction(one.database.engine) as session:
        session.execute(delete(RoomBinding).where(col(RoomBinding.account) == "two"))
    one.hear("东山镇", district.DISPATCHER, LAMP)
    one.groups.after = lost_answer
    one.step()
    one.groups.after = lambda: None
    one.wait(seconds=61)
    two.step()
    assert [row.state.value for row in two.rows(OutboxMessage)] == ["unknown"]
    one.hear("东山镇", "派单助手", "@甄丙\u2005" + one.groups.arrived[0][1], is_self=True)
    one.step()
    assert [row.state.value for row in one.rows(OutboxMessage)] == ["sent"] and len(one.groups.arrived) == 1


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("name", ["派单助手", "另一个助手"])
def test_what_a_killed_process_was_just_sending_is_said_again_by_the_other_only_if_that_did_not_hear_it(
    pair: tuple[Process, Process], heard: bool, name: str
) -> None:
    """Before: the other account did not know the words as ours, and said them again though they stood in the room."""
    one, two = pair
    one.hear("东山镇", district.DISPATCHER, LAMP)

    def die() -> None:
        raise CrashNow

    one.groups.after = die
    with pytest.raises(CrashNow):
        one.step()
    two.wait(seconds=1)
    two.hear("东山镇", district.DISPATCHER, LAMP, sent_at=NINE)
    if heard:
        two.hear("东山镇", name, "@甄丙\u2005" + one.groups.arrived[0][1])
    for _ in range(130):
        two.wait(seconds=1)
        two.step()
    said = [text[:3] for _, text in two.groups.arrived]
    assert said == ([] if heard else ["补发："])
    assert [row.state.value for row in two.rows(OutboxMessage)] == ["sent"] and len(two.rows(Ticket)) == 1
