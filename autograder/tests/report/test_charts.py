"""The charts: what is drawn is what was counted, and nothing of them reaches out of the page."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from xml.etree import ElementTree

import matplotlib
import pytest
from markupsafe import Markup

from autograder.report import charts
from autograder.report.charts import FILL, Interval, Line, Share
from autograder.report.overview import Bin

BINS = (Bin(0, 2, 3), Bin(2, 4, 0), Bin(4, 6, 12), Bin(6, 7, 1))
LINES = (Line(4.4, "mean 4.4", dashed=True), Line(4.5, "median 4.5"))
ROWS = (Share("q1", "Why?", 0.25, 8, hatched=True), Share("q2", "", None, 0), Share("q3", "$x$ & <b>", 1, 1234))
SURE = (Interval("q1", (0.3, 0.5, 0.7), "0.50"), Interval("q2", (-0.4, 0.1, 1), "0.10"), Interval("q3", None, "none"))


def histogram(
    bins: Sequence[Bin] = BINS, below: int = 0, lines: Sequence[Line] = LINES, name: str = "points", alt: str = "Bars."
) -> Markup:
    return charts.histogram(name, bins, below, lines=lines, what="points", unit=" %", alt=alt)


DRAWN = {
    "histogram": histogram(below=2),
    "shares": charts.shares("shares", ROWS, alt="Shares."),
    "intervals": charts.intervals("sure", SURE, what="kappa", alt="Intervals."),
}


def boxes(drawn: str) -> list[tuple[float, float]]:
    """Width and height of every bar, in the order of drawing: plain ones are filled, hatched ones have a pattern."""
    found = []
    for path in ElementTree.fromstring(drawn).iter("path"):
        if re.search(rf"fill: ({FILL}|url)", path.get("style", "")) and "clip-path" in path.attrib:
            corners = [float(number) for number in re.findall(r"[-\d.]+", path.attrib["d"])]
            across, down = corners[::2], corners[1::2]
            found.append((max(across) - min(across), max(down) - min(down)))
    return found


def test_bars_are_as_high_as_the_bins_are_full_and_empty_ones_are_not_drawn() -> None:
    drawn = boxes(histogram())
    assert [round(height / drawn[2][1]) for _, height in drawn] == [3, 12, 1]
    assert drawn[0][0] == pytest.approx(2 * drawn[2][0], rel=0.01)


def test_what_is_below_the_scale_has_a_bar_of_its_own_with_a_pattern() -> None:
    drawn = boxes(histogram(below=6))
    assert [round(height / drawn[2][1]) for _, height in drawn] == [3, 12, 1, 6]
    assert "<pattern" in histogram(below=6)
    assert "<pattern" not in histogram()


def test_a_bar_is_as_long_as_the_share_and_a_pattern_tells_written_questions() -> None:
    (short, _), (long, _) = boxes(charts.shares("shares", ROWS, alt=""))
    assert long / short == pytest.approx(4, rel=0.01)
    assert "<pattern" in charts.shares("shares", ROWS, alt="")
    assert "<pattern" not in charts.shares("shares", ROWS[1:], alt="")


@pytest.mark.parametrize("drawn", DRAWN.values(), ids=DRAWN)
def test_a_chart_needs_nothing_from_elsewhere(drawn: str) -> None:
    assert not re.search(r"http|<style|<script|<!--|<!DOCTYPE|<\?xml|metadata|xmlns|\son\w+=", drawn)


@pytest.mark.parametrize("drawn", DRAWN.values(), ids=DRAWN)
def test_every_reference_in_a_chart_leads_to_one_place_in_it(drawn: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', drawn)
    assert len(set(ids)) == len(ids) > 0
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', drawn)) == set(ids)


def test_no_two_charts_of_a_page_share_an_id() -> None:
    both = histogram() + histogram(name="other")
    ids = re.findall(r'\bid="([^"]+)"', both)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("drawn", DRAWN.values(), ids=DRAWN)
def test_a_chart_is_an_image_with_words(drawn: str) -> None:
    root = ElementTree.fromstring(drawn)
    assert (root.tag, root.get("role")) == ("svg", "img")
    assert root.get("aria-label") in ("Bars.", "Shares.", "Intervals.")
    assert "width" not in root.attrib


def test_words_for_a_chart_are_escaped() -> None:
    assert 'aria-label="&lt;b&gt; &amp; &quot;"' in histogram(alt='<b> & "')


def test_the_same_numbers_give_the_same_chart_whatever_the_users_settings() -> None:
    with matplotlib.rc_context({"font.size": 20, "svg.fonttype": "none", "axes.facecolor": "red"}):
        assert histogram(below=2) == DRAWN["histogram"]


@pytest.mark.parametrize("title", ["数字", "a\nb", "\x00", "مرحبا", "🙂", "\ud800"])
def test_a_title_that_the_font_may_not_have_is_left_out(title: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = charts.shares("shares", [Share("q1", title, 0.5, 3)], alt="")
    assert drawn == charts.shares("shares", [Share("q1", "", 0.5, 3)], alt="")


def test_a_long_title_is_cut_and_a_title_with_accents_is_drawn() -> None:
    plain = charts.shares("shares", [Share("q1", "", 0.5, 3)], alt="")
    assert charts.shares("shares", [Share("q1", "Größe", 0.5, 3)], alt="") != plain
    longer = [charts.shares("shares", [Share("q1", "word " * count, 0.5, 3)], alt="") for count in (40, 80)]
    assert longer[0] == longer[1] != plain


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (Line(0, "a level with many words at the very left"), Line(7, "a level with many words at the very right")),
        tuple(Line(3 + place / 100, f"crowded level {place}") for place in range(6)),
    ],
    ids=["none", "edges", "crowded"],
)
def test_words_of_lines_never_meet(lines: Sequence[Line]) -> None:
    placed = [place for _, place in charts._placed(lines, 0, 7)]
    assert len(placed) == len(lines)
    for place in placed:
        beside = [other for other in placed if other is not place and other.row == place.row]
        assert all(other.right <= place.left or place.right <= other.left for other in beside)
    histogram(lines=lines)


@pytest.mark.parametrize(
    "bins",
    [(Bin(0, 1, 0),), (Bin(0, 0.1, 7),), tuple(Bin(at, at + 1, at) for at in range(60))],
    ids=["none", "one", "many"],
)
def test_any_bins_make_a_chart(bins: Sequence[Bin]) -> None:
    assert len(boxes(histogram(bins, lines=()))) == sum(each.count > 0 for each in bins)
