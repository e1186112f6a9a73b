"""The geometry of a histogram, in percent of its plot: the template draws it in HTML, at any width, in any colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.report.distributions import Bin

__all__ = ["Column", "Histogram", "Level", "Marker", "Tick", "histogram"]

MOST_TICKS = 7
"""Along the axis: as many numbers as fit on a phone."""

APART = (2.2, 1.4)
"""The distance and the width of the bar for everything below the bins, in widths of a bin."""


@dataclass(frozen=True)
class Level:
    """A value that is marked across a histogram, with its meaning."""

    value: float
    text: str
    dashed: bool = False


@dataclass(frozen=True)
class Column:
    """One bar. `below` is the one for everything below the bins."""

    left: float
    width: float
    height: float
    count: int
    below: bool = False


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Marker:
    """The line of a level. Its words are in a row of their own, next to the line, on the side with more room."""

    at: float
    text: str
    dashed: bool
    leftwards: bool


@dataclass(frozen=True)
class Histogram:
    """`alt` says the same in words. `markers` are from the top row down; empty bins have no column."""

    alt: str
    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    markers: tuple[Marker, ...]


def histogram(alt: str, bins: Sequence[Bin], below: int = 0, levels: Sequence[Level] = ()) -> Histogram:
    """Return bars for the bins, one apart on the left for the values below them all, and lines for the levels."""
    start, end, width = bins[0].low, bins[-1].high, bins[0].high - bins[0].low
    bars = [(bin.low, bin.high - bin.low, bin.count, False) for bin in bins if bin.count]
    ticks = [(edge, f"{edge:g}") for edge in _edges(bins)]
    if below:
        bars.insert(0, (start - APART[0] * width, APART[1] * width, below, True))
        ticks = [(start - (APART[0] - APART[1] / 2) * width, f"< {start:g}"), *ticks[1:]]
        start -= (APART[0] + 0.4) * width
    highest = max((count for _, _, count, _ in bars), default=1)

    def percent(value: float) -> float:
        return round(100 * (value - start) / (end - start), 3)

    columns = (
        Column(percent(left), percent(start + wide), round(100 * count / highest, 3), count, apart)
        for left, wide, count, apart in bars
    )
    places = ((percent(level.value), level) for level in levels)
    markers = [Marker(at, level.text, level.dashed, at >= 50) for at, level in places]
    # Words run away from the lines that begin below them, so that no line crosses the words of another.
    markers.sort(key=lambda marker: (not marker.leftwards, -marker.at if marker.leftwards else marker.at))
    return Histogram(alt, tuple(columns), tuple(Tick(percent(at), text) for at, text in ticks), tuple(markers))


def _edges(bins: Sequence[Bin]) -> list[float]:
    """Return edges of bins at round numbers, no more than fit, and always the last."""
    width, end = bins[0].high - bins[0].low, bins[-1].high
    step = next(times * width for times in (1, 2, 5, 10, 20, 50) if len(bins) / times <= MOST_TICKS)
    edges = (bin.low for bin in bins if round(bin.low / step, 6).is_integer())
    return [*(edge for edge in edges if end - edge > 0.7 * step), end]
