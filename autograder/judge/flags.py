"""What people should look at: results that the notebook itself does not explain.

A flag takes no points. Where one concerns a model, the grader trains the same layers itself and says what came out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from autograder.data.dataset import Labelled
from autograder.judge import rebuild
from autograder.judge.architecture import CLASSES, chain, required, steps
from autograder.judge.context import CheckContext, fit

if TYPE_CHECKING:
    from autograder.submissions.notebook import CodeCell

__all__ = ["EPOCHS", "literals", "retrain", "suspicions"]

EPOCHS = 5
"""Epochs for which the grader trains, as the assignment's text says, in Keras's own batches of 32."""

FAR = 0.5
"""A model with less than this share of the reference's errors is far above it. With the same layers, four times as
many epochs take off a tenth."""

UNEXPLAINED = ((1, 0.3), (50, 0.9))
"""(steps, accuracy): this accuracy or more after fewer steps of training. Full batches and a learning rate ten times
the usual one need about 50 steps for 0.9."""

LONG_TEXT = re.compile(r"""['"][^'"\n]{4000}""")
LONG_LIST = re.compile(r"[-+.,\s\deE\[\]()]{8000}")
"""What a notebook that trains has no use for: about 3,000 bytes in a text, or about 1,000 numbers in a row."""


def literals(cells: Iterable[CodeCell]) -> Iterator[str]:
    """Cells in which data is typed in. Searched as text: a stranger's code is not parsed here."""
    for cell in cells:
        if LONG_TEXT.search(cell.source) or LONG_LIST.search(cell.source):
            yield f"{cell.describe()} holds a large literal ({len(cell.source):,} characters)"


def suspicions(bench: CheckContext) -> Iterator[str]:
    """What is odd about the accuracy of a model that was scored."""
    for id, score in bench.scores.items():
        question, model = bench.model(id)
        reference = question.accuracy.reference if question.accuracy else None
        same = steps(model) in [required(other) for other in bench.policy.code.values() if other.layers]
        if reference and same and 1 - score.accuracy < FAR * (1 - reference):
            yield (
                f"{id}: {score.accuracy:.2%} of hidden images right, where the hidden solution, with the same layers, "
                f"gets {reference:.2%}"
            )
        for few, high in UNEXPLAINED:
            if model.steps < few and score.accuracy >= high:
                yield (
                    f"{id}: {score.accuracy:.2%} of hidden images right after {model.steps:g} steps of training: "
                    "were the weights loaded or typed in, or was the model compiled again after its training?"
                )
                break


def retrain(bench: CheckContext, train: Labelled) -> Iterator[str]:
    """Train the layers of each model that was scored anew, and say what they reach beside what the notebook's did."""
    import keras

    for id, score in bench.scores.items():
        _, model = bench.model(id)
        keras.utils.set_random_seed(1)
        fresh = rebuild.fresh(model)
        if fresh.output_shape[-1] < CLASSES:
            continue
        scale = dict(rebuild.scalings(bench.policy.assignment.dataset))[score.scaling]
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=steps(model)[-1].activation != "softmax")
        fresh.compile("adam", loss, steps_per_execution=100)
        images = scale(train.images.astype(np.float32)).reshape((-1, *fresh.input_shape[1:]))
        fresh.fit(images, train.labels, epochs=EPOCHS, verbose=0)
        reached = fit(fresh, scale, bench.private).accuracy
        yield (
            f"{id}: the same layers ({chain(steps(model))}), trained by the grader for {EPOCHS} epochs, get "
            f"{reached:.2%} of hidden images right; the notebook's model gets {score.accuracy:.2%}"
        )
