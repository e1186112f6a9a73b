"""Histograms: a value is in one bin, and what is drawn is what was counted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from autograder.report.histogram import Bin, Level, bin_width, binned, chart

BINS = (Bin(0, 2, 3), Bin(2, 4, 0), Bin(4, 6, 12), Bin(6, 8, 6))


@pytest.mark.parametrize(
    ("span", "most", "width"),
    [(40, 20, 2), (20, 20, 1), (21, 20, 2), (4, 20, 0.2), (0.3, 3, 0.1), (100, 20, 5), (1000, 20, 50)],
)
def test_widths_are_round(span: float, most: int, width: float) -> None:
    assert bin_width(span, most) == width


@pytest.mark.parametrize(
    ("values", "heights", "below"),
    [
        ([], [0, 0, 0], 0),
        ([0, 0.9999, 1, 2.4999, 2.5, 9], [2, 1, 3], 0),
        ([-0.1, 2], [0, 0, 1], 1),
        ([0.1 * 3 + 0.7], [0, 1, 0], 0),
    ],
)
def test_a_bin_holds_its_lower_edge(values: Sequence[float], heights: list[int], below: int) -> None:
    bins, less = binned(values, 0, 2.5, 1)
    assert [(each.low, each.high) for each in bins] == [(0, 1), (1, 2), (2, 2.5)]
    assert ([each.count for each in bins], less) == (heights, below)


def test_bars_are_as_high_as_the_bins_are_full_and_empty_ones_are_not_drawn() -> None:
    drawn = chart(BINS)
    assert [(bar.left, bar.width, bar.height, bar.count, bar.below) for bar in drawn.columns] == [
        (0, 25, 25, 3, False),
        (50, 25, 100, 12, False),
        (75, 25, 50, 6, False),
    ]
    assert drawn.ticks == ((0, "0"), (25, "2"), (50, "4"), (75, "6"), (100, "8"))


def test_everything_below_the_scale_has_a_bar_of_its_own_that_meets_no_other() -> None:
    drawn = chart(BINS, below=24)
    first, second, *_ = drawn.columns
    assert (first.height, first.count, first.below) == (100, 24, True)
    assert 0 < first.left < first.left + first.width < second.left
    assert second.height == 12.5
    assert [text for _, text in drawn.ticks] == ["< 0", "2", "4", "6", "8"]


def test_levels_are_at_their_values_from_the_sides_to_the_middle() -> None:
    levels = (Level(1, "low"), Level(3.6, "mean", dashed=True), Level(4, "median"), Level(8, "high"))
    assert [(at, level.text) for at, level in chart(BINS, levels=levels).levels] == [
        (100, "high"),
        (50, "median"),
        (12.5, "low"),
        (45, "mean"),
    ]


@pytest.mark.parametrize("bins", [(Bin(0, 1, 0),), (Bin(0, 0.1, 7),), tuple(Bin(at, at + 1, at) for at in range(60))])
def test_any_bins_make_a_chart_with_no_more_ticks_than_fit(bins: Sequence[Bin]) -> None:
    drawn = chart(bins)
    assert len(drawn.columns) == sum(each.count > 0 for each in bins)
    assert 2 <= len(drawn.ticks) <= 8
