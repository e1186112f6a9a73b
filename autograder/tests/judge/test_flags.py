"""Suspicious results are flagged, with what the grader itself reaches; ordinary ones are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.data import dataset
from autograder.judge import flags
from autograder.judge.context import CheckContext
from autograder.judge.evidence import live
from autograder.judge.scoring import Score
from autograder.policy.policy import Policy
from autograder.submissions.notebook import CodeCell
from autograder.tests.journals import CLASSIC, FLATTEN, OUTPUT, RULES, Chain, context, dense, of_model
from autograder.tests.with_keras import chain

KNOWING: Policy = RULES.at_reference(0.975)  # rules that know what the hidden solution reaches


def scored(accuracy: float, layers: Chain = CLASSIC, rules: Policy = KNOWING, **changes: Any) -> CheckContext:
    world = context(of_model("q7", layers, **changes), rules=rules)
    world.scores["q7"] = Score(accuracy, accuracy, (accuracy,), "divided by 255")
    return world


FAR = "q7: {:.2%} of hidden images right, where the hidden solution, with the same layers, gets 97.50%"
SOON = (
    "q7: {:.2%} of hidden images right after {} steps of training: "
    "were the weights loaded or typed in, or was the model compiled again after its training?"
)
RESULTS = [
    (0.1, 9375, None),
    (0.9874, 9375, None),
    (0.9876, 9375, FAR),
    (0.3, 0, SOON),
    (0.29, 0, None),
    (0.3, 1, None),
    (0.9, 49, SOON),
    (0.89, 49, None),
    (0.97, 50, None),
]


@pytest.mark.parametrize(("accuracy", "steps", "flag"), RESULTS)
def test_only_an_accuracy_that_layers_and_steps_do_not_explain_is_flagged(
    accuracy: float, steps: int, flag: str | None
) -> None:
    assert list(flags.suspicions(scored(accuracy, steps=steps))) == ([flag.format(accuracy, steps)] if flag else [])


def test_other_layers_an_unknown_reference_and_models_without_a_score_are_not_compared() -> None:
    assert list(flags.suspicions(scored(0.999, [FLATTEN, dense(512), OUTPUT]))) == []
    assert list(flags.suspicions(scored(0.999, rules=RULES))) == []
    assert list(flags.suspicions(context(of_model("q7"), rules=KNOWING))) == []


LITERALS = {
    "a long text": ("w = '" + "A" * 4000 + "'", True),
    "bytes": ('w = b"' + "x" * 4001 + '"', True),
    "many numbers": ("w = [" + "0.1234, " * 1000 + "]", True),
    "numbers on many lines": ("w = [\n" + "-1.5e-3,\n" * 900 + "]", True),
    "a long text of several lines": ("'" + "A\n" * 4000 + "'", False),
    "code": ("model.fit(x, y)  # " + "a remark " * 600, False),
    "a table": ("w = [" + "1, " * 200 + "]", False),
    "a text just short enough": ("w = '" + "A" * 3999 + "'", False),
}


@pytest.mark.parametrize("case", LITERALS)
def test_large_literals_are_flagged_with_their_cell(case: str) -> None:
    source, large = LITERALS[case]
    said = list(flags.literals([CodeCell(0, "x = 1", None), CodeCell(3, source, "q7")]))
    assert bool(said) == large
    if large:
        assert said[0].startswith("the cell that begins `w = ")
        assert said[0].endswith(f"holds a large literal ({len(source):,} characters)")


@pytest.mark.slow
@pytest.mark.parametrize("last", ["softmax", None], ids=["softmax", "logits"])
def test_the_grader_trains_the_same_layers_itself_and_reports_both(
    last: str | None, k: Any, mnist: dataset.Dataset
) -> None:
    few = dataset.Labelled(mnist.train.images[:3000], mnist.train.labels[:3000])
    model = chain(k.keras, k.flatten(), k.layers.Dense(16, activation="relu"), k.output(last))
    model.compile("adam", k.keras.losses.SparseCategoricalCrossentropy(from_logits=last is None))
    model.fit(few.images / np.float32(255), few.labels, epochs=1, verbose=0)
    world = CheckContext(live(KNOWING, "q7", {"model": model}), KNOWING, *dataset.split(mnist.test, 20))
    own = world.score("q7").accuracy
    said = list(flags.retrain(world, few))
    layers = f"Flatten → Dense(16, relu) → Dense(10, {last or 'linear'})"
    head = f"q7: the same layers ({layers}), trained by the grader for 5 epochs, get "
    reached = said[0].removeprefix(head).partition("%")[0]
    assert said == [f"{head}{reached}% of hidden images right; the notebook's model gets {own:.2%}"]
    assert own < float(reached) / 100 < 0.95  # five epochs against one


@pytest.mark.slow
def test_a_model_without_an_output_for_every_class_is_not_trained_anew(k: Any, mnist: dataset.Dataset) -> None:
    model = chain(k.keras, k.flatten(), k.layers.Dense(9, activation="softmax"))
    world = CheckContext(live(KNOWING, "q7", {"model": model}), KNOWING, *dataset.split(mnist.test, 20))
    world.score("q7")
    assert list(flags.retrain(world, mnist.train)) == []
