"""Evidence in, results out: what tests see, how their outcomes are read, and what is a fault of the grader."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from otter.test_files.exception_test import ExceptionTestFile

from autograder.data.dataset import Labelled
from autograder.judge import flags, judge
from autograder.judge.context import CONTEXT, CheckContext
from autograder.judge.grade_report import CheckResult, Outcome, Verdict
from autograder.judge.scoring import Score
from autograder.sandbox.recorder import BLOB_LIMIT, JOURNAL_LIMIT
from autograder.tests.journals import COMPILED, RULES, context, failed, line, of_model, of_values, otter_tests


def results(*bodies: str, **settings: Any) -> tuple[CheckResult, ...]:
    return judge.judge({"q5": otter_tests(*bodies, **settings)}, context()).checks["q5"]


def test_a_verdict_survives_its_journey() -> None:
    check = CheckResult("layer 1", True, 2.5, Outcome.FAILED, "Found: 2 layers\nExpected: 3 ≠ 2")
    verdict = Verdict(
        {"q5": (check,) * 2, "q6": ()}, 0.9714, "a fault", ("a flag",), {"notes": ["é"], "finished": False}
    )
    assert Verdict.from_json(verdict.to_json()) == verdict
    assert Verdict.from_json(Verdict({}, None).to_json().encode()) == Verdict({}, None)


def test_a_case_that_passes_has_its_points_and_no_message() -> None:
    assert results("pass") == (CheckResult("part 1", True, 2.0, Outcome.PASSED, ""),)
    assert results("pass", hidden=False, points=0) == (CheckResult("part 1", False, 0.0, Outcome.PASSED, ""),)


def test_points_are_those_that_otter_resolves() -> None:
    source = otter_tests("pass", "pass").source.replace("points=2, ", "").replace("points = None", "points = 5")
    test = ExceptionTestFile.from_string(source)
    assert [check.points for check in judge.judge({"q5": test}, context()).checks["q5"]] == [2.5, 2.5]


OUTCOMES = {
    "a failed check": (
        "from autograder.judge.failure import CheckFailed; raise CheckFailed('2 layers', '3 layers', 'count')",
        Outcome.FAILED,
        failed("2 layers", "3 layers", "count"),
    ),
    "a real check": (
        "from autograder.judge import checks; checks.layer(env, 'q5', 1)",
        Outcome.NOT_CHECKED,
        "Not checked: there is no model to check yet",
    ),
    "an assertion": (
        "assert 'model' in env, 'there is no model.\\nTry: build one. '",
        Outcome.FAILED,
        "there is no model.\nTry: build one.",
    ),
    "an assertion that quotes an error": ("assert False, 'saw\\nKeyError: x'", Outcome.FAILED, "saw\nKeyError: x"),
    "an assertion without words": ("assert False", Outcome.FAILED, ""),
    "a fault": ("raise KeyError('x')", Outcome.UNGRADED, "Fault in test_part_1, line 9 of q5.py:\nKeyError: 'x'"),
    "a fault that quotes a failure": (
        "raise ValueError('\\nCheckFailed: no')",
        Outcome.UNGRADED,
        "Fault in test_part_1, line 9 of q5.py:\nValueError: \nCheckFailed: no",
    ),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_the_outcome_and_its_message_are_those_of_the_exception(case: str) -> None:
    body, outcome, message = OUTCOMES[case]
    assert results(body) == (CheckResult("part 1", True, 2.0, outcome, message),)


@pytest.mark.parametrize("body", ["env['nothing'].layers", "1 / 0", "def f(): f()\n    f()", "raise MemoryError"])
def test_anything_unexpected_is_a_fault_of_the_grader_and_the_next_case_is_run(body: str) -> None:
    assert [check.outcome for check in results(body, "pass")] == [Outcome.UNGRADED, Outcome.PASSED]


def test_a_verdict_holds_how_the_notebook_ran_the_score_and_what_is_suspicious() -> None:
    error = {"cell": 2, "name": "KeyError", "text": "x"}
    records = (line(cell=2), line(error=error), line(note="Skipped."), line(finished=True))
    world = context(*records, of_model("q7", steps=0))
    world.scores["q7"] = Score(0.97, 0.975, (0.97,), "divided by 255")
    verdict = judge.judge({}, world)
    assert (verdict.accuracy, verdict.fault) == (0.97, "")
    assert verdict.evidence == {"errors": [error], "notes": ["Skipped."], "last_cell": 2, "finished": True}
    assert verdict.flags[0].startswith("q7: 97.00% of hidden images right after 0 steps of training")
    assert judge.judge({}, context()).accuracy is None


def test_other_datasets_that_were_loaded_are_noted_once_each() -> None:
    lines = (of_values(loaded=["fashion_mnist", "mnist"]), of_values(at="end", loaded=["fashion_mnist", "cifar10"]))
    assert judge.judge({}, context(line(note="First."), *lines)).evidence["notes"] == [
        "First.",
        "The notebook loads keras.datasets.fashion_mnist. It was given the images of MNIST instead, which this "
        "assignment is about.",
    ]
    assert judge.judge({}, context(of_values(loaded=["mnist"]))).evidence["notes"] == []


VALUES: dict[str, tuple[Any, Any]] = {
    "numbers": (("numbers", [60000, 28, 28]), (60000, 28, 28)),
    "a number": (("number", 60000), 60000),
    "a fraction": (("number", 0.5), 0.5),
    "a bool": (("bool", True), True),
    "a text": (("text", "sixty thousand"), "sixty thousand"),
    "none": ("none", None),
    "dots": ("ellipsis", ...),
}


@pytest.mark.parametrize("case", VALUES)
def test_tests_see_a_reported_value_as_plain_data(case: str) -> None:
    given, seen = VALUES[case]
    value = judge.visible_globals(context(of_values(x=given)))["x"]
    assert (type(value), value) == (type(seen), seen)


def test_tests_see_another_object_by_the_name_of_its_type_only() -> None:
    journal = line(
        question="q4", at="check", values={"x": {"kind": "other", "name": "DataFrame"}, "y": {"kind": "array"}}
    )
    env = judge.visible_globals(context(journal))
    assert (type(env["x"]).__name__, type(env["y"]).__name__) == ("DataFrame", "array")
    assert not callable(env["x"])


def test_tests_see_a_description_of_the_model() -> None:
    seen = judge.visible_globals(context(of_model("q7", steps=9)))["model"]
    assert [layer.name for layer in seen.layers] == ["keras:Flatten", "keras:Dense", "keras:Dense"]
    assert (seen.built, seen.input_shape, seen.output_shape) == (True, (None, 28, 28), (None, 10))
    assert (seen.compiled, seen.loss, seen.optimizer.name) == (True, COMPILED["loss"], "keras:Adam")
    assert int(seen.optimizer.iterations) == 9


def test_tests_see_what_a_model_lacks() -> None:
    lacking: dict[str, Any] = {"input_shape": None, "output_shape": None, "built": False}
    seen = judge.visible_globals(context(of_model("q5", compile=None, **lacking)))["model"]
    assert (seen.compiled, seen.loss, seen.optimizer) == (False, None, None)
    assert {name: getattr(seen, name) for name in lacking} == lacking


@pytest.mark.parametrize(
    ("described", "seen"),
    [
        ({"kind": "ellipsis"}, "ellipsis"),
        ({"kind": "other", "name": "History"}, "History"),
        ({"kind": "other", "name": ""}, "object"),
    ],
)
def test_tests_see_what_was_assigned_instead_of_a_model(described: dict[str, Any], seen: str) -> None:
    env = judge.visible_globals(context(line(question="q5", at="check", model=described)))
    assert type(env["model"]).__name__ == seen


def test_tests_see_the_model_of_the_end_if_the_check_came_too_early() -> None:
    world = context(of_model("q7", steps=0), of_model("q7", at="end", steps=12))
    assert judge.visible_globals(world)["model"].optimizer.iterations == 12


def test_tests_do_not_see_what_is_missing_or_belongs_to_no_question() -> None:
    missing = line(question="q5", at="check", model={"kind": "missing"})
    assert judge.visible_globals(context(of_values(x="missing"), missing, of_model("q99"))).keys() == {CONTEXT}


def test_evidence_cannot_take_the_place_of_the_context() -> None:
    world = context(line(question="q4", at="check", values={CONTEXT: {"kind": "text", "value": "mine"}}))
    assert judge.visible_globals(world)[CONTEXT] is world


def images(count: int) -> Labelled:
    return Labelled(np.zeros((count, 28, 28), np.uint8), np.zeros(count, np.uint8))


def answered(folder: Path, journal: bytes, body: str, *, blob: int = 0, **args: bool) -> Verdict:
    """The verdict that a judge writes into its open file, given these bytes and a blob of this size."""
    folder.joinpath("journal").write_bytes(journal)
    fds = [os.open(folder / name, os.O_RDWR | os.O_CREAT) for name in ("journal", "blob", "result")]
    os.truncate(folder / "blob", blob)
    judge._answer(RULES, {"q5": otter_tests(body)}, (images(1), images(2), images(3)), dict(args), fds)
    for descriptor in fds[:2]:  # the result is closed
        os.close(descriptor)
    return Verdict.from_json(folder.joinpath("result").read_bytes())


LONG_JOURNAL = f"the journal has {JOURNAL_LIMIT + 1} bytes; at most {JOURNAL_LIMIT} are read"
LONG_BLOB = f"the blob has {BLOB_LIMIT + 1} bytes; at most {BLOB_LIMIT} are read"


@pytest.mark.parametrize(
    ("journal", "blob", "fault"),
    [
        (line(points=8), 0, "journal line 1: points: Extra inputs are not permitted"),
        (b"\n" * (2 * JOURNAL_LIMIT), 0, LONG_JOURNAL),
        (b"", 2 * BLOB_LIMIT, LONG_BLOB),
        (b"", BLOB_LIMIT + 1, LONG_BLOB),
    ],
    ids=["an unknown key", "too long, and read no further than to notice it", "a long blob", "one byte too long"],
)
def test_evidence_that_breaks_the_contract_is_a_fault_and_no_result(
    journal: bytes, blob: int, fault: str, tmp_path: Path
) -> None:
    found = answered(tmp_path, journal, "pass", blob=blob)
    assert found == Verdict({}, None, f"the evidence breaks the contract: {fault}")


@pytest.mark.parametrize(("args", "expected"), [({}, ()), ({"retrain": False}, ()), ({"retrain": True}, ("1 2 3",))])
def test_a_judge_trains_again_only_on_request(
    args: dict[str, bool], expected: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def retrain(context: CheckContext, train: Labelled) -> list[str]:
        return [" ".join(str(len(some.labels)) for some in (train, context.public, context.private))]

    monkeypatch.setattr(flags, "retrain", retrain)
    body = "it = env['__check_context__']; assert (len(it.public.labels), len(it.private.labels)) == (2, 3)"
    verdict = answered(tmp_path, of_model("q5"), body, **args)
    assert (verdict.fault, verdict.flags) == ("", expected)
    assert verdict.checks["q5"] == (CheckResult("part 1", True, 2.0, Outcome.PASSED, ""),)
