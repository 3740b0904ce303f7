"""Text, picture and Excel of a window, made anew: for a digest that falls due, `digest --from --to`, and the page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock

from sqlmodel import Session

from bot.reports.fonts import FontMissing
from bot.reports.ledger import write as write_ledger
from bot.reports.picture import draw
from handlers import digests
from handlers.digest_windows import DigestSettings, DueWindow
from handlers.policy import BEIJING
from handlers.privacy import mask
from storage.enums import DigestKind

_ONE_PICTURE = Lock()  # matplotlib's fonts are not meant for two threads at once


@dataclass(frozen=True, slots=True)
class Files:
    """`picture` is None where no font has Chinese glyphs; `missing` then says what to do."""

    ledger: Path
    picture: Path | None
    missing: str | None = None


def messages(numbers: digests.Numbers, settings: DigestSettings) -> list[str]:
    """The text of a digest, cut as the settings say."""
    return digests.render_text(
        numbers, limit=settings.text_limit, rank_size=settings.rank_size, top=settings.top_categories
    )


def name(window: DueWindow) -> str:
    """The stem of the files of a window: its kind and last day; both ends of a 专报. Beijing time."""
    start, end = window.start.astimezone(BEIJING), window.end.astimezone(BEIJING)
    if window.kind is DigestKind.SPECIAL:
        return f"{window.kind.value}-{start:%Y%m%dT%H%M%S}-{end:%Y%m%dT%H%M%S}"
    return f"{window.kind.value}-{end:%Y%m%d}"


def write_files(
    session: Session,
    numbers: digests.Numbers,
    window: DueWindow,
    folder: Path,
    settings: DigestSettings,
    *,
    keep_names: Collection[str],
) -> Files:
    """Write picture and Excel of the numbers into the folder; `keep_names` are the roster's, never hidden."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = name(window)
    ledger = folder / f"{stem}.xlsx"
    rows = digests.ledger_rows(session, start=window.start, end=window.end, mask=partial(mask, keep_names=keep_names))
    write_ledger(numbers, rows, ledger)
    picture = folder / f"{stem}.png"
    try:
        with _ONE_PICTURE:
            draw(numbers, picture, font=settings.font)
    except FontMissing as missing:
        return Files(ledger, None, str(missing))
    return Files(ledger, picture)
