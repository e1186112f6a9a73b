"""Charts as inline SVG: drawn by matplotlib, and made fit to stand in one page with others.

Values in, markup out; the same values give the same markup. Nothing is said by colour alone, and all numbers that
are drawn are written beside what they belong to. Words become outlines, so `alt` says what a chart shows.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup

from autograder.report.overview import Bin

__all__ = ["Interval", "Line", "Share", "histogram", "intervals", "shares"]

FILL, INK, SOFT = "#b8cbe0", "#1d2430", "#5a6473"
"""Colours of bars, of lines and words, and of what is of less weight; light, black and dark when printed in grey."""

PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
"""Behind numbers, where they may cross a line."""

WIDTH_IN = 8.0
"""Of every chart. The page stretches it to the width that is there."""

SETTINGS = {
    "font.size": 9,
    "hatch.linewidth": 0.7,
    "hatch.color": SOFT,
    "svg.fonttype": "path",
    "text.parse_math": False,
}
"""Over matplotlib's own defaults, whatever the user's matplotlibrc says. A title may hold a dollar sign."""

TITLE_LETTERS = 38
"""In a line of a question's title beside its bar; there are two lines."""

DRAWN_BELOW = 0x250
"""Characters below this code point (Latin, with all its accents) are surely in matplotlib's font."""

MOST_TICKS = 12
"""Along the axis of a histogram."""

BESIDE = 8
"""Letters of a line's words that may stand to the left or right of all bars."""

LETTER_PT = 5.4
"""About the width of a letter of 9 points."""


@dataclass(frozen=True)
class Line:
    """A value that is drawn across a histogram, with what it means."""

    at: float
    text: str
    dashed: bool = False


@dataclass(frozen=True)
class Share:
    """One bar: a share of 0 to 1, None where there is none, and the number of values it comes from."""

    name: str
    title: str
    share: float | None
    count: int
    hatched: bool = False


@dataclass(frozen=True)
class Interval:
    """A value and the interval around it, all from -1 to 1, or None; `text` says the same, or why there is none."""

    name: str
    within: tuple[float, float, float] | None
    text: str


def histogram(
    name: str, bins: Sequence[Bin], below: int, *, lines: Sequence[Line] = (), what: str, unit: str = "", alt: str
) -> Markup:
    """Bars for the bins, a hatched one apart on the left for what is below them all, and lines with their words.

    `name` is different for each chart of a page; `what` and `unit` are the words along the axis.
    """
    from matplotlib.figure import Figure  # here, because it takes a second

    with _settings():
        figure = Figure(figsize=(WIDTH_IN, 3.1), layout="constrained")
        axes: Any = figure.add_subplot()
        _draw_bins(axes, bins, below, unit)
        _draw_lines(axes, lines)
        axes.set_xlabel(what)
        axes.set_ylabel("submissions")
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)
        return _inline(figure, name, alt)


def shares(name: str, rows: Sequence[Share], *, alt: str) -> Markup:
    """One bar a row, from 0 to 100 %, its share and number beside it."""
    from matplotlib.figure import Figure

    with _settings():
        figure = Figure(figsize=(WIDTH_IN, 0.62 + 0.38 * len(rows)), layout="constrained")
        axes: Any = figure.add_subplot()
        for place, row in enumerate(rows):
            axes.barh(place, 100, 0.62, facecolor="white", edgecolor=SOFT, linewidth=0.7)
            if row.share is not None:
                hatch = "////" if row.hatched else None
                axes.barh(place, 100 * row.share, 0.62, facecolor=FILL, edgecolor=INK, linewidth=0.7, hatch=hatch)
            words = f"{_percent(row.share)}  (n = {row.count:,})" if row.share is not None else "no points yet"
            axes.annotate(words, (100, place), xytext=(5, 0), textcoords="offset points", va="center", color=INK)
        _draw_rows(axes, [_titled(row.name, row.title) for row in rows])
        axes.set_xlim(0, 100)
        axes.set_xlabel("mean share of the points, in percent")
        axes.spines[["top", "right", "left"]].set_visible(False)
        return _inline(figure, name, alt)


def intervals(name: str, rows: Sequence[Interval], *, what: str, alt: str) -> Markup:
    """A dot and a line a row, from below 0 (where needed) to 1, its numbers beside it."""
    from matplotlib.figure import Figure

    with _settings():
        figure = Figure(figsize=(WIDTH_IN, 0.75 + 0.34 * len(rows)), layout="constrained")
        axes: Any = figure.add_subplot()
        for place, row in enumerate(rows):
            if row.within is not None:
                low, value, high = row.within
                look = {"color": INK, "linewidth": 1.6, "clip_on": False}
                axes.plot([low, high], [place, place], marker="|", markersize=9, **look)
                axes.plot([value], [place], marker="o", markersize=6, **look)
            axes.annotate(row.text, (1, place), xytext=(10, 0), textcoords="offset points", va="center", color=INK)
        _draw_rows(axes, [row.name for row in rows])
        axes.axvline(0, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_xlim(min(0.0, *(min(row.within) for row in rows if row.within)) - 0.03, 1)
        axes.set_xlabel(what)
        axes.spines[["top", "right", "left"]].set_visible(False)
        return _inline(figure, name, alt)


def _settings() -> Any:
    from matplotlib import style

    return style.context(["default", SETTINGS])


def _draw_bins(axes: Any, bins: Sequence[Bin], below: int, unit: str) -> None:
    width = bins[0].high - bins[0].low
    bars: list[tuple[float, float, int, str | None]] = [
        (each.low, each.high - each.low, each.count, None) for each in bins
    ]
    start, end = bins[0].low, bins[-1].high
    ticks = _ticks(bins)
    labels = [f"{tick:g}{unit}" for tick in ticks]
    if below:
        bars.append((start - 2.2 * width, 1.4 * width, below, "////"))
        ticks.insert(0, start - 1.5 * width)
        labels.insert(0, f"below\n{start:g}{unit}")
        labels[1] = ""
        start -= 2.6 * width
    for left, wide, count, hatch in bars:
        if count:
            axes.bar(left, count, wide, align="edge", facecolor=FILL, edgecolor=INK, linewidth=0.7, hatch=hatch)
            place = (left + wide / 2, count)
            words = {"ha": "center", "fontsize": 8, "color": INK, "bbox": PAPER, "zorder": 5}
            axes.annotate(f"{count:,}", place, (0, 3), textcoords="offset points", **words)
    axes.set_xlim(start, end)
    axes.set_ylim(0, 1.12 * max(1, *(count for _, _, count, _ in bars)))
    axes.set_xticks(ticks, labels)


def _ticks(bins: Sequence[Bin]) -> list[float]:
    """Edges of bins at round numbers, not more than fit, and always the last."""
    width = bins[0].high - bins[0].low
    end = bins[-1].high
    step = next(times * width for times in (1, 2, 5, 10, 20, 50) if len(bins) / times <= MOST_TICKS)
    edges = (each.low for each in bins if round(each.low / step, 6).is_integer())
    return [*(edge for edge in edges if end - edge > 0.7 * step), end]


def _draw_lines(axes: Any, lines: Sequence[Line]) -> None:
    """Each from the axis up to its words, which stand above all bars, and where no other line runs."""
    across = axes.get_xaxis_transform()
    for line, place in _placed(lines, *axes.get_xlim()):
        foot = 1.04 + 0.09 * place.row
        top = foot if place.centred else foot + 0.075
        style: Any = (0, (4, 2)) if line.dashed else "solid"
        axes.plot([line.at] * 2, [0, top], transform=across, color=INK, linewidth=1.3, linestyle=style, clip_on=False)
        middle = (place.left + place.right) / 2
        axes.text(middle, foot + 0.015, line.text, transform=across, ha="center", va="bottom", color=INK)


@dataclass(frozen=True)
class _Place:
    """Of a line's words: `row` 0 is the lowest. Words that are not centred stand beside their line."""

    left: float
    right: float
    row: int
    centred: bool


def _placed(lines: Sequence[Line], low: float, high: float) -> list[tuple[Line, _Place]]:
    """Words in the lowest row, over or beside their line, where no other line or words are; else in a row above."""
    gap = LETTER_PT * (high - low) / (72 * (WIDTH_IN - 0.8))
    found: list[tuple[Line, _Place]] = []
    for line in lines:
        wide = gap * len(line.text)
        tries = [(line.at - wide / 2, True), (line.at - wide - gap, False), (line.at + gap, False)]
        places = [_Place(left, left + wide, 0, centred) for left, centred in tries]
        others = [(other.at, other.at) for other in lines if other is not line]
        others += [(place.left, place.right) for _, place in found if not place.row]
        free = (
            place
            for place in places
            if low - BESIDE * gap <= place.left
            and place.right <= high + BESIDE * gap
            and all(end < place.left - gap / 2 or place.right + gap / 2 < start for start, end in others)
        )
        rows = max((place.row for _, place in found), default=0)
        left = min(max(line.at - wide / 2, low), high - wide)
        found.append((line, next(free, _Place(left, left + wide, rows + 1, True))))
    return found


def _draw_rows(axes: Any, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def _titled(name: str, title: str) -> str:
    """The title is left out where the font may not have its letters; the table has it in any case."""
    if not title.isprintable() or max(map(ord, title), default=0) >= DRAWN_BELOW:
        return name
    return "\n".join(textwrap.wrap(f"{name}  {title}", TITLE_LETTERS, max_lines=2, placeholder=" …"))


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def _inline(figure: Any, name: str, alt: str) -> Markup:
    """The figure as an <svg> for a page of HTML: nothing from elsewhere, ids of its own, as wide as there is room.

    matplotlib writes a document: with metadata that names web addresses, with a style for everything around it,
    and with ids that are the same in each chart.
    """
    from matplotlib import rc_context

    out = io.BytesIO()
    with rc_context({"svg.hashsalt": name}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(out.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.rpartition("}")[2] in ("metadata", "style"):
                parent.remove(child)
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', ElementTree.tostring(root, encoding="unicode")))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = dict(_attributes(element.attrib, name, used))
    box = root.attrib["viewBox"]
    root.attrib = {
        "class": "plot",
        "role": "img",
        "aria-label": alt,
        "viewBox": box,
        "stroke-linejoin": "round",
        "stroke-linecap": "butt",
    }
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _attributes(found: dict[str, str], name: str, used: set[str]) -> Iterable[tuple[str, str]]:
    for key, value in found.items():
        key = key.rpartition("}")[2]
        if key == "id":
            if value in used:
                yield key, f"{name}-{value}"
        elif key == "href":
            yield key, f"#{name}-{value.removeprefix('#')}"
        else:
            yield key, value.replace("url(#", f"url(#{name}-")
