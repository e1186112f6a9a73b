"""The checks that hidden tests call, one line each.

Every function takes the environment Otter gives to a test (`env`), raises CheckFailed with the words a
student reads, and returns nothing when all is well. In the kit's engine the environment holds a Bench
(evidence, policy, private images); under stock Otter, where it holds the student's live objects, the same
evidence is taken from those on the spot, so the points are the same.

A message says what was found, what was expected, and what to try, in at most three lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from typing import Any

from autograder.calibration.reference import rules
from autograder.data import dataset
from autograder.judge import rebuild
from autograder.judge.architecture import (
    CLASSES,
    NamedLayer,
    align,
    chain,
    is_chain,
    loss_name,
    optimizer_name,
    required,
    scales_itself,
    steps,
)
from autograder.judge.context import CheckContext, CheckFailed, NotChecked, Score
from autograder.judge.evidence import Model, ReportedValue, live
from autograder.layout import HOME
from autograder.policy.policy import Policy
from autograder.policy.questions import CodeQuestion

__all__ = [
    "BENCH",
    "CheckContext",
    "CheckFailed",
    "NotChecked",
    "accuracy",
    "compile_loss",
    "compile_optimizer",
    "layer",
    "measured",
    "report",
    "scaled",
]

BENCH = "__bench__"
"""The name under which the judge puts its Bench into a test's environment."""

STRUCTURES = {
    "subclassed": "a model of a class of its own",
    "branching": "a model whose layers branch, or are used twice",
    "unknown": "a model whose layers cannot be read",
}

COMPARE = "compare with the list in the question, from the first layer to the last"

GUESSING = 0.2
"""Accuracy below which ten balanced classes were guessed: 0.1 is chance, and 5,000 images bring it nowhere near 0.2."""

FEW_STEPS = 500
"""Steps of training below which their number is worth telling; five epochs in batches of 512 take 590."""

SEEN = 0.03
"""Accuracy on the student's test images above that on hidden ones from which on the model must have been trained on the
former. Between two halves of 5,000 images that a model has not seen it differs by 0.003 (one standard deviation)."""

CLOSE = 0.0015
"""How far a reported accuracy may be from the measured one: 7 of 5,000 images, for the last bits of the arithmetic."""


def report(env: Mapping[str, Any], question: str, name: str) -> None:
    """A reported shape or length is the true one."""
    bench = _bench(env, question)
    value = bench.value(question, name)
    expected = dataset.FACTS[name]
    hint = "read it off the array: .shape gives a shape, len() gives a length"
    if value.kind in ("missing", "ellipsis", "none"):
        raise CheckFailed(f"`{name}` has not been given a value", hint=hint)
    _demand_images(bench, question, name)
    if isinstance(expected, tuple):
        if value.kind != "numbers":
            raise CheckFailed(f"`{name}` is {_words(value)}", f"a tuple of {_count(len(expected))}", hint)
        if tuple(value.value) != expected:  # type: ignore[arg-type]  # kind "numbers" means a list
            raise CheckFailed(
                f"`{name}` is {_words(value)}",
                f"{expected}",
                "load_data() returns two pairs; is this the right array of the right pair, before any reshaping?",
            )
        return
    if value.kind != "number":
        raise CheckFailed(f"`{name}` is {_words(value)}", "one whole number", hint)
    if value.value != expected:
        raise CheckFailed(f"`{name}` is {_words(value)}", f"{expected}", "is this the right array of the right pair?")


def layer(env: Mapping[str, Any], question: str, index: int) -> None:
    """The layer at `index` of the required ones is there, in its place.

    The two chains are laid beside each other whole, so that one mistake costs one layer: a missing layer its own
    points, an extra one those of the layer that it stands before (or of the last).
    """
    bench = _bench(env, question)
    with _said_before("there is no model to look at yet") if index else nullcontext():
        asked, model = bench.model(question)
    found = steps(model)
    wanted = required(asked)
    if not is_chain(model):
        if index:
            raise NotChecked("the model has to be one plain chain of layers first")
        raise CheckFailed(STRUCTURES[model.structure], "one plain chain of layers", "use keras.Sequential")
    beside = align(found, wanted)
    partner = beside.partners[index]
    missing = [at for at, each in enumerate(beside.partners) if each is None]
    if partner is None and index != missing[0]:
        raise NotChecked("the number of layers has to be right first")
    moved = [step for _, step in beside.extra if step == wanted[index]]
    if partner is None and moved:
        raise CheckFailed(
            f"layers in another order: {chain(found)}", f"{wanted[index].type} as layer {index + 1}", COMPARE
        )
    if partner is None:
        raise CheckFailed(f"{_count(len(found), 'layer')}: {chain(found)}", _count(len(wanted), "layer"), COMPARE)
    if partner != wanted[index]:
        raise _layer_problem(partner, wanted[index], index)
    elsewhere = [wanted[at] for at in missing]
    extra = [step for at, step in beside.extra if at == index and step not in elsewhere]
    if extra:
        raise CheckFailed(
            f"{_count(len(found), 'layer')}: {chain(found)}",
            f"{_count(len(wanted), 'layer')}, without {extra[0]} {_where(found, extra[0])}",
            COMPARE,
        )


def compile_optimizer(env: Mapping[str, Any], question: str) -> None:
    """The model is compiled with the required optimizer."""
    bench = _bench(env, question)
    asked, model = _earlier(bench, question)
    if model.compile is None:
        raise CheckFailed(
            f"`{asked.variable}` was never compiled", "a compiled model", "call its compile method before fit"
        )
    found = optimizer_name(model.compile)
    if found != asked.optimizer:
        hint = "compile uses rmsprop when no optimizer is named" if found == "rmsprop" else "see the question's text"
        raise CheckFailed(f"the optimizer {found}", f"{asked.optimizer}", hint)


def compile_loss(env: Mapping[str, Any], question: str) -> None:
    """The model is compiled with the required loss, and the loss fits the model's outputs."""
    bench = _bench(env, question)
    with _said_before("there is no model to look at yet"):
        asked, model = _earlier(bench, question)
    if model.compile is None:
        raise NotChecked(f"`{asked.variable}` has to be compiled first")
    found = loss_name(model.compile)
    if found is None:
        raise CheckFailed("no loss was given to compile", "a loss", "without one, nothing tells fit what to improve")
    if found != asked.loss:
        hint = {
            "categorical_crossentropy": "the labels here are whole numbers, not rows of ten zeros and ones",
            "mean_squared_error": "that loss is for measuring distances, not for choosing among classes",
        }.get(found, "which loss fits ten classes with whole-number labels?")
        raise CheckFailed(f"the loss {found}", f"{asked.loss}", hint)
    if model.compile.from_logits and _ends_in_softmax(model):
        raise CheckFailed(
            "from_logits=True, on a model that ends in softmax",
            "a loss that is told it gets probabilities",
            "softmax already turns the outputs into probabilities; leave from_logits out",
        )


def scaled(env: Mapping[str, Any], question: str) -> None:
    """The model was trained on scaled pixels, or scales them itself."""
    bench = _bench(env, question)
    model, score = _trained(bench, question)
    if score.scaling == rebuild.UNSCALED and not scales_itself(model):
        raise CheckFailed(
            "the model was trained on pixels from 0 to 255",
            "small inputs, for training and test alike",
            "scale both sets of images before fit; what is the largest value a pixel can have?",
        )


def accuracy(env: Mapping[str, Any], question: str, level: int) -> None:
    """The trained model reaches level `level` of the accuracy rule (the last level is `full`)."""
    bench = _bench(env, question)
    rule = bench.policy.code[question].accuracy
    assert rule is not None  # the build writes this check for accuracy questions only
    levels = rule.levels
    with _said_before("there is no model to score yet") if level else nullcontext():
        model, score = _score(bench, question)
    if score.accuracy >= levels[level]:
        return
    if level and score.accuracy < levels[level - 1]:
        raise NotChecked(f"an accuracy of {_percent(levels[level - 1])} has to be reached first")
    found, hint = _shortfall(model, score)
    raise CheckFailed(
        f"{_percent(score.accuracy)} of hidden images right{found}", f"at least {_percent(levels[level])}", hint
    )


def measured(env: Mapping[str, Any], question: str, name: str) -> None:
    """A variable holds the accuracy on the test images, as a fraction or in percent, and they are test images still."""
    bench = _bench(env, question)
    _, score = _trained(bench, question)
    value = bench.value(question, name)
    expected = "one number, the accuracy on the test images"
    if value.kind in ("missing", "ellipsis", "none"):
        raise CheckFailed(
            f"`{name}` has not been given a value", expected, "evaluate returns the loss and the accuracy"
        )
    if value.kind == "numbers" or value.name.startswith(("list", "tuple", "dict")):
        raise CheckFailed(
            f"`{name}` is {_words(value)}", expected, "evaluate returns several numbers: keep one of them"
        )
    if value.kind != "number" or not isinstance(value.value, int | float):
        raise CheckFailed(f"`{name}` is {_words(value)}", expected, "evaluate returns the loss and the accuracy")
    found = value.value / 100 if 1 < value.value <= 100 else value.value
    if not any(_same(found, truth) for truth in score.measurable):
        raise CheckFailed(
            f"`{name}` is {value.value:.4g}, but the model gets {_percent(score.public)} of the test images right",
            "the accuracy of this model on the test images",
            _where_from(found, score.public),
        )
    if score.public - score.accuracy > SEEN:
        raise CheckFailed(
            f"{_percent(score.public)} of your test images right, but {_percent(score.accuracy)} of hidden images",
            "test images that the model was not trained on",
            "which images and labels are given to fit?",
        )


def _demand_images(bench: CheckContext, question: str, name: str) -> None:
    """The dataset that the assignment is about was loaded, if any was; the question's first report says so."""
    other = bench.strayed(question)
    if other is None:
        return
    wanted = bench.policy.assignment.dataset
    title = dataset.DATASETS[wanted].title
    if name != next(iter(bench.policy.code[question].reports or ())):
        raise NotChecked(f"the images of {title} have to be loaded first")
    raise CheckFailed(
        f"keras.datasets.{other}, the images of {dataset.DATASETS[other].title}",
        f"the images of {title}",
        f"keras.datasets.{wanted} has a load_data of its own",
    )


def _bench(env: Mapping[str, Any], question: str) -> CheckContext:
    bench = env.get(BENCH)
    if isinstance(bench, CheckContext):
        return bench
    policy, public, private = _home()
    return CheckContext(live(policy, question, env), policy, public, private)


@lru_cache(maxsize=1)
def _home() -> tuple[Policy, dataset.Labelled, dataset.Labelled]:
    """The policy and the images of the copy of the kit that is installed (stock Otter only)."""
    policy = rules(HOME)
    data = dataset.load(HOME.data(policy.assignment.dataset))
    public, private = dataset.split(data.test, policy.assignment.split_seed)
    return policy, public, private


@contextmanager
def _said_before(because: str) -> Iterator[None]:
    """Another check of the question says what is wrong; this one has not been made."""
    try:
        yield
    except NotChecked:
        raise
    except CheckFailed:
        raise NotChecked(because) from None


def _earlier(bench: CheckContext, question: str) -> tuple[CodeQuestion, Model]:
    """The model of a question; where the one that asks for its layers has none either, that comes first."""
    bench.question(question)
    try:
        return bench.model(question)
    except CheckFailed:
        for id in _builders(bench, question):
            try:
                bench.model(id)
            except CheckFailed:
                raise NotChecked(f"question {id} has to be answered first: there is no model yet") from None
        raise


def _builders(bench: CheckContext, question: str) -> list[str]:
    """The questions that ask for the layers of the model which `question` is about."""
    variable = bench.policy.code[question].variable
    return [id for id, other in bench.policy.code.items() if other.layers and other.variable == variable]


def _score(bench: CheckContext, question: str) -> tuple[Model, Score]:
    """The model of a question, scored. What follows from a wrong layer is not checked."""
    _, model = _earlier(bench, question)
    builders = _builders(bench, question)
    builders = [id for id in builders if not is_chain(model) or steps(model) != required(bench.policy.code[id])]
    first = f"the layers of question {builders[0]} have to be right first" if builders else ""
    if first and model.output_shape and (model.output_shape[-1] or 0) < CLASSES:
        outputs = _count(model.output_shape[-1] or 0, "output")
        raise NotChecked(f"{first}: with {outputs} there is none for some classes")
    try:
        return model, bench.score(question)
    except CheckFailed as failed:
        if first:
            raise NotChecked(f"{first}: {failed.found}") from None
        raise


def _trained(bench: CheckContext, question: str) -> tuple[Model, Score]:
    """A model that was trained, and its score; whatever is missing for that is the mistake of another check."""
    with _said_before("there is no model to score yet"):
        model, score = _score(bench, question)
    if score.accuracy < GUESSING:
        raise NotChecked("the model has to be trained first")
    return model, score


def _shortfall(model: Model, score: Score) -> tuple[str, str]:
    """What is to be said about an accuracy that is too low, and what to try."""
    if score.accuracy < GUESSING and not model.steps:
        return ", as guessing gives; the model was never trained", "call fit with the training images and labels"
    if score.accuracy < GUESSING:
        return (
            f", as guessing gives, after {_count(int(model.steps), 'step')} of training",
            "does each label still stand at the place of its image? does the loss fall while fit runs?",
        )
    if model.steps < FEW_STEPS:
        return (
            f", after {_count(int(model.steps), 'step')} of training (a step is one batch)",
            "are all training images given to fit, and for enough epochs?",
        )
    return "", "are the pixels scaled, for training and test alike? does the loss still fall in the last epoch?"


def _same(found: float, truth: float) -> bool:
    """Equal but for the last bits, or rounded to whole percents."""
    return abs(found - truth) <= CLOSE or abs(found - round(truth, 2)) < 1e-9


def _where_from(found: float, truth: float) -> str:
    if found > 1 or found < truth / 2:
        return "is this the loss, which evaluate returns first? or were the test images scaled twice?"
    if found > truth:
        return "is this the accuracy on the training images, or from before the last change of the model?"
    return "were the test images scaled exactly once, in the way the training images were?"


def _where(found: tuple[NamedLayer, ...], step: NamedLayer) -> str:
    """Where a step stands in a chain."""
    return f"as layer {found.index(step) + 1}" if found.count(step) == 1 else "so often"


def _layer_problem(step: NamedLayer, rule: NamedLayer, index: int) -> CheckFailed:
    place = f"layer {index + 1}"
    if step.type != rule.type:
        hint = "the images are grids; a Dense layer wants one row of numbers" if rule.type == "Flatten" else ""
        return CheckFailed(f"{place} is {step}", f"a {rule.type} layer", hint)
    if step.units != rule.units:
        return CheckFailed(
            f"{place} has {_count(step.units or 0, 'neuron')}", f"{rule.units}", "see the question's text"
        )
    return CheckFailed(
        f"{place} has the activation {step.activation}",
        "another activation",
        "what should come out of this layer: any positive number, or a probability?",
    )


def _ends_in_softmax(model: Model) -> bool:
    found = steps(model)
    return bool(found) and found[-1].activation == "softmax"


def _words(value: ReportedValue) -> str:
    match value.kind:
        case "numbers":
            return str(tuple(value.value))  # type: ignore[arg-type]  # kind "numbers" means a list
        case "number" if value.value is None:
            return "infinite, not a number, or far too large"
        case "number" | "bool":
            return str(value.value)
        case "text":
            return f"the text {str(value.value)[:40]!r}"
        case _:
            return f"a value of type {value.name or value.kind}"


def _percent(fraction: float) -> str:
    """Without rounding up: 95.98 % must not read as the 96 % that it has missed."""
    return f"{math.floor(fraction * 1e4 + 1e-6) / 100:g}%"


def _count(number: int, noun: str = "whole number") -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
