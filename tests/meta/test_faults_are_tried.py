"""Every fault of the two lists that this project was given is a test; here is which."""

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
    "python-wechaty#283": (
        "channels/test_wechaty_payloads.py::test_a_text_reads_as_its_sender_saw_it",
        "gateway/test_receiving.py::test_a_million_characters_nul_and_emoji_markup",
    ),
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


CONNECTION, RECEIVING, STORIES, FILES = (
    f"gateway/test_{name}.py::test" for name in ("connection", "receiving", "stories", "files_and_sending")
)
PARTS, PAYLOADS = "channels/test_wechaty_parts.py::test", "channels/test_wechaty_payloads.py::test"
QUOTES, ON_THE_WAY = "reading_replies/test_quotes_and_mentions.py::test", "faults/test_on_the_way.py::test"
# The numbered rows of public issues that a group bot will meet. Where none of ours can meet it, the test shows why.
WECHATY: dict[int, tuple[str, ...]] = {
    1: (f"{RECEIVING}_unknown_types_and_odd_events", f"{STORIES}_an_unknown_type_and_an_error_event_are_survived"),
    2: (f"{CONNECTION}_a_killed_gateway_is_met_again", f"{STORIES}_a_gateway_killed_for_twenty_seconds_costs"),
    3: (f"{CONNECTION}_a_frozen_gateway_is_noticed_by_pings", f"{STORIES}_a_gateway_frozen_for_twenty_seconds"),
    4: (f"{CONNECTION}_a_second_client_waits", f"{CONNECTION}_listens_first_then_starts_and_never_stops"),
    5: (f"{CONNECTION}_a_stream_that_another_client_ends_cleanly", f"{CONNECTION}_heartbeats_that_stop_mean"),
    6: (f"{PARTS}_silence_counts_only_after_the_puppet_has_shown", f"{PARTS}_delays_double_up_to_half_a_minute"),
    7: (f"{PARTS}_neither_wechaty_nor_its_puppet_service",),
    8: (f"{CONNECTION}_tls_with_an_own_certificate", f"{STORIES}_the_same_story_over_tls"),
    9: (f"{FILES}_a_picture_arrives_whole",),
    10: (f"{PARTS}_a_box_holds_the_file_up_to_the_limit", f"{FILES}_files_go_out_up_to_the_limit"),
    11: (f"{FILES}_files_go_out_up_to_the_limit",),
    12: (f"{FILES}_a_missing_a_stalled_an_empty_and_a_huge_file",),
    13: (f"{FILES}_a_picture_arrives_whole",),
    14: (f"{STORIES}_every_event_twice_makes_no_second_ticket",),
    15: (f"{ON_THE_WAY}_the_same_words_twice_in_three_seconds",),
    16: (f"{ON_THE_WAY}_a_morning_that_comes_again_with_new_ids",),
    17: ("scenarios/test_late_words.py::test_an_earlier_stamp_that_comes_second",),
    18: (f"{RECEIVING}_43_rooms_are_listed", f"{RECEIVING}_a_rename_is_told_by_its_event_and_a_new_room"),
    19: (f"{FILES}_a_text_goes_out_with_names_and_ids",),
    20: (f"{RECEIVING}_mentions_by_id_by_text_and_of_everyone",),
    21: (f"{PAYLOADS}_mentions_in_text", f"{QUOTES}_the_longest_name_counts"),
    22: (f"{QUOTES}_a_known_name_needs_no_separator",),
    23: (f"{QUOTES}_a_known_name_needs_no_separator", f"{RECEIVING}_mentions_by_id_by_text_and_of_everyone"),
    24: (f"{RECEIVING}_mentions_by_id_by_text_and_of_everyone",),
    25: (f"{PAYLOADS}_mentions_in_text", "importers/test_chat_json.py::test_wcferry_object_with_xml"),
    26: (f"{STORIES}_a_quote_in_the_text_form_of_wechat4u", f"{QUOTES}_a_quoted_quote_is_cut_at_the_last_dashes"),
    27: (f"{ON_THE_WAY}_a_heading_with_nothing_under_it",),
    28: (f"{RECEIVING}_a_sender_goes_by_group_nickname_else_by_name",),
    29: (f"{RECEIVING}_a_rename_is_told_by_its_event",),
    30: ("faults/test_table.py::test_new_room_ids_with_the_same_topics_are_bound_again",),
    31: (
        "faults/test_quiet_night.py::test_an_account_that_is_logged_out_is_told",
        f"{CONNECTION}_logout_and_scan_are_told",
    ),
    32: ("faults/test_quiet_night.py::test_an_account_that_is_logged_out_is_told",),
    33: ("channels/contract.py::test_messages_keep_their_order",),
    34: ("faults/test_downtime.py::test_the_downtime_of_one_of_two_processes", f"{STORIES}_a_logout_is_an_outage"),
    35: ("faults/test_quiet_night.py::test_an_account_that_is_logged_out_is_told",),
    36: ("faults/test_trouble.py::test_messages_are_paced",),
    37: (f"{RECEIVING}_a_tip_that_we_send_too_often", "faults/test_held_back.py::test_what_was_reported_as_sent"),
    38: (f"{PARTS}_what_a_failed_send_means", "faults/test_held_back.py::test_the_tip_is_told_past_wechat_at_once"),
    39: (f"{RECEIVING}_a_tip_that_we_send_too_often",),
    40: (
        f"{FILES}_a_text_goes_out_with_names_and_ids",
        "faults/test_alarms.py::test_an_alarm_arrives_at_every_address",
    ),
    41: (f"{FILES}_a_puppet_that_tells_no_id", "crash/test_crash_points.py::test_a_crash_after_the_message_went_out"),
    42: (f"{STORIES}_the_bots_own_echo_is_no_input", "scenarios/test_asking.py::test_nothing_that_the_bot_itself_said"),
    43: (
        "unit/test_edges.py::test_cutting_loses_nothing",
        "unit/test_edges.py::test_a_text_of_the_limit_is_sent_whole",
    ),
    44: ("unit/test_edges.py::test_cutting_loses_nothing", "faults/test_trouble.py::test_messages_are_paced"),
    45: (f"{PAYLOADS}_a_pat_is_not_a_recall", f"{ON_THE_WAY}_a_list_that_everybody_copies"),
    46: (f"{PAYLOADS}_a_recall_names_every_id", f"{RECEIVING}_a_recall_names_the_message_withdrawn"),
    47: (f"{ON_THE_WAY}_a_list_that_everybody_copies",),
    48: (f"{PAYLOADS}_a_forwarded_chat_becomes_lines_with_names", f"{PAYLOADS}_hostile_xml_is_text"),
    49: ("scenarios/test_voice.py::test_a_voice_after_a_call_for_help",),
    50: (f"{RECEIVING}_a_million_characters_nul_and_emoji_markup", f"{QUOTES}_emoji_mean_ok_or_nothing"),
    51: (f"{ON_THE_WAY}_a_list_that_everybody_copies",),
    52: (f"{RECEIVING}_unknown_types_and_odd_events", "faults/test_table.py::test_a_member_with_a_new_contact_id"),
    53: (f"{RECEIVING}_a_payload_that_never_comes", f"{ON_THE_WAY}_a_message_whose_content_never_came"),
    54: ("deploy/test_files.py::test_a_gateway_that_grows_is_ended",),
    55: (f"{CONNECTION}_in_a_quiet_night_the_way_is_tried", "faults/test_quiet_night.py::test_forty_minutes_in_which"),
    56: (f"{PAYLOADS}_what_a_message_says",),
}


def there(test: str) -> bool:
    path, _, name = test.partition("::")
    return re.search(rf"def {name}\w*\(", (Path("tests") / path).read_text(encoding="utf-8")) is not None


@pytest.mark.parametrize("fault", TRIED)
def test_the_fault_is_tried(fault: str) -> None:
    tried = TRIED[fault]
    for test in (tried,) if isinstance(tried, str) else tried:
        assert there(test), test


def test_every_row_of_wechatys_bugs_is_tried() -> None:
    assert [test for tests in WECHATY.values() for test in tests if not there(test)] == []
    assert list(WECHATY) == list(range(1, 57))


def test_the_list_is_whole() -> None:
    assert len(TRIED) == 34
