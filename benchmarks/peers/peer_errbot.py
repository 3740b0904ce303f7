"""errbot: how many messages of chatter a second it brings past 50 commands.

Run by `python -m benchmarks.peers` in an environment of its own: `python peer_errbot.py FOLDER`; prints JSON. The bot
runs on errbot's own test backend (which wants pytest). Counted: `callback_message` of a message, with 20 commands and 30
regular expressions, none of which fits, beside the plugins that errbot brings. Not counted, because there is none: a
network, a database, recognition.
"""

import json
import logging
import sys
import time
from pathlib import Path

from chatter import chatter
from errbot.backends.test import TestBot

MESSAGES, ROUNDS = 1000, 3
PLUG = "[Core]\nName = Fifty\nModule = fifty\n\n[Python]\nVersion = 3\n"


def plugin() -> str:
    lines = ["from errbot import BotPlugin, botcmd, re_botcmd", "", "", "class Fifty(BotPlugin):"]
    for n in range(20):
        lines += ["    @botcmd", f"    def order_{n}(self, msg, args):", "        return None", ""]
    for n in range(30):
        pattern = f"^第{n}号.*(办结|退单)$"
        lines += [f"    @re_botcmd(pattern={pattern!r}, prefixed=False)", f"    def heard_{n}(self, msg, match):"]
        lines += ["        return None", ""]
    return "\n".join(lines)


def main() -> None:
    folder = Path(sys.argv[1]) / "fifty"
    folder.mkdir(parents=True)
    (folder / "fifty.plug").write_text(PLUG)
    (folder / "fifty.py").write_text(plugin(), encoding="utf-8")
    logging.disable(logging.ERROR)
    test = TestBot(extra_plugin_dir=str(folder), loglevel=logging.ERROR)
    test.start()
    bot = test.bot
    found = [name for name in (*bot.commands, *bot.re_commands) if name.startswith(("order_", "heard_"))]
    rates, costs = [], []
    for _ in range(ROUNDS):
        heard = [bot.build_message(text) for text in chatter(MESSAGES)]
        for number, message in enumerate(heard):
            message.frm = bot.build_identifier(f"resident{number % 500}")
            message.to = bot.bot_identifier
        began, cost = time.perf_counter(), time.process_time()
        for message in heard:
            bot.callback_message(message)
        rates.append(MESSAGES / (time.perf_counter() - began))
        costs.append((time.process_time() - cost) * 1000 / MESSAGES)
    test.stop()
    print(
        json.dumps(
            {
                "commands": len(found),
                "chatter_per_second": round(max(rates)),
                "cpu_ms_per_message": round(min(costs), 3),
            }
        )
    )


if __name__ == "__main__":
    main()
