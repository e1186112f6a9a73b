"""Evidence written by hand: journals, models and a policy for tests that need no Keras."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from otter.test_files.exception_test import ExceptionTestFile

from autograder.data.dataset import Labelled
from autograder.judge import evidence
from autograder.judge.context import CONTEXT, CheckContext
from autograder.judge.failure import CheckFailed, NotChecked
from autograder.policy import grading_file, policy

Layer = tuple[str, Mapping[str, Any]]
Chain = Iterable[Layer]

FLATTEN: Layer = ("keras:Flatten", {})
HIDDEN: Layer = ("keras:Dense", {"units": 128, "activation": "keras:relu", "use_bias": True})
OUTPUT: Layer = ("keras:Dense", {"units": 10, "activation": "keras:softmax", "use_bias": True})
CLASSIC = (FLATTEN, HIDDEN, OUTPUT)  # the model of the assignment
COMPILED = {
    "optimizer": "keras:Adam",
    "learning_rate": 0.001,
    "loss": "keras:sparse_categorical_crossentropy",
    "from_logits": None,
}

RULES = grading_file.parse(
    """
assignment: {name: test, title: A test of checks}
questions:
  q1: {kind: written, points: 4, title: Why, rubric: [{id: a, points: 4, text: Because.}]}
  q4: {kind: code, points: 6, title: Look, reports: {train_images_shape: 3, train_labels_length: 3}}
  q5:
    kind: code
    points: 8
    title: Build
    layers:
      - {type: Flatten}
      - {type: Dense, units: 128, activation: relu}
      - {type: Dense, units: 10, activation: softmax}
  q6: {kind: code, points: 4, title: Compile, optimizer: adam, loss: sparse_categorical_crossentropy}
  q7: {kind: code, points: 8, title: Train, accuracy: {full: 0.965, bands: [[0.85, 4], [0.93, 6]]}}
""",
    Path("grading.yml"),
)

NO_IMAGES = Labelled(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))


def dense(units: int, activation: str = "keras:relu") -> Layer:
    """A Dense layer."""
    return ("keras:Dense", {"units": units, "activation": activation, "use_bias": True})


def line(**record: Any) -> bytes:
    """One record as a line of a journal."""
    return json.dumps(record).encode() + b"\n"


def model(chain: Chain = CLASSIC, **changes: Any) -> dict[str, Any]:
    """The journal's description of a compiled, trained, sequential Keras model with these layers."""
    return {
        "kind": "keras",
        "name": "Sequential",
        "structure": "sequential",
        "built": True,
        "input_shape": [None, 28, 28],
        "output_shape": [None, 10],
        "layers": [{"type": type, "settings": dict(settings), "weights": []} for type, settings in chain],
        "compile": COMPILED,
        "steps": 9375,
        **changes,
    }


def of_model(question: str, chain: Chain = CLASSIC, at: str = "check", **changes: Any) -> bytes:
    """A journal line: a model, looked at for `question`."""
    return line(question=question, at=at, model=model(chain, **changes))


def of_values(question: str = "q4", at: str = "check", loaded: Iterable[str] = (), **values: Any) -> bytes:
    """A journal line: reported values, each given as (kind, value) or just a kind, and the datasets loaded before."""
    pairs = {name: value if isinstance(value, tuple) else (value, None) for name, value in values.items()}
    described = {name: {"kind": k, "value": v} for name, (k, v) in pairs.items()}
    return line(question=question, at=at, loaded=list(loaded), values=described)


def context(*lines: bytes, blob: bytes = b"", rules: policy.Policy = RULES) -> CheckContext:
    """The input of checks, with no images."""
    return CheckContext(evidence.parse(b"".join(lines), blob), rules, NO_IMAGES, NO_IMAGES)


def env(*lines: bytes, **settings: Any) -> dict[str, Any]:
    """The environment of a test in the kit's engine."""
    return {CONTEXT: context(*lines, **settings)}


def message(check: Callable[..., object], *arguments: Any) -> str:
    """Return the message of a check; empty if it passes."""
    try:
        check(*arguments)
    except (CheckFailed, NotChecked) as failure:
        return str(failure)
    return ""


def failed(found: str, expected: str = "", hint: str = "") -> str:
    """The message of a failed check."""
    return str(CheckFailed(found, expected, hint))


def otter_tests(*bodies: str, hidden: bool = True, points: float = 2) -> ExceptionTestFile:
    """An Otter test file of question 5 with one case for every body."""
    head = "from otter.test_files import test_case\n\nOK_FORMAT = False\nname = 'q5'\npoints = None\n\n"
    cases = [
        f"@test_case(points={points}, hidden={hidden})\ndef test_part_{number}(env):\n    {body}\n"
        for number, body in enumerate(bodies, start=1)
    ]
    return ExceptionTestFile.from_string(head + "\n".join(cases), path="q5.py")
