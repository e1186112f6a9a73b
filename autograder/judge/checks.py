"""The checks that hidden tests call, one line each: `checks.layer(env, "q5", 0)`.

Every check takes the environment that Otter gives to a test, the id of a question, and which part of it to check. It
raises CheckFailed or NotChecked, with a message of at most three lines: what was found, what was expected, what to
try. In the kit's engine the environment holds a CheckContext; under stock Otter it holds the student's live objects,
from which the same evidence is taken on the spot, so the points are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.data import dataset
from autograder.judge.architecture import (
    CLASSES,
    NamedLayer,
    align,
    canonical_name,
    chain,
    loss_name,
    named_layers,
    required_layers,
    scales_itself,
)
from autograder.judge.context import CheckContext, context_of
from autograder.judge.evidence import Model
from autograder.judge.failure import CheckFailed, NotChecked, count, describe, follow_up, percent
from autograder.judge.scoring import UNSCALED, Score

__all__ = ["accuracy", "compile_loss", "compile_optimizer", "layer", "measured", "report", "scaled"]

# Reported shapes and lengths

READ_IT_OFF = "read it off the array: .shape gives a shape, len() gives a length"


def report(env: Mapping[str, Any], question: str, name: str) -> None:
    """Check that a reported shape or length is the true one."""
    context = context_of(env, question)
    value = context.value(question, name)
    expected = dataset.FACTS[name]
    if value.kind in ("missing", "ellipsis", "none"):
        raise CheckFailed(f"`{name}` has not been given a value", hint=READ_IT_OFF)
    _check_dataset(context, question, name)
    found = f"`{name}` is {describe(value)}"
    if isinstance(expected, tuple):
        if value.kind != "numbers":
            raise CheckFailed(found, f"a tuple of {count(len(expected), 'whole number')}", READ_IT_OFF)
        if tuple(value.value) != expected:  # type: ignore[arg-type]  # kind "numbers" means a list
            hint = "load_data() returns two pairs; is this the right array of the right pair, before any reshaping?"
            raise CheckFailed(found, f"{expected}", hint)
    elif value.kind != "number":
        raise CheckFailed(found, "one whole number", READ_IT_OFF)
    elif value.value != expected:
        raise CheckFailed(found, f"{expected}", "is this the right array of the right pair?")


def _check_dataset(context: CheckContext, question: str, name: str) -> None:
    """Check that the assignment's dataset was loaded, if any was; only the question's first report says so."""
    wanted = context.policy.assignment.dataset
    loaded = [name for name in context.answer(question).loaded if name in dataset.DATASETS]
    if wanted in loaded or not loaded:
        return
    title = dataset.DATASETS[wanted].title
    if name != next(iter(context.policy.code[question].reports or ())):
        raise NotChecked(f"the images of {title} have to be loaded first")
    found = f"keras.datasets.{loaded[0]}, the images of {dataset.DATASETS[loaded[0]].title}"
    raise CheckFailed(found, f"the images of {title}", f"keras.datasets.{wanted} has a load_data of its own")


# The layers of a model

STRUCTURES = {
    "subclassed": "a model of your own class",
    "branching": "a model whose layers branch, or are used twice",
    "unknown": "a model whose layers cannot be read",
}

COMPARE = "compare with the list in the question, from the first layer to the last"


def layer(env: Mapping[str, Any], question: str, index: int) -> None:
    """Check that the required layer at `index` is in its place.

    The two chains are aligned as a whole, so that one mistake costs one layer: a missing layer its own points, an extra
    one those of the required layer that follows it (or of the last). What concerns the whole model is reported for the
    first layer only, missing layers for the first that is missing.
    """
    context = context_of(env, question)
    with follow_up("there is no model to check yet", first=index == 0):
        model = context.model(question)
    with follow_up("the model has to be one plain chain of layers first", first=index == 0):
        if not model.is_chain:
            raise CheckFailed(STRUCTURES[model.structure], "one plain chain of layers", "use keras.Sequential")
    found, wanted = named_layers(model), required_layers(context.policy.code[question])
    rule, alignment = wanted[index], align(found, wanted)
    partner, number = alignment.partners[index], f"{count(len(found), 'layer')}: {chain(found)}"
    if partner is None:
        if None in alignment.partners[:index]:
            raise NotChecked("the number of layers has to be right first")
        if rule in [extra for _, extra in alignment.extra]:
            order = f"layers in another order: {chain(found)}"
            raise CheckFailed(order, f"{rule.type} as layer {index + 1}", COMPARE)
        raise CheckFailed(number, count(len(wanted), "layer"), COMPARE)
    if partner != rule:
        raise _different(partner, rule, index)
    missing = [rule for place, rule in enumerate(wanted) if alignment.partners[place] is None]
    for place, extra in alignment.extra:
        if place == index and extra not in missing:  # one that is missing elsewhere is reported there
            without = f"the repeated {extra}" if extra in wanted else str(extra)
            if found.count(extra) == 1:
                without = f"{extra} as layer {found.index(extra) + 1}"
            raise CheckFailed(number, f"{count(len(wanted), 'layer')}, without {without}", COMPARE)


def _different(found: NamedLayer, rule: NamedLayer, index: int) -> CheckFailed:
    """Return the failure of a layer that differs from the required one."""
    place = f"layer {index + 1}"
    if found.type != rule.type:
        hint = "the images are grids; a Dense layer wants one row of numbers" if rule.type == "Flatten" else ""
        return CheckFailed(f"{place} is {found}", f"a {rule.type} layer", hint)
    if found.units != rule.units:
        neurons = count(found.units or 0, "neuron")
        return CheckFailed(f"{place} has {neurons}", f"{rule.units}", "see the question's text")
    hint = "what should come out of this layer: any positive number, or a probability?"
    return CheckFailed(f"{place} has the activation {found.activation}", "another activation", hint)


# The settings that a model was compiled with

LOSS_HINTS = {
    "categorical_crossentropy": "the labels here are whole numbers, not rows of ten zeros and ones",
    "mean_squared_error": "that loss is for measuring distances, not for choosing among classes",
}


def compile_optimizer(env: Mapping[str, Any], question: str) -> None:
    """Check that the model is compiled with the required optimizer."""
    context = context_of(env, question)
    rule, model = context.policy.code[question], context.earlier_model(question)
    if model.compile is None:
        never = f"`{rule.variable}` was never compiled"
        raise CheckFailed(never, "a compiled model", "call its compile method before fit")
    found = canonical_name(model.compile.optimizer)
    if found != rule.optimizer:
        hint = "compile uses rmsprop when no optimizer is named" if found == "rmsprop" else "see the question's text"
        raise CheckFailed(f"the optimizer {found}", f"{rule.optimizer}", hint)


def compile_loss(env: Mapping[str, Any], question: str) -> None:
    """Check that the model is compiled with the required loss, and that the loss fits the model's outputs."""
    context = context_of(env, question)
    rule = context.policy.code[question]
    with follow_up("there is no model to check yet"):
        model = context.earlier_model(question)
    if model.compile is None:
        raise NotChecked(f"`{rule.variable}` has to be compiled first")
    found = loss_name(model.compile)
    if found is None:
        raise CheckFailed("no loss was given to compile", "a loss", "without one, nothing tells fit what to improve")
    if found != rule.loss:
        hint = LOSS_HINTS.get(found, "which loss fits ten classes with whole-number labels?")
        raise CheckFailed(f"the loss {found}", f"{rule.loss}", hint)
    layers = named_layers(model)
    if model.compile.from_logits and layers and layers[-1].activation == "softmax":
        hint = "softmax already turns the outputs into probabilities; leave from_logits out"
        raise CheckFailed(
            "from_logits=True, on a model that ends in softmax", "a loss that expects probabilities", hint
        )


# A trained model: its accuracy, the scaling of its inputs, the accuracy that the notebook measured

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
    with follow_up(NO_MODEL, first=level == 0):
        model, score = _scored_model(context, question)
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
    if value.kind != "number" or not isinstance(value.value, int | float):
        if value.kind == "numbers" or value.name.startswith(("list", "tuple", "dict")):
            hint = "evaluate returns several numbers: keep one of them"
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


def _scored_model(context: CheckContext, question: str) -> tuple[Model, Score]:
    """Return the model of a question with its score.

    Raises CheckFailed; NotChecked if the failure follows from wrong layers, which another question reports.
    """
    model = context.earlier_model(question)
    found = named_layers(model) if model.is_chain else None
    wrong = [id for id in context.builders(question) if found != required_layers(context.policy.code[id])]
    first = f"the layers of question {wrong[0]} have to be right first" if wrong else ""
    outputs = (model.output_shape[-1] or 0) if model.output_shape else CLASSES
    if first and outputs < CLASSES:
        raise NotChecked(f"{first}: with {count(outputs, 'output')}, some classes have none")
    try:
        return model, context.score(question)
    except CheckFailed as failure:
        raise NotChecked(f"{first}: {failure.found}") if first else failure from None


def _trained_model(context: CheckContext, question: str) -> tuple[Model, Score]:
    """Return a trained model and its score. Raises NotChecked; the check of accuracy reports what is missing."""
    with follow_up(NO_MODEL):
        model, score = _scored_model(context, question)
    if score.accuracy < GUESSING:
        raise NotChecked("the model has to be trained first")
    return model, score


def _shortfall(model: Model, score: Score) -> tuple[str, str]:
    """Return a remark about an accuracy that is too low, and a hint."""
    if score.accuracy < GUESSING and not model.steps:
        return ", no better than guessing; the model was never trained", "call fit with the training images and labels"
    after = f"after {count(int(model.steps), 'step')} of training"
    if score.accuracy < GUESSING:
        hint = "does each label still belong to its image? does the loss fall while fit runs?"
        return f", no better than guessing, {after}", hint
    if model.steps < FEW_STEPS:
        return f", {after} (a step is one batch)", "are all training images given to fit, and for enough epochs?"
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
