"""`python -m bot check`: settings, database, gateway, roster: what is wrong and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from bot.app import wework_channel
from bot.channels.wechaty_link import probe
from bot.channels.wechaty_tls import TlsConfig
from bot.clock import SystemClock
from bot.importers.wework_rooms import WeworkRoomsError, read_rooms
from bot.proposals import in_words, proposals, unit_topics
from bot.reports.fonts import FontMissing, cjk_font
from bot.settings import Settings
from handlers.context import District, load_district
from storage import inbox, meta, people
from storage.enums import InboxState, Opinion, UnitKind
from storage.migrate import SchemaError, require_head
from storage.sessions import reading

BIND = "type 绑定 单位名 in the room as 管理员, or python -m bot rooms bind GROUP UNIT"
SHOWN = 10  # names in one finding
WEWORK_CANNOT = (
    "hears only what @-s the robot; learns userids, no names; calls nobody without a userid; sees no recall; "
    "lists no groups; 20 messages a minute and group; a private chat can only be answered"
)


@dataclass(frozen=True, slots=True)
class Finding:
    ok: bool
    what: str
    todo: str = ""


async def check_all(settings: Settings, engine: Engine) -> list[Finding]:
    """Look at everything that a running bot needs. Changes nothing."""
    found = list(_database(engine))
    if all(each.ok for each in found):
        try:
            with reading(engine) as session:
                found += [*_roster(session, settings), *_quiet(session)]
        except SQLAlchemyError as error:
            found.append(_unreadable(engine, error))
    found += await _wework(settings) if settings.channel == "wework" else [await _gateway(settings)]
    found += [*_keys(settings), _kept_for(settings), _font(settings.digest_font)]
    if settings.llm_base_url:
        found += await _language_model(settings)
    return found


def _quiet(session: Session) -> Iterator[Finding]:
    if quiet := meta.quiet(session):
        what = f"the database was restored (backup of {quiet.backup_at:%Y-%m-%d %H:%M} UTC) and is quiet"
        yield Finding(False, what, "let the bot read the groups, then python -m bot restore --confirm")


def _database(engine: Engine) -> Iterator[Finding]:
    where = engine.url.render_as_string(hide_password=True)
    try:
        require_head(engine)
    except SchemaError as error:
        what, _, todo = str(error).partition("; ")
        yield Finding(False, f"database {where}: {what}", todo)
    except SQLAlchemyError as error:
        yield _unreadable(engine, error)
    else:
        yield Finding(True, f"database {where}")


def _unreadable(engine: Engine, error: SQLAlchemyError) -> Finding:
    where, reason = engine.url.render_as_string(hide_password=True), str(error.__cause__ or error).splitlines()[0]
    return Finding(False, f"database {where}: {reason}", "check DATABASE_URL, the folder's rights and the disk")


def _roster(session: Session, settings: Settings) -> Iterator[Finding]:
    district = load_district(session)
    units = [u for u in district.units if u.active and u.kind in (UnitKind.TOWN, UnitKind.AGENCY)]
    if not units:
        yield Finding(False, "roster: no unit is loaded", "python -m bot init --units DIR")
        return
    yield Finding(True, f"roster: {len(units)} units, {len(district.members)} members")
    for kind in (UnitKind.DISPATCH, UnitKind.SUPERVISION):
        if district.room_of_kind(kind) is None:
            yield Finding(False, f"roster: no {kind.value} with a room", "add it to units.csv and run init again")
    for unit in units:
        if unit.id not in district.room_of_unit:
            yield Finding(False, f"{unit.name} has no room", "put the group's topic into units.csv, column room")
        elif not district.handlers(unit.id):
            yield Finding(False, f"{unit.name} has no 诉求办理员", "add one to members.csv")
    yield from _bindings(session, settings, district)
    if settings.channel == "wework":
        yield from _userids(session)
    parked = inbox.count_in(session, InboxState.PARKED)
    if parked:
        yield Finding(False, f"{parked} messages could not be handled", "python -m bot parked")


def _bindings(session: Session, settings: Settings, district: District) -> Iterator[Finding]:
    """Units whose group is not there, groups that wait for an administrator, groups that are nobody's."""
    seen = [room for room in people.last_listed(session) if room.account == settings.account]
    bound = {room_id for (account, _), room_id in district.bound.items() if account == settings.account}
    missing = [room.topic for room in district.rooms if room.id not in bound]
    if (bound or seen) and missing:
        what = f"{len(missing)} rooms not found in WeChat: {'、'.join(missing)}"
        yield Finding(False, what, "invite the bot, or correct the topic, or python -m bot rooms bind GROUP UNIT")
    known = {channel_id for (account, channel_id) in district.bound if account == settings.account}
    topics, nobodys = unit_topics(session), []
    for room in seen:
        near = in_words(proposals(room.topic, topics))
        if room.channel_room_id in known:
            continue
        if room.held_because and room.held_because != "no unit has this topic":
            yield Finding(False, f"room {room.topic}: {room.held_because}", BIND)
        else:
            nobodys.append(room.topic + (f" (near: {near})" if near else ""))
    if nobodys:
        yield Finding(
            True,
            f"{len(nobodys)} rooms of no unit, not listened to: {'、'.join(nobodys)}",
            f"if it is a unit's: {BIND}",
        )


def gateway_tls(settings: Settings) -> TlsConfig | None:
    """Whom to trust as the gateway; None without TLS."""
    if settings.gateway_tls_ca is None:
        return None
    return TlsConfig(settings.gateway_tls_ca, settings.gateway_tls_name or None)


def _userids(session: Session) -> Iterator[Finding]:
    """Nobody without a userid is known when he speaks, nor called when he is @-ed."""
    known = {contact.member_id for contact in people.contacts(session)}
    missing = [member.name for member in people.members(session) if member.active and member.id not in known]
    if missing:
        what = f"{len(missing)} members have no userid of 企业微信: {'、'.join(missing[:SHOWN])}"
        yield Finding(False, what, "fill the roster's column 企业微信账号 (userid), then reload")


async def _wework(settings: Settings) -> list[Finding]:
    assert settings.wework_rooms_file is not None  # the settings see to it
    try:
        lines = read_rooms(settings.wework_rooms_file)
    except WeworkRoomsError as error:
        return [Finding(False, line, "correct the list of groups") for line in str(error).splitlines()]
    found = [
        Finding(True, f"企业微信: {len(lines)} groups with a webhook"),
        Finding(True, f"企业微信: {WEWORK_CANNOT}"),
    ]
    if deaf := [line.topic for line in lines if not line.chat_id]:
        what = f"{len(deaf)} groups have no 群编号, the bot speaks there and hears nothing: {'、'.join(deaf[:SHOWN])}"
        found.append(Finding(False, what, "@ the robot there, copy the number it answers into WEWORK_ROOMS_FILE"))
    channel = wework_channel(settings, SystemClock())
    wrong = await channel.look()
    await channel.close()
    if wrong:
        found.append(Finding(False, wrong, "check the way out (HTTPS_PROXY), the proxy before WEWORK_PORT, the bot"))
    elif not settings.wework_public_url:
        what = "WEWORK_PUBLIC_URL is empty: nobody notices when 企业微信 cannot reach the callback"
        found.append(Finding(True, what))
    else:
        found.append(Finding(True, f"the callback answers at {settings.wework_public_url}"))
    return found


async def _gateway(settings: Settings) -> Finding:
    if not settings.gateway_endpoint:
        return Finding(False, "gateway: GATEWAY_ENDPOINT is empty", "set it to host:port of the Wechaty gateway")
    wrong = await probe(settings.gateway_endpoint, settings.gateway_token.get_secret_value(), gateway_tls(settings))
    if wrong:
        return Finding(False, f"gateway: {wrong}", "check GATEWAY_ENDPOINT, GATEWAY_TOKEN, GATEWAY_TLS_CA")
    return Finding(True, f"gateway {settings.gateway_endpoint}")


async def _language_model(settings: Settings) -> list[Finding]:
    """One question about an invented sentence. Without an answer the rules read alone, so nothing else is in danger."""
    from bot.language_model import LanguageModel

    name, address = f"language model {settings.llm_model}", settings.llm_base_url
    model = LanguageModel(address, settings.llm_model, settings.llm_api_key.get_secret_value(), SystemClock())
    try:
        answer = await model.ask("路口的路灯不亮了，请派人修一下", ())
        far = await asyncio.to_thread(model.is_far)
    finally:
        await model.close()
    if answer.opinion is Opinion.INVALID:
        what, todo = f"{name}: {answer.reason}", "take a model that keeps to a JSON schema; evaluate --llm counts"
    elif not answer.came:
        what, todo = f"{name}: {answer.reason}", "check LLM_BASE_URL, LLM_MODEL, LLM_API_KEY; the rules read alone"
    else:
        what, todo = f"{name} answers: {answer.opinion.value}, {answer.milliseconds} ms", ""
    found = [Finding(not todo, what, todo)]
    if far:
        what = f"LLM_BASE_URL {address} is no private address: masked texts leave the district"
        found.append(Finding(False, what, "use a model inside the district, or leave LLM_BASE_URL empty"))
    return found


def _keys(settings: Settings) -> Iterator[Finding]:
    for name, secret in (("DATA_KEY", settings.data_key), ("HASH_KEY", settings.hash_key)):
        if not secret.get_secret_value():
            yield Finding(False, f"{name} is empty: phone numbers are not protected at rest", "python -m bot key")


def _kept_for(settings: Settings) -> Finding:
    """Not wrong, but somebody should have decided it."""
    if settings.retention_days is None:
        return Finding(
            True, "personal data is kept for ever: RETENTION_DAYS is empty", "decide how long it is needed, such as 400"
        )
    return Finding(True, f"personal data of settled tickets is kept for {settings.retention_days} days")


def _font(wanted: str) -> Finding:
    try:
        return Finding(True, f"font for the digest's picture: {cjk_font(wanted or None)}")
    except FontMissing as error:
        return Finding(False, str(error).splitlines()[0], "apt-get install fonts-noto-cjk")
