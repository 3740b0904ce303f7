"""What a clerk may get wrong in .env and in the list of groups is told before anything runs: what, where, what to do."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from openpyxl import Workbook

from bot.app import make_channel, webhook_keys
from bot.channels.wechaty import WechatyChannel
from bot.channels.wework import WeworkChannel
from bot.clock import SystemClock
from bot.importers.wework_rooms import RoomLine, WeworkRoomsError, read_rooms
from bot.logs import set_up_logs
from bot.settings import Settings, SettingsError, load_settings
from tests.log_watch import WATCH
from tests.wework.rig import KEY, OTHER
from tests.wework.robot import AES_KEY, TOKEN

URL = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key="
HEAD = "群名,群编号,webhook\n"
GIVEN = {"CHANNEL": "wework", "WEWORK_TOKEN": TOKEN, "WEWORK_AES_KEY": AES_KEY, "WEWORK_ROOMS_FILE": "groups.csv"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("CHANNEL", "dingtalk", "CHANNEL = 'dingtalk': Input should be 'wechaty' or 'wework'"),
        ("WEWORK_TOKEN", "", "settings: CHANNEL=wework needs WEWORK_TOKEN; see docs/wework.md"),
        ("WEWORK_TOKEN", "with blank", "WEWORK_TOKEN: must be the robot's Token as 企业微信 shows it"),
        ("WEWORK_AES_KEY", "short", "WEWORK_AES_KEY: must be the 43 letters and digits"),
        ("WEWORK_ROOMS_FILE", "", "settings: CHANNEL=wework needs WEWORK_ROOMS_FILE"),
        ("WEWORK_PORT", "8080", "settings: WEWORK_PORT must be another than WEB_PORT"),
        ("WEWORK_PORT", "0", "WEWORK_PORT = '0':"),
        ("WEWORK_PATH", "wework", "WEWORK_PATH = 'wework': must begin with /"),
        ("WEWORK_PATH", "/{all:path}", "WEWORK_PATH = '/{all:path}': must begin with /"),
        ("WEWORK_PUBLIC_URL", "lingban.example.cn", "WEWORK_PUBLIC_URL = 'lingban.example.cn': must be the callback's"),
    ],
)
def test_a_wrong_setting_is_told_and_no_secret_is_shown(
    environment: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert told in str(refused.value)
    assert AES_KEY not in str(refused.value) and TOKEN not in str(refused.value)


def test_without_the_channel_nothing_of_it_is_needed(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CHANNEL", "wechaty")
    environment.setenv("WEWORK_TOKEN", "")
    assert load_settings().channel == "wechaty"


def test_the_groups_of_one_channel_do_not_wait_for_each_other_and_no_echo_is_waited_for(
    environment: pytest.MonkeyPatch,
) -> None:
    given = load_settings()
    assert given.pace().between.total_seconds() == 0 and given.waits().echo.total_seconds() == 0
    environment.setenv("CHANNEL", "wechaty")
    given = load_settings()
    assert given.pace().between.total_seconds() == 3 and given.waits().echo.total_seconds() == 60


def test_the_composition_root_makes_the_channel_that_is_named(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(Path("groups.csv"), f"{HEAD}庙城镇工作群,wr1,{URL}{KEY}\n")
    before = logging.getLogger().handlers[:]
    try:
        given = load_settings()
        set_up_logs("INFO", secrets=[*given.secrets(), *webhook_keys(given)])
        assert isinstance(make_channel(given, SystemClock()), WeworkChannel)
        with WATCH.planted():
            logging.getLogger("x").warning("told", extra={"reason": f"{URL}{KEY} {TOKEN} {AES_KEY}"})
    finally:
        logging.getLogger().handlers[:] = before
    shown = capsys.readouterr().err
    assert "send?key=*** *** ***" in shown and KEY not in shown
    other = Settings(_env_file=None, channel="wechaty", gateway_endpoint="127.0.0.1:1", gateway_token="t")  # type: ignore[call-arg,arg-type]
    assert isinstance(make_channel(other, SystemClock()), WechatyChannel)


# ---- the list of groups ----------------------------------------------------------------------------------------------


def write(path: Path, text: str, *, encoding: str = "utf-8", mode: int = 0o640) -> Path:
    path.write_text(text, encoding=encoding)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_from_excel_is_read_with_whole_addresses_and_bare_keys(tmp_path: Path, encoding: str) -> None:
    text = f"{HEAD}庙城镇工作群,wrAbc_1,{URL}{KEY}\n\n督查群,,{OTHER}\n"
    assert read_rooms(write(tmp_path / "群.csv", text, encoding=encoding)) == (
        RoomLine("庙城镇工作群", "wrAbc_1", KEY),
        RoomLine("督查群", "", OTHER),
    )


def test_a_workbook_does_as_well_with_its_columns_in_any_order(tmp_path: Path) -> None:
    book = Workbook()
    for row in (["企业微信群清单"], ["机器人地址", "群名", "备注"], [URL + KEY, "庙城镇工作群", "已建"]):
        book.active.append(row)
    book.save(tmp_path / "群.xlsx")
    (tmp_path / "群.xlsx").chmod(0o600)
    assert read_rooms(tmp_path / "群.xlsx") == (RoomLine("庙城镇工作群", "", KEY),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "文件是空的"),
        ("群名,群编号\n庙城镇,wr1\n", "没有表头，第一行请写：群名、群编号、webhook"),
        (HEAD, "一个群也没有"),
        (f"{HEAD},wr1,{KEY}\n", "第2行：没有群名"),
        (f"{HEAD}庙城镇,wr 1,{KEY}\n", "第2行：群编号不对，请在群里@机器人"),
        (f"{HEAD}庙城镇,wr1,\n", "第2行：webhook 不对，请从群的“消息推送”页面复制"),
        (f"{HEAD}庙城镇,wr1,https://example.test/send?key={KEY}\n", "第2行：webhook 不对"),
        (f"{HEAD}甲,wr1,{KEY}\n乙,wr2,{KEY}\n", "甲、乙 用了同一个 webhook"),
        (f"{HEAD}甲,wr1,{KEY}\n甲,wr2,{OTHER}\n", "群名“甲”出现了2次"),
        (f"{HEAD}甲,wr1,{KEY}\n乙,wr1,{OTHER}\n", "群编号“wr1”出现了2次"),
    ],
)
def test_what_is_wrong_in_the_list_is_told_with_its_row_and_no_key_is_shown(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(WeworkRoomsError) as refused:
        read_rooms(write(tmp_path / "群.csv", text))
    assert told in str(refused.value) and KEY not in str(refused.value)


def test_a_list_that_everybody_may_read_or_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "群.csv", f"{HEAD}庙城镇,wr1,{KEY}\n", mode=0o644)
    with pytest.raises(WeworkRoomsError, match="chmod 640"):
        read_rooms(path)
    with pytest.raises(WeworkRoomsError, match="文件不存在"):
        read_rooms(tmp_path / "none.csv")
