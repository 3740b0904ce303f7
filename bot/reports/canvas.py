"""A page in pixels: rectangles and lines of text are collected, then drawn in one go.

One collection for all rectangles, one text artist per line, no axes with ticks: a full page takes half a second.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

DPI = 100
_POINT = 72 / DPI  # points in a pixel


class Canvas:
    """Pixel coordinates from the top left corner."""

    def __init__(self, width: int, height: int, family: str, background: str) -> None:
        self.width, self.height, self.family, self.background = width, height, family, background
        self._corners: list[Any] = []  # four (x, y) each
        self._colours: list[str] = []
        self._artists: list[Text | Line2D] = []

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        self._corners.append([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
        self._colours.append(colour)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float,
        colour: str,
        *,
        align: Literal["left", "center", "right"] = "left",
        bold: bool = False,
    ) -> None:
        """One line; `y` is its middle, `size` the height of a Chinese character in pixels."""
        self._artists.append(
            Text(
                x,
                y,
                words,
                color=colour,
                fontsize=size * _POINT,
                fontfamily=self.family,
                fontweight="bold" if bold else "normal",
                horizontalalignment=align,
                verticalalignment="center_baseline",
                parse_math=False,
            )
        )

    def line(self, xs: list[float], ys: list[float], colour: str, width: float, *, dots: bool = False) -> None:
        marker = {"marker": "o", "markersize": 3 * width * _POINT} if dots else {}
        self._artists.append(Line2D(xs, ys, color=colour, linewidth=width * _POINT, **marker))  # type: ignore[arg-type]

    def save(self, path: Path) -> None:
        """Write a PNG; the same page gives the same bytes."""
        figure = Figure(figsize=(self.width / DPI, self.height / DPI), dpi=DPI, facecolor=self.background)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, self.width), ylim=(self.height, 0))
        axes.set_axis_off()
        axes.add_collection(
            PolyCollection(self._corners, facecolors=self._colours, edgecolors="none", antialiased=False),
            autolim=False,
        )
        for artist in self._artists:  # the figure's, not the axes': nothing to clip
            artist.set_transform(axes.transData)
            figure.add_artist(artist, clip=False)
        figure.savefig(path, format="png", metadata={"Software": None})
