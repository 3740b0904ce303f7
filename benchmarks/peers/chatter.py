"""The chatter that every peer and ours are given, so that all dispatch the same messages."""

CHATTER = (
    "收到，谢谢各位",
    "下午两点开会，三楼会议室，请准时参加",
    "各村注意森林防火，严禁野外用火",
    "辛苦了",
    "明天我休假，有事找小李",
    "本周共受理诉求52件，按时办结率98%",
    "材料报一下，今天下班前发我邮箱",
    "哈哈",
    "中午食堂吃什么",
    "[强][强]",
    "请各单位学习文件精神，做好落实",
    "今天大风，注意高空坠物",
    "@所有人 填一下接龙",
    "好的",
    "昨天的会议纪要发群里了",
)


def chatter(count: int) -> list[str]:
    return [f"{CHATTER[n % len(CHATTER)]}{'' if n % 3 else f' {n}'}" for n in range(count)]
