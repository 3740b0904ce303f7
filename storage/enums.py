"""The words the database stores: the field's own, in Chinese. Each member says what it means and who may set it."""

from enum import StrEnum


class UnitKind(StrEnum):
    TOWN = "街乡镇"  # one of the 16 towns and subdistricts; leads what happens on its ground
    AGENCY = "区政府机构"  # one of the 27 agencies; leads what is its subject
    DISPATCH = "派单中心"  # its room is the dispatch room
    SUPERVISION = "督查"  # its room is the supervision room


class Role(StrEnum):
    HEAD = "主要领导"  # of a unit; @-ed at the escalation; may assign
    DEPUTY = "分管领导"  # of a unit; @-ed at the escalation; may assign
    HANDLER = "诉求办理员"  # of a unit; on the duty rota; accepts and resolves
    DISPATCHER = "派单员"  # routes, transfers, reopens, assigns
    SUPERVISOR = "督查员"  # sees overdue; may transfer, reopen, assign
    ADMIN = "管理员"  # binds rooms, settles clashes of names


class MessageType(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    FILE = "file"
    AUDIO = "audio"
    VIDEO = "video"
    LOCATION = "location"  # text is the address
    URL = "url"  # text is the title
    MINI_PROGRAM = "mini_program"
    CHAT_HISTORY = "chat_history"  # text is the forwarded lines
    CONTACT = "contact"
    EMOTICON = "emoticon"
    SYSTEM = "system"  # WeChat's own tips
    NOTE = "note"  # 接龙 and group notes
    RECALL = "recall"  # the sender withdrew `recalls`
    UNKNOWN = "unknown"  # kept, ignored


class Opinion(StrEnum):
    """What a language model said of a message that the rules find doubtful; the last three are no opinion."""

    COMPLAINT = "complaint"
    NOT = "not"
    UNSURE = "unsure"
    INVALID = "invalid"  # an answer in another form than asked for, discarded
    TIMEOUT = "timeout"  # none in time
    FAILED = "failed"  # no connection, a status of error


class Source(StrEnum):
    HOTLINE = "12345"
    CITIZEN = "群众"
    MEDIA = "媒体"
    PATROL = "巡查"
    LEADER = "领导批示"
    OTHER = "其他"


class Urgency(StrEnum):
    NORMAL = "一般"
    URGENT = "紧急"  # danger to life or property; water, power, gas or heat out
    SENSITIVE = "敏感"  # threats, self-harm, group incidents, media, officials accused; goes before 紧急


class TicketStatus(StrEnum):
    WAITING = "待领办"  # the lead unit has not accepted
    ACCEPTED = "已领办"  # a person of the lead unit accepted
    RESOLVED = "已办结"  # the lead unit says it is done
    REOPENED = "重办"  # reopened by a dispatcher, a supervisor or a call-back; waits again
    WITHDRAWN = "已撤销"  # the reporter recalled it before anyone accepted; final
    UNROUTED = "待定单位"  # no unit leads: the dispatcher decides


class AssignmentRole(StrEnum):
    LEAD = "主办"
    HELPER = "协办"  # whistled for, or the same order reported in another unit's room


class AssignmentStatus(StrEnum):
    WAITING = "待领办"
    ACCEPTED = "已领办"
    RESOLVED = "已办结"
    DECLINED = "已退单"  # by the unit; final
    TRANSFERRED = "已转派"  # by a dispatcher or supervisor; final
    WITHDRAWN = "已撤销"  # the complaint was recalled; final


class AssignedBy(StrEnum):
    SELF = "自领"  # the owner accepted
    LEADER = "指派"  # a leader, dispatcher or supervisor named the owner
    SYSTEM = "系统"  # nobody accepted within the window


class EventKind(StrEnum):
    REPORTED = "上报"
    DISPATCHED = "派单"
    REMINDED = "提醒"
    ESCALATED = "升级"
    OVERDUE = "逾期"
    ACCEPTED = "领办"
    ASSIGNED = "指派"
    DECLINED = "退单"
    TRANSFERRED = "转派"
    WHISTLED = "吹哨"
    EXTENDED = "延期"
    RESOLVED = "办结"
    REOPENED = "重办"
    URGED = "催办"
    REPORTED_AGAIN = "再次派发"
    RECALLED = "撤回"  # a message about the ticket was withdrawn in the chat
    WITHDRAWN = "撤销"  # the ticket ends because its complaint was withdrawn in time
    CORRECTED = "更正"
    CALLED_BACK = "回访"


class SayKind(StrEnum):
    """What a message of the bot is for; `kind` of the replay's `sent`."""

    PROMPT = "prompt"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    OVERDUE = "overdue"
    CONFIRMATION = "confirmation"
    QUESTION = "question"
    REFUSAL = "refusal"
    DIGEST = "digest"
    ALERT = "alert"
    NOTICE = "notice"
    REPLY = "reply"


class InboxState(StrEnum):
    NEW = "new"  # stored, not understood yet
    DONE = "done"  # its transaction committed
    PARKED = "parked"  # its handler kept failing; a person must look


class OutboxState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"  # committed before the call; found after a crash it becomes unknown
    SENT = "sent"
    UNKNOWN = "unknown"  # the call's outcome is not known; our own echo decides
    FAILED = "failed"  # refused for good
    DROPPED = "dropped"  # overtaken by a higher step before it could be sent


class Step(StrEnum):
    """A rung of the ladder; its order is the order of the members, `again` last."""

    PROMPT = "prompt"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    OVERDUE = "overdue"
    AGAIN = "again"


class DigestKind(StrEnum):
    DAILY = "日报"
    WEEKLY = "周报"
    MONTHLY = "月报"
    SPECIAL = "专报"  # any window, on demand; stored, never posted by itself


class Satisfaction(StrEnum):
    GOOD = "满意"
    FAIR = "基本满意"
    BAD = "不满意"


class OutageKind(StrEnum):
    OFFLINE = "offline"  # the process ran without WeChat
    DOWN = "down"  # the process itself was dead


class PageRole(StrEnum):
    """What somebody may see and do on the page."""

    SUPERVISION = "督查"
    DISPATCH = "派单"
    UNIT = "单位"  # sees its own unit only
    ADMIN = "管理"  # edits, and names users
