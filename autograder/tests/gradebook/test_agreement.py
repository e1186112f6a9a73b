"""Agreement of two reviewers: published tables, numbers worked out by hand, and another implementation."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.gradebook.agreement import Agreement, agreement

Pairs = list[tuple[float, float]]

MARKS = st.sampled_from([0.0, 0.5, 1.0, 2.0, 4.0])
MARKINGS = st.lists(st.tuples(MARKS, MARKS), max_size=60)


def table(*rows: tuple[int, ...]) -> Pairs:
    """A pair for each count of a contingency table: the first reviewer's points down, the second's across."""
    return [
        (float(one), float(other))
        for one, row in enumerate(rows)
        for other, count in enumerate(row)
        for _ in range(count)
    ]


def test_a_textbook_table_of_two_categories() -> None:
    # 35 of 50 agree; by chance (25 · 30 + 25 · 20) / 50² = 0.5. The variance, with formula 13 of Fleiss, Cohen and
    # Everitt: (0.4 · 0.34² + 0.3 · 0.46² + 0.36 · (0.1 · 1.1² + 0.2 · 0.9²) - 0.1²) / (0.25 · 50) = 0.016128.
    found = agreement(table((20, 5), (10, 15)))
    assert (found.count, found.percent) == (50, 70)
    assert found.kappa == pytest.approx(0.4)
    error = 1.959964 * math.sqrt(0.016128)
    assert (found.low, found.high) == pytest.approx((0.4 - error, 0.4 + error))


def test_a_table_of_three_categories_as_sas_works_it_out() -> None:
    # What PROC FREQ prints for it, and statsmodels is tested against.
    found = agreement(table((0, 4, 1), (0, 8, 0), (0, 1, 5)))
    assert (found.kappa, found.low, found.high) == pytest.approx((0.4842, 0.2137, 0.7547), abs=0.00005)


def test_agreement_on_everything_is_one_and_its_interval_has_no_width() -> None:
    assert agreement([(0, 0), (2, 2), (2, 2)]) == Agreement(3, 100, 1, 1, 1)


def test_agreement_on_nothing_is_below_zero() -> None:
    found = agreement([(0, 1), (1, 0)] * 4)
    assert (found.percent, found.kappa, found.low) == (0, -1, -1)


def test_a_reviewer_who_always_gives_the_same_agrees_by_chance_alone() -> None:
    found = agreement([(2, 2), (2, 0), (2, 2), (2, 1)])
    assert (found.percent, found.kappa) == (50, 0)


@pytest.mark.parametrize(("pairs", "percent"), [([], None), ([(4, 4)] * 7, 100)], ids=["no answers", "all the same"])
def test_kappa_is_not_defined_if_chance_alone_explains_everything(pairs: Pairs, percent: float | None) -> None:
    assert agreement(pairs) == Agreement(len(pairs), percent, None, None, None)


def test_points_that_differ_by_rounding_alone_are_the_same() -> None:
    found = agreement([(2.66 + 2.66, 5.32), (0.1 + 0.2, 0.3), (1, 0)])
    assert found.percent == pytest.approx(200 / 3)


@settings(deadline=None)  # the first example waits for an import
@given(MARKINGS)
def test_kappa_is_that_of_another_implementation(pairs: Pairs) -> None:
    from sklearn.metrics import cohen_kappa_score

    found = agreement(pairs)
    if found.kappa is None:
        assert len({points for pair in pairs for points in pair}) <= 1
        return
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= found.kappa <= found.high <= 1
    one, other = zip(*[(str(one), str(other)) for one, other in pairs], strict=True)
    assert found.kappa == pytest.approx(cohen_kappa_score(one, other), abs=1e-9)


@given(MARKINGS)
def test_the_order_of_the_reviewers_does_not_matter(pairs: Pairs) -> None:
    forth, back = agreement(pairs), agreement([(other, one) for one, other in pairs])
    assert (forth.count, forth.percent) == (back.count, back.percent)
    assert (forth.kappa, forth.low, forth.high) == pytest.approx((back.kappa, back.low, back.high), abs=1e-9)
