"""Evidence in, Otter's results out: what tests see, what becomes of their messages, and what is a fault of ours."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from otter.test_files.exception_test import ExceptionTestFile

from autograder.data.dataset import Labelled
from autograder.judge import judge
from autograder.judge.checks import BENCH
from autograder.judge.context import CheckContext, Score
from autograder.judge.grade_report import CheckResult, Outcome, Verdict
from autograder.tests.journals import COMPILED, NO_IMAGES, RULES, bench, line, of_model, of_values

HEAD = """
from otter.test_files import test_case
OK_FORMAT = False
name = "q5"
points = None
"""


def cases(*bodies: str, hidden: bool = True, points: float = 2) -> ExceptionTestFile:
    """An Otter test file with one case for every body."""
    tests = [
        f"@test_case(points={points}, hidden={hidden})\ndef test_part_{number}(env):\n    {body}\n"
        for number, body in enumerate(bodies, start=1)
    ]
    return ExceptionTestFile.from_string(HEAD + "\n".join(tests), path="q5.py")


def results(*bodies: str, journal: bytes = b"", **settings: Any) -> tuple[CheckResult, ...]:
    return judge.judge({"q5": cases(*bodies, **settings)}, bench(journal)).checks["q5"]


def test_a_verdict_survives_its_journey() -> None:
    check = CheckResult("layer 1", True, 2.5, Outcome.FAILED, "Found: 2 layers\nExpected: 3 ≠ 2")
    verdict = Verdict(
        {"q5": (check, check), "q6": ()}, 0.9714, "a fault", ("a flag",), {"notes": ["é"], "finished": False}
    )
    assert Verdict.from_json(verdict.to_json()) == verdict
    assert Verdict.from_json(Verdict({}, None).to_json().encode()) == Verdict({}, None)


def test_other_datasets_that_were_asked_for_are_remarked_once_each() -> None:
    lines = (of_values(loaded=["fashion_mnist", "mnist"]), of_values(at="end", loaded=["fashion_mnist", "cifar10"]))
    assert judge.judge({}, bench(line(note="First."), *lines)).evidence["notes"] == [
        "First.",
        "The notebook loads keras.datasets.fashion_mnist. It was given the images of MNIST in their place, which this "
        "assignment is about.",
    ]
    assert judge.judge({}, bench(of_values(loaded=["mnist"]))).evidence["notes"] == []


def test_a_case_that_passes_has_its_points_and_no_message() -> None:
    assert results("pass") == (CheckResult("part 1", True, 2.0, Outcome.PASSED, ""),)
    assert results("pass", hidden=False, points=0) == (CheckResult("part 1", False, 0.0, Outcome.PASSED, ""),)


ON_PURPOSE = {
    "a check": (
        "from autograder.judge.checks import CheckFailed; raise CheckFailed('2 layers', '3 layers', 'count')",
        "Found: 2 layers\nExpected: 3 layers\nTry: count",
    ),
    "a real check": (
        "from autograder.judge import checks; checks.layer(env, 'q5', 0)",
        "Found: the notebook stopped before this question was reached\n"
        "Try: run the whole notebook from the top (Run > Restart Kernel and Run All Cells)",
    ),
    "an assertion": (
        "assert 'model' in env, 'there is no model.\\nTry: build one.'",
        "there is no model.\nTry: build one.",
    ),
    "an assertion that quotes an error": ("assert False, 'saw\\nKeyError: x'", "saw\nKeyError: x"),
    "an assertion without words": ("assert False", ""),
}


def test_a_check_that_comes_too_early_is_not_checked() -> None:
    body = "from autograder.judge.checks import NotChecked; raise NotChecked('there is no model')"
    assert results(body) == (CheckResult("part 1", True, 2.0, Outcome.NOT_CHECKED, "Not checked: there is no model"),)


@pytest.mark.parametrize("case", ON_PURPOSE)
def test_a_case_that_fails_on_purpose_says_why(case: str) -> None:
    body, message = ON_PURPOSE[case]
    assert results(body) == (CheckResult("part 1", True, 2.0, Outcome.FAILED, message),)


@pytest.mark.parametrize(
    "body",
    ["raise KeyError('q5')", "env['nothing'].layers", "1 / 0", "def f(): f()\n    f()", "raise MemoryError"],
    ids=["KeyError", "no such variable", "division", "recursion", "memory"],
)
def test_anything_unexpected_is_a_fault_of_ours_and_costs_nothing(body: str) -> None:
    broken, fine = results(body, "pass")
    assert broken.outcome is Outcome.UNGRADED
    assert "Error at line" in broken.message
    assert fine.outcome is Outcome.PASSED


def test_the_cases_after_a_failed_one_are_run() -> None:
    assert [check.outcome for check in results("assert False", "pass", "1 / 0", "pass")] == [
        Outcome.FAILED,
        Outcome.PASSED,
        Outcome.UNGRADED,
        Outcome.PASSED,
    ]


def test_a_verdict_tells_how_the_notebook_ran_and_the_score() -> None:
    journal = (
        line(cell=2)
        + line(error={"cell": 2, "name": "KeyError", "text": "x"})
        + line(note="Skipped.")
        + of_model("q7")
        + line(finished=True)
    )
    world = bench(journal)
    world.scores["q7"] = Score(0.97, 0.975, (0.97,), "divided by 255")
    verdict = judge.judge({}, world)
    assert (verdict.accuracy, verdict.fault) == (0.97, "")
    assert verdict.evidence == {
        "errors": [{"cell": 2, "name": "KeyError", "text": "x"}],
        "notes": ["Skipped."],
        "last_cell": 2,
        "finished": True,
    }
    assert judge.judge({}, bench()).accuracy is None


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
    value = judge.environment(bench(of_values(x=given)))["x"]
    assert (type(value), value) == (type(seen), seen)


def test_tests_do_not_see_a_value_that_is_missing() -> None:
    assert "x" not in judge.environment(bench(of_values(x="missing")))


def test_tests_see_another_object_by_the_name_of_its_type_only() -> None:
    journal = line(
        question="q4", at="check", values={"x": {"kind": "other", "name": "DataFrame"}, "y": {"kind": "array"}}
    )
    env = judge.environment(bench(journal))
    assert (type(env["x"]).__name__, type(env["y"]).__name__) == ("DataFrame", "array")
    assert not callable(env["x"])


def test_tests_see_a_description_of_the_model() -> None:
    seen = judge.environment(bench(of_model("q7", steps=9)))["model"]
    assert [layer.name for layer in seen.layers] == ["keras:Flatten", "keras:Dense", "keras:Dense"]
    assert (seen.built, seen.input_shape, seen.output_shape) == (True, (None, 28, 28), (None, 10))
    assert (seen.compiled, seen.loss, seen.optimizer.name) == (True, COMPILED["loss"], "keras:Adam")
    assert int(seen.optimizer.iterations) == 9


def test_tests_see_what_a_model_lacks() -> None:
    seen = judge.environment(bench(of_model("q5", compile=None, input_shape=None, output_shape=None, built=False)))[
        "model"
    ]
    assert (seen.compiled, seen.loss, seen.optimizer, seen.input_shape, seen.output_shape, seen.built) == (
        False,
        None,
        None,
        None,
        None,
        False,
    )


@pytest.mark.parametrize(
    ("described", "seen"),
    [({"kind": "ellipsis"}, "ellipsis"), ({"kind": "other", "name": "History"}, "History")],
    ids=["still dots", "a History"],
)
def test_tests_see_what_stands_in_place_of_a_model(described: dict[str, Any], seen: str) -> None:
    env = judge.environment(bench(line(question="q5", at="check", model=described)))
    assert type(env["model"]).__name__ == seen


def test_evidence_cannot_take_the_place_of_the_bench() -> None:
    world = bench(line(question="q4", at="check", values={BENCH: {"kind": "text", "value": "mine"}}))
    assert judge.environment(world)[BENCH] is world


def test_a_model_for_a_question_that_does_not_exist_is_not_seen() -> None:
    assert judge.environment(bench(of_model("q99"))).keys() == {BENCH}


def answered(folder: Path, journal: bytes) -> Verdict:
    """What a judge process writes, given these bytes and no weights."""
    folder.joinpath("journal").write_bytes(journal)
    folder.joinpath("blob").touch()
    fds = [os.open(folder / name, os.O_RDWR | os.O_CREAT) for name in ("journal", "blob", "result")]
    tests = {"q5": cases("from autograder.judge import checks; checks.layer(env, 'q5', 0)")}
    judge._answer(RULES, tests, (NO_IMAGES, NO_IMAGES, NO_IMAGES), {}, fds)  # closes the result
    for descriptor in fds[:2]:
        os.close(descriptor)
    return Verdict.from_json(folder.joinpath("result").read_bytes())


def test_evidence_that_breaks_the_contract_is_a_fault_and_no_result(tmp_path: Path) -> None:
    verdict = answered(tmp_path, line(points=8))
    assert verdict.checks == {}
    assert verdict.fault == "the evidence breaks the contract: journal line 1: points: Extra inputs are not permitted"


def test_a_judge_writes_its_verdict(tmp_path: Path) -> None:
    verdict = answered(tmp_path, of_model("q5"))
    assert (verdict.fault, verdict.checks["q5"]) == ("", (CheckResult("part 1", True, 2.0, Outcome.PASSED, ""),))


def test_a_model_that_is_missing_or_nameless_is_seen_as_such() -> None:
    assert "model" not in judge.environment(bench(line(question="q5", at="check", model={"kind": "missing"})))
    nameless = judge.environment(bench(line(question="q5", at="check", model={"kind": "other", "name": ""})))
    assert type(nameless["model"]).__name__ == "object"


def test_what_is_odd_stands_in_the_verdict() -> None:
    world = bench(of_model("q7", steps=0))
    world.scores["q7"] = Score(0.97, 0.97, (0.97,), "divided by 255")
    (flag,) = judge.judge({}, world).flags
    assert flag.startswith("q7: 97.00% of hidden images right after 0 steps of training")


def test_a_judge_reads_one_byte_more_than_the_limit_so_that_it_sees_too_much(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(b"12345")
    with path.open("rb") as file:
        assert judge._read(file.fileno(), 3) == b"1234"


def test_a_failure_without_a_word_is_a_fault() -> None:
    (case,) = cases("pass").test_cases
    silent = SimpleNamespace(passed=False, message=None, test_case=case)
    assert judge._result(silent) == CheckResult("part 1", True, 2.0, Outcome.UNGRADED, "")


def images(count: int) -> Labelled:
    return Labelled(np.zeros((count, 28, 28), np.uint8), np.zeros(count, np.uint8))


@pytest.mark.parametrize(("args", "flags"), [({}, ()), ({"retrain": False}, ()), ({"retrain": True}, ("1 2 3",))])
def test_a_judge_trains_anew_only_when_asked_to(
    args: dict[str, bool], flags: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def retrain(world: CheckContext, train: Labelled) -> list[str]:
        return [" ".join(str(len(each.labels)) for each in (train, world.public, world.private))]

    monkeypatch.setattr(flags, "retrain", retrain)
    tmp_path.joinpath("journal").write_bytes(of_model("q5"))
    tmp_path.joinpath("blob").touch()
    fds = [os.open(tmp_path / name, os.O_RDWR | os.O_CREAT) for name in ("journal", "blob", "result")]
    body = "bench = env['__bench__']; assert (len(bench.public.labels), len(bench.private.labels)) == (2, 3)"
    judge._answer(RULES, {"q5": cases(body)}, (images(1), images(2), images(3)), args, fds)
    verdict = Verdict.from_json(tmp_path.joinpath("result").read_bytes())
    assert verdict.flags == flags
    assert verdict.checks["q5"][0].outcome is Outcome.PASSED


def test_tests_see_the_model_of_the_end_where_the_check_came_too_early() -> None:
    world = bench(of_model("q7", steps=0), of_model("q7", at="end", steps=12))
    assert judge.environment(world)["model"].optimizer.iterations == 12
