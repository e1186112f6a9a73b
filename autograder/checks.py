"""The checks that hidden tests call, one line each.

Every function takes the environment Otter gives to a test (`env`), raises CheckFailed with the words a
student reads, and returns nothing when all is well. In the kit's engine the environment holds a Bench
(evidence, policy, private images); under stock Otter, where it holds the student's live objects, the same
evidence is taken from those on the spot, so the points are the same.

A message says what was found, what was expected, and what to try, in at most three lines.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from autograder import dataset, rebuild
from autograder.architecture import Step, loss_name, optimizer_name, steps
from autograder.evidence import MAX_WEIGHTS, Evidence, Model, QuestionEvidence, Value, live
from autograder.grading_file import load
from autograder.layout import HOME
from autograder.policy import CodeQuestion, LayerRule, Policy

__all__ = ["BENCH", "Bench", "CheckFailed", "accuracy", "compile_loss", "compile_optimizer", "layer", "report"]

BENCH = "__bench__"
"""The name under which the judge puts its Bench into a test's environment."""

STRUCTURES = {
    "subclassed": "a model of a class of its own",
    "branching": "a model whose layers branch, or are used twice",
    "unknown": "a model whose layers cannot be read",
}

PROBE = 1000
"""Public images on which the scaling of the pixels is inferred."""


class CheckFailed(Exception):
    """A check has found something else than it expected; the text is for the student."""

    def __init__(self, found: str, expected: str = "", hint: str = "") -> None:
        lines = {"Found": found, "Expected": expected, "Try": hint}
        super().__init__("\n".join(f"{name}: {_one_line(text)}" for name, text in lines.items() if text))


class NotChecked(CheckFailed):
    """Something earlier has to be right first; says which."""

    def __init__(self, because: str) -> None:
        Exception.__init__(self, f"Not checked: {_one_line(because)}")


@dataclass(frozen=True)
class Score:
    """How a rebuilt model does. `accuracy` is a fraction of the private images."""

    accuracy: float
    scaling: str


@dataclass(frozen=True)
class Bench:
    """What one submission's checks work on: its evidence, the policy, and the images only the judge has."""

    evidence: Evidence
    policy: Policy
    public: dataset.Labelled
    private: dataset.Labelled

    def question(self, id: str) -> tuple[CodeQuestion, QuestionEvidence]:
        taken = self.evidence.questions.get(id)
        if taken is None:
            raise CheckFailed(
                "the notebook stopped before this question was reached",
                hint="run the whole notebook from the top (Run > Restart Kernel and Run All Cells)",
            )
        return self.policy.code[id], taken

    def model(self, id: str) -> tuple[CodeQuestion, Model]:
        question, taken = self.question(id)
        return question, _usable(taken.model, question.variable)

    @cached_property
    def _scores(self) -> dict[str, Score]:
        return {}

    def score(self, id: str) -> Score:
        """Rebuild the model of a question and score it, once."""
        if id not in self._scores:
            _, model = self.model(id)
            self._scores[id] = self._score(model)
        return self._scores[id]

    def _score(self, model: Model) -> Score:
        weights = self.evidence.weights(model)
        size = sum(math.prod(shape) for layer in model.layers for shape in layer.weights)
        if weights is None and size > MAX_WEIGHTS:
            raise CheckFailed(
                f"a model with {size:,} parameters", f"at most {MAX_WEIGHTS:,}", "make its layers smaller"
            )
        if weights is None:
            raise CheckFailed("a model without parameters", hint="train it with fit before this question is checked")
        try:
            rebuilt = rebuild.rebuild(model, weights)
        except rebuild.CannotRebuild as reason:
            raise CheckFailed(
                f"a model that cannot be scored: {reason}", "the layers that the assignment asks for"
            ) from None
        probe = self.public.images[:PROBE].astype(np.float32)
        best, scale, name = -1.0, None, ""
        for candidate, function in rebuild.scalings():
            hits = float(np.mean(rebuild.predict(rebuilt, function(probe)) == self.public.labels[:PROBE]))
            if hits > best:
                best, scale, name = hits, function, candidate
        assert scale is not None  # scalings() is never empty
        answers = rebuild.predict(rebuilt, scale(self.private.images.astype(np.float32)))
        return Score(float(np.mean(answers == self.private.labels)), name)


def report(env: Mapping[str, Any], question: str, name: str) -> None:
    """A reported shape or length is the true one."""
    bench = _bench(env, question)
    _, taken = bench.question(question)
    value = (taken.values or {}).get(name, Value(kind="missing"))
    expected = dataset.FACTS[name]
    hint = "read it off the array: .shape gives a shape, len() gives a length"
    if value.kind in ("missing", "ellipsis", "none"):
        raise CheckFailed(f"`{name}` has not been given a value", hint=hint)
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
    """The layer at `index` of the model is the required one; the list is compared whole, lengths first."""
    bench = _bench(env, question)
    try:
        asked, model = bench.model(question)
    except CheckFailed:
        if index:
            raise NotChecked("there is no model to look at yet") from None
        raise
    rules = asked.layers or ()
    found = steps(model)
    chain = " → ".join([*map(str, found[:8]), *(["…"] if len(found) > 8 else [])]) or "nothing"
    if model.structure not in ("sequential", "functional"):
        problem = CheckFailed(STRUCTURES[model.structure], "one plain chain of layers", "use keras.Sequential")
    elif len(found) != len(rules):
        problem = CheckFailed(
            f"{_count(len(found), 'layer')}: {chain}",
            _count(len(rules), "layer"),
            "compare with the list in the question, from the first layer to the last",
        )
    else:
        wrong = [at for at, rule in enumerate(rules) if not _is(found[at], rule)]
        if index not in wrong:
            return
        raise _layer_problem(found[index], rules[index], index)
    if index:
        raise NotChecked("the number of layers has to be right first")
    raise problem


def compile_optimizer(env: Mapping[str, Any], question: str) -> None:
    """The model is compiled with the required optimizer."""
    bench = _bench(env, question)
    asked, model = bench.model(question)
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
    try:
        asked, model = bench.model(question)
    except CheckFailed:
        raise NotChecked("there is no model to look at yet") from None
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


def accuracy(env: Mapping[str, Any], question: str, level: int) -> None:
    """The trained model reaches level `level` of the accuracy rule (the last level is `full`)."""
    bench = _bench(env, question)
    try:
        asked, model = bench.model(question)
        score = bench.score(question)
    except CheckFailed:
        if level:
            raise NotChecked("there is no model to score yet") from None
        raise
    assert asked.accuracy is not None  # the build writes this check for accuracy questions only
    levels = [needed for needed, _ in asked.accuracy.bands] + [asked.accuracy.full]
    if score.accuracy >= levels[level]:
        return
    if level and score.accuracy < levels[level - 1]:
        raise NotChecked(f"an accuracy of {_percent(levels[level - 1])} has to be reached first")
    if not model.steps and score.accuracy < 0.2:
        raise CheckFailed(
            f"{_percent(score.accuracy)} of hidden images right, as guessing gives; the model was never trained",
            f"at least {_percent(levels[level])}",
            "call fit with the training images and labels",
        )
    raise CheckFailed(
        f"{_percent(score.accuracy)} of hidden images right",
        f"at least {_percent(levels[level])}",
        "are the pixels scaled, for training and test alike? does the loss still fall in the last epoch?",
    )


def _bench(env: Mapping[str, Any], question: str) -> Bench:
    bench = env.get(BENCH)
    if isinstance(bench, Bench):
        return bench
    policy, public, private = _home()
    return Bench(live(policy, question, env), policy, public, private)


@lru_cache(maxsize=1)
def _home() -> tuple[Policy, dataset.Labelled, dataset.Labelled]:
    """The policy and the images of the copy of the kit that is installed (stock Otter only)."""
    policy = load(HOME.policy)
    public, private = dataset.split(dataset.load(HOME.data).test, policy.assignment.split_seed)
    return policy, public, private


def _usable(model: Model | None, name: str) -> Model:
    if model is None or model.kind == "missing":
        raise CheckFailed(
            f"there is no variable called `{name}`", "a Keras model", "has the answer cell been renamed or deleted?"
        )
    if model.kind == "ellipsis":
        raise CheckFailed(f"`{name}` has not been given a value", "a Keras model", "replace the ... in the answer cell")
    if model.kind == "other":
        hint = "fit returns a History; keep it under another name" if model.name == "History" else ""
        raise CheckFailed(f"`{name}` is a {model.name}", "a Keras model", hint)
    return model


def _is(step: Step, rule: LayerRule) -> bool:
    return (step.type, step.units, step.activation) == (rule.type, rule.units, rule.activation)


def _layer_problem(step: Step, rule: LayerRule, index: int) -> CheckFailed:
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


def _words(value: Value) -> str:
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


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _percent(fraction: float) -> str:
    """Without rounding up: 95.98 % must not read as the 96 % that it has missed."""
    return f"{math.floor(fraction * 1e4 + 1e-6) / 100:g}%"


def _count(number: int, noun: str = "whole number") -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
