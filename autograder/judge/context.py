"""What the checks of one submission work on: its evidence, the policy, and the images only the judge has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograder.data import dataset
from autograder.judge import rebuild
from autograder.judge.evidence import MAX_WEIGHTS, Evidence, Float32, Model, QuestionEvidence, ReportedValue
from autograder.policy.policy import Policy
from autograder.policy.questions import CodeQuestion

__all__ = ["CheckContext", "CheckFailed", "Fit", "NotChecked", "Score", "fit"]

PROBE = 1000
"""Public images on which the scaling of the pixels is inferred."""

SLACK = 0.02
"""How much less accurate a scaling may be than the best one to be taken for the student's all the same."""


class CheckFailed(Exception):
    """A check has found something else than it expected; the text is for the student."""

    def __init__(self, found: str, expected: str = "", hint: str = "") -> None:
        self.found = found
        lines = {"Found": found, "Expected": expected, "Try": hint}
        super().__init__("\n".join(f"{name}: {_one_line(text)}" for name, text in lines.items() if text))


class NotChecked(CheckFailed):
    """Something earlier has to be right first; says which."""

    def __init__(self, because: str) -> None:
        Exception.__init__(self, f"Not checked: {_one_line(because)}")


@dataclass(frozen=True)
class Score:
    """How a rebuilt model does.

    `accuracy` and `public` are the fractions of the private and the public images that it gets right; `measurable` is
    what a notebook may truly have measured, on the public or on all official images, under every scaling that is near;
    `scaling` is how pixels were most likely scaled when it was trained.
    """

    accuracy: float
    public: float
    measurable: tuple[float, ...]
    scaling: str


@dataclass(frozen=True)
class CheckContext:
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
        asked, end = self.policy.code[id], self.evidence.at_end.get(id)
        if end is not None and _unfinished(asked, taken) and not _unfinished(asked, end):
            return asked, end
        return asked, taken

    def model(self, id: str) -> tuple[CodeQuestion, Model]:
        question, taken = self.question(id)
        return question, _usable(taken.model, question.variable)

    def value(self, id: str, name: str) -> ReportedValue:
        _, taken = self.question(id)
        return (taken.values or {}).get(name, ReportedValue(kind="missing"))

    def strayed(self, id: str) -> str | None:
        """The dataset that was loaded in the place of the assignment's before a question was checked; None is well."""
        _, taken = self.question(id)
        others = [name for name in taken.loaded if name in dataset.DATASETS]
        return None if self.policy.assignment.dataset in others else next(iter(others), None)

    @cached_property
    def scores(self) -> dict[str, Score]:
        """The models that were scored so far, by question."""
        return {}

    def score(self, id: str) -> Score:
        """Rebuild the model of a question and score it, once."""
        if id not in self.scores:
            _, model = self.model(id)
            self.scores[id] = self._score(model)
        return self.scores[id]

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
        probe = dataset.Labelled(self.public.images[:PROBE], self.public.labels[:PROBE])
        scales = dict(rebuild.scalings(self.policy.assignment.dataset))
        near = _near({name: fit(rebuilt, scale, probe) for name, scale in scales.items()})
        private = fit(rebuilt, scales[near[0]], self.private).accuracy
        public = [fit(rebuilt, scales[name], self.public).accuracy for name in near]
        seen, hidden = len(self.public.labels), len(self.private.labels)
        official = (public[0] * seen + private * hidden) / (seen + hidden)
        return Score(private, public[0], (*public, official), near[0])


@dataclass(frozen=True)
class Fit:
    """Fraction of images that a model gets right, and its mean cross-entropy."""

    accuracy: float
    loss: float


def _unfinished(question: CodeQuestion, taken: QuestionEvidence) -> bool:
    """Taken before the model was compiled, or trained, which the question is about."""
    if taken.model is None or not (question.optimizer or question.accuracy):
        return False
    return taken.model.compile is None or bool(question.accuracy and not taken.model.steps)


def _near(tried: Mapping[str, Fit]) -> tuple[str, ...]:
    """The scalings of the pixels that a model may have been trained with, the likeliest first.

    Many do about as well, for a network of relu hardly minds how bright its images are. Among them the loss tells: on
    pixels that are too large a model is far too sure of its mistakes, on small ones unsure of everything.
    """
    best = max(found.accuracy for found in tried.values())
    near = {name: found.loss for name, found in tried.items() if found.accuracy >= best - SLACK}
    return tuple(sorted(near, key=near.__getitem__))


def fit(model: Any, scale: Callable[[Float32], Float32], images: dataset.Labelled) -> Fit:
    """Accuracy and mean cross-entropy of a rebuilt model (keras.Sequential) on images scaled in one way."""
    found = rebuild.outputs(model, scale(images.images.astype(np.float32)))
    hits = float(np.mean(found.argmax(axis=-1) == images.labels))
    if found.shape[1] <= int(images.labels.max()):
        return Fit(hits, 0.0)  # too few outputs: no loss, and no choice by it
    if found.min() < 0 or np.abs(found.sum(axis=1) - 1).max() > 1e-3:  # no probabilities yet
        found = np.exp(found - found.max(axis=1, keepdims=True))
        found /= found.sum(axis=1, keepdims=True)
    chances = found[np.arange(len(found)), images.labels]
    return Fit(hits, float(-np.log(np.maximum(chances, 1e-7)).mean()))


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


def _one_line(text: str) -> str:
    return " ".join(text.split())
