"""The picture: its size, its bytes, its words, and what happens without a font."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from matplotlib import font_manager
from PIL import Image

from bot.reports import fonts
from bot.reports.fonts import FontMissing, cjk_font
from bot.reports.picture import draw
from storage.enums import Urgency
from tests.digests.build import District, at, daily
from tests.digests.test_numbers import digest_noon_units


def has_font() -> bool:
    try:
        cjk_font()
    except FontMissing:
        return False
    return True


needs_font = pytest.mark.skipif(not has_font(), reason="no CJK font on this machine")


@pytest.fixture
def numbers(district: District) -> dict[str, Any]:
    digest_noon_units(district)
    district.duty("怀柔镇", "2026-04-22 10:00:00", urgency=Urgency.URGENT)
    return daily(district, at("2026-04-22 12:00:00"), baseline_seconds=4800)


@needs_font
def test_it_is_1080_wide_tall_enough_and_the_same_every_time(numbers: dict[str, Any], tmp_path: Path) -> None:
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    draw(numbers, first)
    draw(json.loads(json.dumps(numbers)), second)
    with Image.open(first) as image:
        assert image.size[0] == 1080 and 1500 < image.size[1] < 4000
        assert image.format == "PNG"
    assert first.read_bytes() == second.read_bytes()


@needs_font
def test_no_glyph_is_missing_and_markup_is_no_formula(numbers: dict[str, Any], tmp_path: Path) -> None:
    """A missing glyph is a warning, and warnings are errors; `$` must not start mathematics."""
    numbers["units"][0]["unit"] = "泉$_河^$街道 ×÷—…！？"
    draw(numbers, tmp_path / "a.png")


@needs_font
def test_an_empty_window_and_odd_numbers_are_drawn(district: District, tmp_path: Path) -> None:
    numbers = daily(district)
    draw(numbers, tmp_path / "empty.png")
    numbers["totals"] |= {"mean_seconds": 999_999.0, "on_time_rate": 0.0, "dispatched": 1_000_000}
    numbers["trend"] = []
    numbers["kind"] = "专报"
    draw(numbers, tmp_path / "odd.png")


@needs_font
def test_the_rows_are_coloured_by_rate(numbers: dict[str, Any], tmp_path: Path) -> None:
    draw(numbers, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(1_000_000) or []}
    for rgb in ((0xC9, 0xEA, 0xD3), (0xF9, 0xC9, 0xC4), (0xF4, 0xF6, 0xF8)):  # all, none, nothing answerable
        assert rgb in colours


def test_without_a_font_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fonts, "FAMILIES", ("No Such Family",))
    monkeypatch.setattr(fonts, "PACKAGES", (("no_such_package", "x.otf"),))
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])
    with pytest.raises(FontMissing, match="apt-get install fonts-noto-cjk"):
        cjk_font()
    with pytest.raises(FontMissing):
        cjk_font("No Such Family")


def test_a_font_file_of_the_settings_is_used() -> None:
    """Any font file will do here: matplotlib brings one."""
    path = font_manager.findfont("DejaVu Sans")
    assert cjk_font(str(path)) == "DejaVu Sans"
    assert cjk_font("DejaVu Sans") == "DejaVu Sans"


def test_a_file_that_is_no_font_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "字.ttf").write_bytes(b"no font")
    with pytest.raises(FontMissing, match="字.ttf' of DIGEST_FONT"):
        cjk_font(str(tmp_path / "字.ttf"))


def test_a_font_of_a_package_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "brings_font"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    (package / "F.ttf").write_bytes(Path(font_manager.findfont("DejaVu Serif")).read_bytes())
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(fonts, "FAMILIES", ("No Such Family",))
    monkeypatch.setattr(fonts, "PACKAGES", (("brings_font", "F.ttf"),))
    assert cjk_font() == "DejaVu Serif"
