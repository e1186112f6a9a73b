"""The geometry of histograms: what is drawn is what was counted."""

from __future__ import annotations

from autograder.report.charts import Histogram, Level, histogram
from autograder.report.distributions import Bin

BINS = (Bin(0, 2, 3), Bin(2, 4, 0), Bin(4, 6, 12), Bin(6, 8, 6))


def columns(drawn: Histogram) -> list[tuple[float, float, float, int, bool]]:
    return [(each.left, each.width, each.height, each.count, each.below) for each in drawn.columns]


def test_bars_are_as_high_as_the_bins_are_full_and_empty_ones_are_not_drawn() -> None:
    drawn = histogram("Bars.", BINS)
    assert columns(drawn) == [(0, 25, 25, 3, False), (50, 25, 100, 12, False), (75, 25, 50, 6, False)]
    assert [(tick.at, tick.text) for tick in drawn.ticks] == [(0, "0"), (25, "2"), (50, "4"), (75, "6"), (100, "8")]


def test_everything_below_the_scale_has_a_bar_of_its_own_that_meets_no_other() -> None:
    first, second, *_ = columns(histogram("Bars.", BINS, below=24))
    assert first[2:] == (100, 24, True)
    assert 0 < first[0] < first[0] + first[1] < second[0]
    assert second[2] == 12.5
    assert [tick.text for tick in histogram("Bars.", BINS, below=24).ticks] == ["< 0", "2", "4", "6", "8"]


def test_a_level_is_at_its_value_and_its_words_are_within_the_chart() -> None:
    levels = (Level(1, "low"), Level(3.6, "mean", dashed=True), Level(4, "median"), Level(8, "high"))
    markers = histogram("Bars.", BINS, levels=levels).markers
    assert [(each.at, each.text, each.dashed, each.leftwards) for each in markers] == [
        (100, "high", False, True),
        (50, "median", False, True),
        (12.5, "low", False, False),
        (45, "mean", True, False),
    ]


def test_any_bins_make_a_chart_with_no_more_ticks_than_fit() -> None:
    for bins in ((Bin(0, 1, 0),), (Bin(0, 0.1, 7),), tuple(Bin(at, at + 1, at) for at in range(60))):
        drawn = histogram("", bins)
        assert len(drawn.columns) == sum(each.count > 0 for each in bins)
        assert 2 <= len(drawn.ticks) <= 8
