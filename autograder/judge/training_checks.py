"""The checks of a trained model: its accuracy, the scaling of its inputs, the accuracy that the notebook measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.judge.architecture import CLASSES, named_layers, required_layers, scales_itself
from autograder.judge.context import CheckContext, context_of
from autograder.judge.evidence import Model
from autograder.judge.failure import CheckFailed, NotChecked, count, describe, follow_up, percent
from autograder.judge.scoring import UNSCALED, Score

__all__ = ["accuracy", "measured", "scaled"]

GUESSING = 0.2
"""The accuracy below which ten balanced classes were guessed. Chance is 0.1; on 5,000 images it stays far below 0.2."""

FEW_STEPS = 500
"""The number of training steps below which it is reported; five epochs in batches of 512 take 590."""

SEEN = 0.03
"""The largest gap between accuracy on the visible and on the hidden test images that an honest model shows; above it,
the model was trained on the visible ones. Between two halves of 5,000 images that a model has not seen, the standard
deviation of the gap is 0.003."""

CLOSE = 0.0015
"""The largest error of a reported accuracy: 7 of 5,000 images, for rounding in the arithmetic."""

NO_MODEL = "there is no model to score yet"


def scaled(env: Mapping[str, Any], question: str) -> None:
    """Check that the model was trained on scaled pixels, or scales them itself."""
    model, score = _trained_model(context_of(env, question), question)
    if score.scaling == UNSCALED and not scales_itself(model):
        raise CheckFailed(
            "the model was trained on pixels from 0 to 255",
            "small inputs, for training and test alike",
            "scale both sets of images before fit; what is the largest value a pixel can have?",
        )


def accuracy(env: Mapping[str, Any], question: str, level: int) -> None:
    """Check that the trained model reaches level `level` of the accuracy rule (the last level is `full`)."""
    context = context_of(env, question)
    rule = context.policy.code[question].accuracy
    assert rule is not None  # the build writes this check for accuracy questions only
    levels = rule.levels
    scored = _find_scored_model(context, question)
    if not isinstance(scored, tuple):
        raise follow_up(scored, NO_MODEL) if level else scored
    model, score = scored
    if score.accuracy >= levels[level]:
        return
    if level and score.accuracy < levels[level - 1]:
        raise NotChecked(f"an accuracy of {percent(levels[level - 1])} has to be reached first")
    remark, hint = _shortfall(model, score)
    found = f"{percent(score.accuracy)} of hidden images right{remark}"
    raise CheckFailed(found, f"at least {percent(levels[level])}", hint)


def measured(env: Mapping[str, Any], question: str, name: str) -> None:
    """Check that a variable holds the accuracy on the test images, as a fraction or in percent.

    The model must not have been trained on those images.
    """
    context = context_of(env, question)
    _, score = _trained_model(context, question)
    value = context.value(question, name)
    expected, hint = "one number, the accuracy on the test images", "evaluate returns the loss and the accuracy"
    if value.kind in ("missing", "ellipsis", "none"):
        raise CheckFailed(f"`{name}` has not been given a value", expected, hint)
    if value.kind == "numbers" or value.name.startswith(("list", "tuple", "dict")):
        several = "evaluate returns several numbers: keep one of them"
        raise CheckFailed(f"`{name}` is {describe(value)}", expected, several)
    if value.kind != "number" or not isinstance(value.value, int | float):
        raise CheckFailed(f"`{name}` is {describe(value)}", expected, hint)
    found = value.value / 100 if 1 < value.value <= 100 else value.value
    if not any(_agrees(found, truth) for truth in score.measurable):
        raise CheckFailed(
            f"`{name}` is {value.value:.4g}, but the model gets {percent(score.public)} of the test images right",
            "the accuracy of this model on the test images",
            _likely_mistake(found, score.public),
        )
    if score.public - score.accuracy > SEEN:
        raise CheckFailed(
            f"{percent(score.public)} of your test images right, but {percent(score.accuracy)} of hidden images",
            "test images that the model was not trained on",
            "which images and labels are given to fit?",
        )


def _find_scored_model(context: CheckContext, question: str) -> tuple[Model, Score] | CheckFailed | NotChecked:
    """Return the model of a question with its score, or the failure to report.

    NotChecked if the failure follows from wrong layers, which another question reports.
    """
    model = context.find_earlier_model(question)
    if not isinstance(model, Model):
        return model
    found = named_layers(model) if model.is_chain else None
    wrong = [id for id in context.builders(question) if found != required_layers(context.policy.code[id])]
    first = f"the layers of question {wrong[0]} have to be right first" if wrong else ""
    if first and model.output_shape and (model.output_shape[-1] or 0) < CLASSES:
        return NotChecked(f"{first}: with {count(model.output_shape[-1] or 0, 'output')}, some classes have none")
    try:
        return model, context.score(question)
    except CheckFailed as failure:
        return NotChecked(f"{first}: {failure.found}") if first else failure


def _trained_model(context: CheckContext, question: str) -> tuple[Model, Score]:
    """Return a trained model and its score. Raises NotChecked; the check of accuracy reports what is missing."""
    scored = _find_scored_model(context, question)
    if not isinstance(scored, tuple):
        raise follow_up(scored, NO_MODEL)
    if scored[1].accuracy < GUESSING:
        raise NotChecked("the model has to be trained first")
    return scored


def _shortfall(model: Model, score: Score) -> tuple[str, str]:
    """Return a remark about an accuracy that is too low, and a hint."""
    if score.accuracy < GUESSING and not model.steps:
        return ", no better than guessing; the model was never trained", "call fit with the training images and labels"
    steps = count(int(model.steps), "step")
    if score.accuracy < GUESSING:
        return (
            f", no better than guessing, after {steps} of training",
            "does each label still belong to its image? does the loss fall while fit runs?",
        )
    if model.steps < FEW_STEPS:
        return (
            f", after {steps} of training (a step is one batch)",
            "are all training images given to fit, and for enough epochs?",
        )
    return "", "are the pixels scaled, for training and test alike? does the loss still fall in the last epoch?"


def _agrees(found: float, truth: float) -> bool:
    """Return whether a reported accuracy is the true one except for the last bits, or rounded to whole percents."""
    return abs(found - truth) <= CLOSE or abs(found - round(truth, 2)) < 1e-9


def _likely_mistake(found: float, truth: float) -> str:
    if found > 1 or found < truth / 2:
        return "is this the loss, which evaluate returns first? or were the test images scaled twice?"
    if found > truth:
        return "is this the accuracy on the training images, or from before the last change to the model?"
    return "were the test images scaled exactly once, in the way the training images were?"
