"""Every fault of the list that this project was given is a test; here is which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TRIED: dict[str, str | tuple[str, ...]] = {
    "grafana/oncall#1206": "scenarios/test_breaks.py::test_after_a_break_only_the_highest_step_is_said",
    "apscheduler#273": "crash/test_crash_points.py::test_a_hundred_due_while_the_process_is_down_all_fire",
    "apscheduler PR#754": "faults/test_the_sender_hangs.py::test_while_a_send_hangs_55_seconds_another_ticket",
    "plugin-apscheduler#3": "faults/test_the_sender_hangs.py::test_a_send_that_never_returns_is_given_up",
    "oncall#4548-like": "faults/test_the_sender_hangs.py::test_with_nobody_on_duty_the_next_are_called",
    "zammad job executor": (
        "faults/test_trouble.py::test_a_database_that_fails_twenty_times_and_heals",
        "faults/test_database.py::test_ticks_that_fail_twenty_times_resume_by_themselves_and_supervision_is_told",
    ),
    "django-helpdesk#8": "faults/test_table.py::test_a_sweep_one_second_after_a_new_ticket_says_nothing",
    "apscheduler#129": (
        "races/test_two_at_once.py::test_two_processes_on_one_database_fire_each_deadline_once",
        "races/test_two_processes.py::test_three_hundred_deadlines_fire_once_each_though_one",
    ),
    "alertmanager#627": "faults/test_table.py::test_a_roster_loaded_again_with_fifty_open_tickets_says_nothing",
    "goalert PR#1764": "scenarios/test_complaints.py::test_one_person_in_two_roles_is_called_once",
    "chatwoot PR#13359": "scenarios/test_complaints.py::test_an_album_of_nine_photos_in_a_second_is_one_ticket",
    "python-wechaty#266": "faults/test_table.py::test_every_event_twice_makes_no_second_ticket",
    "zammad#3156": (
        "races/test_two_at_once.py::test_of_two_sessions_that_read_the_same_waiting_duty_one_wins",
        "races/test_two_at_once.py::test_two_words_of_receipt_in_the_same_second_make_one_owner",
    ),
    "oncall#3161": "faults/test_the_sender_hangs.py::test_done_and_taken_in_the_same_second",
    "oncall#4654": (
        "faults/test_table.py::test_accepted_a_moment_before_or_after_the_due_time",
        "faults/test_table.py::test_accepted_a_tenth_of_a_second_before_a_step_that_step_is_not_said",
    ),
    "glpi#1911": "scenarios/test_passing_on.py::test_a_transfer_just_before_the_due_time_gives_the_new_unit_a_fresh",
    "oncall#4421": "scenarios/test_passing_on.py::test_the_same_order_in_another_units_room_is_a_helpers_duty",
    "osTicket PR#5206": "faults/test_table.py::test_a_ticket_reopened_after_days_has_a_fresh_window",
    "chatwoot#10178": "scenarios/test_complaints.py::test_thanks_after_the_end_are_nothing",
    "zammad#3180": "scenarios/test_numbers_and_rooms.py::test_reported_ten_minutes_before_midnight_it_is_due",
    "goalert PR#4375": "digests/test_boundaries.py::test_accepted_at_5_resolved_at_60_took_5",
    "goalert metrics": "digests/test_boundaries.py::test_unaccepted_is_no_zero_and_seconds_are_not_rounded_up",
    "matomo#24980": "digests/test_windows.py::test_a_digest_at_dawn_is_of_the_beijing_day",
    "zammad#5865": "digests/test_boundaries.py::test_the_months_border_is_beijings",
    "mcp-context-forge#3531": "storage/test_constraints.py::test_times_come_back_as_the_same_instant_and_aware",
    "alertmanager-notifier#6": "digests/test_text.py::test_300_open_tickets_are_split_numbered_and_none_is_lost",
    "python-wechaty#283": "channels/test_wechaty_payloads.py::test_a_text_reads_as_its_sender_saw_it",
    "puppet-wechat#139": "faults/test_table.py::test_new_room_ids_with_the_same_topics_are_bound_again",
    "python-wechaty#310": (
        "crash/test_crash_points.py::test_a_picture_that_could_not_be_fetched_is_told_of",
        "gateway/test_files_and_sending.py::test_a_missing_a_stalled_an_empty_and_a_huge_file",
    ),
    "apscheduler#843": "faults/test_database.py::test_a_write_lock_that_is_held_is_waited_for",
    "keep#958": "scenarios/test_complaints.py::test_two_houses_without_water_in_a_minute_are_two_tickets",
    "osTicket#3767": "digests/test_ledger.py::test_hostile_text_stays_text",
    "SQLPage#528": "digests/test_ledger.py::test_libreoffice_opens_it_and_reads_the_same",
    "Dispatch decorators": "faults/test_trouble.py::test_a_room_that_is_gone_is_one_named_failure",
}


@pytest.mark.parametrize("fault", TRIED)
def test_the_fault_is_tried(fault: str) -> None:
    tried = TRIED[fault]
    for test in (tried,) if isinstance(tried, str) else tried:
        path, _, name = test.partition("::")
        source = (Path("tests") / path).read_text(encoding="utf-8")
        assert re.search(rf"def {name}\w*\(", source), test


def test_the_list_is_whole() -> None:
    assert len(TRIED) == 34
