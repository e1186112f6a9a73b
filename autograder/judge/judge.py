"""Evidence in, verdict out: the test cases of Otter's own test files, run where no student code has been.

The evaluator, a warm process with the policy, the tests and the private images, forks a judge for every submission.

In:    once, from the launcher, a file with policy, tests and the path of the images; then one
       request per submission, with its journal and blob and a file for the result, all open.
Out:   into that file, a Verdict as JSON. Evidence that breaks its contract gives a Verdict with a fault and no checks.
Never: student code runs here.

Otter's classes parse the test files: they decide which cases exist, what each is worth, and how it is called. A case
that raises CheckFailed, NotChecked or AssertionError does so on purpose; any other exception is a fault of the grader.
"""

from __future__ import annotations

import json
import os
import socket
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from otter.test_files import TestFile
from otter.test_files.abstract_test import TestCase
from otter.test_files.exception_test import ExceptionTestFile

from autograder.data import dataset
from autograder.errors import EvidenceError
from autograder.judge import checks, flags  # noqa: F401  # checks: loaded once, before judges are forked
from autograder.judge.context import CONTEXT, CheckContext
from autograder.judge.evidence import Model, ReportedValue, parse
from autograder.judge.failure import CheckFailed, NotChecked
from autograder.judge.grade_report import CheckResult, Outcome, Verdict
from autograder.policy.policy import Policy
from autograder.sandbox import zygote
from autograder.sandbox.recorder import BLOB_LIMIT, JOURNAL_LIMIT

__all__ = ["judge", "serve", "visible_globals"]


def serve(control: socket.socket) -> None:
    """Receive the secrets in the launcher's first message, then fork a judge for every request."""
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
        # One byte more than the limits, so that `parse` notices the excess.
        evidence = parse(os.pread(journal, JOURNAL_LIMIT + 1, 0), os.pread(blob, BLOB_LIMIT + 1, 0))
        context = CheckContext(evidence, policy, public, private)
        verdict = judge(tests, context)
        if args.get("retrain"):
            verdict = replace(verdict, flags=tuple(flags.retrain(context, train)))
    except EvidenceError as error:
        verdict = Verdict({}, None, fault=f"the evidence breaks the contract: {error}")
    with os.fdopen(result, "w", encoding="utf-8") as file:
        file.write(verdict.to_json())


def judge(tests: Mapping[str, TestFile], context: CheckContext) -> Verdict:
    """Run every question's tests on the evidence of one submission."""
    env = visible_globals(context)
    results = {question: tuple(_run(case, env) for case in test.test_cases) for question, test in tests.items()}
    score = next(iter(context.scores.values()), None)
    facts = context.evidence.model_dump(mode="json", include={"errors", "notes", "last_cell", "finished"})
    facts["notes"] += _dataset_notes(context)
    return Verdict(results, score.accuracy if score else None, flags=tuple(flags.suspicions(context)), evidence=facts)


def visible_globals(context: CheckContext) -> dict[str, Any]:
    """Return the stand-ins for a student's globals: reported values, a description of the model, and the context."""
    env: dict[str, Any] = {}
    for id, recorded in context.evidence.questions.items():
        question = context.policy.code.get(id)
        answer = recorded if question is None else context.answer(id)
        for name, value in (answer.values or {}).items():
            if value.kind != "missing":
                env[name] = _plain_value(value)
        if answer.model is not None and question is not None and answer.model.kind != "missing":
            env[question.variable] = _plain_model(answer.model)
    env[CONTEXT] = context  # last, because the evidence may use any name
    return env


def _run(case: TestCase, env: dict[str, Any]) -> CheckResult:
    outcome, message = Outcome.PASSED, ""
    try:
        case.body.call_func(env)
    except NotChecked as reason:
        outcome, message = Outcome.NOT_CHECKED, str(reason)
    except (CheckFailed, AssertionError) as failure:
        outcome, message = Outcome.FAILED, str(failure).strip()
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        outcome = Outcome.UNGRADED
        message = f"Fault in {where.name}, line {where.lineno} of {where.filename}:\n{type(error).__name__}: {error}"
    name = case.body.test_func.__name__.removeprefix("test_").replace("_", " ")
    return CheckResult(name, bool(case.hidden), float(case.points), outcome, message)


def _dataset_notes(context: CheckContext) -> Iterator[str]:
    """Yield a note for every other dataset that the notebook loads: student code gets the assignment's images only."""
    answers = (*context.evidence.questions.values(), *context.evidence.at_end.values())
    own = context.policy.assignment.dataset
    for name in dataset.DATASETS:
        if name != own and any(name in answer.loaded for answer in answers):
            yield (
                f"The notebook loads keras.datasets.{name}. It was given the images of {dataset.DATASETS[own].title} "
                "instead, which this assignment is about."
            )


def _plain_value(value: ReportedValue) -> Any:
    match value.kind:
        case "numbers":
            return tuple(value.value)  # type: ignore[arg-type]  # kind "numbers" means a list
        case "bool" | "text" | "number" | "none":
            return value.value
        case "ellipsis":
            return ...
        case _:
            return type(value.name or value.kind, (), {})()


def _plain_model(model: Model) -> Any:
    """Return an object with the attributes that public tests read from a Keras model, and nothing that computes."""
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
