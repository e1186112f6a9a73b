"""Evidence in, verdict out: the test cases of Otter's own test files, run where no student code has been.

Otter's classes parse the test files: they decide which cases exist, what each is worth, and how it is called. A case
that raises CheckFailed, NotChecked or AssertionError does so on purpose; any other exception is a fault of the grader.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from otter.test_files import TestFile
from otter.test_files.abstract_test import TestCase

from autograder.data import dataset
from autograder.judge import flags
from autograder.judge.context import CONTEXT, CheckContext
from autograder.judge.evidence import Model, ReportedValue
from autograder.judge.failure import CheckFailed, NotChecked
from autograder.judge.grade_report import CheckResult, Outcome, Verdict

__all__ = ["judge", "visible_globals"]


def judge(tests: Mapping[str, TestFile], context: CheckContext) -> Verdict:
    """Run every question's tests on the evidence of one submission."""
    env = visible_globals(context)
    checks = {question: tuple(_run(case, env) for case in test.test_cases) for question, test in tests.items()}
    score = next(iter(context.scores.values()), None)
    evidence = context.evidence
    facts = {
        "errors": [error.model_dump() for error in evidence.errors],
        "notes": [*evidence.notes, *_dataset_notes(context)],
        "last_cell": evidence.last_cell,
        "finished": evidence.finished,
    }
    return Verdict(checks, score.accuracy if score else None, flags=tuple(flags.suspicions(context)), evidence=facts)


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
