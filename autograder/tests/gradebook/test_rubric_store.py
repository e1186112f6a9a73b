"""The rubrics in a gradebook: changed by reviewers, and by grading.yml; on SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.errors import ReviewError
from autograder.gradebook.mark import Draft
from autograder.gradebook.rubric import RubricItem
from autograder.gradebook.stores import ReviewStores
from autograder.policy.policy import Policy
from autograder.tests.gradebook.marking import mark, sync


@pytest.fixture
def changed(rules: Policy) -> Policy:
    """grading.yml with the points of two rubric items of q1 exchanged."""
    data = rules.model_dump()
    first, second, *_ = data["questions"]["q1"]["rubric"]
    first["points"], second["points"] = second["points"], first["points"]
    return Policy.model_validate(data)


def test_a_changed_rubric_counts_for_existing_marks(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules)
    first = mark(stores, 1, "ann", Draft(("fit",)))
    mark(stores, 2, "ann", Draft(("unseen",)))
    rubric = stores.rubrics.current("q1")
    new = replace(rubric, items=(RubricItem("fit", 2, "x"), RubricItem("unseen", 2, "y"), RubricItem("fast", -1, "z")))
    effects = stores.rubrics.preview(new)
    assert [(effect.number, effect.before, effect.after) for effect in effects] == [(1, 1, 2)]
    assert stores.answers.at("q1", 1, "ann").mark == first
    assert stores.rubrics.apply(new, "ann") == effects
    assert [(line.who, line.what) for line in stores.log.newest(1)] == [
        ("ann", "changed the rubric of q1: 1 mark changed")
    ]
    assert stores.answers.at("q1", 1, "ann").mark == first._replace(points=2)
    assert mark(stores, 3, "ann", Draft(("unseen", "fast"))).points == 1


def test_a_rubric_that_does_not_add_up_is_refused(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules)
    rubric = stores.rubrics.current("q1")
    with pytest.raises(ReviewError, match="the question is worth 4"):
        stores.rubrics.apply(replace(rubric, items=rubric.items[:1]), "ann")
    assert stores.rubrics.all()["q1"] == rubric
    with pytest.raises(ReviewError, match="no written question 'q9'"):
        stores.rubrics.current("q9")


def test_two_who_change_the_rubric_at_once_do_not_overwrite_each_other(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules)
    rubric = stores.rubrics.current("q1")
    stores.rubrics.apply(replace(rubric, items=(*rubric.items, RubricItem("a", -1, "a"))), "ann")
    with pytest.raises(ReviewError, match="in the meantime"):
        stores.rubrics.apply(replace(rubric, items=(*rubric.items, RubricItem("b", -1, "b"))), "ben")


def test_grading_yml_changes_the_rubric_if_no_mark_changes(
    stores: ReviewStores, rules: Policy, changed: Policy
) -> None:
    sync(stores, rules)
    sync(stores, changed)
    assert [item.points for item in stores.rubrics.current("q1").items] == [2, 1, 1]
    assert stores.rubrics.pending("q1") is None


def test_grading_yml_does_not_replace_a_reviewers_rubric(stores: ReviewStores, rules: Policy, changed: Policy) -> None:
    sync(stores, rules)
    rubric = stores.rubrics.current("q1")
    items = (*rubric.items, RubricItem("late", -1, "handed in late"))
    stores.rubrics.apply(replace(rubric, items=items), "ann")
    sync(stores, changed)
    assert stores.rubrics.current("q1").items == items
    assert stores.rubrics.pending("q1") is not None


def test_grading_yml_waits_for_approval_if_marks_would_change(
    stores: ReviewStores, rules: Policy, changed: Policy
) -> None:
    sync(stores, rules)
    mark(stores, 1, "ann", Draft(("fit",)))
    sync(stores, changed)
    assert [item.points for item in stores.rubrics.current("q1").items] == [1, 2, 1]
    pending = stores.rubrics.pending("q1")
    assert pending is not None
    assert [(effect.before, effect.after) for effect in stores.rubrics.preview(pending)] == [(1, 2)]
    stores.rubrics.apply(pending, "ann")
    assert stores.rubrics.pending("q1") is None
    sync(stores, changed)
    assert [item.points for item in stores.rubrics.current("q1").items] == [2, 1, 1]
