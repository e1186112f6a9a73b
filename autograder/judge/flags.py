"""Flags for staff: results that the notebook itself does not explain.

A flag costs no points. If one concerns a model, the grader trains the same layers itself and reports what they reach.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from autograder.data.dataset import Labelled
from autograder.judge import rebuild
from autograder.judge.architecture import CLASSES, chain, named_layers, required_layers
from autograder.judge.context import CheckContext
from autograder.judge.scoring import fit, scalings

if TYPE_CHECKING:
    from autograder.submissions.notebook import CodeCell

__all__ = ["EPOCHS", "literals", "retrain", "suspicions"]

EPOCHS = 5
"""The number of epochs that the grader trains, as the assignment says, in Keras's default batches of 32."""

FAR = 0.5
"""The share of the reference's errors below which a model is suspiciously good. With the same layers, four times as
many epochs remove a tenth of the errors."""

UNEXPLAINED = ((1, 0.3), (50, 0.9))
"""Pairs of (steps, accuracy): this accuracy or more after fewer training steps is suspicious. Full batches and ten
times the usual learning rate need about 50 steps for 0.9."""

LONG_TEXT = re.compile(r"""['"][^'"\n]{4000}""")
LONG_LIST = re.compile(r"[-+.,\s\deE\[\]()]{8000}")
"""Literals that a notebook that trains does not need: about 3,000 bytes in a text, or about 1,000 numbers in a row."""


def literals(cells: Iterable[CodeCell]) -> Iterator[str]:
    """Yield the cells with data typed in. They are searched as text, because untrusted code is not parsed here."""
    for cell in cells:
        if LONG_TEXT.search(cell.source) or LONG_LIST.search(cell.source):
            yield f"{cell.describe()} holds a large literal ({len(cell.source):,} characters)"


def suspicions(context: CheckContext) -> Iterator[str]:
    """Yield what is suspicious about the accuracy of each scored model."""
    for id, score in context.scores.items():
        question, model = context.policy.code[id], context.model(id)
        reference = question.accuracy.reference if question.accuracy else None
        wanted = [required_layers(other) for other in context.policy.code.values() if other.layers]
        if reference and named_layers(model) in wanted and 1 - score.accuracy < FAR * (1 - reference):
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


def retrain(context: CheckContext, train: Labelled) -> Iterator[str]:
    """Train the layers of each scored model again, and yield their accuracy next to that of the notebook's model."""
    import keras

    for id, score in context.scores.items():
        model = context.model(id)
        keras.utils.set_random_seed(1)
        fresh = rebuild.fresh(model)
        if fresh.output_shape[-1] < CLASSES:
            continue
        scale = scalings(context.policy.assignment.dataset)[score.scaling]
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=named_layers(model)[-1].activation != "softmax")
        fresh.compile("adam", loss, steps_per_execution=100)
        images = scale(train.images.astype(np.float32)).reshape((-1, *fresh.input_shape[1:]))
        fresh.fit(images, train.labels, epochs=EPOCHS, verbose=0)
        reached = fit(fresh, scale, context.private).accuracy
        yield (
            f"{id}: the same layers ({chain(named_layers(model))}), trained by the grader for {EPOCHS} epochs, get "
            f"{reached:.2%} of hidden images right; the notebook's model gets {score.accuracy:.2%}"
        )
