"""The master notebook: `exercise.md`, with the points and hidden tests of grading.yml put in for Otter Assign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder.errors import BuildError
from autograder.layout import Layout
from autograder.policy.policy import AccuracyRule, CodeQuestion, Policy, share

__all__ = ["hidden_tests", "read_master"]


def read_master(layout: Layout, policy: Policy) -> NotebookNode:
    """Return the master notebook as Otter Assign reads it, with points and hidden tests.

    Raises BuildError if the file is missing or its questions are not those of grading.yml.
    """
    try:
        import jupytext  # here, because it takes a second and a run of `grade` seldom builds

        notebook = jupytext.read(layout.master)
    except FileNotFoundError:
        raise BuildError(f"{layout.master} is missing") from None
    cells: list[NotebookNode] = []
    questions: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "raw" and cell.source.startswith("# ASSIGNMENT CONFIG"):
            cell.source += f"\nname: {policy.assignment.name}"
        elif cell.cell_type == "raw" and cell.source.startswith("# BEGIN QUESTION"):
            config = yaml.safe_load(cell.source)
            question = str(config["name"])
            _require_match(question, config, layout, policy)
            questions.append(question)
            if question in policy.written:
                cell.source += f"\npoints: {policy.questions[question].points:g}"
        elif (
            cell.cell_type == "raw" and cell.source.startswith("# END TESTS") and set(questions[-1:]) & set(policy.code)
        ):
            cells += [new_code_cell(source) for source in hidden_tests(questions[-1], policy.code[questions[-1]])]
        cells.append(cell)
    if sorted(questions) != sorted(policy.questions):
        missing = ", ".join(sorted(set(policy.questions) - set(questions))) or "none"
        raise BuildError(f"{layout.master}: expected each question once; missing: {missing}")
    notebook.cells = cells
    notebook.metadata.pop("jupytext", None)
    return notebook


def _require_match(question: str, config: dict[str, Any], layout: Layout, policy: Policy) -> None:
    if question not in policy.questions:
        raise BuildError(f"{layout.master}: question {question} is not in {layout.policy.name}")
    if bool(config.get("manual")) != (question in policy.written):
        raise BuildError(
            f"{layout.master}: {question} is a written question in one of this file and {layout.policy.name}, and a "
            "code question in the other"
        )


def hidden_tests(id: str, question: CodeQuestion) -> Iterator[str]:
    """Yield the hidden test cells of a question in the order in which they are shown.

    Each is one line that calls `autograder.judge.checks`.
    """
    if question.reports is not None:
        for name, points in question.reports.items():
            yield _test(name, f"report(env, {id!r}, {name!r})", points)
    elif question.layers is not None:
        even = share(question.points, len(question.layers))
        for index, layer in enumerate(question.layers):
            yield _test(f"layer_{index + 1}", f"layer(env, {id!r}, {index})", layer.points or even[index])
    elif question.accuracy is not None:
        yield from _accuracy_tests(id, question.points, question.accuracy)
    else:
        for part, points in zip(("optimizer", "loss"), share(question.points, 2), strict=True):
            yield _test(part, f"compile_{part}(env, {id!r})", points)


def _accuracy_tests(id: str, points: float, rule: AccuracyRule) -> Iterator[str]:
    if rule.scaled is not None:  # first, because it explains a low accuracy
        yield _test("scaled_pixels", f"scaled(env, {id!r})", rule.scaled)
    before = 0.0
    for level, reached in enumerate([*(points for _, points in rule.bands), points - rule.other_points]):
        yield _test(f"accuracy_level_{level + 1}", f"accuracy(env, {id!r}, {level})", round(reached - before, 6))
        before = reached
    for name, worth in (rule.measured or {}).items():
        yield _test(name, f"measured(env, {id!r}, {name!r})", worth)


def _test(name: str, call: str, points: float) -> str:
    return (
        f'""" # BEGIN TEST CONFIG\nhidden: true\npoints: {points:g}\n""" # END TEST CONFIG\n'
        f"def test_{name}(env):\n    from autograder.judge import checks\n    checks.{call}"
    )
