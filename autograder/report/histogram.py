"""Values in bins with round edges, and the places of their bars in a chart.

Places are in percent of the plot: the template draws it in HTML, at any width, in any colour.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["DIGITS", "Bin", "Chart", "Column", "Level", "bin_width", "binned", "chart"]

MOST_TICKS = 7  # along the axis: as many numbers as fit on a phone
APART = (2.2, 1.4)  # the distance and the width of the bar for everything below the bins, in widths of a bin
STEPS = (1, 2, 5, 10)  # widths of bins, times a power of ten

DIGITS = 9
"""Digits that edges and values are rounded to, so that 0.1 + 0.2 reaches 0.3."""


@dataclass(frozen=True)
class Bin:
    """The number of values from `low` to below `high`; in the last bin, to `high` itself."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Level:
    """A value that is marked across a chart, with its meaning."""

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
    below: bool


@dataclass(frozen=True)
class Chart:
    """Bars (empty bins have none), numbers on the axis, and lines at levels, with the place of each.

    The words of a level are in a row of their own, from the top down, next to its line, on the side with more room.
    """

    columns: tuple[Column, ...]
    ticks: tuple[tuple[float, str], ...]
    levels: tuple[tuple[float, Level], ...]


def bin_width(span: float, most: int) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that cuts `span` (above 0) into at most `most` parts."""
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(round(power * step, DIGITS) for step in STEPS if round(power * step * most - span, DIGITS) >= 0)


def binned(values: Iterable[float], low: float, high: float, width: float) -> tuple[tuple[Bin, ...], int]:
    """Return bins of this width from `low` to `high` (the last may be narrower), and the number of values below.

    Values above `high` count in the last bin.
    """
    number = max(1, math.ceil(round((high - low) / width, DIGITS)))
    heights, below = [0] * number, 0
    for value in values:
        index = math.floor(round((value - low) / width, DIGITS))
        if index < 0:
            below += 1
        else:
            heights[min(index, number - 1)] += 1
    edges = [round(low + index * width, DIGITS) for index in range(number)]
    return tuple(map(Bin, edges, (*edges[1:], high), heights)), below


def chart(bins: Sequence[Bin], below: int = 0, levels: Sequence[Level] = ()) -> Chart:
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
    lines = [(percent(level.value), level) for level in levels]
    # From the sides to the middle, the right first, so that no line crosses the words of another.
    lines.sort(key=lambda line: (line[0] < 50, -abs(line[0] - 50)))
    return Chart(tuple(columns), tuple((percent(at), text) for at, text in ticks), tuple(lines))


def _edges(bins: Sequence[Bin]) -> list[float]:
    """Return edges of bins at round numbers, no more than fit, and always the last."""
    width, end = bins[0].high - bins[0].low, bins[-1].high
    step = next(times * width for times in (1, 2, 5, 10, 20, 50) if len(bins) / times <= MOST_TICKS)
    edges = (bin.low for bin in bins if round(bin.low / step, 6).is_integer())
    return [*(edge for edge in edges if end - edge > 0.7 * step), end]
