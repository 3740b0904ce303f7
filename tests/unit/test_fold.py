"""The readers' text is the message's, character for character."""

from __future__ import annotations

import unicodedata

from handlers.reading.text import fold


def test_widths_digits_dashes_and_blanks_are_folded_and_nothing_moves() -> None:
    written = "电话：１３９　٣٤५６（王某）—–80％，好！？；\u200b完\ufeff"
    assert fold(written) == "电话:139 3456(王某)—-80%,好!?; 完 "


def test_every_character_of_unicode_stays_one_character_and_only_odd_ones_change() -> None:
    every = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    folded = fold(every)
    assert len(folded) == len(every)
    changed = {old: new for old, new in zip(every, folded, strict=True) if old != new}
    assert all(new.isascii() for new in changed.values())
    assert not {char for char in changed if "\u4e00" <= char <= "\u9fff"}
    assert all(changed.get(char) == str(unicodedata.digit(char)) for char in "٠१๙０")
