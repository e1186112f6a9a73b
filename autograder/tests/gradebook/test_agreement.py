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


def test_without_answers_nothing_is_defined() -> None:
    assert agreement([]) == Agreement(0, None, None, None, None)


def test_where_both_gave_the_same_to_everybody_there_is_no_kappa() -> None:
    assert agreement([(4, 4)] * 7) == Agreement(7, 100, None, None, None)


def test_points_that_differ_by_rounding_alone_are_the_same() -> None:
    found = agreement([(2.66 + 2.66, 5.32), (0.1 + 0.2, 0.3), (1, 0)])
    assert found.percent == pytest.approx(200 / 3)


def test_few_answers_do_not_take_the_interval_beyond_the_scale() -> None:
    found = agreement([(0, 0), (1, 1), (1, 0)])
    assert found.high == 1
    assert found.low is not None
    assert found.low >= -1


@settings(deadline=None)  # the first example waits for an import
@given(MARKINGS)
def test_kappa_is_that_of_another_implementation(pairs: Pairs) -> None:
    from sklearn.metrics import cohen_kappa_score

    found = agreement(pairs)
    if found.kappa is None:
        assert len({points for pair in pairs for points in pair}) <= 1
        return
    one, other = zip(*[(str(one), str(other)) for one, other in pairs], strict=True)
    assert found.kappa == pytest.approx(cohen_kappa_score(one, other), abs=1e-9)


def error_by_matrix(pairs: Pairs) -> float:
    """The standard error as statsmodels works it out: shares in a matrix, its sums, and the weights of each cell."""
    import numpy as np

    categories = sorted({points for pair in pairs for points in pair})
    shares = np.zeros((len(categories), len(categories)))
    for one, other in pairs:
        shares[categories.index(one), categories.index(other)] += 1 / len(pairs)
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    chance = rows @ columns
    kappa = (np.trace(shares) - chance) / (1 - chance)
    agreed = (np.diag(shares) * (1 - (rows + columns) * (1 - kappa)) ** 2).sum()
    weights = np.add.outer(columns, rows) ** 2
    np.fill_diagonal(weights, 0)
    disagreed = (1 - kappa) ** 2 * (shares * weights).sum()
    variance = (agreed + disagreed - (kappa - chance * (1 - kappa)) ** 2) / (1 - chance) ** 2 / len(pairs)
    return math.sqrt(max(0.0, float(variance)))


@settings(deadline=None)
@given(MARKINGS)
def test_the_interval_is_that_of_another_implementation(pairs: Pairs) -> None:
    found = agreement(pairs)
    if found.kappa is None or found.low is None or found.high is None:
        return
    assert -1 <= found.low <= found.kappa <= found.high <= 1
    width = 1.959964 * error_by_matrix(pairs)
    assert found.low == pytest.approx(max(-1, found.kappa - width), abs=1e-6)
    assert found.high == pytest.approx(min(1, found.kappa + width), abs=1e-6)


@given(MARKINGS)
def test_it_does_not_matter_who_is_first(pairs: Pairs) -> None:
    forth, back = agreement(pairs), agreement([(other, one) for one, other in pairs])
    assert (forth.count, forth.percent) == (back.count, back.percent)
    assert (forth.kappa, forth.low, forth.high) == pytest.approx((back.kappa, back.low, back.high), abs=1e-9)
