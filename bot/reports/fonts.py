"""Find a font that has Chinese glyphs, on the machine or in a package."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from matplotlib import font_manager

# In the order of preference; the first that the machine has is taken.
FAMILIES = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "思源黑体"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Sarasa Gothic SC", "Microsoft YaHei", "PingFang SC"),
    *("Heiti SC", "SimHei", "Hiragino Sans GB", "Droid Sans Fallback", "Noto Serif CJK SC", "SimSun"),
)
PACKAGES = (("pylopdf_fonts_zh_cn", "NotoSansSC-Regular.otf"),)  # PyPI packages that bring an OFL font
_FILE_WORDS = ("notosanscjk", "notosanssc", "sourcehansans", "wqy", "simhei", "msyh", "pingfang")


class FontMissing(RuntimeError):
    """No font with Chinese glyphs; the caller sends text and Excel without the picture."""

    def __init__(self, wanted: str | None = None) -> None:
        lacks = (
            f"the font {wanted!r} of DIGEST_FONT cannot be used" if wanted else "no font with Chinese glyphs was found"
        )
        super().__init__(
            f"{lacks}, so the digest has no picture; install one with `apt-get install fonts-noto-cjk` or"
            " `pip install pylopdf-fonts-zh-cn`, or name a font file in DIGEST_FONT"
        )


def cjk_font(wanted: str | None = None) -> str:
    """Return the family name of a font with Chinese glyphs: `wanted` (a file or a family), else the first known one.

    Raises FontMissing.
    """
    if wanted:
        if Path(wanted).is_file():
            try:
                return _add(Path(wanted))
            except (RuntimeError, OSError):  # what FreeType says of a file that is no font
                raise FontMissing(wanted) from None
        return _known([wanted]) or _raise(wanted)
    return _known(FAMILIES) or _from_packages() or _installed_lately() or _raise()


def _known(families: Iterable[str]) -> str | None:
    have = {entry.name for entry in font_manager.fontManager.ttflist if Path(entry.fname).exists()}
    return next((family for family in families if family in have), None)


def _from_packages() -> str | None:
    for package, name in PACKAGES:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            if (Path(folder) / name).is_file():
                return _add(Path(folder) / name)
    return None


def _installed_lately() -> str | None:
    """Look at the disk: matplotlib's list is a file that does not see a font installed after it was written."""
    for path in sorted(font_manager.findSystemFonts()):
        if any(word in Path(path).name.lower().replace("-", "") for word in _FILE_WORDS):
            font_manager.fontManager.addfont(path)
    return _known(FAMILIES)


def _add(path: Path) -> str:
    font_manager.fontManager.addfont(str(path))
    return str(next(e.name for e in reversed(font_manager.fontManager.ttflist) if Path(e.fname) == path))


def _raise(wanted: str | None = None) -> str:
    raise FontMissing(wanted)
