"""How fast a message is read, and how it fares on the corpus: `python -m benchmarks.reading [--data DIR] [--json FILE]`.

Times are of the full reading (`complaints.read`) in one thread, the automaton and the model already built: chat lines of the
corpus, and texts of 5,000 characters. The corpus lines are read as said in a unit's room by one of its handlers; of the
complaints the title, and the first sentence, are read.
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from benchmarks.reading_data import SHARED, first_sentence, load_district
from handlers.reading.complaints import read
from handlers.reading.views import MessageView
from storage.enums import Role, UnitKind


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED, help="folder with huairou/ and corpus/")
    parser.add_argument("--lines", type=int, default=21_000, help="of chatter, at most")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--show", type=int, default=10, help="how many misses to print")
    options = parser.parse_args()
    gazetteer = load_district(options.data / "huairou").gazetteer

    def view(text: str) -> MessageView:
        return MessageView(
            text=text, room_kind=UnitKind.TOWN, room_unit="泉河街道", sender_unit="泉河街道", sender_role=Role.HANDLER
        )

    def rows(name: str) -> list[dict[str, str]]:
        path = options.data / "corpus" / name
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]

    chatter = [row["text"] for row in rows("chatter.jsonl")][: options.lines]
    told = rows("complaints.jsonl")
    read(view("口头村路灯坏了"), gazetteer)
    seconds, alarms = [], []
    for text in chatter:
        began = perf_counter()
        reading = read(view(text), gazetteer)
        seconds.append(perf_counter() - began)
        if reading.complaints:
            alarms.append(text)
    long = [("".join(chatter[start : start + 400]) * 3)[:5000] for start in range(0, 4000, 400)]
    lengthy = []
    for text in long:
        began = perf_counter()
        read(view(text), gazetteer)
        lengthy.append(perf_counter() - began)
    titles = [row["title"] for row in told if row.get("title")]
    sentences = [first_sentence(row["text"]) for row in told if row.get("text")]

    def heard(texts: list[str]) -> float:
        return sum(bool(read(view(text), gazetteer).complaints) for text in texts) / len(texts)

    figures = {
        "machine": f"{platform.machine()} Python {platform.python_version()}",
        "counted": "complaints.read of one message, one thread",
        "chat_line_median_us": round(median(seconds) * 1e6),
        "chat_line_p99_us": round(quantiles(seconds, n=100)[98] * 1e6),
        "characters_5000_median_ms": round(median(lengthy) * 1e3, 2),
        "chatter_lines": len(chatter),
        "false_alarms": len(alarms),
        "titles_heard": round(heard(titles), 4),
        "first_sentences_heard": round(heard(sentences), 4),
    }
    print(json.dumps(figures, ensure_ascii=False, indent=1))
    for text in alarms[: options.show]:
        print("false alarm:", text[:80])
    if options.json:
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
