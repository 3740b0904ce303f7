"""Every sentence that the bot says in the groups. Short, polite, with what to do next. Pure.

Arguments are already masked. `short` is the number in the room where the sentence is said, in an answer the full number
if the room has none. Times are Beijing times, shown as HH:MM. Digest texts live in `handlers/digest_text.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handlers.policy import BEIJING
from storage.enums import Role, Urgency

Number = int | str  # the short number in a room, or a full number
BLANKED = "已按期清除"  # stands for personal data that is older than it may be kept


def called(number: Number) -> str:
    """12号, or 工单20260303-0001 where the room has no number for it."""
    return f"{number}号" if isinstance(number, int) else f"工单{number}"


def clock(at: datetime) -> str:
    return f"{at.astimezone(BEIJING):%H:%M}"


def minutes(seconds: float) -> str:
    """A length of time as people say it: 45秒, 3分钟, 1小时5分钟."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}秒"
    hours, rest = divmod(whole // 60, 60)
    if hours == 0:
        return f"{rest}分钟" if whole % 60 == 0 or rest >= 10 else f"{rest}分{whole % 60}秒"
    return f"{hours}小时{rest}分钟" if rest else f"{hours}小时"


def _mark(urgency: Urgency) -> str:
    return "" if urgency is Urgency.NORMAL else f"【{urgency.value}】"


# ---- the ticket in a room --------------------------------------------------------------------------------------------


def ticket_head(*, short: int, urgency: Urgency, category: str) -> str:
    """How what a unit must know of a ticket begins, in its prompt and wherever that is told later; no other text has it."""
    return f"{short}号 {_mark(urgency)}{category}"


def ticket_lines(
    *,
    short: int,
    urgency: Urgency,
    category: str,
    place: str | None,
    gist: str,
    helper: bool,
    lead: str | None,
    repeat_of: str | None,
    time_limit: str | None,
    note: str | None,
    no: str,
) -> str:
    """What a unit must know of a ticket. A sensitive one never repeats the text."""
    head = ticket_head(short=short, urgency=urgency, category=category)
    lines = [f"{head}｜{place}" if place else head]
    if urgency is Urgency.SENSITIVE:
        lines.append(f"内容不在群内展示，请联系派单员查看，工单{no}")
    else:
        lines.append(gist)
    if helper:
        lines.append(f"{lead}吹哨，请协办" if lead else "请协办")
    if repeat_of:
        lines.append(f"疑似重复反映，前件{repeat_of}")
    if time_limit:
        lines.append(f"办理时限：{time_limit}")
    if note:
        lines.append(note)
    return "\n".join(lines)


def suspected(*, kind: str, unit: str) -> str:
    if kind == "township":
        return f"疑似不属本辖区（{unit}），请先领办，确需调整再退单"
    return f"疑似他单位职责（{unit}），请先领办，确需调整再退单"


def prompt(body: str, *, short: int, due_at: datetime) -> str:
    return f"{body}\n请在{clock(due_at)}前领办，回复“领{short}”"


def late_note(seconds: float) -> str:
    return f"（因中断或消息晚到，迟了{minutes(seconds)}）"


def reminder(*, short: int, place: str | None, waited: float, due_at: datetime) -> str:
    what = f"（{place}）" if place else ""
    return f"{short}号{what}已等{minutes(waited)}，还没人领办，请在{clock(due_at)}前回复“领{short}”"


def escalation(*, short: int, place: str | None, waited: float, due_at: datetime) -> str:
    what = f"（{place}）" if place else ""
    return f"{short}号{what}已等{minutes(waited)}无人领办，请领导安排，{clock(due_at)}到时限。回复“领{short}”或“{short} @某人 去办”"


def overdue(*, short: int, place: str | None, waited: float, window: float, owner: str | None) -> str:
    """`waited` and `window` in seconds; within a minute of the due time the window is named, later the wait."""
    what = f"（{place}）" if place else ""
    who = (
        f"已由系统指派{owner}承办，请本人回复“领{short}”"
        if owner
        else f"本单位暂无可指派人员，请领导安排，回复“领{short}”"
    )
    return (
        f"{short}号{what}超过{minutes(window)}未领办，{who}"
        if waited < window + 60
        else (f"{short}号{what}已等{minutes(waited)}，超时未领办，{who}")
    )


def overdue_again(*, short: int, place: str | None, waited: float, owner: str | None) -> str:
    what = f"（{place}）" if place else ""
    who = f"{owner}请尽快领办" if owner else "请领导尽快安排"
    return f"{short}号{what}已等{minutes(waited)}，仍未领办，{who}，回复“领{short}”"


def overdue_report(*, unit: str, no: str, urgency: Urgency, category: str, waited: float, owner: str | None) -> str:
    who = f"已系统指派{owner}" if owner else "单位无可指派人员"
    return f"【超时】{_mark(urgency)}{unit} 工单{no}（{category}）{minutes(waited)}未领办，{who}"


def alert(*, unit: str, no: str, urgency: Urgency, category: str, place: str | None, gist: str) -> str:
    """The early warning in the supervision room; a sensitive one never repeats the text."""
    where = f"｜{place}" if place else ""
    head = f"{_mark(urgency)}{unit}｜{category}{where}｜工单{no}"
    return head if urgency is Urgency.SENSITIVE else f"{head}\n{gist}"


# ---- accepting -------------------------------------------------------------------------------------------------------


def accepted(*, short: int, member: str, seconds: int, on_time: bool) -> str:
    late = "" if on_time else "，已超时"
    return f"{short}号由{member}领办，用时{minutes(seconds)}{late}"


def accepted_corrected(*, short: int, member: str, at: datetime) -> str:
    return f"更正：{member}{clock(at)}已领办{short}号，在时限内，按时记录"


def correction_report(*, unit: str, no: str, member: str, at: datetime) -> str:
    return f"更正：{unit} 工单{no}由{member}{clock(at)}领办，消息晚到，按时限内记录"


def earlier_acceptance(*, short: int, member: str, at: datetime, instead_of: str) -> str:
    return f"更正：{member}{clock(at)}先领办{short}号，承办人由{instead_of}改为{member}"


def already_taken(*, short: Number, owner: str, at: datetime | None) -> str:
    when = f"{clock(at)}" if at else ""
    return f"{called(short)}{when}已由{owner}领办"


def already_yours(*, short: Number) -> str:
    return f"{called(short)}已经是您在办"


def already_closed(*, short: Number, status: str) -> str:
    return f"{called(short)}{status}，无需再领"


def not_open(*, short: Number, status: str) -> str:
    return f"{called(short)}{status}，没有再登记"


def assigned(*, short: int, member: str, by: str) -> str:
    return f"{short}号由{by}指派{member}承办"


def undone(*, short: int, member: str, due_at: datetime | None, owner: str | None) -> str:
    """`due_at` is None once the time is over; `owner` is then the one whom the system named."""
    if due_at is not None:
        return f"{member}撤回了领办，{short}号恢复待领办，时限仍为{clock(due_at)}，请回复“领{short}”"
    who = f"由系统指派{owner}承办，请本人回复“领{short}”" if owner else f"请领导安排，回复“领{short}”"
    return f"{member}撤回了领办，{short}号恢复待领办，已超时，{who}"


def which_one(numbers: Sequence[Number], verb: str) -> str:
    shown = "、".join(str(n) for n in numbers[:8]) + ("等" if len(numbers) > 8 else "")
    return f"有{len(numbers)}件（{shown}号），您指哪一件？请回复“{verb}{numbers[0]}”这样带号的"


def is_it_this(short: Number, verb: str) -> str:
    return f"您说的是{called(short)}吗？是的话请回复“{verb}{short}”加结果"


def no_such_number(short: int) -> str:
    return f"本群没有{short}号，回复“待办”看现有编号"


# ---- who may ---------------------------------------------------------------------------------------------------------


def only_unit(unit: str) -> str:
    return f"这件由{unit}承办，请该单位人员回复"


def only_leaders() -> str:
    return "指派请由本单位领导、派单员或督查员操作"


def only_dispatch() -> str:
    return "转派、重办请由派单员或督查员操作；本单位可回复“退 编号 原因”"


def only_those_who_urge() -> str:
    return "催办请由派单员、督查员或承办单位领导操作"


def only_admin() -> str:
    return "绑定群请由管理员操作"


def only_leader_duty() -> str:
    return "调整值班请由本单位领导操作"


def unknown_sender(name: str) -> str:
    return f"花名册里认不出“{name}”，请把群昵称改成“单位-姓名”，或请管理员登记"


def ambiguous_sender(name: str) -> str:
    return f"花名册里有多人与“{name}”相符，请把群昵称改成“单位-姓名”"


def held_contact(name: str) -> str:
    return f"“{name}”的微信号登记在花名册另一人名下，请管理员核对后再回复"


def not_in_unit(member: str, unit: str) -> str:
    return f"{unit}花名册里没有{member}，请核对姓名"


def name_the_member() -> str:
    return "指派给谁？请回复“编号 @姓名 去办”"


# ---- passing on ------------------------------------------------------------------------------------------------------


def reason_needed(short: Number) -> str:
    return f"退单请写原因，例如“退{short} 不在我单位职责范围”"


def result_needed(short: Number) -> str:
    return f"办结请写结果，例如“办结{short} 已清运，已回复诉求人”"


def units_needed(short: Number, verb: str) -> str:
    return f"{verb}给哪个单位？请回复“{verb}{short} 单位名”"


def date_needed(short: Number) -> str:
    return f"延到哪天？请回复“延期{short} 到3月5日 原因”"


def declined(*, short: Number) -> str:
    return f"{called(short)}已退回派单中心，等派单员定单位"


def handed_back(*, short: int, unit: str, no: str, body: str, reason: str, proposal: str | None, times: int) -> str:
    """Told in the dispatch room; `body` is already without the text if the ticket is sensitive."""
    again = f"（第{times}次退单）" if times > 1 else ""
    wish = f"，建议转{proposal}，同意请回复“{short} 同意”" if proposal else ""
    return f"{unit}退单{again}：{reason}{wish}\n{body}\n请回复“{short} 转 单位”或“{short} 维持”"


def helper_declined(*, unit: str, no: str, reason: str) -> str:
    return f"{unit}退回协办工单{no}：{reason}"


def many_declines(*, no: str, times: int, units: Sequence[str]) -> str:
    return f"工单{no}已被退{times}次（{'、'.join(units)}），请督查定单位"


def transferred(*, short: Number, unit: str, window: float) -> str:
    return f"{called(short)}已转{unit}，新时限{minutes(window)}"


def taken_away(*, short: int, unit: str) -> str:
    return f"{short}号已转{unit}，本单位不再承办"


def kept(*, short: Number, unit: str, window: float) -> str:
    return f"{called(short)}维持{unit}承办，新时限{minutes(window)}"


def same_unit(unit: str) -> str:
    return f"现在就由{unit}承办，无需转派"


def nothing_to_decide(short: Number) -> str:
    return f"{called(short)}没有待定单位，无需处理"


def no_proposal(short: Number) -> str:
    return f"{called(short)}退单时没有建议单位，请回复“{short} 转 单位”"


def whistled(*, short: Number, units: Sequence[str], window: float) -> str:
    return f"{called(short)}已吹哨{'、'.join(units)}，各自{minutes(window)}内报到"


def only_lead_whistles() -> str:
    return "吹哨请由主办单位发起"


def already_whistled(units: Sequence[str]) -> str:
    return f"{'、'.join(units)}已在协办"


def ask_unit(*, short: int, body: str, options: Sequence[str]) -> str:
    hint = f"可选{'、'.join(options)}，" if options else ""
    return f"{body}\n定不了承办单位，{hint}请回复“{short} 转 单位”"


def no_room(*, unit: str, no: str) -> str:
    return f"{unit}没有绑定的群，工单{no}无法提醒，请管理员绑定"


# ---- finishing -------------------------------------------------------------------------------------------------------


def resolved(*, short: Number, member: str) -> str:
    return f"{called(short)}已办结，{member}辛苦了"


def extended(*, short: Number, until: str) -> str:
    return f"{called(short)}延期到{until}，已登记"


def reopened(*, short: int, reason: str) -> str:
    return f"{short}号重办：{reason}" if reason else f"{short}号重办"


def not_resolved_yet(short: Number) -> str:
    return f"{called(short)}还没办结，无需重办"


def urged(*, short: int, by: Role, times: int) -> str:
    return f"{short}号{by.value}催办（第{times}次），请尽快回复进展"


def urged_there(*, short: Number, unit: str, owner: str | None, times: int) -> str:
    return f"{called(short)}已催{unit}{owner or ''}（第{times}次）"


def assigned_there(*, short: Number, unit: str, member: str) -> str:
    return f"{called(short)}已指派{unit}{member}承办"


def reopened_there(*, short: Number, unit: str, window: float) -> str:
    return f"{called(short)}已重办，{unit}新时限{minutes(window)}"


def withdrawn(*, short: int) -> str:
    return f"{short}号发布人已撤回，无需领办"


def withdrawn_unrouted(*, short: int) -> str:
    return f"{short}号发布人已撤回，无需定单位"


def voice_needs_text() -> str:
    return "语音已收到，请补一句文字说明地点和问题，方便登记"


def file_missing() -> str:
    return "文件未取到"


# ---- questions -------------------------------------------------------------------------------------------------------


def help_text(role: Role | None) -> str:
    """Short, by role; what the person can type next."""
    common = "待办｜我的｜查12｜帮助"
    if role in (Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN):
        return f"12 转 水务局｜12 维持｜12 同意｜催12｜重办12 原因｜日报\n{common}"
    lines = "领12 接单｜退12 原因｜办结12 结果｜吹哨12 单位 事由｜延期12 到3月5日 原因"
    if role in (Role.HEAD, Role.DEPUTY):
        lines += "\n12 @姓名 去办｜今晚某某值班"
    return f"{lines}\n{common}"


def nothing_waiting() -> str:
    return "现在没有待办"


def todo_line(
    *, short: int, no: str, unit: str | None, urgency: Urgency, category: str, place: str | None, state: str
) -> str:
    """`short` is 0 in a room that knows the ticket by no number; `unit` is named where several units are listed."""
    head = f"{short}号" if short else f"工单{no}"
    parts = [f"{head} {_mark(urgency)}{category}", unit, place, state]
    return "｜".join(part for part in parts if part)


def todo_waiting(due_at: datetime, now: datetime) -> str:
    left = (due_at - now).total_seconds()
    return f"待领办，剩{minutes(left)}" if left >= 0 else f"待领办，已超{minutes(-left)}"


def todo_owned(owner: str) -> str:
    return f"{owner}在办"


def and_more(count: int, page_url: str) -> str:
    link = f"，详见 {page_url}" if page_url else ""
    return f"另有{count}件{link}"


def status_line(*, no: str, short: int, status: str, unit: str, owner: str | None, seconds: int | None) -> str:
    number = f"{short}号 " if short else ""
    who = f"，{owner}承办" if owner else ""
    took = f"，用时{minutes(seconds)}领办" if seconds is not None else ""
    return f"{number}工单{no} {status}｜{unit}{who}{took}"


def no_such_ticket(number: str) -> str:
    return f"没有查到{number}，请核对编号"


def no_digest_yet() -> str:
    return "还没有日报，每天12:05发到督查群"


# ---- the order's own limit -------------------------------------------------------------------------------------------


def limit_near(*, short: int, owner: str | None, limit_at: datetime) -> str:
    who = f"{owner}请" if owner else "请"
    return f"{short}号办理时限{limit_at.astimezone(BEIJING):%m月%d日%H:%M}，{who}按时办结并回复“办结{short} 结果”"


# ---- duty and rooms --------------------------------------------------------------------------------------------------


def duty_set(*, member: str, when: str) -> str:
    return f"已登记：{when}由{member}值班"


def chat_not_listed(chat_id: str) -> str:
    return f"本群还没登记，说的话不会成为工单。请把群编号“{chat_id}”告诉管理员，填进群清单后重启"


def room_bound(unit: str) -> str:
    return f"本群已绑定{unit}"


def unit_unknown(name: str) -> str:
    return f"没有“{name}”这个单位，请核对全称"


# ---- trouble ---------------------------------------------------------------------------------------------------------


def parked(count: int) -> str:
    return f"有{count}条消息机器人没能处理，已存下，请管理员查看"


def step_parked(*, no: str, unit: str, step: str) -> str:
    return f"{unit}工单{no}的{step}机器人没能发出，请人工催办，并请管理员查看日志"


def limit_parked(no: str) -> str:
    return f"工单{no}的办理时限提醒机器人没能发出，请人工提醒，并请管理员查看日志"


def digest_failed(kind: str) -> str:
    return f"{kind}机器人没能做出，每小时再试，请管理员查看日志"


def orders_refused(name: str) -> str:
    return f"热线表格“{name}”读不出来，没有导入，已移到failed文件夹，请管理员查看旁边的报告"


def orders_lost(name: str, rows: int) -> str:
    return f"热线表格“{name}”有{rows}行工单没能导入，其余已派，请管理员查看done文件夹里的报告"


def digest_lost() -> str:
    return "有一份日报可能没有送达，机器人不自动重发；请在本群核对，需要时回“日报”"


def was_failing(*, since: datetime, until: datetime) -> str:
    return f"机器人{clock(since)}至{clock(until)}写不进数据库，现已恢复，漏下的提醒已补上，请管理员查看日志"


def silent_gateway(minutes_silent: int) -> str:
    return f"微信网关已{minutes_silent}分钟没有任何消息，请管理员检查连接"


def content_lost(now: datetime) -> str:
    return f"{clock(now)}有微信消息没取到内容，机器人看不到，请各群看看有没有漏掉的诉求，漏了请再发一次"


def heading_alone(heading: str) -> str:
    return f"只收到“{heading}”，后面的内容没收到，请把全文再发一次"


def room_refuses(topic: str) -> str:
    return f"“{topic}”发不进消息，机器人可能已不在群里，请管理员查看，修好前请另行通知"


def held_back() -> str:
    return "微信提示操作过于频繁，机器人暂停发言10分钟，没发出去的之后补发，请管理员查看账号"


def logged_out(minutes_away: int) -> str:
    return f"机器人的微信账号已退出登录{minutes_away}分钟，群里说的收不到，请管理员尽快扫码登录"


def restored(*, backup_at: datetime, now: datetime) -> str:
    since, until = (f"{at.astimezone(BEIJING):%m月%d日%H:%M}" for at in (backup_at, now))
    return f"机器人已用{since}的备份恢复，此后至{until}的记录可能不全，这段时间的日报不补发，请管理员核对"


def backup_failed() -> str:
    return "机器人的每日备份没有做成，请管理员查看日志"
