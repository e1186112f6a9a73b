"""Evidence → results: Otter's own test files, run by Otter's own classes, where no student code has been.

The evaluator (`serve`) is a warm process that holds the policy, the tests and the private images. It forks
one judge a submission, which reads that submission's evidence, writes one JSON document, and exits.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from otter.test_files import TestFile
from otter.test_files.exception_test import ExceptionTestFile

from autograder.data import dataset
from autograder.errors import EvidenceError
from autograder.judge import flags
from autograder.judge.checks import BENCH
from autograder.judge.context import CheckContext
from autograder.judge.evidence import BLOB_LIMIT, Evidence, Model, ReportedValue, parse
from autograder.judge.grade_report import CheckResult, Outcome, Verdict
from autograder.policy.policy import Policy
from autograder.sandbox import zygote
from autograder.sandbox.recorder import JOURNAL_LIMIT

__all__ = ["environment", "judge", "serve"]

# The words an Otter test case ends with when it fails on purpose; anything else is a fault of ours.
ON_PURPOSE = re.compile(r"\n(CheckFailed|NotChecked|AssertionError): (.*)\Z", re.DOTALL)

FAILED = {"CheckFailed": Outcome.FAILED, "AssertionError": Outcome.FAILED, "NotChecked": Outcome.NOT_CHECKED}


def judge(tests: Mapping[str, TestFile], bench: CheckContext) -> Verdict:
    """Run every question's tests over the evidence on the bench."""
    env = environment(bench)
    checks = {}
    for question, test in tests.items():
        test.run(env)
        checks[question] = tuple(map(_result, test.test_case_results))
    score = next(iter(bench.scores.values()), None)
    evidence = bench.evidence
    facts = {
        "errors": [error.model_dump() for error in evidence.errors],
        "notes": [*evidence.notes, *_given_instead(bench)],
        "last_cell": evidence.last_cell,
        "finished": evidence.finished,
    }
    return Verdict(checks, score.accuracy if score else None, flags=tuple(flags.suspicions(bench)), evidence=facts)


def _given_instead(bench: CheckContext) -> Iterator[str]:
    """What to say of other datasets that the notebook asked for; a student process has the assignment's only."""
    evidence, mine = bench.evidence, bench.policy.assignment.dataset
    taken = (*evidence.questions.values(), *evidence.at_end.values())
    for name in dataset.DATASETS:
        if name != mine and any(name in each.loaded for each in taken):
            yield (
                f"The notebook loads keras.datasets.{name}. It was given the images of {dataset.DATASETS[mine].title} "
                "in their place, which this assignment is about."
            )


def environment(bench: CheckContext) -> dict[str, Any]:
    """What the tests see in place of a student's globals: reported values, a description of the model, the bench."""
    env: dict[str, Any] = {}
    for id, known in bench.evidence.questions.items():
        taken = bench.question(id)[1] if id in bench.policy.code else known
        for name, value in (taken.values or {}).items():
            if value.kind != "missing":
                env[name] = _value(value)
        question = bench.policy.code.get(taken.question)
        if taken.model is not None and question is not None and taken.model.kind != "missing":
            env[question.variable] = _model(taken.model)
    env[BENCH] = bench  # last: the evidence may name anything
    return env


def serve(control: socket.socket) -> None:
    """Be the evaluator: take the secrets from the launcher's first message, then fork a judge a request."""
    _, fds, _, _ = socket.recv_fds(control, zygote.MESSAGE_LIMIT, 1)
    with os.fdopen(fds[0], "rb") as file:
        config = json.load(file)
    policy = Policy.model_validate(config["policy"])
    data = dataset.load(Path(config["data"]))
    public, private = dataset.split(data.test, policy.assignment.split_seed)
    tests = {id: ExceptionTestFile.from_string(text, path=f"{id}.py") for id, text in config["tests"].items()}
    control.send(b"ready")
    zygote.serve(control, partial(_answer, policy, tests, (data.train, public, private)))


def _answer(
    policy: Policy,
    tests: Mapping[str, TestFile],
    images: tuple[dataset.Labelled, dataset.Labelled, dataset.Labelled],
    args: dict[str, Any],
    fds: list[int],
) -> None:
    train, public, private = images
    journal, blob, result = fds
    try:
        evidence: Evidence = parse(_read(journal, JOURNAL_LIMIT), _read(blob, BLOB_LIMIT))
        bench = CheckContext(evidence, policy, public, private)
        verdict = judge(tests, bench)
        if args.get("retrain"):
            verdict = replace(verdict, flags=tuple(flags.retrain(bench, train)))
    except EvidenceError as error:
        verdict = Verdict({}, None, fault=f"the evidence breaks the contract: {error}")
    with os.fdopen(result, "w", encoding="utf-8") as file:
        file.write(verdict.to_json())


def _read(descriptor: int, limit: int) -> bytes:
    """All of an open file from its start, one byte more than `limit` at most."""
    return os.pread(descriptor, limit + 1, 0)


def _result(result: Any) -> CheckResult:
    case = result.test_case
    outcome, message = Outcome.PASSED, ""
    if not result.passed:
        words = ON_PURPOSE.search(result.message or "")
        outcome = FAILED[words[1]] if words else Outcome.UNGRADED
        message = words[2].strip() if words else (result.message or "").strip()
    name = case.body.test_func.__name__.removeprefix("test_").replace("_", " ")
    return CheckResult(name, bool(case.hidden), float(case.points), outcome, message)


def _value(value: ReportedValue) -> Any:
    match value.kind:
        case "numbers":
            return tuple(value.value)  # type: ignore[arg-type]  # kind "numbers" means a list
        case "bool" | "text" | "number":
            return value.value
        case "none":
            return None
        case "ellipsis":
            return ...
        case _:
            return type(value.name or value.kind, (), {})()


def _model(model: Model) -> Any:
    """A description with the attributes that public tests ask a Keras model for, and nothing that computes."""
    if model.kind == "ellipsis":
        return ...
    if model.kind == "other":
        return type(model.name or "object", (), {})()
    compiled = model.compile
    return SimpleNamespace(
        layers=[SimpleNamespace(name=layer.type) for layer in model.layers],
        built=model.built,
        input_shape=None if model.input_shape is None else tuple(model.input_shape),
        output_shape=None if model.output_shape is None else tuple(model.output_shape),
        compiled=compiled is not None,
        optimizer=None if compiled is None else SimpleNamespace(name=compiled.optimizer, iterations=model.steps),
        loss=None if compiled is None else compiled.loss,
    )
